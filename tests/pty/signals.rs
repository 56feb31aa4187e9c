//! A signal ends muster wherever it waits.
#![cfg_attr(
    feature = "aws",
    expect(clippy::unwrap_used, reason = "a test that cannot set up should fail")
)]

use crate::support::{
    muster::{FAST, Muster},
    terminal::Terminal,
};

#[test]
fn a_signal_ends_a_prompt() {
    let muster = Muster::new();
    muster.file("fast.toml", FAST);
    let terminal = Terminal::start(&muster, &["up", "--scenario", "fast.toml"], 120, 80);
    terminal.sees("Launch? [y/N]");
    terminal.signal("TERM");
    assert_eq!(terminal.exit_code(), 128 + 15);
}

/// The sweep finds a FIFO in place of a lock, and the ssh after it never connects.
#[cfg(feature = "aws")]
#[test]
fn a_signal_ends_a_sweep_and_a_connection() {
    use std::{
        fs::{self, DirBuilder, Permissions},
        os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
        process::Command,
        sync::mpsc,
        thread,
        time::Duration,
    };

    let base = tempfile::tempdir().unwrap();
    fs::set_permissions(base.path(), Permissions::from_mode(0o700)).unwrap();
    let uid = base.path().metadata().unwrap().uid();
    // The current location of the folders, and the previous one.
    for folder in [format!("muster-{uid}/aaaaaa"), "muster-bbbbbb".to_owned()] {
        let folder = base.path().join(folder);
        DirBuilder::new().recursive(true).mode(0o700).create(&folder).unwrap();
        let made = Command::new("mkfifo").args(["-m", "600"]).arg(folder.join("lock")).status();
        assert!(made.unwrap().success());
    }
    // Opening a FIFO for writing waits for the reader, so neither side has to poll.
    let muster = super::shell::muster("#!/bin/sh\necho connecting > called\nexec sleep 600\n")
        .env("XDG_RUNTIME_DIR", base.path().to_str().unwrap());
    let called = muster.folder().join("called");
    assert!(Command::new("mkfifo").arg(&called).status().unwrap().success());
    let (connects, connecting) = mpsc::channel();
    thread::spawn(move || connects.send(fs::read_to_string(called)));
    let args = ["exec", "--state-dir", "state", "--on", "leader", "--", "true"];
    let terminal = Terminal::start(&muster, &args, 120, 40);
    let line = connecting.recv_timeout(Duration::from_secs(20));
    let Ok(Ok(line)) = line else {
        unreachable!("ssh was never started: {line:?}:\n{}", terminal.text())
    };
    assert!(line.starts_with("connecting\n"), "{line}");
    terminal.signal("TERM");
    assert_eq!(terminal.exit_code(), 128 + 15);
    assert!(base.path().join(format!("muster-{uid}/aaaaaa/lock")).exists());
}
