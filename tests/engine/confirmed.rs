//! Only what was shown and confirmed is applied: `down`, `stop` and `start` act on
//! the instances of their plan and on those that unresolved launches created, and on
//! nothing else.

use std::{sync::Arc, time::Duration};

use muster::{
    cloud::Instance,
    engine::{ClusterPhase, Command, DownPlan, Event, LaunchState},
    model::{ClientToken, InstanceId, Region, SubnetId},
    sim::{Scenario, World},
};

use super::two_regions;
use crate::support::run::Run;

const EU: &str = "eu-west-1";

/// Creates an instance with the cluster's tag that no recorded launch created.
pub async fn tagged_by_others(run: &Run) -> InstanceId {
    let region = Region::new(EU);
    let config = run.project.region(&region).unwrap();
    let group = config.groups.iter().find(|group| group.kind.as_str() == "head").unwrap();
    let subnet = Some(SubnetId::new("subnet-0000000000000002a"));
    let token = ClientToken::new("others");
    let template = config.launch_template(&run.project, group, run.store.cluster()).unwrap();
    let groups = template.groups.resolve(|name| Err(name.to_owned())).unwrap();
    let request = template.request(subnet, groups, 1, token);
    let mut launched = run.world.cloud().launch(&region, &request).await.unwrap();
    launched.pop().unwrap().id
}

async fn live_ids(run: &Run) -> Vec<InstanceId> {
    run.live().await.into_iter().map(|(_, instance): (_, Instance)| instance.id).collect()
}

/// Returns the two regions; EC2 lists new resources `lag` seconds late.
fn lagging(lag: &str) -> Scenario {
    let text = include_str!("two_regions.toml");
    assert!(text.contains("lag_s = 1.5"));
    let text = text.replacen("lag_s = 1.5", &format!("lag_s = {lag}"), 1);
    Scenario::parse(&text).unwrap_or_else(|error| panic!("{error}"))
}

/// Returns the process after one that was killed with launches intended. The calls
/// take effect, and their answers are not recorded.
async fn killed_in_the_call(lag: &str) -> Run {
    let mut run = Run::new(&lagging(lag));
    run.send(Command::Up);
    while run.state.unresolved().is_empty() {
        run.next().await;
    }
    let run = run.killed_and_restarted().await;
    assert!(!run.state.unresolved().is_empty());
    run
}

/// The same where the process was killed before it called.
async fn killed_before_the_call() -> Run {
    let run = killed_in_the_call("1.5").await;
    let store = run.store.reopened(run.store.written());
    let run = Run::on(World::new(&two_regions("")), run.project, run.files, store);
    assert!(!run.state.unresolved().is_empty());
    run
}

/// Waits until EC2 lists everything.
async fn listed() {
    tokio::time::sleep(Duration::from_secs(5)).await;
}

#[tokio::test(start_paused = true)]
async fn instances_tagged_after_the_confirmation_are_reported_and_kept() {
    let mut run = Run::new(&two_regions(""));
    run.up().await;
    let plan = run.plan_down().await;
    assert_eq!((plan.terminate.len(), plan.unrecorded.len()), (6, 0));
    let other = tagged_by_others(&run).await;
    let left = run.down_by(plan).await;
    assert_eq!(
        live_ids(&run).await,
        std::slice::from_ref(&other),
        "the six are terminated, the other is not"
    );
    let reported: Vec<_> = left.unrecorded.iter().map(|(_, id, _)| id.clone()).collect();
    assert_eq!(reported, [other]);
    assert!(left.instances.is_empty() && left.unresolved.is_empty(), "{left:?}");
    assert!(!run.events.contains(&Event::ClusterGone));
    assert_ne!(run.state.phase, ClusterPhase::Terminated);
}

#[tokio::test(start_paused = true)]
async fn unrecorded_instances_are_listed_separately_and_need_their_own_confirmation() {
    let mut run = Run::new(&two_regions(""));
    run.up().await;
    let other = tagged_by_others(&run).await;
    listed().await;
    let plan = run.plan_down().await;
    assert_eq!(plan.terminate.len(), 6);
    assert_eq!(plan.unrecorded.iter().map(|(_, one)| &one.id).collect::<Vec<_>>(), [&other]);
    let left = run.down_by(plan).await;
    assert_eq!(live_ids(&run).await, [other]);
    assert_eq!(left.unrecorded.len(), 1);

    let plan = run.plan_down().await;
    assert!(plan.is_empty(), "{plan:?}");
    let all = Arc::new(DownPlan::clone(&plan).including_unrecorded());
    assert!(run.down_by(all).await.is_empty());
    assert_eq!(run.live().await, []);
    assert_eq!(run.events.last(), Some(&Event::ClusterGone));
}

