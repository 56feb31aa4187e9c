//! Lost records, from a journal that was restored from backup, truncated or damaged:
//! `up` launches no node twice, and `down` terminates all.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use muster::{
    engine::{Command, DownPlan, Event, FoundNode, LaunchState, Phase, RunState, Stamped},
    journal::Store,
    model::InstanceId,
    sim::Scenario,
};

use super::{lives::live, two_regions};
use crate::support::{
    chance::{Chance, seeds},
    run::Run,
};

/// A running cluster of six nodes, and its records.
struct Whole {
    run: Run,
    records: Vec<Stamped>,
    ids: BTreeSet<InstanceId>,
}

async fn ids(run: &Run) -> BTreeSet<InstanceId> {
    run.live().await.into_iter().map(|(_, instance)| instance.id).collect()
}

impl Whole {
    async fn new() -> Self {
        let mut run = Run::new(&two_regions(""));
        run.up().await;
        assert!(run.all_ready(), "{:?}", run.notices);
        let (records, ids) = (run.store.records_in_memory(), ids(&run).await);
        assert_eq!(ids.len(), 6);
        Self { run, records, ids }
    }

    /// Returns the next process, which finds only `records`.
    fn with(&self, records: Vec<Stamped>) -> Run {
        let store = Store::holding(self.run.store.cluster().clone(), records);
        let run = &self.run;
        Run::on(run.world.clone(), run.project.clone(), run.files.clone(), store)
    }

    /// Asserts that `up` on `records` ends with the same six instances and no other.
    async fn comes_up_with(&self, records: Vec<Stamped>, what: &str) -> Run {
        let mut run = self.with(records);
        run.up().await;
        assert!(run.all_ready(), "{what}: {:?} {:?}", run.phases(), run.notices);
        assert_eq!(ids(&run).await, self.ids, "{what}");
        let of_nodes: BTreeSet<_> = run
            .state
            .nodes
            .values()
            .filter_map(|node| Some(node.instance.as_ref()?.id.clone()))
            .collect();
        assert_eq!(of_nodes, self.ids, "{what}: each is a node");
        assert!(run.state.strays.is_empty(), "{what}");
        run.handle.task.abort();
        run
    }
}

