//! What several tests need.

<<<<<<< HEAD
#[cfg(feature = "aws")]
pub mod moto;
=======
pub mod sshd;
>>>>>>> 3f4dd52 (SSH: one master per node through the operator's own ssh, and steps that outlive their connection)
