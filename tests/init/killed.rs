//! Killed at any moment, `init` leaves no project with missing regions, and the same
//! command continues.
#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

use std::{
    fs,
    path::Path,
    process::{Child, Stdio},
    thread,
};

use super::{US, init, names};
use crate::support::muster::Muster;

const REGIONS: &str = "eu-west-1,eu-west-2,eu-west-3,eu-north-1,eu-south-1,us-east-1,us-east-2,\
    us-west-1,ca-central-1,sa-east-1,ap-south-1,ap-east-1,ap-southeast-1,ap-southeast-2";
const ARGS: [&str; 6] = ["--from", "us.yaml", "--regions", REGIONS, "--offline", "--yes"];
const PROJECT: &str = "muster.yaml";

/// Returns a folder with the config that the others are generated from.
fn begun() -> Muster {
    let muster = Muster::new();
    muster.file("us.yaml", US);
    muster
}

/// Returns the files that an uninterrupted run writes, with their folder.
fn whole() -> (Muster, Vec<String>) {
    let muster = begun();
    assert_eq!(init(&muster, &ARGS).code, Some(0));
    let all = names(&muster.folder());
    assert_eq!(all.len(), 16, "14 new regions, the old one and {PROJECT}: {all:?}");
    (muster, all)
}

/// Returns the completed files; files still being written have a hidden name.
fn placed(folder: &Path) -> Vec<String> {
    names(folder).into_iter().filter(|name| !name.starts_with('.')).collect()
}

/// Kills the run as soon as `when` holds, unless it exits before.
fn kill_when(mut run: Child, when: impl Fn() -> bool) {
    while !when() && run.try_wait().unwrap().is_none() {
        thread::yield_now();
    }
    drop(run.kill());
    run.wait().unwrap();
}

/// Asserts that the same command continues after whatever was left.
fn goes_on(muster: &Muster, whole: &Muster, all: &[String]) {
    let left = placed(&muster.folder());
    assert!(!left.contains(&PROJECT.to_owned()) || left == all, "{left:?}");
    let again = init(muster, &ARGS);
    let there = again.err.contains("has a config already");
    assert!(again.code == Some(0) || there && left == all, "{again:#?}");
    assert_eq!(placed(&muster.folder()), all);
    for name in all {
        let text = |muster: &Muster| fs::read_to_string(muster.folder().join(name)).unwrap();
        assert_eq!(text(muster), text(whole), "{name}");
    }
}

#[test]
fn killed_at_any_moment_it_leaves_no_half_set() {
    let (whole, all) = whole();
    let args: Vec<_> = ["init"].iter().chain(&ARGS).copied().collect();
    let spawn = |muster: &Muster| muster.command(&args).stdout(Stdio::null()).spawn().unwrap();
    // At the first write, and then at each file that appears.
    let muster = begun();
    kill_when(spawn(&muster), || names(&muster.folder()).len() > 1);
    goes_on(&muster, &whole, &all);
    for count in 1..=all.len() {
        let muster = begun();
        kill_when(spawn(&muster), || placed(&muster.folder()).len() >= count);
        goes_on(&muster, &whole, &all);
    }
}

/// What such a kill can leave, created by hand: some of the files, not the project,
/// and one partially written.
#[test]
fn every_partial_fix_is_continued() {
    let (whole, all) = whole();
    let is_new = |name: &&String| ![PROJECT, "us.yaml"].contains(&name.as_str());
    let new: Vec<&String> = all.iter().filter(is_new).collect();
    for count in 0..=new.len() {
        let muster = begun();
        for name in &new[..count] {
            fs::copy(whole.folder().join(name), muster.folder().join(name)).unwrap();
        }
        fs::write(muster.folder().join(".muster-AbC123"), "cluster_na").unwrap();
        goes_on(&muster, &whole, &all);
    }
}
