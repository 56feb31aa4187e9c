//! Asking: before money is spent or machines are ended, and for what is not
//! given.

use std::io::{BufRead, IsTerminal};

use super::Trouble;
use crate::{model::Failure, report::Out};

/// Whether the user says yes to `question`. `Err` where nobody can be asked.
pub async fn confirm(question: &str, err: &mut Out) -> Result<bool, Trouble> {
    if !std::io::stdin().is_terminal() {
        let failure = Failure::new("this has to be confirmed, and standard input is no terminal");
        return Err(Trouble::usage(failure.hint("add --yes once you are sure")));
    }
    err.prompt(&format!("{question} [y/N] "))?;
    let line = line().await?;
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
) -> Result<T, Trouble> {
    loop {
        err.prompt(&format!("{question} [{default}]: "))?;
        let line = line().await?;
        if line.is_empty() {
            err.line("")?;
            return Err(Trouble::failed(Failure::new("not answered; nothing was written")));
        }
        match read(if line.trim().is_empty() { default } else { line.trim() }) {
            Ok(answer) => return Ok(answer),
            Err(wrong) => err.line(format!("  {wrong}"))?,
        }
    }
}

/// A line of standard input with its end; empty where there is none left.
async fn line() -> Result<String, Trouble> {
    let answer = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map(|_| line)
    });
    Ok(answer.await.map_err(|error| color_eyre::eyre::eyre!(error))??)
}
