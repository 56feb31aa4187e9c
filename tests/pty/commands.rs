//! Commands with prompts, and commands ended by a key.
#![expect(clippy::unwrap_used, reason = "a test that can't set up should fail")]

use std::{fs::OpenOptions, io::Write, path::Path};

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
fn up_launches_once_the_user_confirms() {
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
fn ctrl_c_at_the_question_ends_at_once_and_launches_nothing() {
    let muster = Muster::new();
    let mut terminal = up(&muster);
    terminal.keys("\x03");
    assert_eq!(terminal.exit_code(), 128 + 2);
    terminal.sees("error: interrupted before the answer; nothing was changed");
    let text = terminal.text();
    let question = text.lines().position(|line| line.contains("Launch? [y/N]"));
    let error = text.lines().position(|line| line.starts_with("error: interrupted"));
    assert!(question < error, "the cursor is on a new line: {text}");
    terminal.assert_restored();
    let status = muster.run(&["status", "--scenario", "fast.toml", "--state-dir", "state"]);
    assert!(status.out.contains("`muster up` launches one"), "{status:#?}");
}

#[test]
fn without_a_terminal_the_error_names_the_flag() {
    let muster = Muster::new();
    muster.file("fast.toml", FAST);
    let ran = muster.run(UP);
    assert_eq!(ran.code, Some(2), "{ran:#?}");
    assert!(ran.err.contains("stdin is not a terminal; pass --yes"), "{}", ran.err);
}

/// A world in which one call hangs for longer than five seconds.
const HANGS: &str = "summary = 'a call without an answer'\nextends = 'healthy'\nspeed = 5\n\
    [[faults]]\noperation = 'DescribeVpcs'\nregion = 'us-west-2'\nanswer = 'hang'\n";

#[test]
fn progress_is_shown_in_place_and_erased_at_the_end() {
    let muster = Muster::new();
    muster.file("hangs.toml", HANGS);
    let terminal = Terminal::start(&muster, &["check", "--scenario", "hangs.toml"], 120, 40);
    terminal.sees("us-west-2: no answer from DescribeVpcs for 5 s");
    terminal.sees("9 unknown");
    terminal.lacks("no answer from DescribeVpcs for 5 s");
    terminal.exit_code();
    terminal.assert_restored();
}

#[test]
fn a_second_muster_is_read_only() {
    let muster = Muster::new();
    let _first = up(&muster);
    let second = muster.run(&["up", "--yes", "--scenario", "fast.toml", "--state-dir", "state"]);
    assert_eq!(second.code, Some(1), "{second:#?}");
    assert!(
        second.err.contains("holds project tpch-demo, which has no cluster yet"),
        "{}",
        second.err
    );
    let status = muster.run(&["status", "--scenario", "fast.toml", "--state-dir", "state"]);
    assert_eq!(status.code, Some(0), "{status:#?}");
}

#[test]
fn ctrl_c_stops_up_and_reports_what_still_runs() {
    let muster = Muster::new();
    let mut terminal = up(&muster);
    terminal.keys("y\n");
    terminal.sees("Reading package lists...");
    terminal.keys("\x03");
    terminal.sees("9 instances go on and are billed");
    terminal.sees("`muster down` terminates them");
    assert_eq!(terminal.exit_code(), 128 + 2);
    terminal.assert_restored();
}

/// The fix waits seconds for the peering connection.
#[test]
fn ctrl_c_stops_fix_and_reports_the_steps_applied() {
    let muster = Muster::new();
    let mut terminal =
        Terminal::start(&muster, &["fix", "--yes", "--scenario", "mistakes"], 160, 48);
    terminal.sees("✓ done     eu-west-1: accept peering connection");
    terminal.keys("\x03");
    terminal.sees("of 12 changes are made");
    terminal.sees("`muster fix` again makes those that are left");
    assert_eq!(terminal.exit_code(), 128 + 2);
    terminal.assert_restored();
}

/// Appends a log line, as the muster that bootstraps the node does.
fn print(log: &Path, text: &str) {
    let mut log = OpenOptions::new().append(true).open(log).unwrap();
    writeln!(log, "2026-11-14T14:02:59Z late.1 | {text}").unwrap();
}

#[test]
fn logs_follow_until_ctrl_c() {
    let muster = Muster::new();
    muster.file("fast.toml", FAST);
    let up = ["up", "--yes", "--scenario", "fast.toml", "--state-dir", "state"];
    assert_eq!(muster.run(&up).code, Some(0));
    let log = muster.folder().join("state/tpch-demo");
    let mut cluster = std::fs::read_dir(&log).unwrap().map(|entry| entry.unwrap().path());
    let log = cluster.find(|path| path.is_dir()).unwrap();
    let log = log.join("logs/eu-west-1/worker-1.log");

    let follow = ["logs", "-f", "-n", "eu-west-1/worker-1", "--scenario", "fast.toml"];
    let follow = [&follow[..], &["--state-dir", "state"]].concat();
    let mut terminal = Terminal::start(&muster, &follow, 120, 40);
    terminal.sees("ray stop");
    print(&log, "a line that comes later");
    terminal.sees("eu-west-1/worker-1 late | a line that comes later");
    terminal.keys("\x03");
    assert_eq!(terminal.exit_code(), 128 + 2);
    terminal.assert_restored();
}
