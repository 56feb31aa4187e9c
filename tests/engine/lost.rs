//! Records that are lost, by a journal that was restored, truncated or
//! damaged: `up` launches none that runs, and `down` terminates all.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use muster::{
    engine::{Command, DownPlan, Event, LaunchState, Phase, RunState, Stamped},
    journal::Store,
    model::InstanceId,
    sim::Scenario,
};

use super::{lives::live, two_regions};
use crate::support::{
    chance::{Chance, seeds},
    run::Run,
};

/// A cluster of six that is up, and its records.
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

    /// The next process, which finds `records` alone.
    fn with(&self, records: Vec<Stamped>) -> Run {
        let store = Store::holding(self.run.store.cluster().clone(), records);
        let run = &self.run;
        Run::on(run.world.clone(), run.project.clone(), run.files.clone(), store)
    }

    /// `up` on `records` ends with the same six and nothing else.
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
async fn truncated_after_any_record_up_takes_over_what_runs() {
    let whole = Whole::new().await;
    for keep in 0..=whole.records.len() {
        let records = whole.records[..keep].to_vec();
        whole.comes_up_with(records, &format!("{keep} records")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn without_any_one_or_two_records_up_takes_over_what_runs() {
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

/// What was taken over is on record: the next `up` changes nothing, and
/// `down` terminates it.
#[tokio::test(start_paused = true)]
async fn what_was_taken_over_goes_down_as_any_node() {
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

/// In Ireland somebody launched an instance with the cluster's tag: which node
/// it is can't be known, so nothing is launched next to it.
#[tokio::test(start_paused = true)]
async fn what_can_not_be_placed_is_listed_and_nothing_launched_next_to_it() {
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
    assert_eq!(run.live().await.len(), 4, "three in Oregon and that one");
    let refusals = run.notices.iter().filter(|one| one.contains("nothing is launched in"));
    assert_eq!(refusals.count(), 1, "{:?}", run.notices);
    let plan = DownPlan::clone(&*run.plan_down().await).including_unrecorded();
    assert!(run.down_by(Arc::new(plan)).await.is_empty());
    assert_eq!(run.live().await, []);
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