/// An instance found by a refresh still counts as unrecorded.
#[tokio::test(start_paused = true)]
async fn a_refresh_puts_nothing_on_record() {
    let mut run = Run::new(&two_regions(""));
    run.up().await;
    let other = tagged_by_others(&run).await;
    listed().await;
    run.look().await;
    assert!(run.state.strays.contains_key(&other));
    let plan = run.plan_down().await;
    assert_eq!((plan.terminate.len(), plan.unrecorded.len()), (6, 1));
}

#[tokio::test(start_paused = true)]
async fn a_stop_acts_on_its_plan_alone() {
    let mut run = Run::new(&two_regions(""));
    run.up().await;
    let plan = run.plan_stop().await;
    let other = tagged_by_others(&run).await;
    let left = run.stop_by(plan).await;
    assert_eq!(left.unrecorded.iter().map(|(_, id, _)| id).collect::<Vec<_>>(), [&other]);
    assert_eq!(run.state.stopped().count(), 6);
    let running = run.live().await.into_iter().filter(|(_, one)| !one.state.is_stopped());
    assert_eq!(running.map(|(_, one)| one.id).collect::<Vec<_>>(), [other]);
    assert_eq!(run.state.phase, ClusterPhase::Degraded, "not everything is stopped");
}

/// EC2 lists new instances a minute late; the journal has only the intent.
const LATE: &str = "60";

#[tokio::test(start_paused = true)]
async fn a_launch_whose_instances_show_late_is_waited_for_by_down() {
    let mut run = killed_in_the_call(LATE).await;
    let calls = run.world.calls("RunInstances");
    let plan = run.plan_down().await;
    assert!(plan.terminate.is_empty() && !plan.unresolved.is_empty(), "{plan:?}");
    let count: usize = plan.unresolved.iter().map(|launch| launch.count).sum();
    let left = run.down_by(plan).await;
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(run.world.calls("RunInstances"), calls, "down launches nothing");
    tokio::time::sleep(Duration::from_mins(10)).await;
    assert_eq!(run.live().await, [], "nothing comes up later");
    let succeeded = run.state.launches.values().filter_map(|launch| match &launch.state {
        LaunchState::Succeeded(ids) => Some(ids.len()),
        LaunchState::Intended | LaunchState::Failed(_) => None,
    });
    assert_eq!(succeeded.sum::<usize>(), count, "{:?}", run.state.launches);
    let announced = |notice: &&String| notice.contains("waiting for EC2 to list its instances");
    assert!(run.notices.iter().any(|notice| announced(&notice)), "{:?}", run.notices);
}

#[tokio::test(start_paused = true)]
async fn a_launch_that_never_reached_ec2_is_resolved_as_that() {
    let mut run = killed_before_the_call().await;
    assert_eq!(run.world.calls("RunInstances"), 0, "killed before the call");
    let begun = tokio::time::Instant::now();
    assert!(run.down().await, "{:?}", run.notices);
    assert!(begun.elapsed() >= Duration::from_mins(4), "{:?}", begun.elapsed());
    assert!(run.state.unresolved().is_empty());
    assert_eq!(run.state.phase, ClusterPhase::Terminated);
    assert_eq!(run.world.calls("RunInstances"), 0);
}

