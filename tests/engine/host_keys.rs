//! What is sent to a node waits until its host key is the one that its instance printed.

use std::time::Duration;

use muster::{
    engine::{Event, HostKeyCheck, Phase, StepOutcome, Update},
    sim::Scenario,
};

use super::two_regions;
use crate::support::run::Run;

/// The node that is odd.
const NODE: &str = "eu-west-1/worker-1";
/// Where credentials go.
const FILE: &str = ".aws/credentials";

/// [`two_regions`] with AWS credentials that are sent before Ray starts, and
/// `policy` in muster.yaml.
fn sending(policy: &str, extra: &str) -> Scenario {
    let project = format!(
        "[files]\n\"muster.yaml\" = \"\"\"\nname: story\nregions: [us.yaml, eu.yaml]\n\
         aws_credentials: copy\n{policy}\n\"\"\"\n"
    );
    let text = format!("{}\n{extra}", include_str!("two_regions.toml"))
        .replacen("recipe = ", "project_file = \"muster.yaml\"\nrecipe = ", 1)
        .replacen("[files]\n", &project, 1)
        .replacen(
            "  - name: ray-leader\n",
            "  - name: credentials\n    do: credentials\n  - name: ray-leader\n",
            1,
        );
    Scenario::parse(&text).unwrap_or_else(|error| panic!("{error}"))
}

/// `extra` of a scenario: the keys of a node.
fn odd(keys: &str) -> String {
    format!("[nodes.\"{NODE}\"]\n{keys}\n")
}

fn check<'r>(run: &'r Run, node: &str) -> &'r HostKeyCheck {
    run.node(node).instance.as_ref().unwrap().host_key.as_ref().unwrap()
}

fn has_credentials(run: &Run, node: &str) -> bool {
    let id = &run.node(node).instance.as_ref().unwrap().id;
    run.world.file(id, FILE).is_some()
}

fn failure(run: &Run, node: &str) -> (String, String) {
    let failure = run.node(node).failure.clone().unwrap();
    (failure.message, failure.hint.unwrap_or_default())
}

