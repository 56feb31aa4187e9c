//! Clusters and their folders, on the command line.

use std::process::Stdio;

use crate::support::muster::{FAST, Muster};

const PLACE: [&str; 4] = ["--scenario", "fast.toml", "--state-dir", "state"];

fn fast() -> Muster {
    let muster = Muster::new();
    muster.file("fast.toml", FAST);
    muster
}

fn with(command: &[&'static str]) -> Vec<&'static str> {
    [command, &PLACE].concat()
}

#[test]
fn down_without_a_cluster_names_none() {
    let ran = fast().run(&with(&["down"]));
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert!(ran.out.contains("No cluster of project tpch-demo is known here"), "{}", ran.out);
    assert!(!ran.out.contains("carries the id"), "{}", ran.out);
}

#[test]
fn an_invalid_id_is_not_reported_as_a_terminated_cluster() {
    for id in ["", "nope", "../x-1", "x 1-2"] {
        let ran = fast().run(&with(&["down", "--yes", "--cluster", id]));
        assert_eq!(ran.code, Some(2), "{id}: {ran:#?}");
        assert!(ran.err.contains("`muster status`"), "{}", ran.err);
    }
}

#[test]
fn an_unwritable_folder_is_reported_with_what_to_do() {
    let muster = fast();
    muster.file("state", "no folder");
    let ran = muster.run(&with(&["up", "--yes"]));
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    assert!(ran.err.contains("state/tpch-demo") && ran.err.contains("--state-dir"), "{}", ran.err);
    ran.assert_is_calm();
}

/// `nohup muster up &` goes on when the terminal is closed.
#[test]
fn a_hangup_that_is_ignored_stays_ignored() {
    let muster = fast();
    let up = with(&["up", "--yes"]);
    let script = format!(
        "trap '' HUP; \"$0\" {} > out & \
         until grep -q ready out; do sleep 0.05; done; kill -HUP $!; \
         wait $!; code=$?; cat out; exit $code",
        up.join(" ")
    );
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &script, crate::support::muster::BINARY]);
    shell.env_clear().envs(muster.environment()).current_dir(muster.folder());
    let ran: crate::support::muster::Ran =
        shell.stdin(Stdio::null()).output().expect("a shell").into();
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert!(ran.out.contains("9 of 9 nodes are ready"), "{}", ran.out);
}
