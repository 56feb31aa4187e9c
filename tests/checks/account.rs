//! region.enabled, iam.launch, cluster.name-taken.

use muster::{
    check::Level,
    cloud::{InstanceState, OptIn},
    model::Failure,
    survey::Fact,
};

use super::world::{DryRun, OWN, World, instance};

#[test]
fn a_region_that_is_not_enabled_is_reported_once() {
    let mut world = World::healthy();
    for fact in ["images", "key_pairs", "groups", "subnets", "vpcs", "tables", "peerings"] {
        world.unreadable("eu-west-1", fact);
    }
    for fact in ["types", "offerings", "instances", "dry_run"] {
        world.unreadable("eu-west-1", fact);
    }
    world.region("eu-west-1").opt_in = Some(OptIn::NotOptedIn);
    let bad = world.bad();
    assert_eq!(bad[0], "✗ region.enabled eu-west-1: the region is not enabled for this account");
    assert!(bad[1..].iter().all(|line| line.starts_with("- ")), "{bad:#?}");
    world.region("eu-west-1").opt_in = None;
    assert_eq!(world.bad()[0], "✗ region.enabled eu-west-1: there is no such region");
    world.region("eu-west-1").opt_in = Some(OptIn::OptedIn);
    assert_eq!(world.finding("region.enabled", "eu-west-1").level, Level::Pass);
}

#[test]
fn an_unreadable_list_of_regions_is_unknown() {
    let mut world = World::healthy();
    world.unreadable("eu-west-1", "opt_in");
    assert_eq!(world.bad(), ["? region.enabled eu-west-1: the list of regions could not be read"]);
}

#[test]
fn a_refused_dry_run_fails_with_its_code() {
    let mut world = World::healthy();
    let mut refusal = Failure::new("RunInstances in eu-west-1: You are not authorized");
    refusal.code = Some("UnauthorizedOperation".into());
    world.region("eu-west-1").dry_run = DryRun::Refused(refusal);
    assert_eq!(world.bad(), ["✗ iam.launch eu-west-1: the launch would be refused"]);
    let finding = world.run().remove(0);
    assert_eq!(finding.evidence[1], "for head ray.head.default and worker ray.worker.default");
    assert_eq!(
        finding.impact.as_deref(),
        Some("RunInstances would fail with UnauthorizedOperation")
    );
}

#[test]
fn a_dry_run_without_an_answer_is_unknown_and_one_not_asked_is_skipped() {
    let mut world = World::healthy();
    world.unreadable("eu-west-1", "dry_run");
    assert_eq!(world.bad()[0], "? iam.launch eu-west-1: the dry run could not be read");
    let mut world = World::healthy();
    world.region("eu-west-1").dry_run = DryRun::NotAsked;
    assert_eq!(world.bad()[0], "- iam.launch eu-west-1: checked only before a launch");
}

#[test]
fn other_instances_of_the_same_ray_name() {
    let mut world = World::healthy();
    world.region("us-west-2").instances = vec![
        instance("i-1", "tpch", None),
        instance("i-2", "tpch", Some("tpch-demo-zzzzzz")),
        instance("i-3", "tpch", Some(OWN)),
    ];
    assert_eq!(
        world.bad(),
        ["✗ cluster.name-taken us-west-2: 2 instances of another cluster named tpch"]
    );
    let finding = world.run().swap_remove(0);
    assert_eq!(finding.evidence, ["i-1 and i-2"]);
    let todo = finding.todo.unwrap();
    assert!(
        todo.ends_with("muster down --cluster tpch-demo-zzzzzz and ray down us.yaml"),
        "{todo}"
    );
}

#[test]
fn own_and_terminated_instances_pass() {
    let mut world = World::healthy();
    let mut ended = instance("i-1", "tpch", None);
    ended.state = InstanceState::Terminated;
    world.region("us-west-2").instances =
        vec![ended, instance("i-2", "tpch", Some(OWN)), instance("i-3", "other", None)];
    assert!(world.bad().is_empty());
    let finding = world.finding("cluster.name-taken", "us-west-2");
    assert_eq!(finding.evidence, ["1 instance of its own"]);
}

#[test]
fn unreadable_instances_are_unknown() {
    let mut world = World::healthy();
    world.unreadable("us-west-2", "instances");
    assert_eq!(world.bad(), ["? cluster.name-taken us-west-2: the instances could not be read"]);
}

#[test]
fn groups_with_different_answers_are_reported_separately() {
    let mut world = World::healthy();
    world.config("eu-west-1").groups[1].template.image = None;
    let findings = world.run();
    let levels: Vec<_> = findings
        .iter()
        .filter(|it| it.check == "iam.launch" && it.subject.to_string() == "eu-west-1")
        .map(|it| (it.level, it.evidence.last().unwrap().as_str()))
        .collect();
    assert_eq!(
        levels,
        [
            (Level::Skipped, "for worker ray.worker.default"),
            (Level::Pass, "for head ray.head.default"),
        ]
    );
}

#[test]
fn long_lived_keys_that_are_copied_are_a_warning() {
    let mut world = World::healthy();
    world.copied_keys_last = Some(Fact::Known(true));
    assert_eq!(
        world.bad(),
        ["! iam.copied-keys us-west-2: aws_credentials: copy sends long-lived keys to every node"]
    );
    let todo = world.finding("iam.copied-keys", "us-west-2").todo.unwrap();
    assert!(todo.contains("instance profile") && todo.contains("temporary"), "{todo}");
    world.copied_keys_last = Some(Fact::Known(false));
    assert_eq!(world.finding("iam.copied-keys", "us-west-2").level, Level::Pass);
    world.copied_keys_last = Some(Fact::Unknown(Failure::new("no credentials")));
    assert_eq!(world.finding("iam.copied-keys", "us-west-2").level, Level::Unknown);
}
