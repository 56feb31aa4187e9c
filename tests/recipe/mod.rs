//! The built-in recipe's scripts on a real sshd, with stand-ins for programs that
//! would change the machine, and the whole recipe run by an engine.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod disks;
mod node;
mod redirect;
mod services;
mod software;
mod whole;
