//! Parse, choose the front end, turn a failure into an exit code.

use std::process::ExitCode;

use clap::Parser;
use muster::{app, cli::Cli};

fn main() -> ExitCode {
    app::main(Cli::parse()).into()
}
