//! Asking before money is spent or machines are ended.

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
    let answer = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map(|_| line)
    });
    let line = answer.await.map_err(|error| color_eyre::eyre::eyre!(error))??;
    Ok(matches!(line.trim().to_lowercase().as_str(), "y" | "yes"))
}
