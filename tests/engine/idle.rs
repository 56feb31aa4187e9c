//! An engine without commands: it still reports what others do to the instances, and
//! a cluster without its leader is not ready.

use std::{sync::Arc, time::Duration};

use muster::{
    cloud::{InstanceFilter, InstanceState},
    engine::{self, ClusterPhase, Command, Phase, Update},
    sim::World,
};

use super::two_regions;
use crate::support::run::Run;

async fn terminated_by_others(run: &Run, node: &str) {
    let info = run.node(node).instance.clone().unwrap();
    run.world.cloud().terminate(&info.region, &[info.id]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_idle_dashboard_sees_its_leader_terminated_and_is_not_ready() {
    let mut run = Run::new(&two_regions(""));
    run.up().await;
    run.send(Command::WatchFiles);
    assert_eq!(run.state.phase, ClusterPhase::Ready);
    assert!(run.state.lost_leader().is_none());
    terminated_by_others(&run, "us-west-2/head").await;
    let begun = tokio::time::Instant::now();
    run.until(|_, state| state.lost_leader().is_some()).await;
    assert!(begun.elapsed() < Duration::from_mins(1), "{:?}", begun.elapsed());
    assert_eq!(run.state.phase, ClusterPhase::Degraded);
    assert_eq!(run.state.count(), (5, 1));
}

#[tokio::test(start_paused = true)]
async fn a_member_that_others_stop_leaves_the_leader_and_a_cluster_that_is_not_whole() {
    let mut run = Run::new(&two_regions(""));
    run.up().await;
    run.send(Command::WatchFiles);
    let info = run.node("eu-west-1/worker-1").instance.clone().unwrap();
    run.world.cloud().stop(&info.region, &[info.id]).await.unwrap();
    run.until(|_, state| state.phase == ClusterPhase::Degraded).await;
    assert!(run.state.lost_leader().is_none());
    run.until(|_, state| state.nodes[&"eu-west-1/worker-1".into()].phase == Phase::Stopped).await;
    assert_eq!((run.state.stopping().count(), run.state.stopped().count()), (0, 1));
}

/// Every refresh has its interval; while EC2 fails, the interval grows, with one notice.
#[tokio::test(start_paused = true)]
async fn each_reading_has_its_time_and_failures_slow_the_timer_down() {
    let outage = "[[faults]]\noperation = 'DescribeInstances'\nregion = 'eu-west-1'\n\
                  from_s = 3600\nuntil_s = 5400\nanswer = 'unreachable'\n";
    let mut run = Run::new(&two_regions(outage));
    run.up().await;
    run.send(Command::WatchFiles);
    let is_read = |update: &Update| matches!(update, Update::InstancesRead { region, .. } if region.as_str() == "eu-west-1");
    let mut times = Vec::new();
    while times.len() < 3 {
        if let Update::InstancesRead { at, .. } = run.until(|update, _| is_read(update)).await {
            times.push(at);
        }
    }
    let gaps = times.windows(2).map(|pair| pair[1].duration_since(pair[0]).as_secs());
    assert!(gaps.clone().all(|gap| (29..=35).contains(&gap)), "{:?}", gaps.collect::<Vec<_>>());

    let start = run.world.clock().now();
    let until = |run: &Run, seconds| {
        let passed = run.world.clock().now().duration_since(start);
        passed.as_secs() < seconds
    };
    let mut not_read = 0;
    let mut calls = (run.world.calls("DescribeInstances"), 0);
    while until(&run, 6_000) {
        let is_reading = |update: &Update| {
            matches!(update, Update::InstancesRead { .. } | Update::InstancesNotRead { .. })
        };
        match run.until(|update, _| is_reading(update)).await {
            Update::InstancesNotRead { region, .. } if region.as_str() == "eu-west-1" => {
                not_read += 1;
            }
            _ => {}
        }
        calls.1 = run.world.calls("DescribeInstances");
    }
    // Each failed reading is reported as such, though there is one notice.
    assert!(not_read > 3, "{not_read}");
    let notices: Vec<_> = run.notices.iter().filter(|one| one.contains("next try in")).collect();
    assert_eq!(notices.len(), 1, "{:?}", run.notices);
    assert!(calls.1 - calls.0 < 350, "{calls:?}");
}

/// As `status` does with the journal of a process that was killed between the calls
/// and their records.
#[tokio::test(start_paused = true)]
async fn instances_of_unresolved_launches_are_listed_and_counted() {
    let mut run = Run::new(&two_regions(""));
    run.send(Command::Up);
    while run.state.unresolved().is_empty() {
        run.next().await;
    }
    let run = run.killed_and_restarted().await;
    let mut state = run.state.clone();
    assert_eq!(state.billed().count(), 0, "the record has none");
    let world: Arc<World> = run.world.clone();
    let mut missing = 0;
    for region in run.project.region_names() {
        // Before EC2 lists them, they may exist.
        missing += engine::listed_launches(&state, &region, &[])
            .1
            .iter()
            .map(engine::ListedLaunch::missing)
            .sum::<usize>();
    }
    assert!(missing > 0);
    tokio::time::sleep(Duration::from_secs(5)).await;
    for region in run.project.region_names() {
        let none = InstanceFilter::Tag("nobody".into(), "has it".into());
        let query = engine::InstanceQuery::of(&state, &region, none);
        let listing = query.read(world.cloud().as_ref()).await.unwrap();
        let (events, open) = engine::listed_launches(&state, &region, &listing);
        assert_eq!(open, [], "found by their tokens");
        for event in events {
            let (seq, at) = (state.seq, world.clock().now());
            state.apply(&engine::Stamped { seq, at, event });
        }
    }
    assert_eq!(state.billed().count(), missing);
    assert!(state.instances().all(|info| info.state == InstanceState::Pending));
    assert!(state.unresolved().is_empty());
}
