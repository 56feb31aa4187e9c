//! All integration tests, in one binary: each further one would link the SDK again.

mod config;
mod sim;
