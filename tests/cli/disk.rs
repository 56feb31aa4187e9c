//! A disk without room, and journals that can't be read, on the command line.

#![expect(clippy::unwrap_used, reason = "a test that can't set up should fail")]

use std::{fs, path::PathBuf, process::Stdio};

use muster::journal::Store;

use crate::support::muster::{BINARY, FAST, Muster, Ran};

const UP: &str = "up --yes --scenario fast.toml --state-dir state";

fn fast() -> Muster {
    let muster = Muster::new();
    muster.file("fast.toml", FAST);
    muster
}

/// No file may become longer than so many blocks of 512 or 1024 bytes: the
/// shell's limit, which needs no root.
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
    assert!(text.ends_with(b"}\n"), "no half record is left");
}

/// The journal of the one cluster.
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
