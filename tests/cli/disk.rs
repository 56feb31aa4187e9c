//! A full disk, and unreadable journals, on the command line.

#![expect(clippy::unwrap_used, reason = "a test that can't set up should fail")]

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::PathBuf,
    process::Stdio,
};

use muster::journal::Store;

use crate::support::{
    muster::{BINARY, FAST, Muster, Ran},
    root::{did_not_run, missing},
};

const UP: &str = "up --yes --scenario fast.toml --state-dir state";

fn fast() -> Muster {
    let muster = Muster::new();
    muster.file("fast.toml", FAST);
    muster
}

/// Runs with a file size limit of `blocks` blocks of 512 or 1024 bytes: the shell's
/// ulimit, which needs no root.
fn limited(muster: &Muster, blocks: u32, command: &str) -> Ran {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" {command}");
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &script, BINARY]);
    shell.env_clear().envs(muster.environment()).current_dir(muster.folder());
    shell.stdin(Stdio::null()).output().expect("a shell").into()
}

#[test]
fn up_whose_record_finds_no_room_fails_with_one_notice() {
    let muster = fast();
    let ran = limited(&muster, 40, UP);
    assert!(ran.out.contains("9 of 9 nodes are ready"), "{}", ran.out);
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    assert_eq!(ran.out.matches("cannot write").count(), 1, "{}", ran.out);
    assert!(ran.err.contains("cannot write") && ran.err.contains("free some space"), "{}", ran.err);
    ran.assert_is_calm();
    let text = fs::read(journal(&muster)).unwrap();
    assert!(text.ends_with(b"}\n"), "no partial record is left");
}

/// Returns the journal of the only cluster.
fn journal(muster: &Muster) -> PathBuf {
    let project = muster.folder().join("state/tpch-demo");
    let mut folders = fs::read_dir(&project).unwrap().map(|entry| entry.unwrap().path());
    folders.find(|path| path.is_dir()).unwrap().join("journal.jsonl")
}

#[test]
fn a_damaged_record_is_one_warning_and_stops_nothing() {
    let muster = fast();
    let at = |command: &[&'static str]| {
        [command, &["--scenario", "fast.toml", "--state-dir", "state"]].concat()
    };
    let up = muster.run(&at(&["up", "--yes"]));
    assert_eq!(up.code, Some(0), "{up:#?}");
    let path = journal(&muster);
    let mut text = fs::read(&path).unwrap();
    let line = text.iter().position(|byte| *byte == b'\n').unwrap() + 30;
    text[line] = 0xff;
    fs::write(&path, &text).unwrap();
    for command in [&["status"][..], &["logs"]] {
        let ran = muster.run(&at(command));
        assert_eq!(ran.code, Some(0), "{command:?}: {ran:#?}");
        assert_eq!(ran.err.matches("warning: ").count(), 1, "{command:?}: {}", ran.err);
        assert!(ran.err.contains("journal.jsonl:2: skipping 1 record"), "{}", ran.err);
        assert!(ran.err.contains("muster:cluster=tpch-demo-"), "{}", ran.err);
    }
    assert!(fs::read(&path).unwrap().starts_with(&text), "it stays in the file");
}

/// Runs with permissions that bind root as well: without its rights over files
/// that it may not read or write.
fn bound(muster: &Muster, command: &[&str]) -> Option<Ran> {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return Some(muster.run(command));
    }
    if let Some(what) = missing(&[("setpriv", "util-linux")]) {
        did_not_run("a state directory that can't be used", &what);
        return None;
    }
    let mut run = std::process::Command::new("setpriv");
    run.arg("--bounding-set=-dac_override,-dac_read_search").arg(BINARY).args(command);
    run.env_clear().envs(muster.environment()).current_dir(muster.folder());
    Some(run.stdin(Stdio::null()).output().unwrap().into())
}

/// Nothing is launched that could not be recorded, and nothing is claimed that could
/// not be read.
#[test]
fn a_state_directory_that_can_not_be_read_or_written_is_named_and_nothing_launched() {
    let muster = fast();
    let state = muster.folder().join("state/tpch-demo");
    fs::create_dir_all(&state).unwrap();
    let at = |command: &[&'static str]| {
        [command, &["--scenario", "fast.toml", "--state-dir", "state"]].concat()
    };
    for mode in [0o000, 0o500] {
        fs::set_permissions(&state, fs::Permissions::from_mode(mode)).unwrap();
        for command in
            [&["up", "--yes"][..], &["stop", "--yes"], &["start", "--yes"], &["down", "--yes"]]
        {
            let Some(ran) = bound(&muster, &at(command)) else { return };
            assert_eq!(ran.code, Some(1), "{mode:o} {command:?}: {ran:#?}");
            assert!(ran.err.contains("state/tpch-demo"), "{mode:o} {command:?}: {}", ran.err);
            assert!(!ran.out.contains("ready"), "{mode:o} {command:?}: {}", ran.out);
            ran.assert_is_calm();
        }
        let Some(status) = bound(&muster, &at(&["status"])) else { return };
        assert_eq!(status.code == Some(0), mode == 0o500, "{mode:o}: {status:#?}");
    }
    fs::set_permissions(&state, fs::Permissions::from_mode(0o700)).unwrap();
}

/// A second `up` at the same instant can't know yet what the first one's
/// cluster will be called.
#[test]
fn a_second_up_names_no_cluster_that_does_not_exist() {
    let muster = fast();
    let first = Store::open(&muster.folder().join("state"), "tpch-demo").unwrap();
    let ran = muster.run(&UP.split(' ').collect::<Vec<_>>());
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    let holds = "holds project tpch-demo, which has no cluster yet";
    assert!(ran.err.contains(holds) && !ran.err.contains("tpch-demo-"), "{}", ran.err);
    drop(first);
}
