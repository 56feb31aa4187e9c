//! The real binary in a terminal: what a user sees, and the state of the terminal
//! after every kind of exit.

mod commands;
mod demo;
mod down;
#[cfg(feature = "aws")]
mod editor;
#[cfg(feature = "aws")]
mod environment;
mod init;
#[cfg(debug_assertions)]
mod panics;
#[cfg(feature = "aws")]
mod shell;
mod signals;

use crate::support::{
    muster::{FAST, Muster},
    terminal::Terminal,
};

/// Starts the demo on the fast healthy world and waits for the first refresh.
fn demo(muster: &Muster, columns: u16, rows: u16) -> Terminal {
    muster.file("fast.toml", FAST);
    let terminal = Terminal::start(muster, &["demo", "--scenario", "fast.toml"], columns, rows);
    terminal.sees("Nothing stands in the way");
    terminal.assert_taken();
    terminal
}

/// Launches, through the dialog.
fn launch(terminal: &mut Terminal) {
    terminal.keys("u");
    terminal.sees("Launch tpch-demo");
    terminal.keys("L");
    terminal.lacks("Launch tpch-demo");
}
