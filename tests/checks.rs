//! The checks and the survey that they read: a healthy world, and one thing broken
//! at a time.

#![expect(clippy::unwrap_used, reason = "a test that can't get its input has failed")]

mod account;
mod docs;
mod groups;
mod images;
mod keys;
mod network;
mod ports;
mod scenarios;
mod several;
mod survey;
mod world;

use muster::check::{self, Level};
use world::World;

#[test]
fn a_healthy_world_passes_every_check() {
    let findings = World::healthy().run();
    let bad: Vec<_> = findings.iter().filter(|finding| finding.level != Level::Pass).collect();
    assert!(bad.is_empty(), "{bad:#?}");
    assert_eq!(check::exit_code(&findings, false), 0);
    // These emit nothing unless a config gives cause.
    let silent = ["config.unsupported", "sg.operator-ports", "iam.copied-keys"];
    for info in check::all().iter().filter(|info| !silent.contains(&info.id)) {
        assert!(findings.iter().any(|finding| finding.check == info.id), "{} is silent", info.id);
    }
}

#[test]
fn a_request_that_can_not_be_made_is_reported_without_calling_ec2() {
    let mut world = World::healthy();
    let config = &mut world.project.regions[1].configs[0];
    let location = config.region.location().unwrap().clone();
    config.unsupported.push(muster::config::Unsupported {
        key: "docker.image".into(),
        location: location.clone(),
        message: "muster does not carry out `image` yet".into(),
        help: "remove it".into(),
    });
    let findings = world.run();
    let found: Vec<_> =
        findings.iter().filter(|finding| finding.check == "config.unsupported").collect();
    let [finding] = found[..] else { unreachable!("{found:#?}") };
    assert_eq!((finding.level, &finding.location), (Level::Fail, &Some(location)));
    assert_eq!(finding.evidence, ["docker.image"]);
    let region = &finding.subject;
    let asked: Vec<_> = findings
        .iter()
        .filter(|finding| finding.check == "iam.launch" && finding.subject == *region)
        .map(|finding| finding.level)
        .collect();
    assert_eq!(asked, [Level::Skipped]);
    assert_eq!(check::exit_code(&findings, false), 1);
}

#[test]
fn nothing_read_is_never_a_pass() {
    let mut world = World::healthy();
    world.nothing_read();
    let findings = world.run();
    let passed: Vec<_> = findings.iter().filter(|finding| finding.level == Level::Pass).collect();
    assert!(passed.iter().all(|finding| finding.check == "key.local"), "{passed:#?}");
    assert!(findings.iter().all(|finding| finding.level != Level::Fail), "{findings:#?}");
    assert_eq!(check::exit_code(&findings, false), 4);
    assert_eq!(check::exit_code(&findings, true), 3);
}

#[test]
fn failures_come_first_then_the_table_then_the_leader() {
    let mut world = World::healthy();
    world.region("ap-southeast-2").key_pairs.clear();
    world.region("us-west-2").images.clear();
    world.unreadable("eu-west-1", "offerings");
    let findings = world.run();
    let order: Vec<_> = findings
        .iter()
        .map(|finding| (finding.level, finding.check, finding.subject.to_string()))
        .collect();
    let position = |check: &str| check::all().iter().position(|info| info.id == check);
    assert!(order.is_sorted_by_key(|(level, check, _)| (*level, position(check))), "{order:#?}");
    let keys = order.iter().filter(|(_, check, _)| *check == "sg.exists");
    let regions: Vec<_> = keys.map(|(_, _, subject)| subject.as_str()).collect();
    assert_eq!(regions, ["us-west-2", "eu-west-1", "ap-southeast-2"]);
    assert_eq!(check::exit_code(&findings, false), 1);
}

#[test]
fn the_leader_comes_first_also_where_it_is_given_last() {
    let mut world = World::healthy();
    world.project.leader.value = "ap-southeast-2".into();
    let findings = world.run();
    let first = findings.iter().find(|finding| finding.check == "key.exists").unwrap();
    assert_eq!(first.subject.to_string(), "ap-southeast-2");
}

#[test]
fn a_single_region_has_no_pairs() {
    let mut world = World::of(&["us-west-2"]);
    world.region("us-west-2").vpcs[0].is_default = true;
    let findings = world.run();
    assert!(findings.iter().all(|finding| finding.level == Level::Pass), "{findings:#?}");
    for check in ["vpc.cidr-overlap", "peering.active", "route.peering"] {
        assert!(findings.iter().all(|finding| finding.check != check));
    }
}

#[test]
fn every_finding_that_does_not_pass_has_a_remedy() {
    let mut world = World::healthy();
    world.region("us-west-2").clear();
    world.region("eu-west-1").key_pairs[0].public_key = None;
    world.unreadable("ap-southeast-2", "images");
    for finding in world.run() {
        let needs = matches!(finding.level, Level::Fail | Level::Unknown | Level::Warn);
        assert!(!needs || finding.todo.is_some(), "{finding:#?}");
        assert!(finding.level != Level::Fail || finding.impact.is_some(), "{finding:#?}");
    }
}
