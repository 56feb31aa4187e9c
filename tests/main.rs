//! All integration tests, in one binary: each further one would link the SDK again.

mod checks;
mod config;
mod sim;
