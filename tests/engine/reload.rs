//! The configs loaded again while muster runs.

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

/// An engine on the two regions whose files have changed since: `from` is `to`.
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

/// What is said to a reload that is refused.
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
    run.until(|update, _| matches!(update, Update::Looked { .. })).await;
}

fn names(run: &Run) -> Vec<&str> {
    run.state.nodes.keys().map(NodeName::as_str).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_planned_anew_takes_the_place_of_what_never_was() {
    let mut run = run_on_changed("min_workers: 2\n    max_workers: 4", "min_workers: 1");
    run.look().await;
    assert_eq!(run.state.nodes.len(), 6);
    let written = run.store.written();
    reload(&mut run).await;
    let expected = ["eu-west-1/head", "eu-west-1/worker-1", "us-west-2/head", "us-west-2/worker-1"];
    assert_eq!(names(&run), expected);
    assert_eq!(run.project.planned_nodes().len(), 4);
    assert_eq!(run.store.written(), written, "the journal tells of the cluster, not of configs");
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

/// What was allowed of the last configs is not taken for allowed of these.
#[tokio::test(start_paused = true)]
async fn launches_are_tried_anew() {
    let image = "ImageId: ami-0000000000000000b";
    let mut run = run_on_changed(image, "ImageId: ami-0000000000000000c");
    run.look().await;
    run.send(Command::Reload);
    let looked = run.until(|update, _| matches!(update, Update::Looked { .. })).await;
    let Update::Looked { survey, .. } = looked else { unreachable!() };
    let of_region = |name: &str| survey.regions[&name.into()].dry_runs.values();
    assert!(of_region("us-west-2").all(|answer| matches!(answer, Fact::Known(None))));
    assert!(of_region("eu-west-1").all(|answer| matches!(answer, Fact::Known(Some(_)))));
}

/// What runs is on record, whatever the configs say.
#[tokio::test(start_paused = true)]
async fn what_runs_stays_though_it_is_planned_no_more() {
    let mut run = run_on_changed("configs = [\"us.yaml\", \"eu.yaml\"]", "configs = [\"us.yaml\"]");
    run.up().await;
    reload(&mut run).await;
    assert_eq!(run.state.nodes.len(), 6);
    assert!(run.all_ready());
    assert_eq!(run.project.regions.len(), 1);
    assert!(run.down().await, "every machine is ended, also of the region that is gone");
    assert_eq!(run.live().await, []);
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_loaded_changes_nothing() {
    let mut run =
        run_on_changed("provider: {type: aws, region: eu", "provider: {type: aws, regoin: eu");
    let said = refused(&mut run).await;
    assert!(said.starts_with("the configs can't be loaded: eu.yaml:3:1: "), "{said}");
    assert!(
        said.contains("`provider.region` is missing") && said.contains("error more; "),
        "{said}"
    );
    assert!(said.ends_with("until then the plan stays as it was"), "{said}");
    assert_eq!(run.project.regions.len(), 2);
    run.up().await;
    assert!(run.all_ready(), "{:?}", run.notices);
}

#[tokio::test(start_paused = true)]
async fn another_name_is_another_cluster() {
    let mut run = run_on_changed("cluster_name: story", "cluster_name: tale");
    let said = refused(&mut run).await;
    assert!(said.starts_with("the project's name changed to `tale`"), "{said}");
    assert_eq!(*run.project.name, "story");
}

#[tokio::test(start_paused = true)]
async fn not_while_something_is_launched_or_ended() {
    let mut run = Run::new(&two_regions(""));
    run.send(Command::Up);
    run.until(|_, state| state.nodes.values().any(|node| node.phase == Phase::Booting)).await;
    let said = refused(&mut run).await;
    assert!(said.starts_with("a launch, a termination, a stop or a fix is under way"), "{said}");
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

/// A look that was under way is of no use: its answer would be about configs
/// that are no more.
#[tokio::test(start_paused = true)]
async fn a_look_under_way_is_begun_again() {
    let mut run = run_on_changed("configs = [\"us.yaml\", \"eu.yaml\"]", "configs = [\"us.yaml\"]");
    run.send(Command::Look);
    run.until(|update, _| matches!(update, Update::Looking)).await;
    run.send(Command::Reload);
    let looked = run.until(|update, _| matches!(update, Update::Looked { .. })).await;
    assert_eq!(run.project.regions.len(), 1, "the answer came after the project");
    let Update::Looked { survey, .. } = looked else { unreachable!() };
    assert_eq!(survey.regions.len(), 1);
}

/// A mistake, its correction, and no finding any more.
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
