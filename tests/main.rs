//! All integration tests, in one binary: each further one would link the SDK again.

mod checks;
mod cloud_contract;
mod config;
mod engine;
mod sim;
mod ssh;
mod support;
