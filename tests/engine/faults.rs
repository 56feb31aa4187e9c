//! Failures stay local, are reported, and can be fixed.

use std::{sync::Arc, time::Duration};

use muster::{
    config::Overrides,
    engine::{ClusterPhase, Command, Event, NodeState, Phase, StepOutcome, Update},
    journal::Store,
    model::{ClusterId, NodeName},
    report::{self, EventLines, Paint},
    sim::{Scenario, World},
};

use super::two_regions;
use crate::support::run::Run;

#[tokio::test(start_paused = true)]
async fn no_capacity_in_one_zone_goes_to_the_next_subnet() {
    let mut run = Run::new(&two_regions(
        r#"
        [[faults]]
        operation = "RunInstances"
        region = "us-west-2"
        dry_run = false
        calls = [1]
        answer = { error = "InsufficientInstanceCapacity" }
        "#,
    ));
    run.up().await;
    assert!(run.all_ready(), "{:?}", run.phases());
    assert_eq!(run.live().await.len(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_region_that_is_refused_ends_with_the_reason_and_the_others_go_on() {
    let mut run = Run::new(&two_regions(
        r#"
        [[faults]]
        operation = "RunInstances"
        region = "eu-west-1"
        answer = { error = "UnauthorizedOperation" }
        "#,
    ));
    run.up().await;
    assert_eq!(run.state.phase, ClusterPhase::Degraded);
    for node in run.state.nodes.values() {
        if node.group.region.as_str() == "eu-west-1" {
            let failure = node.failure.as_ref().unwrap();
            assert_eq!(failure.code.as_deref(), Some("UnauthorizedOperation"));
            assert!(failure.hint.as_ref().unwrap().contains("IAM"));
        } else {
            assert_eq!(node.phase, Phase::Ready);
        }
    }
    assert_eq!(run.live().await.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_resolved_and_nothing_is_launched_twice() {
    let mut run = Run::new(&two_regions(
        r#"
        [[faults]]
        operation = "RunInstances"
        dry_run = false
        calls = [1, 2]
        answer = "lost-answer"
        "#,
    ));
    run.up().await;
    assert!(run.all_ready(), "{:?} {:?}", run.phases(), run.notices);
    assert_eq!(run.live().await.len(), 6);
}

#[tokio::test(start_paused = true)]
async fn an_unanswered_call_without_effect_is_repeated() {
    let mut run = Run::new(&two_regions(
        r#"
        [[faults]]
        operation = "RunInstances"
        region = "us-west-2"
        dry_run = false
        calls = [1]
        answer = "hang"
        "#,
    ));
    run.up().await;
    assert!(run.all_ready(), "{:?} {:?}", run.phases(), run.notices);
    assert_eq!(run.live().await.len(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_failed_step_names_node_step_status_and_last_lines_and_can_be_retried() {
    let mut run = Run::new(&two_regions(
        r#"
        [[steps]]
        step = "setup"
        nodes = ["eu-west-1/worker-2"]
        attempts = [1, 2]
        output = "E: Could not get lock /var/lib/dpkg/lock-frontend"
        exit = 100
        "#,
    ));
    run.up().await;
    let node = run.node("eu-west-1/worker-2");
    assert_eq!(node.phase, Phase::Failed);
    let failure = node.failure.as_ref().unwrap().to_string();
    assert!(failure.contains("setup") && failure.contains("100"), "{failure}");
    assert!(failure.contains("Could not get lock"), "{failure}");
    assert!(matches!(
        &node.steps["setup"].outcome,
        Some(StepOutcome::Failed { status: 100, last_lines }) if last_lines.last().unwrap().starts_with("E: Could")
    ));
    assert_eq!(run.state.count(), (5, 1), "the others continued");

    run.send(Command::RetryNode(NodeName::new("eu-west-1/worker-2")));
    run.up_ended().await;
    assert!(run.all_ready(), "{:?}", run.phases());
    assert_eq!(run.node("eu-west-1/worker-2").steps["setup"].attempt, 3);
    assert_eq!(run.state.phase, ClusterPhase::Ready);
}

#[tokio::test(start_paused = true)]
async fn members_wait_for_a_failed_leader_and_go_on_when_it_is_retried() {
    let mut run = Run::new(&two_regions(
        r#"
        [[steps]]
        step = "ray-leader"
        attempts = [1]
        exit = 1
        "#,
    ));
    run.up().await;
    assert_eq!(run.state.count(), (0, 6));
    let member = run.node("eu-west-1/head").failure.as_ref().unwrap().to_string();
    assert!(member.contains("ray-leader on us-west-2/head"), "{member}");

    run.send(Command::RetryNode(NodeName::new("us-west-2/head")));
    run.up_ended().await;
    assert!(run.all_ready(), "{:?}", run.phases());
}

#[tokio::test(start_paused = true)]
async fn one_step_can_be_run_again() {
    let mut run = Run::new(&two_regions(""));
    run.up().await;
    run.send(Command::RetryStep(NodeName::new("us-west-2/worker-1"), "setup".into()));
    run.up_ended().await;
    assert!(run.all_ready());
    let node = run.node("us-west-2/worker-1");
    assert_eq!((node.steps["setup"].attempt, node.steps["ray-members"].attempt), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_connection_lost_in_a_step_is_picked_up_without_a_line_lost_or_twice() {
    let mut run = Run::new(&two_regions(
        r#"
        [[steps]]
        step = "setup"
        nodes = ["us-west-2/worker-1"]
        output = "one\ntwo\nthree\nfour\nfive"
        takes_s = 20
        connection_lost_after = 2
        "#,
    ));
    run.up().await;
    assert!(run.all_ready(), "{:?}", run.phases());
    let lines: Vec<_> = run
        .log("us-west-2/worker-1")
        .into_iter()
        .filter(|line| line.starts_with("setup"))
        .collect();
    let expected = ["one", "two", "three", "four", "five"].map(|line| format!("setup.1 | {line}"));
    assert_eq!(lines, expected);
}

#[tokio::test(start_paused = true)]
async fn a_changed_host_key_stops_that_node_and_is_reported() {
    let mut run = Run::new(&two_regions(
        r#"
        [nodes."us-west-2/worker-2"]
        other_host_key_from = 2

        [[steps]]
        step = "setup"
        nodes = ["us-west-2/worker-2"]
        output = "one\ntwo"
        takes_s = 9
        connection_lost_after = 1
        "#,
    ));
    run.up().await;
    let node = run.node("us-west-2/worker-2");
    assert_eq!(node.phase, Phase::Failed);
    assert!(node.failure.as_ref().unwrap().to_string().to_lowercase().contains("host key"));
    assert_eq!(run.state.count(), (5, 1));
}

#[tokio::test(start_paused = true)]
async fn an_unreachable_instance_fails_in_time_and_the_others_do_not_wait() {
    let mut run = Run::new(&two_regions(
        r#"
        [nodes."us-west-2/worker-2"]
        silent = true
        "#,
    ));
    run.up().await;
    let failure = run.node("us-west-2/worker-2").failure.clone().unwrap();
    assert!(failure.message.contains("no SSH after"), "{failure}");
    assert!(failure.hint.unwrap().contains("port 22"));
    assert_eq!(run.state.count(), (5, 1));
    assert_eq!(run.live().await.len(), 6, "the instance is still billed, and known");
}

#[tokio::test(start_paused = true)]
async fn a_step_that_hangs_is_ended_by_its_limit() {
    let mut run = Run::new(&two_regions(
        r#"
        [[steps]]
        step = "setup"
        nodes = ["eu-west-1/worker-1"]
        hangs = true
        "#,
    ));
    run.up().await;
    let node = run.node("eu-west-1/worker-1");
    assert!(matches!(node.steps["setup"].outcome, Some(StepOutcome::TimedOut { .. })));
    assert_eq!(run.state.count(), (5, 1));
}

#[tokio::test(start_paused = true)]
async fn a_step_that_never_answers_ends_by_its_limit_and_is_lost() {
    let mut run = Run::new(&two_regions(
        r#"
        [[steps]]
        step = "setup"
        nodes = ["eu-west-1/worker-1"]
        frozen = true
        "#,
    ));
    let up = tokio::time::timeout(Duration::from_hours(1), run.up()).await;
    assert!(up.is_ok(), "{:?}", run.phases());
    let node = run.node("eu-west-1/worker-1");
    assert!(matches!(node.steps["setup"].outcome, Some(StepOutcome::Lost { .. })));
    let failure = node.failure.as_ref().unwrap();
    assert!(failure.message.contains("no end within 1800 s"), "{failure}");
    assert!(failure.hint.as_ref().unwrap().contains("console output"), "{failure:?}");
    assert_eq!(run.state.count(), (5, 1));
}

#[tokio::test(start_paused = true)]
async fn connections_that_break_without_a_line_are_not_retried_forever() {
    let mut run = Run::new(&two_regions(
        r#"
        [[steps]]
        step = "setup"
        nodes = ["eu-west-1/worker-1"]
        output = "one\ntwo\nthree"
        connection_lost_after = 2
        connections_lost = 1000000
        "#,
    ));
    let up = tokio::time::timeout(Duration::from_hours(1), run.up()).await;
    assert!(up.is_ok(), "{:?}", run.phases());
    let failure = run.node("eu-west-1/worker-1").failure.clone().unwrap();
    assert!(failure.message.contains("8 connections in a row broke"), "{failure}");
    assert_eq!(run.state.count(), (5, 1));
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_never_runs_is_named_with_ec2s_reason() {
    let mut run = Run::new(&two_regions(
        r#"
        [nodes."us-west-2/worker-2"]
        never_runs = true
        "#,
    ));
    run.send(Command::Up);
    let lines = EventLines::new(jiff::tz::TimeZone::UTC, Paint::when(false));
    let mut printed = Vec::new();
    loop {
        let before = run.state.clone();
        match run.next().await.unwrap() {
            Update::Event(stamped) => {
                printed.extend(lines.event(&stamped, &before).map(|text| text.to_string()));
            }
            Update::UpEnded => break,
            _ => {}
        }
    }
    let node = run.node("us-west-2/worker-2");
    let id = node.instance.as_ref().unwrap().id.to_string();
    let failure = node.failure.as_ref().unwrap();
    assert!(failure.message.contains(&id), "{failure}");
    assert!(failure.message.ends_with("before it ran: Server.InternalError"), "{failure}");
    assert!(failure.hint.as_ref().unwrap().starts_with("`muster up` launches"), "{failure:?}");
    let of_it: Vec<_> = printed.iter().filter(|line| line.contains("InternalError")).collect();
    assert_eq!(of_it.len(), 1, "{printed:#?}");
    assert!(of_it[0].contains(&id) && of_it[0].contains("`muster up`"), "{of_it:?}");
    let end = report::launched(&run.state, None).join("\n");
    assert!(end.contains("`muster status` shows why") && !end.contains("muster logs"), "{end}");
}

#[tokio::test(start_paused = true)]
async fn down_reports_what_it_can_not_determine() {
    let mut run = Run::new(&two_regions(
        r#"
        [[faults]]
        operation = "TerminateInstances"
        region = "eu-west-1"
        answer = { error = "UnauthorizedOperation" }
        "#,
    ));
    run.up().await;
    assert!(!run.down().await);
    assert!(run.notices.iter().any(|notice| notice.contains("UnauthorizedOperation")));
    assert_eq!(run.live().await.len(), 3, "eu-west-1 still runs");
    assert!(!run.events.contains(&Event::ClusterGone));
    assert_eq!(run.state.billed().count(), 3);
}

/// Barriers wait for every node; one that failed and was removed from the configs no
/// longer counts.
#[tokio::test(start_paused = true)]
async fn a_failed_region_that_is_taken_out_is_waited_for_no_more() {
    let refused = r#"
        [[faults]]
        operation = "RunInstances"
        region = "eu-west-1"
        answer = { error = "UnauthorizedOperation" }
    "#;
    let lost = r#"
        [[steps]]
        step = "setup"
        nodes = ["eu-west-1"]
        exit = 1
    "#;
    for trouble in [refused, lost] {
        let text = format!("{}\n{trouble}", include_str!("two_regions.toml"));
        let text = text.replace("on: leader\n", "on: leader\n    needs: [setup]\n");
        let before = Scenario::parse(&text).unwrap();
        let listed = "configs = [\"us.yaml\", \"eu.yaml\"]";
        let after = Scenario::parse(&text.replace(listed, "configs = [\"us.yaml\"]")).unwrap();
        let own = Overrides { name: Some("story".into()), ..Overrides::default() };
        let project = Arc::new(before.load_project_with(&own).project.unwrap());
        let store = Store::in_memory(ClusterId::new("test-000001"));
        let mut run = Run::on(World::new(&before), project, after.files(own), store);
        run.up().await;
        assert_eq!(run.state.count(), (0, 6), "{:?}", run.phases());
        run.send(Command::Reload);
        run.until(|update, _| matches!(update, Update::Refreshed { .. })).await;
        let up = tokio::time::timeout(Duration::from_hours(2), run.up()).await;
        assert!(up.is_ok(), "{:?}", run.phases());
        let ready = |node: &&NodeState| node.group.region.as_str() == "us-west-2";
        let of_us: Vec<_> = run.state.nodes.values().filter(ready).map(|node| node.phase).collect();
        assert_eq!(of_us, [Phase::Ready; 3], "{:?}", run.notices);
    }
}
