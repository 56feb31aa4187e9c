//! Journals on disk: those of every format, and those that are truncated,
//! damaged, or no journals at all.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that can't go on should fail, and show its seed"
)]

mod bytes;
mod formats;
mod newer;
