//! Errors that end a command, as they are reported to the user.

use crate::{config::Diagnostic, journal::JournalError, model::Failure, report::Out};

use super::Exit;

/// What ends a command early.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The configs are wrong.
    #[error("the configs are wrong")]
    Config(Vec<Diagnostic>),
    /// Something that the user can do something about.
    #[error("{failure}")]
    Failed {
        /// How the process ends.
        exit: Exit,
        /// What happened and what to do.
        failure: Failure,
    },
    /// The journal or the lock can't be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A report can't be written (a full disk; a reader that went away is none).
    #[error("can't write: {0}")]
    Output(#[from] std::io::Error),
    /// A fault of muster's own.
    #[error(transparent)]
    Bug(#[from] color_eyre::Report),
}

impl CliError {
    /// Something wrong with how muster was called.
    pub fn usage(failure: Failure) -> Self {
        Self::Failed { exit: Exit::USAGE, failure }
    }

    /// Something that did not work.
    pub fn failed(failure: Failure) -> Self {
        Self::Failed { exit: Exit::FAILED, failure }
    }

    /// How the process ends.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Config(_) => Exit::USAGE,
            Self::Failed { exit, .. } => *exit,
            Self::Journal(_) | Self::Output(_) => Exit::FAILED,
            Self::Bug(_) => Exit::BUG,
        }
    }

    /// Prints the error. A failure to print is not reported a second time.
    pub fn print(&self, err: &mut Out) -> std::io::Result<()> {
        match self {
            Self::Config(diagnostics) => {
                err.lines(&crate::report::diagnostics(diagnostics, err.paint()))
            }
            Self::Failed { failure, .. } => err.failure(failure),
            Self::Bug(report) => {
                err.line("muster failed: a fault of its own, please report it")?;
                format!("{report:?}").split('\n').try_for_each(|line| err.line(line))
            }
            Self::Journal(error) => {
                let failure = Failure::new(error.to_string());
                err.failure(&failure.hint("--state-dir keeps the cluster's files elsewhere"))
            }
            Self::Output(_) => err.failure(&Failure::new(self.to_string())),
        }
    }
}
