//! What several tests need.

#[cfg(feature = "aws")]
pub mod moto;
pub mod run;
pub mod sshd;
