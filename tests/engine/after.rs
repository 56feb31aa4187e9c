//! `after`: a step that waits until an earlier one has ended on every node, whether
//! or not it succeeded.

use muster::{
    engine::{Command, Event, Phase, StepOutcome},
    sim::Scenario,
};

use crate::support::run::Run;

const RECIPE: &str = r"
steps:
  - name: setup
    run: echo
  - name: flight
    run: echo
  - name: verify
    after: [flight]
    run: echo
";

fn world(extra: &str) -> Scenario {
    let scenario = include_str!("two_regions.toml");
    let (before, rest) = scenario.split_once("\"recipe.yaml\" = \"\"\"").unwrap();
    let (_, after) = rest.split_once("\"\"\"").unwrap();
    let text = format!("{before}\"recipe.yaml\" = '''{RECIPE}'''{after}\n{extra}");
    Scenario::parse(&text).unwrap_or_else(|error| panic!("{error}"))
}

fn position(run: &Run, last: bool, fits: impl Fn(&Event) -> bool) -> usize {
    let mut found = run.events.iter().enumerate().filter(|(_, event)| fits(event));
    let at = if last { found.next_back() } else { found.next() };
    at.map(|(index, _)| index).expect("such an event")
}

#[tokio::test(start_paused = true)]
async fn a_step_waits_for_all_nodes_but_not_for_failed_ones() {
    let mut run = Run::new(&world(
        r#"
        [[steps]]
        step = "setup"
        nodes = ["eu-west-1/worker-2"]
        exit = 1
        takes_s = 90
        "#,
    ));
    run.up().await;
    assert_eq!(run.state.count(), (5, 1), "{:?}", run.phases());
    let failed = position(&run, true, |event| matches!(event, Event::NodeFailed { .. }));
    let verify =
        |event: &Event| matches!(event, Event::StepStarted { step, .. } if step == "verify");
    assert!(position(&run, false, verify) > failed, "it might still have succeeded");

    // Retried alone, it does not wait for nodes that are done already.
    run.send(Command::RetryNode("eu-west-1/worker-2".into()));
    run.up_ended().await;
    assert_eq!(run.node("eu-west-1/worker-2").phase, Phase::Failed, "it fails again");
}

#[tokio::test(start_paused = true)]
async fn a_retried_node_does_not_wait_for_other_failed_nodes() {
    let mut run = Run::new(&world(
        r#"
        [[steps]]
        step = "setup"
        nodes = ["eu-west-1/worker-2"]
        exit = 1
        [[steps]]
        step = "verify"
        nodes = ["us-west-2/worker-1"]
        attempts = [1]
        exit = 1
        "#,
    ));
    run.up().await;
    assert_eq!(run.state.count(), (4, 2), "{:?}", run.phases());
    run.send(Command::RetryNode("us-west-2/worker-1".into()));
    run.up_ended().await;
    assert_eq!(run.state.count(), (5, 1), "{:?}", run.phases());
    let verified = &run.node("us-west-2/worker-1").steps["verify"];
    assert_eq!((verified.attempt, &verified.outcome), (2, &Some(StepOutcome::Succeeded)));
}

#[tokio::test(start_paused = true)]
async fn a_region_that_launches_nothing_holds_nobody_up() {
    let mut run = Run::new(&world(
        r#"
        [[faults]]
        operation = "RunInstances"
        region = "eu-west-1"
        answer = { error = "UnauthorizedOperation" }
        "#,
    ));
    run.up().await;
    assert_eq!(run.state.count(), (3, 3), "{:?}", run.phases());
}
