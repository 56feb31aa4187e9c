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

/// The sweep meets a FIFO where a lock should be, and the ssh that follows never connects.
#[cfg(feature = "aws")]
#[test]
fn a_signal_ends_a_sweep_and_a_connection() {
    use std::{
        fs::{self, DirBuilder, Permissions},
        os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
        process::Command,
    };

    let base = tempfile::tempdir().unwrap();
    fs::set_permissions(base.path(), Permissions::from_mode(0o700)).unwrap();
    let uid = base.path().metadata().unwrap().uid();
    // Where the folders are now, and where they were before.
    for folder in [format!("muster-{uid}/aaaaaa"), "muster-bbbbbb".to_owned()] {
        let folder = base.path().join(folder);
        DirBuilder::new().recursive(true).mode(0o700).create(&folder).unwrap();
        let made = Command::new("mkfifo").args(["-m", "600"]).arg(folder.join("lock")).status();
        assert!(made.unwrap().success());
    }
    let muster = super::shell::muster("#!/bin/sh\necho connecting >> called\nexec sleep 600\n")
        .env("XDG_RUNTIME_DIR", base.path().to_str().unwrap());
    let args = ["exec", "--state-dir", "state", "--on", "leader", "--", "true"];
    let terminal = Terminal::start(&muster, &args, 120, 40);
    let called = muster.folder().join("called");
    let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !called.exists() && std::time::Instant::now() < end {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert!(called.exists(), "ssh was never started:\n{}", terminal.text());
    terminal.signal("TERM");
    assert_eq!(terminal.exit_code(), 128 + 15);
    assert!(base.path().join(format!("muster-{uid}/aaaaaa/lock")).exists());
}
