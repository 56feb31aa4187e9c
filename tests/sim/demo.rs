//! The built-in scenarios from start to end: each shows what it promises, in an
//! acceptable time. On paused time.

use std::{sync::Arc, time::Duration};

use muster::{
    check::{self, Finding, Level},
    config::Overrides,
    engine::{self, Command, Handle, NodeState, Phase, Probe, RunState, Update},
    journal::Store,
    model::ClusterId,
    sim::{Scenario, World},
    survey::{self, SurveyOptions},
};
use tokio::time::Instant;

/// An engine on the built-in scenario `name`.
fn start(name: &str) -> (Handle, Arc<World>) {
    let scenario = Scenario::built_in(name).unwrap();
    let world = World::new(&scenario);
    let files = scenario.files(Overrides::default());
    let handle = engine::start(engine::Parts {
        project: Arc::new(files.load().project.unwrap()),
        files,
        cloud: world.cloud(),
        remote: world.remote(),
        clock: world.clock(),
        store: Store::in_memory(ClusterId::new("tpch-demo-000001")),
    });
    (handle, world)
}

/// Returns the findings of the built-in scenario `name`, and the survey's duration.
async fn looked(name: &str) -> (Vec<Finding>, Duration) {
    let scenario = Scenario::built_in(name).unwrap();
    let world = World::new(&scenario);
    let project = scenario.load_project().project.unwrap();
    let (cloud, remote) = (world.cloud(), world.remote());
    let options = SurveyOptions { dry_run: true, ..SurveyOptions::default() };
    let began = Instant::now();
    let survey = survey::take(&project, &*cloud, &*remote, &world.clock(), options).await;
    (check::run(&project, &survey, None), began.elapsed())
}

/// `check subject` of all findings of `level`.
fn of_level(findings: &[Finding], level: Level) -> Vec<String> {
    let of_level = findings.iter().filter(|finding| finding.level == level);
    of_level.map(|finding| format!("{} {}", finding.check, finding.subject)).collect()
}

/// Launches the built-in scenario `name`; returns the final state and the duration.
async fn launched(name: &str) -> (RunState, Duration) {
    let (mut handle, _world) = start(name);
    let began = Instant::now();
    handle.commands.send(Command::Up).unwrap();
    loop {
        match handle.updates.recv().await.unwrap() {
            Update::Event(stamped) => handle.state.apply(&stamped),
            Update::UpEnded => return (handle.state, began.elapsed()),
            _ => {}
        }
    }
}

fn node<'a>(state: &'a RunState, name: &str) -> &'a NodeState {
    &state.nodes[&name.into()]
}

/// The nodes that are not ready.
fn not_ready(state: &RunState) -> Vec<&str> {
    let not_ready = state.nodes.values().filter(|node| node.phase != Phase::Ready);
    not_ready.map(|node| node.name.as_str()).collect()
}

