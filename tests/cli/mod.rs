//! The real binary on its command line.

mod bad_input;
mod simulated;
