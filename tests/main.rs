//! All integration tests, in one binary: each further one would link the SDK again.

mod checks;
mod cloud_contract;
mod config;
mod engine;
#[cfg(feature = "aws")]
mod ec2;
mod sim;
mod ssh;
mod support;
