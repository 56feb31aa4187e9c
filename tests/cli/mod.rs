//! The real binary on its command line.

#[cfg(feature = "aws")]
mod aws;
mod bad_input;
mod clusters;
mod config;
mod disk;
mod down;
mod first;
mod fix;
mod handover;
mod log;
mod simulated;
