//! Reloading the configs while muster runs.

use std::sync::Arc;

use muster::{
    check::{Finding, Level},
    config::{
        Overrides,
        edit::{Edit, Target, Value},
    },
    engine::{Command, Phase, Update},
    journal::Store,
    model::{ClusterId, NodeName},
    sim::{Scenario, World},
    survey::Fact,
};

use super::two_regions;
use crate::support::run::Run;

/// Starts an engine on the two regions, with `from` since replaced by `to` in the files.
fn run_on_changed(from: &str, to: &str) -> Run {
    let scenario = two_regions("");
    let project = scenario.load_project().project.unwrap();
    let text = include_str!("two_regions.toml");
    assert!(text.contains(from));
    let changed = Scenario::parse(&text.replace(from, to)).unwrap();
    let store = Store::in_memory(ClusterId::new("test-000001"));
    let files = changed.files(Overrides::default());
    Run::on(World::new(&scenario), Arc::new(project), files, store)
}

/// Returns the message of a refused reload.
async fn refused(run: &mut Run) -> String {
    run.send(Command::Reload);
    match run.until(|update, _| matches!(update, Update::Refused(_))).await {
        Update::Refused(failure) => {
            format!("{failure}; {}", failure.hint.clone().unwrap_or_default())
        }
        _ => unreachable!(),
    }
}

async fn reload(run: &mut Run) {
    run.send(Command::Reload);
    run.until(|update, _| matches!(update, Update::Refreshed { .. })).await;
}

fn names(run: &Run) -> Vec<&str> {
    run.state.nodes.keys().map(NodeName::as_str).collect()
}