fn is_verified(update: &Update) -> bool {
    matches!(update, Update::Event(stamped) if matches!(
        &stamped.event,
        Event::HostKeyChecked { node, check: HostKeyCheck::Verified { .. }, .. }
            if node.as_str() == NODE
    ))
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_waits_for_a_late_console_output_and_the_steps_before_do_not() {
    let mut run = Run::new(&sending("", &odd("console_s = 180")));
    run.send(muster::engine::Command::Up);
    let end = tokio::time::sleep(Duration::from_mins(2));
    tokio::pin!(end);
    loop {
        tokio::select! {
            () = &mut end => break,
            update = run.next() => assert!(update.is_some()),
        }
    }
    let done = |step: &str| run.node(NODE).steps.get(step).and_then(|step| step.outcome.clone());
    assert_eq!(done("setup"), Some(StepOutcome::Succeeded), "it needs nothing secret");
    assert!(!run.node(NODE).steps.contains_key("credentials"));
    assert!(!has_credentials(&run, NODE) && has_credentials(&run, "us-west-2/worker-1"));
    assert_eq!(check(&run, NODE).word(), "not verified");
    let waits = run.handle.waits.list(Duration::from_secs(5));
    let waits: Vec<String> = waits.iter().map(ToString::to_string).collect();
    let start = format!("{NODE}: waiting for the host keys in the console output of i-");
    let wait = waits.iter().find(|wait| wait.starts_with(&start));
    let wait = wait.unwrap_or_else(|| panic!("{waits:?}"));
    assert!(wait.contains("(step credentials sends AWS credentials); next try in"), "{wait}");
    run.until(|update, _| is_verified(update)).await;
    assert!(!has_credentials(&run, NODE), "not a moment earlier");
    run.up_ended().await;
    assert!(run.all_ready(), "{:?}", run.phases());
    assert!(has_credentials(&run, NODE));
}

#[tokio::test(start_paused = true)]
async fn another_machine_in_a_node_s_place_gets_nothing_and_is_reported() {
    let mut run = Run::new(&sending("", &odd("impostor = true")));
    run.up().await;
    assert_eq!(run.node(NODE).phase, Phase::Failed);
    assert!(!has_credentials(&run, NODE));
    assert!(check(&run, NODE).is_mismatch());
    let (message, hint) = failure(&run, NODE);
    assert!(message.contains("HOST KEY MISMATCH"), "{message}");
    assert_eq!(message.matches("ED25519 SHA256:").count(), 2, "both keys: {message}");
    assert!(hint.contains("known_hosts"), "{hint}");
    let others = run.phases().into_iter().filter(|(node, _)| *node != NODE);
    assert!(others.into_iter().all(|(_, phase)| phase == Phase::Ready), "{:?}", run.phases());
}

#[tokio::test(start_paused = true)]
async fn a_mismatch_that_shows_late_ends_the_node_in_the_middle_of_a_step() {
    let keys = "impostor = true\nconsole_s = 60";
    let slow = "[[steps]]\nstep = \"setup\"\ntakes_s = 600\n";
    let mut run = Run::new(&sending("", &format!("{}{slow}", odd(keys))));
    run.send(muster::engine::Command::Up);
    let failed = |update: &Update| {
        matches!(update, Update::Event(stamped) if matches!(
            &stamped.event,
            Event::NodeFailed { node, .. } if node.as_str() == NODE
        ))
    };
    run.until(|update, _| failed(update)).await;
    assert!(run.node(NODE).steps["setup"].outcome.is_none(), "it was under way");
    assert!(failure(&run, NODE).0.contains("HOST KEY MISMATCH"));
}

#[tokio::test(start_paused = true)]
async fn keys_that_never_show_block_what_is_sent_and_nothing_else() {
    let mut run = Run::new(&sending("", &odd("console_s = 1e7")));
    run.up().await;
    assert_eq!(run.node(NODE).phase, Phase::Failed);
    assert!(!has_credentials(&run, NODE));
    let (message, hint) = failure(&run, NODE);
    assert!(message.starts_with("credentials: AWS credentials not sent"), "{message}");
    assert!(message.contains("no host keys in the console output within 10"), "{message}");
    assert!(hint.contains("`host_keys: pin`"), "{hint}");

    let mut run = Run::new(&two_regions(&odd("console_s = 1e7")));
    run.up().await;
    assert!(run.all_ready(), "nothing is sent: {:?}", run.phases());
    assert_eq!(check(&run, NODE).word(), "not verified");
    assert_eq!(check(&run, "us-west-2/head").word(), "verified");
}

#[tokio::test(start_paused = true)]
async fn pin_trusts_the_first_connection_and_asks_nobody() {
    let mut run = Run::new(&sending("host_keys: pin", &odd("impostor = true")));
    run.up().await;
    assert!(run.all_ready(), "{:?}", run.phases());
    assert!(has_credentials(&run, NODE));
    assert_eq!(run.world.calls("GetConsoleOutput"), 0);
    assert_eq!(check(&run, NODE).word(), "pinned");
}

#[tokio::test(start_paused = true)]
async fn a_missing_permission_is_told_at_once_with_the_way_out() {
    let mut run = Run::new(&sending(
        "",
        "[[faults]]\noperation = \"GetConsoleOutput\"\nregion = \"eu-west-1\"\n\
         answer = { error = \"UnauthorizedOperation\" }\n",
    ));
    let began = tokio::time::Instant::now();
    run.up().await;
    assert!(began.elapsed() < Duration::from_mins(8), "no wait for what can't come");
    let (message, hint) = failure(&run, NODE);
    assert!(message.contains("GetConsoleOutput in eu-west-1"), "{message}");
    assert!(hint.contains("IAM") && hint.contains("`host_keys: pin`"), "{hint}");
    assert_eq!(run.node("us-west-2/head").phase, Phase::Ready);
}

#[tokio::test(start_paused = true)]
async fn an_api_that_fails_for_a_while_is_asked_again() {
    let mut run = Run::new(&sending(
        "",
        "[[faults]]\noperation = \"GetConsoleOutput\"\ncalls = [1, 2, 3, 4, 5, 6, 7]\n\
         answer = { error = \"RequestLimitExceeded\" }\n",
    ));
    run.up().await;
    assert!(run.all_ready(), "{:?}", run.phases());
    assert_eq!(check(&run, NODE).word(), "verified");
}

#[tokio::test(start_paused = true)]
async fn what_was_verified_is_not_asked_again() {
    let mut run = Run::new(&sending("", ""));
    run.up().await;
    assert!(run.all_ready(), "{:?}", run.phases());
    let calls = run.world.calls("GetConsoleOutput");
    assert_eq!(calls, 6);
    let mut run = run.killed_and_restarted().await;
    assert_eq!(check(&run, NODE).word(), "verified", "it is on record");
    run.send(muster::engine::Command::RetryStep(NODE.into(), "credentials".into()));
    run.up_ended().await;
    assert!(run.stop().await);
    run.start().await;
    assert!(run.all_ready(), "{:?}", run.phases());
    assert_eq!(run.world.calls("GetConsoleOutput"), calls);
}
