//! Configs that are changed after a kill, while the outcome of launches is not
//! known: nothing else is launched for a node before that is known.

use std::{sync::Arc, time::Duration};

use muster::{
    cloud::{InstanceState, tags},
    config::Overrides,
    engine::{Command, Event, Phase},
    journal::Store,
    model::ClusterId,
    sim::{Scenario, World},
};

use super::lives::live;
use crate::support::run::Run;

/// No launch call of a region's first ones reaches EC2.
const LOST: &str = "[[faults]]\noperation = 'RunInstances'\ndry_run = false\ncalls = [1, 2]\n\
                    answer = 'hang'\n";
const KEY: &str = "KeyName: quokka";

/// The two regions, where EC2 lists what is new `lag` seconds late and `(old,
/// new)` of the configs is replaced; and what `extra` (TOML) adds.
fn world(lag: &str, (old, new): (&str, &str), extra: &str) -> Scenario {
    let text = include_str!("two_regions.toml");
    assert!(text.contains(old), "{old}");
    let text = text.replacen("lag_s = 1.5", &format!("lag_s = {lag}"), 1).replace(old, new);
    Scenario::parse(&format!("{text}\n{extra}")).unwrap_or_else(|error| panic!("{error}"))
}

fn with_user_data(text: &str) -> String {
    format!("{KEY}\n      UserData: '{text}'")
}

fn own() -> Overrides {
    Overrides { name: Some("story".into()), ..Overrides::default() }
}

/// Killed with its four launches announced; the next process has the configs of
/// `after`.
async fn killed_and_changed(before: &Scenario, after: &Scenario) -> Run {
    let project = Arc::new(before.load_project_with(&own()).project.unwrap());
    let store = Store::in_memory(ClusterId::new("test-000001"));
    let mut run = Run::on(World::new(before), project, before.files(own()), store);
    run.send(Command::Up);
    while intents(&run).len() < 4 {
        run.next().await.unwrap();
    }
    let kept = serde_json::to_string(&run.events).unwrap();
    assert!(!kept.contains("hunter2"), "{kept}");
    let dead = run.killed_and_restarted().await;
    // What EC2 was asked before the kill, it carries out.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let project = Arc::new(after.load_project_with(&own()).project.unwrap());
    let store = dead.store.reopened(dead.store.written());
    Run::on(dead.world, project, after.files(own()), store)
}

/// The tokens of the launches announced, in order.
fn intents(run: &Run) -> Vec<&str> {
    let tokens = run.events.iter().filter_map(|event| match event {
        Event::LaunchIntended { token, .. } => Some(token.as_str()),
        _ => None,
    });
    tokens.collect()
}

/// Nothing that was launched and lost comes up later.
async fn is_whole(run: &Run, what: &str) {
    let failed = run.state.nodes.values().filter_map(|node| node.failure.as_ref());
    let failed: Vec<_> = failed.map(ToString::to_string).collect();
    assert!(run.all_ready(), "{what}: {:?} {failed:?} {:?}", run.phases(), run.notices);
    tokio::time::sleep(Duration::from_mins(20)).await;
    assert_eq!(live(&run.world.snapshot(), &[]), 6, "{what}: {:?}", run.notices);
}

#[tokio::test(start_paused = true)]
async fn what_never_reached_ec2_is_launched_as_the_config_is_now_with_the_same_token() {
    let before = world("1.5", (KEY, &with_user_data("password=hunter2")), LOST);
    let after = world("1.5", (KEY, &with_user_data("password=swordfish")), LOST);
    let mut run = killed_and_changed(&before, &after).await;
    assert_eq!(live(&run.world.snapshot(), &[]), 0);
    let mut tokens: Vec<_> = run.state.launches.keys().map(ToString::to_string).collect();
    run.up().await;
    is_whole(&run, "changed").await;
    let mut again = intents(&run);
    again.sort_unstable();
    tokens.sort_unstable();
    assert_eq!(again, tokens, "announced again, and under no other token");
    for instance in run.world.snapshot().regions.values().flat_map(|region| &region.instances) {
        let token = instance.tags.get(tags::LAUNCH);
        assert!(token.is_none_or(|token| tokens.contains(token)));
    }
}