/// Why a node failed.
fn why(state: &RunState, name: &str) -> String {
    node(state, name).failure.as_ref().map(ToString::to_string).unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn mistakes_shows_exactly_the_six_mistakes() {
    let (findings, took) = looked("mistakes").await;
    let mut failed = of_level(&findings, Level::Fail);
    failed.sort();
    assert_eq!(
        failed,
        [
            "ami.exists eu-west-1",
            "key.exists eu-west-1",
            "key.same-material ap-southeast-2",
            "peering.active us-west-2 ↔ eu-west-1",
            "route.peering eu-west-1 ↔ ap-southeast-2",
            "sg.same-vpc eu-west-1",
        ]
    );
    assert_eq!(of_level(&findings, Level::Unknown), [""; 0]);
    assert_eq!(of_level(&findings, Level::Warn), [""; 0]);
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn healthy_has_nothing_but_passes() {
    let (findings, _) = looked("healthy").await;
    let passed = of_level(&findings, Level::Pass).len();
    assert_eq!(passed, findings.len(), "{:#?}", of_level(&findings, Level::Warn));
}

#[tokio::test(start_paused = true)]
async fn healthy_is_ready_while_somebody_watches() {
    let (state, took) = launched("healthy").await;
    assert_eq!(not_ready(&state), [""; 0]);
    assert!((15..35).contains(&took.as_secs()), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn mistakes_that_are_launched_anyway_fail_as_in_reality() {
    let (state, _) = launched("mistakes").await;
    assert!(why(&state, "eu-west-1/head").contains("InvalidAMIID.NotFound"));
    assert!(why(&state, "ap-southeast-2/head").contains("Permission denied (publickey)"));
    assert_eq!(node(&state, "us-west-2/head").phase, Phase::Ready);
}

#[tokio::test(start_paused = true)]
async fn capacity_moves_workers_on_and_fails_one_node_permanently() {
    let (state, _) = launched("capacity").await;
    assert_eq!(not_ready(&state), ["us-west-2/worker-2"]);
    assert!(why(&state, "us-west-2/worker-2").contains("No space left on device"));
    assert_eq!(node(&state, "ap-southeast-2/worker-1").steps["packages"].attempt, 3);
    let zone = |name: &str| node(&state, name).instance.as_ref().unwrap().zone.clone().unwrap();
    assert_eq!(zone("eu-west-1/head").as_str(), "eu-west-1a");
    assert_eq!(zone("eu-west-1/worker-1").as_str(), "eu-west-1b");
}

#[tokio::test(start_paused = true)]
async fn trouble_costs_three_nodes_and_no_more() {
    let (state, _) = launched("trouble").await;
    let lost = ["ap-southeast-2/worker-1", "eu-west-1/worker-1", "eu-west-1/worker-2"];
    assert_eq!(not_ready(&state), lost);
    assert!(why(&state, "eu-west-1/worker-1").contains("HOST IDENTIFICATION HAS CHANGED"));
    assert_eq!(node(&state, "eu-west-1/head").steps["packages"].attempt, 1, "it was resumed");
}

#[tokio::test(start_paused = true)]
async fn denied_is_unknown_and_launches_nothing() {
    let (findings, _) = looked("denied").await;
    let unknown = of_level(&findings, Level::Unknown);
    assert!(unknown.iter().any(|finding| finding.starts_with("key.exists")), "{unknown:?}");
    let (state, _) = launched("denied").await;
    assert_eq!(not_ready(&state).len(), 9);
    assert!(why(&state, "us-west-2/head").contains("UnauthorizedOperation"));
}

#[tokio::test(start_paused = true)]
async fn slow_answers_slow_a_launch_but_do_not_stop_it() {
    let (state, _) = launched("slow-api").await;
    assert_eq!(not_ready(&state), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn hang_leaves_the_other_regions_alone() {
    let (state, _) = launched("hang").await;
    assert_eq!(
        not_ready(&state),
        [
            "ap-southeast-2/head",
            "ap-southeast-2/worker-1",
            "ap-southeast-2/worker-2",
            "eu-west-1/worker-1",
            "us-west-2/worker-1",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn healthy_verifies_every_node_from_every_other_one() {
    let (state, _) = launched("healthy").await;
    for node in state.nodes.values() {
        let flights = node.verified.iter().filter(|check| check.probe == Probe::Flight);
        assert_eq!(flights.count(), 8, "{}", node.name);
        assert!(node.verified.iter().all(|check| check.ok), "{}", node.name);
    }
}

#[tokio::test(start_paused = true)]
async fn unreachable_ends_with_the_cause_and_only_where_it_is() {
    let (state, _) = launched("unreachable").await;
    let ireland = ["eu-west-1/head", "eu-west-1/worker-1", "eu-west-1/worker-2"];
    assert_eq!(not_ready(&state), ireland);
    for name in ireland {
        let why = why(&state, name);
        assert!(why.contains("likeliest the redirect") && why.contains("1 more"), "{why}");
        assert_eq!(node(&state, name).verified.iter().filter(|check| !check.ok).count(), 2);
    }
}