#[tokio::test(start_paused = true)]
async fn a_new_plan_replaces_nodes_that_were_never_launched() {
    let mut run = run_on_changed("min_workers: 2\n    max_workers: 4", "min_workers: 1");
    run.look().await;
    assert_eq!(run.state.nodes.len(), 6);
    let written = run.store.written();
    reload(&mut run).await;
    let expected = ["eu-west-1/head", "eu-west-1/worker-1", "us-west-2/head", "us-west-2/worker-1"];
    assert_eq!(names(&run), expected);
    assert_eq!(run.project.planned_nodes().len(), 4);
    assert_eq!(run.store.written(), written, "the journal records the cluster, not configs");
    run.up().await;
    assert!(run.all_ready(), "{:?} {:?}", run.phases(), run.notices);
    assert_eq!(run.live().await.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn another_type_is_planned() {
    let mut run = run_on_changed("InstanceType: m5.large", "InstanceType: m5.xlarge");
    reload(&mut run).await;
    let types = run.state.nodes.values().map(|node| node.instance_type.as_str());
    assert!(types.eq(["m5.xlarge"; 6]));
}

/// Dry runs of the previous configs do not count for the new ones.
#[tokio::test(start_paused = true)]
async fn failed_launches_are_retried() {
    let image = "ImageId: ami-0000000000000000b";
    let mut run = run_on_changed(image, "ImageId: ami-0000000000000000c");
    run.look().await;
    run.send(Command::Reload);
    let looked = run.until(|update, _| matches!(update, Update::Refreshed { .. })).await;
    let Update::Refreshed { survey, .. } = looked else { unreachable!() };
    let of_region = |name: &str| survey.regions[&name.into()].dry_runs.values();
    assert!(of_region("us-west-2").all(|answer| matches!(answer, Fact::Known(None))));
    assert!(of_region("eu-west-1").all(|answer| matches!(answer, Fact::Known(Some(_)))));
}

/// Running instances stay on record, whatever the configs contain.
#[tokio::test(start_paused = true)]
async fn running_nodes_stay_after_removal_from_the_plan() {
    let mut run = run_on_changed("configs = [\"us.yaml\", \"eu.yaml\"]", "configs = [\"us.yaml\"]");
    run.up().await;
    reload(&mut run).await;
    assert_eq!(run.state.nodes.len(), 6);
    assert!(run.all_ready());
    assert_eq!(run.project.regions.len(), 1);
    assert!(run.down().await, "every instance is terminated, also in the removed region");
    assert_eq!(run.live().await, []);
}

#[tokio::test(start_paused = true)]
async fn an_invalid_config_changes_nothing() {
    let mut run =
        run_on_changed("provider: {type: aws, region: eu", "provider: {type: aws, regoin: eu");
    let message = refused(&mut run).await;
    assert!(message.starts_with("cannot load the configs: eu.yaml:3:1: "), "{message}");
    assert!(
        message.contains("`provider.region` is missing") && message.contains("error more; "),
        "{message}"
    );
    assert!(message.ends_with("until then the plan is unchanged"), "{message}");
    assert_eq!(run.project.regions.len(), 2);
    run.up().await;
    assert!(run.all_ready(), "{:?}", run.notices);
}

#[tokio::test(start_paused = true)]
async fn another_name_is_another_cluster() {
    let mut run = run_on_changed("cluster_name: story", "cluster_name: tale");
    let message = refused(&mut run).await;
    assert!(message.starts_with("the project's name changed to `tale`"), "{message}");
    assert_eq!(*run.project.name, "story");
}

#[tokio::test(start_paused = true)]
async fn a_reload_is_refused_during_a_launch_or_termination() {
    let mut run = Run::new(&two_regions(""));
    run.send(Command::Up);
    run.until(|_, state| state.nodes.values().any(|node| node.phase == Phase::Booting)).await;
    let message = refused(&mut run).await;
    assert!(
        message.starts_with("a launch, a termination, a stop or a fix is under way"),
        "{message}"
    );
    run.up_ended().await;
    let plan = run.plan_down().await;
    run.send(Command::Down(plan));
    assert!(
        refused(&mut run)
            .await
            .starts_with("a launch, a termination, a stop or a fix is under way")
    );
    let ended = |update: &Update| matches!(update, Update::DownEnded(left) if left.is_empty());
    run.until(|update, _| ended(update)).await;
}

/// A refresh under way is discarded: its answer would be about the previous
/// configs.
#[tokio::test(start_paused = true)]
async fn a_refresh_under_way_is_restarted() {
    let mut run = run_on_changed("configs = [\"us.yaml\", \"eu.yaml\"]", "configs = [\"us.yaml\"]");
    run.send(Command::Refresh);
    run.until(|update, _| matches!(update, Update::Refreshing)).await;
    run.send(Command::Reload);
    let looked = run.until(|update, _| matches!(update, Update::Refreshed { .. })).await;
    assert_eq!(run.project.regions.len(), 1, "the answer came after the project");
    let Update::Refreshed { survey, .. } = looked else { unreachable!() };
    assert_eq!(survey.regions.len(), 1);
}

/// A mistake, its correction, and no more finding.
#[tokio::test(start_paused = true)]
async fn an_edit_takes_a_finding_away() {
    let mut run = Run::new(&Scenario::built_in("mistakes").unwrap());
    run.look().await;
    let image = failure(&run.findings, "ami.exists").unwrap().clone();
    let location = image.location.unwrap();
    let edit = Edit {
        file: location.file.clone(),
        target: Target::At(location),
        value: Value::Text("ami-07c1207a9d40bc3bd".into()),
        why: "image ids are regional".into(),
    };
    let rewritten = run.files.rewrite(&[edit]).unwrap();
    let changed = rewritten.diffs[0].to_string();
    assert!(changed.contains("+      ImageId: ami-07c1207a9d40bc3bd\n"), "{changed}");
    reload(&mut run).await;
    assert_eq!(failure(&run.findings, "ami.exists"), None);
    let failures = run.findings.iter().filter(|finding| finding.level == Level::Fail);
    assert_eq!(failures.count(), 5);
}

fn failure<'a>(findings: &'a [Finding], check: &str) -> Option<&'a Finding> {
    findings.iter().find(|finding| finding.level == Level::Fail && finding.check == check)
}
