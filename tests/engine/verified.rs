//! Checks of a step's script become an event, and failures are reported.

use muster::engine::{Command, Event, LinkCheck, Phase, Probe, StepOutcome, Update};

use super::two_regions;
use crate::support::run::Run;

const HOLDS: &str = r#"
[[steps]]
step = "ray-members"
output = """
Ray runtime started.
muster-check redis us-west-2/head ok PONG
muster-check versions - ok ray 2.6.3
"""
"#;

const FAILS: &str = r#"
[[steps]]
step = "ray-members"
nodes = ["eu-west-1/worker-1"]
output = """
muster-check redis us-west-2/head failed no answer within 5 s; likeliest a security group
muster-check flight us-west-2/head failed refused; nothing listens there
muster-check gcs us-west-2/head ok
that is all
"""
exit = 1
"#;

fn checks_of<'a>(run: &'a Run, wanted: &str) -> Vec<&'a Vec<LinkCheck>> {
    let of = |event: &'a Event| match event {
        Event::NodeVerified { node, step, checks } => {
            assert_eq!(step, "ray-members");
            (node.as_str() == wanted).then_some(checks)
        }
        _ => None,
    };
    run.events.iter().filter_map(of).collect()
}

#[tokio::test(start_paused = true)]
async fn checks_are_reported_once_and_kept_with_the_node() {
    let mut run = Run::new(&two_regions(HOLDS));
    run.up().await;
    assert!(run.all_ready(), "{:?}", run.phases());
    let reported = checks_of(&run, "eu-west-1/worker-1");
    assert_eq!(reported.len(), 1);
    let probes: Vec<_> = reported[0].iter().map(|check| check.probe).collect();
    assert_eq!(probes, [Probe::Redis, Probe::Versions]);
    assert_eq!(run.node("eu-west-1/worker-1").verified, *reported[0]);
    assert_eq!(run.node("us-west-2/head").verified, [], "it has no such step");
    let log = run.log("eu-west-1/worker-1").join("\n");
    assert!(log.contains("ray-members.1 | muster-check redis us-west-2/head ok PONG"), "{log}");
}

#[tokio::test(start_paused = true)]
async fn a_check_that_fails_is_the_step_s_failure() {
    let mut run = Run::new(&two_regions(FAILS));
    run.up().await;
    let node = run.node("eu-west-1/worker-1");
    assert_eq!(node.phase, Phase::Failed);
    assert_eq!(node.verified.iter().filter(|check| !check.ok).count(), 2);
    let why = node.failure.as_ref().unwrap().to_string();
    assert_eq!(
        why,
        "ray-members: redis to us-west-2/head: no answer within 5 s; likeliest a security group \
         (and 1 more)"
    );
    assert_eq!(checks_of(&run, "eu-west-1/worker-1").len(), 3, "each of three tries is reported");
}

#[tokio::test(start_paused = true)]
async fn a_step_that_is_reset_has_verified_nothing() {
    let mut run = Run::new(&two_regions(HOLDS));
    run.up().await;
    let node = "eu-west-1/worker-1";
    run.send(Command::RetryStep(node.into(), "setup".into()));
    run.up_ended().await;
    assert_eq!(run.node(node).verified.len(), 2, "another step does not change it");
    run.send(Command::RetryStep(node.into(), "ray-members".into()));
    let reset = |update: &Update| match update {
        Update::Event(stamped) => matches!(stamped.event, Event::StepReset { .. }),
        _ => false,
    };
    run.until(|update, _| reset(update)).await;
    assert_eq!(run.node(node).verified, []);
    assert_eq!(run.node(node).steps["ray-members"].outcome, Some(StepOutcome::Voided));
    run.up_ended().await;
    assert_eq!(run.node(node).verified.len(), 2);
}
