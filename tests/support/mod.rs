//! Shared test support.

pub mod chance;
#[cfg(feature = "aws")]
pub mod ec2;
#[cfg(feature = "aws")]
pub mod endpoint;
#[cfg(feature = "aws")]
pub mod moto;
pub mod muster;
pub mod python;
pub mod root;
pub mod run;
#[cfg(feature = "aws")]
pub mod server;
pub mod sshd;
pub mod terminal;