/// For an old launch, EC2 is read only a few times.
#[tokio::test(start_paused = true)]
async fn a_launch_of_long_ago_is_resolved_at_once() {
    let mut run = killed_before_the_call().await;
    tokio::time::sleep(Duration::from_mins(30)).await;
    let begun = tokio::time::Instant::now();
    assert!(run.down().await, "{:?}", run.notices);
    assert!(begun.elapsed() < Duration::from_mins(1), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_launch_whose_instances_are_all_listed_is_not_waited_for() {
    let mut run = killed_in_the_call("1.5").await;
    listed().await;
    let plan = run.plan_down().await;
    assert!(plan.unresolved.is_empty() && !plan.terminate.is_empty(), "{plan:?}");
    assert!(plan.unrecorded.is_empty(), "created by our tokens: {plan:?}");
    let begun = tokio::time::Instant::now();
    assert!(run.down_by(plan).await.is_empty());
    assert!(begun.elapsed() < Duration::from_mins(2), "{:?}", begun.elapsed());
    assert!(run.state.unresolved().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_stop_right_after_a_killed_launch_stops_what_it_created() {
    for scenario in ["1.5", LATE] {
        let mut run = killed_in_the_call(scenario).await;
        let plan = run.plan_stop().await;
        assert!(!plan.is_empty(), "{scenario}: {plan:?}");
        let left = run.stop_by(plan).await;
        assert!(left.is_empty(), "{scenario}: {left:?}");
        let live = run.live().await;
        assert!(!live.is_empty());
        assert!(live.iter().all(|(_, one)| one.state.as_str() == "stopped"), "{live:?}");
        assert_eq!(run.state.stopped().count(), live.len(), "{scenario}");
        tokio::time::sleep(Duration::from_mins(10)).await;
        assert_eq!(run.live().await.len(), live.len(), "nothing comes up later");
    }
}

/// A repeated stop waits for stopping instances.
#[tokio::test(start_paused = true)]
async fn stopping_is_not_stopped() {
    let mut run = Run::new(&two_regions(""));
    run.up().await;
    for region in run.project.region_names() {
        let listed = run.live().await.into_iter().filter(|(own, _)| *own == region);
        let ids: Vec<_> = listed.map(|(_, one)| one.id).collect();
        run.world.cloud().stop(&region, &ids).await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let plan = run.plan_stop().await;
    assert_eq!((plan.stop.len(), plan.stopping.len(), plan.stopped.len()), (0, 6, 0));
    assert!(run.stop_by(plan).await.is_empty());
    assert_eq!(run.state.phase, ClusterPhase::Stopped);
    assert!(run.live().await.iter().all(|(_, one)| one.state.as_str() == "stopped"));
    assert_eq!(run.plan_stop().await.stopped.len(), 6);
}

/// An hour after the start a region's API fails for five minutes.
#[tokio::test(start_paused = true)]
async fn an_outage_of_minutes_does_not_end_down() {
    for answer in
        ["'unreachable'", "'hang'", "{error = 'InternalError'}", "{error = 'RequestLimitExceeded'}"]
    {
        let outage = format!(
            "[[faults]]\nregion = 'eu-west-1'\nfrom_s = 3600\nuntil_s = 3900\nanswer = {answer}\n"
        );
        let mut run = Run::new(&two_regions(&outage));
        run.up().await;
        let before = tokio::time::Instant::now();
        let until = Duration::from_hours(1).saturating_sub(since_start(&run));
        tokio::time::sleep(until).await;
        let plan = run.plan_down().await;
        assert_eq!(plan.terminate.len(), 6, "{answer}: those on record where EC2 is silent");
        assert_eq!(plan.unknown.len(), 1, "{answer}");
        run.notices.clear();
        let left = run.down_by(plan).await;
        assert!(left.is_empty(), "{answer}: {left:?}");
        assert_eq!(run.live().await, [], "{answer}");
        assert!(before.elapsed() > Duration::from_secs(200));
        let notices: Vec<_> =
            run.notices.iter().filter(|notice| notice.contains("next try in")).collect();
        assert_eq!(notices.len(), 1, "{answer}: one for a cause: {:?}", run.notices);
    }
}

/// The same for a stop, an hour after the start, and for the start an hour later.
#[tokio::test(start_paused = true)]
async fn an_outage_of_minutes_ends_neither_stop_nor_start() {
    for answer in
        ["'unreachable'", "'hang'", "{error = 'InternalError'}", "{error = 'RequestLimitExceeded'}"]
    {
        let outage = |from: u32| {
            let until = from + 300;
            format!(
                "[[faults]]\nregion = 'eu-west-1'\nfrom_s = {from}\nuntil_s = {until}\n\
                 answer = {answer}\n"
            )
        };
        let mut run = Run::new(&two_regions(&(outage(3600) + &outage(7200))));
        run.up().await;
        tokio::time::sleep(Duration::from_hours(1).saturating_sub(since_start(&run))).await;
        let plan = run.plan_stop().await;
        assert_eq!((plan.stop.len(), plan.unknown.len()), (6, 1), "{answer}");
        let left = run.stop_by(plan).await;
        assert!(left.is_empty(), "{answer}: {left:?}");
        assert!(run.live().await.iter().all(|(_, one)| one.state.is_stopped()), "{answer}");

        tokio::time::sleep(Duration::from_hours(2).saturating_sub(since_start(&run))).await;
        let plan = run.plan_start().await;
        assert_eq!((plan.start.len(), plan.unknown.len()), (6, 1), "{answer}");
        run.send(Command::StartMachines(plan));
        run.up_ended().await;
        assert!(run.all_ready(), "{answer}: {:?} {:?}", run.phases(), run.notices);
        assert_eq!(run.live().await.len(), 6, "{answer}");
    }
}

fn since_start(run: &Run) -> Duration {
    let start = jiff::Timestamp::constant(1_795_356_131, 0);
    run.world.clock().now().duration_since(start).unsigned_abs()
}
