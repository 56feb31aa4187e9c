//! Journals on disk: every format, and files that are truncated, damaged, or not
//! journals.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that can't go on should fail, and show its seed"
)]

mod bytes;
mod formats;
mod newer;
