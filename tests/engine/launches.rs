//! Launch calls: complete requests, repeated exactly; full zones; EC2's rate limit.

use std::sync::Arc;

use muster::{
    check::Level,
    config::Overrides,
    engine::{Command, Event, Phase, Stamped, Update},
    journal::Store,
    model::{ClusterId, NodeName},
    sim::{Scenario, World},
};

use super::{groups::by_name, two_regions};
use crate::support::run::Run;

/// The first calls of a region never reach EC2: killed meanwhile, only the
/// intents are left.
const LOST: &str = r#"
[[faults]]
operation = "RunInstances"
dry_run = false
calls = [1, 2]
answer = "hang"
"#;

fn intents(run: &Run) -> usize {
    run.events.iter().filter(|event| matches!(event, Event::LaunchIntended { .. })).count()
}

/// Begins the way up and stops looking once `count` launches are intended.
async fn until_intended(run: &mut Run, count: usize) {
    run.send(Command::Up);
    while intents(run) < count {
        run.next().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_repeated_after_a_kill_carries_the_groups_given_by_name() {
    for kill_after in 1..=4 {
        let mut run = Run::new(&by_name("quokka", LOST));
        until_intended(&mut run, kill_after).await;
        let mut run = run.killed_and_restarted().await;
        run.up().await;
        // A machine without its group can't be reached.
        assert!(run.all_ready(), "after {kill_after}: {:?} {:?}", run.phases(), run.notices);
        assert_eq!(run.live().await.len(), 6, "after {kill_after}");
    }
}

#[tokio::test(start_paused = true)]
async fn killed_after_each_record_groups_by_name_give_six_and_down_none() {
    let whole = {
        let mut run = Run::new(&by_name("quokka", ""));
        run.up().await;
        run.store.written()
    };
    for kill_after in (1..25).chain((25..whole).step_by(9)) {
        let mut run = Run::new(&by_name("quokka", ""));
        run.send_and_see(Command::Up, kill_after).await;
        let mut run = run.killed_and_restarted().await;
        run.up().await;
        assert!(run.all_ready(), "after record {kill_after}: {:?} {:?}", run.phases(), run.notices);
        assert_eq!(run.live().await.len(), 6, "after record {kill_after}");
        assert!(run.down().await);
        assert_eq!(run.live().await, []);
    }
}

/// A journal of the version before kept no request.
#[tokio::test(start_paused = true)]
async fn an_intent_without_its_request_is_resolved_by_the_names() {
    let mut run = Run::new(&by_name("quokka", LOST));
    until_intended(&mut run, 4).await;
    let dead = run.killed_and_restarted().await;
    let mut store = Store::in_memory(ClusterId::new("test-000001"));
    for record in dead.store.reopened(dead.store.written()).take_records() {
        let event = match record.event {
            Event::LaunchIntended { token, group, nodes, subnet, .. } => {
                Event::LaunchIntended { token, group, nodes, subnet, request: None }
            }
            other => other,
        };
        store.append(&Stamped { event, ..record }, true).unwrap();
    }
    let store = store.reopened(store.written());
    let mut run = Run::on(dead.world, dead.project, dead.files, store);
    run.up().await;
    assert!(run.all_ready(), "{:?} {:?}", run.phases(), run.notices);
    assert_eq!(run.live().await.len(), 6);
}

/// Two versions of the same project: the worker's user data, and another text of it.
fn user_data(text: &str) -> Scenario {
    let world = include_str!("two_regions.toml");
    let with = format!("KeyName: quokka\n      UserData: '{text}'");
    Scenario::parse(&format!("{}\n{LOST}", world.replace("KeyName: quokka", &with))).unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_the_config_no_longer_asks_for_is_not_launched_again() {
    let own = Overrides { name: Some("story".into()), ..Overrides::default() };
    let before = user_data("password=hunter2");
    let project = Arc::new(before.load_project_with(&own).project.unwrap());
    let store = Store::in_memory(ClusterId::new("test-000001"));
    let mut run = Run::on(World::new(&before), project, before.files(own.clone()), store);
    until_intended(&mut run, 4).await;
    let kept = serde_json::to_string(&run.events).unwrap();
    assert!(kept.contains("user_data_digest") && !kept.contains("hunter2"), "{kept}");

    let dead = run.killed_and_restarted().await;
    let after = user_data("password=swordfish");
    let project = Arc::new(after.load_project_with(&own).project.unwrap());
    let store = dead.store.reopened(dead.store.written());
    let mut run = Run::on(dead.world, project, after.files(own), store);
    run.up().await;
    assert!(run.all_ready(), "{:?} {:?}", run.phases(), run.notices);
    assert_eq!(run.live().await.len(), 6);
    let given_up = run.events.iter().filter(
        |event| matches!(event, Event::LaunchFailed { failure, .. } if failure.code.as_deref() == Some("NotLaunched")),
    );
    assert_eq!(given_up.count(), 4);
}

/// One region with six node types, one node each; the first zone is full, and
/// EC2 takes five launch calls at once and two a second.
fn six_groups() -> Scenario {
    let world = include_str!("two_regions.toml");
    let of_type = |n: u32| {
        format!("  type-{n}:\n    min_workers: 1\n    max_workers: 1\n    node_config: *node\n")
    };
    let types: Vec<String> = (1..=5).map(of_type).collect();
    let (us, eu) = world.split_once("\"eu.yaml\" = ").unwrap();
    let old = "  worker:\n    min_workers: 2\n    max_workers: 4\n    node_config: *node\n";
    assert!(us.contains(old));
    let us = us.replace(old, &types.concat()).replace("max_workers: 4", "max_workers: 9");
    let world = format!("{us}\"eu.yaml\" = {eu}")
        .replace("configs = [\"us.yaml\", \"eu.yaml\"]", "configs = [\"us.yaml\"]")
        .replace("lag_s = 1.5", "lag_s = 1.5\nlaunch_bucket = { burst = 5, per_s = 2 }")
        .replace(
            "[regions.us-west-2]",
            "[regions.us-west-2]\ncapacity = [{ zone = \"us-west-2a\", instances = 0 }]",
        );
    Scenario::parse(&world).unwrap_or_else(|error| panic!("{error}"))
}

#[tokio::test(start_paused = true)]
async fn six_groups_beside_a_full_zone_come_up_within_ec2s_rate_of_launches() {
    let mut run = Run::new(&six_groups());
    run.look().await;
    let dry_runs: Vec<_> = run.findings.iter().filter(|one| one.check == "iam.launch").collect();
    assert_eq!(dry_runs.len(), 1, "the same answer for each group: {dry_runs:#?}");
    assert_eq!(dry_runs[0].level, Level::Pass, "{dry_runs:#?}");
    run.up().await;
    assert!(run.all_ready(), "{:?} {:?}", run.phases(), run.notices);
    assert_eq!(run.live().await.len(), 6);
    assert_eq!(run.notices, Vec::<String>::new(), "muster keeps to the rate by itself");
}

#[tokio::test(start_paused = true)]
async fn a_launch_that_ec2_throttles_is_made_later_with_the_same_token() {
    let mut run = Run::new(&two_regions(
        r#"
        [[faults]]
        operation = "RunInstances"
        region = "us-west-2"
        dry_run = false
        until_s = 40
        answer = { error = "RequestLimitExceeded" }
        "#,
    ));
    run.up().await;
    assert!(run.all_ready(), "{:?} {:?}", run.phases(), run.notices);
    let intents = run.events.iter().filter(|one| matches!(one, Event::LaunchIntended { .. }));
    assert_eq!(intents.count(), 4, "one for each group");
    let notices: Vec<_> =
        run.notices.iter().filter(|notice| notice.contains("RequestLimitExceeded")).collect();
    assert_eq!(notices.len(), 2, "one for each group: {:?}", run.notices);
    assert!(notices[0].contains("for 5 min"), "{notices:?}");
}

#[tokio::test(start_paused = true)]
async fn a_region_that_can_not_be_reached_for_a_while_is_launched_later() {
    let mut run = Run::new(&two_regions(
        r#"
        [[faults]]
        operation = "RunInstances"
        region = "eu-west-1"
        dry_run = false
        until_s = 60
        answer = "unreachable"
        "#,
    ));
    run.up().await;
    assert!(run.all_ready(), "{:?} {:?}", run.phases(), run.notices);
    assert_eq!(run.live().await.len(), 6);
}

#[tokio::test(start_paused = true)]
async fn throttled_for_good_the_launch_fails_with_ec2s_reason() {
    let mut run = Run::new(&two_regions(
        r#"
        [[faults]]
        operation = "RunInstances"
        region = "eu-west-1"
        dry_run = false
        answer = { error = "RequestLimitExceeded" }
        "#,
    ));
    run.send(Command::Up);
    run.until(|update, _| matches!(update, Update::UpEnded)).await;
    let node = &run.state.nodes[&NodeName::new("eu-west-1/worker-1")];
    assert_eq!(node.phase, Phase::Failed);
    let failure = node.failure.as_ref().unwrap();
    assert_eq!(failure.code.as_deref(), Some("RequestLimitExceeded"), "{failure}");
    assert_eq!(run.live().await.len(), 3);
}