#[tokio::test(start_paused = true)]
async fn truncated_after_any_record_up_adopts_what_runs() {
    let whole = Whole::new().await;
    for keep in 0..=whole.records.len() {
        let records = whole.records[..keep].to_vec();
        whole.comes_up_with(records, &format!("{keep} records")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn without_any_one_or_two_records_up_adopts_what_runs() {
    let whole = Whole::new().await;
    for first in 0..whole.records.len() {
        for width in [1, 2] {
            let mut records = whole.records.clone();
            let end = records.len().min(first + width);
            let lost: Vec<_> = records.drain(first..end).map(|one| one.event).collect();
            whole.comes_up_with(records, &format!("without {lost:?}")).await;
        }
    }
}

/// Adopted instances are on record: the next `up` changes nothing, and `down`
/// terminates them.
#[tokio::test(start_paused = true)]
async fn adopted_nodes_go_down_like_any_other() {
    for keep in [0, 1, 3, 4, 6, 9, 20] {
        let whole = Whole::new().await;
        let run = whole.comes_up_with(whole.records[..keep].to_vec(), "first").await;
        let recovered = |event: &Event| matches!(event, Event::Recovered { .. });
        assert!(run.events.iter().any(recovered) || keep > 3, "{keep}");
        let again = run.store.records_in_memory();
        let mut run = whole.comes_up_with(again, "second").await;
        assert!(!run.events.iter().any(recovered), "{keep}: {:?}", run.events);
        run = whole.with(run.store.records_in_memory());
        assert!(run.down().await, "{keep}: {:?}", run.notices);
        assert_eq!(run.live().await, [], "{keep}");
    }
}

/// Somebody launched an instance with the cluster's tag in Ireland. Its node is
/// unknown, so nothing is launched in addition to it.
#[tokio::test(start_paused = true)]
async fn unassigned_instances_are_listed_and_block_launches() {
    let tags = "tags = { 'muster:cluster' = 'test-000001', 'muster:launch' = 'a', \
                ray-cluster-name = 'elsewhere', ray-node-type = 'worker', \
                ray-user-node-type = 'worker' }";
    let world = include_str!("two_regions.toml");
    let strangers = world.lines().find(|line| line.starts_with("instances = [{")).unwrap();
    let ours = format!(
        "instances = [{{ id = 'i-00000000000000201', instance_type = 'm5.large', key_name = \
         'quokka', subnet = 'subnet-0000000000000002a', image = 'ami-0000000000000000b', \
         security_groups = ['sg-00000000000000002'], {tags} }}]"
    );
    let mut run = Run::new(&Scenario::parse(&world.replace(strangers, &ours)).unwrap());
    let plan = run.plan_up().await;
    assert_eq!(plan.launch.values().map(Vec::len).sum::<usize>(), 3, "those of Oregon");
    let (region, failure) = &plan.refused[0];
    assert_eq!((plan.refused.len(), region.as_str()), (1, "eu-west-1"));
    assert!(failure.message.contains("nothing is launched in eu-west-1"), "{failure}");
    let starts = run.plan_start().await;
    let unplaced: Vec<_> = starts.unplaced.iter().map(|(_, one)| one.id.as_str()).collect();
    assert_eq!(unplaced, ["i-00000000000000201"]);
    let (cloud, ids) = (run.world.cloud(), [InstanceId::new(unplaced[0])]);
    cloud.stop(region, &ids).await.unwrap();
    tokio::time::sleep(Duration::from_mins(2)).await;
    let plan = run.plan_start().await;
    assert!(plan.start.is_empty() && plan.unplaced.is_empty(), "{plan:?}");
    assert!(plan.stay[0].2.contains("`muster down` terminates it"), "{plan:?}");
    cloud.start(region, &ids).await.unwrap();
    tokio::time::sleep(Duration::from_mins(2)).await;
    run.up().await;
    let failed: Vec<_> =
        run.state.nodes.values().filter(|node| node.phase == Phase::Failed).collect();
    assert_eq!(failed.len(), 3, "{:?} {:?}", run.phases(), run.notices);
    for node in failed {
        assert_eq!(node.group.region.as_str(), "eu-west-1");
        let failure = node.failure.clone().unwrap();
        assert!(failure.message.contains("i-00000000000000201 (m5.large, running)"), "{failure}");
        assert!(failure.hint.unwrap().contains("`muster down`"));
    }
    assert_eq!(run.live().await.len(), 4, "three in Oregon and the unrecorded one");
    let refusals = run.notices.iter().filter(|one| one.contains("nothing is launched in"));
    assert_eq!(refusals.count(), 1, "{:?}", run.notices);
    let plan = DownPlan::clone(&*run.plan_down().await).including_unrecorded();
    assert!(run.down_by(Arc::new(plan)).await.is_empty());
    assert_eq!(run.live().await, []);
}

/// The ids that a plan takes over.
fn found(found: &[FoundNode]) -> BTreeSet<InstanceId> {
    found.iter().map(|one| one.names().1.clone()).collect()
}

#[tokio::test(start_paused = true)]
async fn the_plan_of_up_counts_what_it_takes_over_as_running() {
    let whole = Whole::new().await;
    let intended = |one: &Stamped| matches!(one.event, Event::LaunchIntended { .. });
    let first = whole.records.iter().position(intended).unwrap();
    for keep in [0, first, first + 2] {
        let mut run = whole.with(whole.records[..keep].to_vec());
        let plan = run.plan_up().await;
        assert!(plan.launch.is_empty() && plan.refused.is_empty(), "{keep}: {plan:?}");
        // What a launch on record made is its nodes' by its token.
        let of_launches: usize =
            run.state.nodes.values().filter(|node| node.instance.is_some()).count();
        assert_eq!(plan.take_over.len() + of_launches, 6, "{keep}: {plan:?}");
        assert!(found(&plan.take_over).is_subset(&whole.ids));
        assert!(keep > 0 || run.events.is_empty(), "a plan records nothing: {:?}", run.events);
        run.up().await;
        assert!(run.all_ready());
        assert_eq!(ids(&run).await, whole.ids);
        run.handle.task.abort();
    }
    let head = whole.run.node("eu-west-1/head").instance.clone().unwrap();
    whole.run.world.cloud().terminate(&head.region, std::slice::from_ref(&head.id)).await.unwrap();
    tokio::time::sleep(Duration::from_mins(5)).await;
    let mut run = whole.with(Vec::new());
    let plan = run.plan_up().await;
    let launched: Vec<_> = plan.launch.values().flatten().map(ToString::to_string).collect();
    assert_eq!(launched, ["eu-west-1/head"]);
    assert_eq!(plan.take_over.len(), 5);
}

/// A launch without a known outcome is no launch more: it is resolved.
#[tokio::test(start_paused = true)]
async fn the_plan_of_up_names_launches_that_are_resolved_first() {
    let mut run = Run::new(&late(1));
    run.send(Command::Up);
    run.until(|_, state| state.launches.len() == 4).await;
    let mut run = run.killed_and_restarted().await;
    let plan = run.plan_up().await;
    let unresolved: usize = plan.unresolved.iter().map(|launch| launch.count).sum();
    let recorded = run.state.nodes.values().filter(|node| node.instance.is_some()).count();
    assert_eq!((plan.launch.len(), unresolved + recorded), (0, 6), "{plan:?}");
    for (group, launch) in plan.unresolved.iter().map(|launch| (&launch.group, launch)) {
        assert_eq!(plan.launches_of(group), launch.count);
    }
}

#[tokio::test(start_paused = true)]
async fn stop_and_start_without_records_act_on_what_carries_the_id() {
    for keep in [0, 1, 4, 7] {
        let whole = Whole::new().await;
        let mut run = whole.with(whole.records[..keep].to_vec());
        assert!(run.stop().await, "{keep}: {:?}", run.notices);
        assert!(run.live().await.iter().all(|(_, one)| one.state.is_stopped()), "{keep}");
        run.handle.task.abort();

        let mut run = whole.with(whole.records[..keep].to_vec());
        let plan = run.plan_start().await;
        let starts: BTreeSet<_> = plan.start.iter().map(|(_, one)| one.id.clone()).collect();
        assert_eq!(starts, whole.ids, "{keep}: {plan:?}");
        assert!(plan.stay.is_empty() && plan.unplaced.is_empty(), "{keep}: {plan:?}");
        run.start().await;
        assert!(run.all_ready(), "{keep}: {:?} {:?}", run.phases(), run.notices);
        assert_eq!(ids(&run).await, whole.ids);
        assert_eq!(run.state.nodes.len(), 6);
        assert!(run.down().await);
        assert_eq!(run.live().await, []);
    }
}

/// The nodes whose records are lost run; the others are stopped.
#[tokio::test(start_paused = true)]
async fn start_takes_over_what_runs_on_no_record() {
    let whole = Whole::new().await;
    let head = whole.run.node("us-west-2/head").instance.clone().unwrap();
    whole.run.world.cloud().stop(&head.region, std::slice::from_ref(&head.id)).await.unwrap();
    tokio::time::sleep(Duration::from_mins(2)).await;
    let mut run = whole.with(Vec::new());
    let plan = run.plan_start().await;
    assert_eq!((plan.start.len(), plan.running.len(), plan.take_over.len()), (1, 5, 6));
    run.start().await;
    assert!(run.all_ready(), "{:?} {:?}", run.phases(), run.notices);
    assert_eq!(ids(&run).await, whole.ids);
}

/// Whether EC2 has answered each of the four launches.
fn are_launched(state: &RunState) -> bool {
    let answered = |state: &LaunchState| matches!(state, LaunchState::Succeeded(_));
    state.launches.len() == 4 && state.launches.values().all(|launch| answered(&launch.state))
}

/// The two regions, where new instances and their tags show late.
fn late(seed: u64) -> Scenario {
    two_regions(&format!("[hazards]\nseed = {seed}\nlag_s = [0, 120]\ntag_lag_s = [0, 60]\n"))
}

/// Killed right after the launches, and some of the records lost, before EC2 lists
/// what it launched.
#[tokio::test(start_paused = true)]
async fn records_are_lost_before_ec2_lists_the_instances() {
    for seed in seeds("MUSTER_LOST_SEED", "MUSTER_LOST", 60) {
        let mut chance = Chance::new(seed);
        let mut run = Run::new(&late(seed));
        run.send(Command::Up);
        run.until(|_, state| are_launched(state)).await;
        let mut records = run.store.records_in_memory();
        let first = usize::try_from(chance.below(records.len() as u64)).unwrap();
        let end = if chance.happens(50) { records.len() } else { records.len().min(first + 2) };
        records.drain(first..end);
        let what = format!("MUSTER_LOST_SEED={seed}, without records {first} to {end}");
        run.handle.task.abort();
        drop(run.handle.task.await);
        tokio::time::sleep(Duration::from_secs(chance.below(100))).await;
        let store = Store::holding(run.store.cluster().clone(), records);
        let mut run = Run::on(run.world, run.project, run.files, store);
        run.up().await;
        assert!(run.all_ready(), "{what}: {:?} {:?}", run.phases(), run.notices);
        tokio::time::sleep(Duration::from_mins(10)).await;
        assert_eq!(live(&run.world.snapshot(), &[]), 6, "{what}: {:#?}", run.notices);
        assert!(run.down().await, "{what}");
        assert_eq!(live(&run.world.snapshot(), &[]), 0, "{what}");
    }
}

/// A node's token is taken for a day after its instance is terminated: without the
/// record of its launch the next token launches another one.
#[tokio::test(start_paused = true)]
async fn a_terminated_node_whose_launch_is_on_no_record_is_launched_again() {
    let whole = Whole::new().await;
    let head = whole.run.node("eu-west-1/head").instance.clone().unwrap();
    whole.run.world.cloud().terminate(&head.region, std::slice::from_ref(&head.id)).await.unwrap();
    tokio::time::sleep(Duration::from_mins(5)).await;
    let mut run = whole.with(Vec::new());
    run.up().await;
    assert!(run.all_ready(), "{:?} {:?}", run.phases(), run.notices);
    let now = ids(&run).await;
    assert_eq!(now.len(), 6);
    assert!(!now.contains(&head.id));
    assert_eq!(now.intersection(&whole.ids).count(), 5);
}
