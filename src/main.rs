//! Parse, choose the front end, turn a failure into an exit code.

use std::process::ExitCode;

use clap::{Parser, error::ErrorKind};
use muster::{app, cli::Cli, model::visible};

fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => app::main(cli).into(),
        Err(error) => refuse(&error),
    }
}

/// Prints clap's help, or its error with what was typed made visible.
fn refuse(error: &clap::Error) -> ExitCode {
    let code = u8::try_from(error.exit_code()).unwrap_or(2);
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // There is nowhere left to report that it can't be written.
        drop(error.print());
    } else {
        for line in error.render().to_string().trim_end().split('\n') {
            eprintln!("{}", visible(line));
        }
    }
    ExitCode::from(code)
}