/// EC2 refuses the new request, which proves that it has carried out the old one.
#[tokio::test(start_paused = true)]
async fn what_ec2_has_launched_and_lists_late_is_found_and_not_launched_as_changed() {
    for lag in ["1.5", "45", "200"] {
        let before = world(lag, (KEY, &with_user_data("password=hunter2")), "");
        let after = world(lag, (KEY, &with_user_data("password=swordfish")), "");
        let mut run = killed_and_changed(&before, &after).await;
        assert_eq!(live(&run.world.snapshot(), &[]), 6, "launched, and on no record");
        run.up().await;
        is_whole(&run, lag).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_resolved_is_refused_with_what_to_do_and_nothing_is_launched() {
    let lag = "1000";
    let before = world(lag, (KEY, &with_user_data("password=hunter2")), "");
    let after = world(lag, (KEY, &with_user_data("password=swordfish")), "");
    let mut run = killed_and_changed(&before, &after).await;
    run.up().await;
    for node in run.state.nodes.values() {
        let failure = node.failure.as_ref().unwrap();
        assert_eq!(node.phase, Phase::Failed);
        assert_eq!(failure.code.as_deref(), Some("IdempotentParameterMismatch"), "{failure}");
        assert!(failure.message.contains("nothing else is launched for them"), "{failure}");
        assert!(failure.hint.as_ref().unwrap().contains("`muster up` again"), "{failure:?}");
    }
    assert_eq!(live(&run.world.snapshot(), &[]), 6);
    tokio::time::sleep(Duration::from_secs(1000)).await;
    run.up().await;
    is_whole(&run, "once they are listed").await;
}

/// Tokens are zonal: in another zone the same one would launch again. So EC2 is read.
#[tokio::test(start_paused = true)]
async fn in_another_zone_nothing_is_launched_before_reads_settle_the_first_launch() {
    let subnets = "[subnet-0000000000000001a, subnet-0000000000000001b]";
    let change = |lag| {
        let before = world(lag, (KEY, KEY), if lag == "1.5" { LOST } else { "" });
        (before, world(lag, (subnets, "[subnet-0000000000000001b]"), ""))
    };
    let (before, after) = change("100");
    let mut run = killed_and_changed(&before, &after).await;
    run.up().await;
    is_whole(&run, "launched").await;
    let of_us = run.state.nodes.values().filter(|node| node.group.region.as_str() == "us-west-2");
    let zones = of_us.map(|node| node.instance.as_ref().unwrap().zone.clone().unwrap());
    assert!(zones.into_iter().all(|zone| zone.as_str() == "us-west-2a"));

    let (before, after) = change("1.5");
    let mut run = killed_and_changed(&before, &after).await;
    let begun = tokio::time::Instant::now();
    run.up().await;
    assert!(begun.elapsed() >= Duration::from_mins(4), "{:?}", begun.elapsed());
    is_whole(&run, "never launched").await;
}

/// A node that is planned no longer is not launched: what its launch made is found.
#[tokio::test(start_paused = true)]
async fn a_launch_of_nodes_that_are_planned_no_longer_is_only_looked_for() {
    let (workers, fewer) = ("min_workers: 2", "min_workers: 1");
    for extra in ["", LOST] {
        let before = world("30", (KEY, KEY), extra);
        let after = world("30", (workers, fewer), "");
        let mut run = killed_and_changed(&before, &after).await;
        let launched = live(&run.world.snapshot(), &[]);
        assert_eq!(launched, if extra.is_empty() { 6 } else { 0 });
        run.up().await;
        let ready = run.phases().into_iter().filter(|(_, phase)| *phase == Phase::Ready).count();
        assert_eq!(ready, launched.max(4), "{:?} {:?}", run.phases(), run.notices);
        tokio::time::sleep(Duration::from_mins(20)).await;
        assert_eq!(live(&run.world.snapshot(), &[]), launched.max(4), "{:?}", run.notices);
        assert!(run.down().await);
        assert_eq!(live(&run.world.snapshot(), &[InstanceState::Running]), 0);
    }
}
