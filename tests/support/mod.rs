//! What several tests need.

#[cfg(feature = "aws")]
pub mod moto;
pub mod sshd;
