//! Long waits are registered while they last, and a lost connection is an event.

use std::time::Duration;

use muster::{
    engine::{Command, Event, StepOutcome, Update},
    model::NodeName,
};

use super::two_regions;
use crate::support::run::Run;

/// Returns the waits longer than five seconds, as text.
fn waits(run: &Run) -> Vec<String> {
    let waits = run.handle.waits.list(Duration::from_secs(5));
    waits.iter().map(ToString::to_string).collect()
}

/// Lets the engine run for `seconds` of the world's time.
async fn after(run: &mut Run, seconds: u64) -> Vec<String> {
    let end = tokio::time::sleep(Duration::from_secs(seconds));
    tokio::pin!(end);
    loop {
        tokio::select! {
            () = &mut end => return waits(run),
            update = run.next() => assert!(update.is_some(), "the engine ended"),
        }
    }
}

fn any(waits: &[String], start: &str, part: &str) -> bool {
    waits.iter().any(|wait| wait.starts_with(start) && wait.contains(part))
}

#[tokio::test(start_paused = true)]
async fn a_call_without_an_answer_names_its_region_operation_and_duration() {
    let mut run = Run::new(&two_regions(
        r#"
        [[faults]]
        operation = "DescribeInstances"
        region = "us-west-2"
        answer = "hang"
        "#,
    ));
    run.send(Command::Refresh);
    let seen = after(&mut run, 7).await;
    assert!(
        seen.contains(&"us-west-2: no answer from DescribeInstances for 7 s".into()),
        "{seen:?}"
    );
    run.until(|update, _| matches!(update, Update::Refreshed { .. })).await;
    assert_eq!(waits(&run), [""; 0], "ended waits are removed");
}

#[tokio::test(start_paused = true)]
async fn an_instance_without_ssh_a_running_step_and_a_barrier_are_registered() {
    let mut run = Run::new(&two_regions(
        r#"
        [nodes."us-west-2/worker-2"]
        silent = true

        [[steps]]
        step = "setup"
        nodes = ["us-west-2/head"]
        output = "one\ntwo"
        takes_s = 300
        "#,
    ));
    run.send(Command::Up);
    let seen = after(&mut run, 200).await;
    assert!(
        any(&seen, "us-west-2/worker-2: no SSH connection to ", " s (connect to host "),
        "{seen:?}"
    );
    let mut ssh = seen.iter().filter(|wait| wait.contains("SSH connection"));
    assert!(ssh.all(|wait| wait.contains("; next try in ") || wait.contains("; trying again now")));
    assert!(any(&seen, "us-west-2/head: step setup has been running for ", "line"), "{seen:?}");
    assert!(
        any(&seen, "us-west-2/worker-1: waiting ", "for step ray-leader on us-west-2/head"),
        "{seen:?}"
    );
    run.up_ended().await;
    assert_eq!(waits(&run), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn terminating_instances_are_awaited_by_name_of_their_region() {
    let mut run = Run::new(&two_regions(""));
    run.up().await;
    let plan = run.plan_down().await;
    run.send(Command::Down(plan));
    let seen = after(&mut run, 8).await;
    assert!(any(&seen, "us-west-2: waiting for instances to terminate, ", " s so far"), "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_and_its_recovery_are_on_record() {
    let mut run = Run::new(&two_regions(
        r#"
        [[steps]]
        step = "setup"
        nodes = ["us-west-2/worker-1"]
        output = "one\ntwo\nthree"
        takes_s = 20
        connection_lost_after = 2
        "#,
    ));
    let node = NodeName::new("us-west-2/worker-1");
    run.send(Command::Up);
    run.until(|_, state| state.nodes[&node].lost_since.is_some()).await;
    run.up_ended().await;
    let of_connection: Vec<_> = run
        .events
        .iter()
        .filter(|event| {
            matches!(event, Event::ConnectionLost { .. } | Event::ConnectionRestored { .. })
        })
        .collect();
    let [
        Event::ConnectionLost { node: lost, failure },
        Event::ConnectionRestored { node: again, .. },
    ] = of_connection[..]
    else {
        unreachable!("{of_connection:?}")
    };
    assert_eq!((lost, again), (&node, &node));
    assert!(!failure.message.is_empty());
    assert_eq!(run.node("us-west-2/worker-1").lost_since, None);
    let logged = run.handle.logs.with(&node, |log| {
        let of_ssh = log.lines().iter().filter(|line| line.step == "ssh");
        of_ssh.map(|line| line.text.clone()).collect::<Vec<_>>()
    });
    assert_eq!(logged.len(), 2, "{logged:?}");
    assert!(logged[0].starts_with("connection lost: "), "{logged:?}");
    assert!(logged[1].starts_with("connected again after "), "{logged:?}");
    let outcome = &run.node("us-west-2/worker-1").steps["setup"].outcome;
    assert_eq!(*outcome, Some(StepOutcome::Succeeded));
}
