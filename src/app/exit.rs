//! Exit codes; the tables in `muster --help` and the README match.

use std::process::ExitCode;

use crate::{
    check::{self, Finding},
    signals::Signal,
};

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit(u8);

impl Exit {
    /// As asked.
    pub const DONE: Self = Self(0);
    /// A check failed, or not every node came up or went down; of `status`: the
    /// cluster is not complete, or without its leader.
    pub const FAILED: Self = Self(1);
    /// The command line or a config is wrong.
    pub const USAGE: Self = Self(2);
    /// AWS could not be asked.
    pub const NOT_ASKED: Self = Self(3);
    /// Nothing failed, but something could not be checked.
    pub const UNKNOWN: Self = Self(4);
    /// muster itself failed; the code that Rust gives a panic.
    pub const BUG: Self = Self(101);

    /// Ended by this signal.
    pub fn signal(signal: Signal) -> Self {
        Self(signal.exit_code())
    }

    /// What a look comes to.
    pub fn of_look(findings: &[Finding], not_asked: bool) -> Self {
        Self(check::exit_code(findings, not_asked))
    }

    /// The code that the shell sees.
    pub fn code(self) -> u8 {
        self.0
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
