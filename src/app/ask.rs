//! Asking: before money is spent or machines are ended, and for what is not
//! given.

use std::io::{BufRead, IsTerminal};

use super::{CliError, Exit};
use crate::{model::Failure, report::Out, signals::Signals};

/// Whether the user answers yes to `question`; anything else is no. `Err` where
/// there is no terminal to ask on, or where Ctrl-C or another signal ended it.
pub async fn confirm(question: &str, err: &mut Out) -> Result<bool, CliError> {
    if !std::io::stdin().is_terminal() {
        return Err(CliError::usage(Failure::new("stdin is not a terminal; pass --yes")));
    }
    err.prompt(&format!("{question} [y/N] "))?;
    let line = line(err).await?;
    Ok(matches!(line.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// Whether there is somebody to ask.
pub fn can_ask() -> bool {
    std::io::stdin().is_terminal()
}

/// What the user answers to `question`, `default` for nothing; asked again
/// until `read` takes it. The end of the input ends the command.
pub async fn ask<T>(
    question: &str,
    default: &str,
    read: impl Fn(&str) -> Result<T, String>,
    err: &mut Out,
) -> Result<T, CliError> {
    loop {
        err.prompt(&format!("{question} [{default}]: "))?;
        let line = line(err).await?;
        if line.is_empty() {
            return Err(CliError::failed(Failure::new("not answered; nothing was written")));
        }
        match read(if line.trim().is_empty() { default } else { line.trim() }) {
            Ok(answer) => return Ok(answer),
            Err(wrong) => err.line(format!("  {wrong}"))?,
        }
    }
}

/// The answer to an open question, with its line end; empty at the end of the
/// input. A signal ends the command at once, with the cursor on a new line.
async fn line(err: &mut Out) -> Result<String, CliError> {
    let mut signals = Signals::new()?;
    let answer = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map(|_| line)
    });
    tokio::select! {
        answer = answer => {
            let line = answer.map_err(|error| color_eyre::eyre::eyre!(error))??;
            err.answered(!line.ends_with('\n'))?;
            Ok(line)
        }
        Some(signal) = futures_util::StreamExt::next(&mut signals) => {
            err.answered(true)?;
            let failure = Failure::new("interrupted before the answer; nothing was changed");
            Err(CliError::Failed { exit: Exit::signal(signal), failure })
        }
    }
}
