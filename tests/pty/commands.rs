//! The commands that ask, and that a key ends.

use crate::support::{
    muster::{FAST, Muster},
    terminal::Terminal,
};

const UP: &[&str] = &["up", "--scenario", "fast.toml", "--state-dir", "state", "--logs"];

fn up(muster: &Muster) -> Terminal {
    muster.file("fast.toml", FAST);
    let terminal = Terminal::start(muster, UP, 120, 40);
    terminal.sees("Launch? [y/N]");
    terminal
}

#[test]
fn up_launches_once_the_user_says_yes() {
    let muster = Muster::new();
    let mut terminal = up(&muster);
    terminal.keys("y\n");
    terminal.sees("9 of 9 nodes are ready");
    assert_eq!(terminal.exit_code(), 0);
}

#[test]
fn up_launches_nothing_without_a_yes() {
    let muster = Muster::new();
    let mut terminal = up(&muster);
    terminal.keys("\n");
    terminal.sees("nothing was launched");
    assert_eq!(terminal.exit_code(), 1);
}

#[test]
fn a_second_muster_only_looks() {
    let muster = Muster::new();
    let _first = up(&muster);
    let second = muster.run(&["up", "--yes", "--scenario", "fast.toml", "--state-dir", "state"]);
    assert_eq!(second.code, Some(1), "{second:#?}");
    assert!(second.err.contains("holds cluster"), "{}", second.err);
    let status = muster.run(&["status", "--scenario", "fast.toml", "--state-dir", "state"]);
    assert_eq!(status.code, Some(0), "{status:#?}");
}

#[test]
fn ctrl_c_stops_up_and_says_what_goes_on() {
    let muster = Muster::new();
    let mut terminal = up(&muster);
    terminal.keys("y\n");
    terminal.sees("+ sudo apt-get update");
    terminal.keys("\x03");
    terminal.sees("9 instances go on and are billed");
    terminal.sees("`muster down` terminates them");
    assert_eq!(terminal.exit_code(), 128 + 2);
    terminal.assert_restored();
}
