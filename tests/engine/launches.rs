//! Launch calls: complete requests, repeated exactly; full zones; EC2's rate limit.

use muster::{
    check::Level,
    engine::{Command, Event, Phase, Stamped, Update},
    journal::Store,
    model::{ClusterId, NodeName},
    sim::Scenario,
};

use super::{groups::by_name, two_regions};
use crate::support::run::Run;

/// The first calls of a region never reach EC2: after a kill, only the intents are
/// left.
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

/// Sends `up` and stops reading updates once `count` launches are intended.
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
        // An instance without its group can't be reached.
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

/// Journals of the previous version do not contain the request.
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
async fn six_groups_and_a_full_zone_come_up_within_ec2s_rate_of_launches() {
    let mut run = Run::new(&six_groups());
    run.look().await;
    let dry_runs: Vec<_> = run.findings.iter().filter(|one| one.check == "iam.launch").collect();
    assert_eq!(dry_runs.len(), 1, "the same answer for each group: {dry_runs:#?}");
    assert_eq!(dry_runs[0].level, Level::Pass, "{dry_runs:#?}");
    run.up().await;
    assert!(run.all_ready(), "{:?} {:?}", run.phases(), run.notices);
    assert_eq!(run.live().await.len(), 6);
    assert_eq!(run.notices, Vec::<String>::new(), "muster stays within the rate limit");
}

#[tokio::test(start_paused = true)]
async fn a_throttled_launch_is_retried_with_the_same_token() {
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
async fn a_temporarily_unreachable_region_is_launched_later() {
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
async fn throttled_permanently_the_launch_fails_with_ec2s_reason() {
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

/// The members wait for the leader, whose launch finds the first zone full minutes
/// later: that is no reason to give up on them.
#[tokio::test(start_paused = true)]
async fn members_wait_for_a_leader_that_is_launched_in_the_second_zone() {
    let full = "[regions.us-west-2]\ncapacity = [{ zone = \"us-west-2a\", instances = 0 }]";
    let late = "[[faults]]\noperation = \"RunInstances\"\nregion = \"us-west-2\"\n\
                dry_run = false\nuntil_s = 150\nanswer = \"unreachable\"\n";
    let world = include_str!("two_regions.toml").replace("[regions.us-west-2]", full);
    let mut run = Run::new(&Scenario::parse(&format!("{world}\n{late}")).unwrap());
    run.up().await;
    assert!(run.all_ready(), "{:?} {:?}", run.phases(), run.notices);
    assert_eq!(run.live().await.len(), 6);
}
