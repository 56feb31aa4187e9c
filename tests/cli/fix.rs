//! `muster fix` on simulated worlds: its plan, prompts, output and exit codes.
#![expect(clippy::unwrap_used, reason = "a test that can't set up should fail")]

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::muster::{Muster, Ran};

fn fix(args: &[&str]) -> Ran {
    let all: Vec<_> = ["fix", "--scenario", "mistakes"].iter().chain(args).copied().collect();
    let ran = Muster::new().run(&all);
    ran.assert_is_calm();
    ran
}

#[test]
fn six_mistakes_are_fixed_and_nothing_blocks_a_launch() {
    let ran = fix(&["--yes"]);
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    for text in [
        "import your key",
        "accept peering connection pcx-01a2b3c4d5e6f7012",
        "+      KeyName: quokka-muster",
        "all 12 changes are made",
        "run `muster up` to launch",
    ] {
        assert!(ran.out.contains(text), "{text:?} is missing: {}", ran.out);
    }
}

#[test]
fn a_dry_run_shows_the_same_and_changes_nothing() {
    let ran = fix(&["--dry-run"]);
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert!(ran.out.contains("Nothing was changed."), "{}", ran.out);
    assert!(!ran.out.contains("✓ done"), "{}", ran.out);
}

#[test]
fn unconfirmed_changes_are_not_applied() {
    let ran = fix(&[]);
    assert_eq!(ran.code, Some(2), "{ran:#?}");
    assert!(ran.err.contains("pass --yes"), "{}", ran.err);
    assert!(!ran.out.contains("✓ done"), "{}", ran.out);
}

#[test]
fn only_named_findings_are_fixed() {
    let ran = fix(&["--only", "key.exists,route.peering", "--dry-run"]);
    assert!(ran.out.contains("add to rtb-04d5e6f7a8b9c0122 the route"), "{}", ran.out);
    assert!(!ran.out.contains("accept peering"), "{}", ran.out);
    let wrong = fix(&["--only", "key.exits"]);
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.err.contains("did you mean key.exists?"), "{}", wrong.err);
}

#[test]
fn json_is_one_object_a_line_with_plan_events_and_no_text() {
    let ran = fix(&["--yes", "--format", "json"]);
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    let events: Vec<Value> =
        ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let named = |name: &str| events.iter().filter(|one| one["event"] == name).count();
    assert_eq!((named("fix-plan"), named("change-done"), named("fix-ended")), (1, 12, 1));
    assert_eq!(events.last().map(|one| &one["summary"]["fail"]), Some(&Value::from(0)));
}

#[test]
fn the_script_is_one_that_a_shell_takes() {
    let ran = fix(&["--print", "aws-cli"]);
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert!(ran.out.starts_with("#!/bin/sh\n"), "{}", ran.out);
    let file = Muster::new();
    let path = file.file("fix.sh", &ran.out);
    let checked = Command::new("sh").arg("-n").arg(path).stdin(Stdio::null()).status().unwrap();
    assert!(checked.success(), "{}", ran.out);
}

#[test]
fn a_healthy_world_needs_nothing() {
    let ran = Muster::new().run(&["fix", "--scenario", "healthy"]);
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert!(ran.out.contains("Nothing to fix."), "{}", ran.out);
}

#[test]
fn findings_without_a_fix_are_reported_with_the_reason() {
    let ran = Muster::new().run(&["fix", "--scenario", "denied", "--yes"]);
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    assert!(ran.out.contains("Not fixed by muster"), "{}", ran.out);
    assert!(ran.out.contains("ask for the missing IAM permission"), "{}", ran.out);
}

/// Two reads in a row may disagree: what was changed and is not described yet is no
/// failure.
#[test]
fn reads_that_lag_behind_are_waited_for() {
    let muster = Muster::new();
    let late = "summary = 'late'\nextends = 'mistakes'\n[hazards]\nseed = 1\nlag_s = [3, 3]\n";
    muster.file("late.toml", late);
    let ran = muster.run(&["fix", "--yes", "--scenario", "late.toml"]);
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert!(ran.out.contains("run `muster up` to launch"), "{}", ran.out);
    ran.assert_is_calm();
}
