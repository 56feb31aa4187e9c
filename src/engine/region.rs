//! Bringing up one region: resolve what an earlier run left unclear, launch what
//! is missing, and watch the instances until every node of the region settles.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};

use crate::{
    cloud::{Instance, InstanceState},
    config::RegionConfig,
    model::{Failure, GroupKey, NodeName, Region, elapsed},
};

use super::{
    Event, InstanceInfo, LaunchState, Phase, RunState, Update,
    config_order::{Tagged, by_tags},
    launch,
    listing::list,
    recover,
    refresh::not_read,
    retry::{PATIENCE, Retry},
    shared::{Message, Shared},
    unresolved::APPEAR,
    vcpus::{Vcpus, vcpus},
};

/// How often a region's instances are asked for while some boot. One filtered
/// call; EC2 refills ten a second.
const POLL_BOOTING: Duration = Duration::from_secs(1);
/// The same while only the bootstrap is under way: to notice an instance that is terminated.
const POLL_RUNNING: Duration = Duration::from_secs(10);
/// How far this machine's clock and EC2's may be apart: it takes no call that
/// is signed with one that is further off.
const SKEW: SignedDuration = SignedDuration::from_mins(10);

/// Brings `region` up. Ends when each of its nodes is settled.
pub(super) async fn run(shared: Arc<Shared>, region: Region) {
    let project = shared.project();
    let Some(config) = project.region(&region) else { return };
    let mut retry = Retry::new(&shared, PATIENCE);
    let listing = retry.call(|| list(&shared, &region));
    let (vcpus, listing) = tokio::join!(vcpus(&shared, config), listing);
    let (listing, recovered) = match listing {
        Ok(listing) => {
            if is_displaced(&shared, &region, &listing) {
                return;
            }
            launch::resolve_listed(&shared, config, &listing, &vcpus).await;
            reconcile(&shared, &region, &listing);
            shared.flush().await;
            let recovered = recover::run(&shared, config, &listing, &vcpus).await;
            (listing, recovered)
        }
        Err(error) => return fail_all(&shared, &region, &Failure::from(&error)),
    };
    let complete = match recovered {
        Ok(last) => {
            launch::resolve(&shared, config, &listing, &vcpus).await;
            let lacks = || !missing(&shared, config).is_empty();
            recover::late(&shared, config, last, &vcpus, lacks).await
        }
        Err(failure) => Err(failure),
    };
    match complete {
        Ok(()) => launch_missing(&shared, config, &vcpus).await,
        Err(failure) => launch_nothing(&shared, config, &failure),
    }
    watch(&shared, &region).await;
}

/// Whether instances in `region` belong to other nodes than the configs now give their names
/// to. If so, reports it, and nothing is done in the region.
pub(super) fn is_displaced(shared: &Shared, region: &Region, listing: &[Instance]) -> bool {
    let project = shared.project();
    let config = project.region(region);
    let found = config.and_then(|config| by_tags(config, &shared.state(), listing));
    match found {
        None => false,
        Some(Tagged::Renamed(failure)) => {
            shared.update(Update::Notice(failure));
            false
        }
        Some(Tagged::Other(failure)) => {
            fail_all(shared, region, &failure);
            shared.update(Update::Notice(failure));
            true
        }
    }
}

fn fail_all(shared: &Shared, region: &Region, failure: &Failure) {
    shared.fail(unsettled(shared, region), failure);
}

fn unsettled(shared: &Shared, region: &Region) -> Vec<NodeName> {
    let state = shared.state();
    let of_region = state.nodes.values().filter(|node| node.group.region == *region);
    of_region.filter(|node| !node.phase.is_settled()).map(|node| node.name.clone()).collect()
}

/// Whether nothing more happens to the nodes of `region` by itself. What is
/// only planned, or whose launch nobody is at, is not waited for.
fn settled_all(shared: &Shared, region: &Region) -> bool {
    let state = shared.state();
    let mut of_region = state.nodes.values().filter(|node| node.group.region == *region);
    of_region.all(|node| {
        node.phase.is_settled() || matches!(node.phase, Phase::Planned | Phase::Launching)
    })
}

/// One call for each group that lacks nodes, side by side.
async fn launch_missing(shared: &Arc<Shared>, config: &RegionConfig, vcpus: &Vcpus) {
    let launches = missing(shared, config).into_iter().map(|(group, nodes)| {
        launch::group(shared.clone(), config.region.value.clone(), group, nodes, vcpus.clone())
    });
    join_all(launches).await;
}

/// What is missing fails: it may run already.
fn launch_nothing(shared: &Shared, config: &RegionConfig, failure: &Failure) {
    let missing: Vec<_> = missing(shared, config)
        .into_values()
        .flatten()
        .chain(launch::unresolved_nodes(shared, &config.region))
        .collect();
    if !missing.is_empty() {
        shared.update(Update::Notice(failure.clone()));
    }
    shared.fail(missing, failure);
}

/// The nodes of `config` that have no instance and no launch without a known outcome.
pub(super) fn missing(shared: &Shared, config: &RegionConfig) -> BTreeMap<GroupKey, Vec<NodeName>> {
    let state = shared.state();
    let unclear: Vec<_> = state
        .launches
        .values()
        .filter(|launch| launch.state == LaunchState::Intended)
        .flat_map(|launch| launch.nodes.clone())
        .collect();
    let mut missing: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for plan in shared.project().planned_nodes() {
        let lacks = state.nodes.get(&plan.name).is_none_or(|node| !node.is_live());
        if plan.group.region == *config.region && lacks && !unclear.contains(&plan.name) {
            missing.entry(plan.group).or_default().push(plan.name);
        }
    }
    missing
}

/// Polls until each node with an instance is settled.
pub(super) async fn watch(shared: &Arc<Shared>, region: &Region) {
    start_ready(shared, region);
    let mut settled = shared.settled.subscribe();
    let mut booting = None;
    while !settled_all(shared, region) {
        let pause = if boots(shared, region) { POLL_BOOTING } else { POLL_RUNNING };
        let wait = || shared.waits.begin(region, "instances to run");
        booting = boots(shared, region).then(|| booting.take().unwrap_or_else(wait));
        let all_settled = settled.wait_for(|()| settled_all(shared, region));
        if tokio::time::timeout(pause, all_settled).await.is_ok() {
            return;
        }
        match list(shared, region).await {
            Ok(listing) => reconcile(shared, region, &listing),
            // The machines go on without us; the next round may get through.
            Err(error) => {
                let (_, failure) = not_read(shared, region, &error);
                shared.update(Update::Notice(failure));
            }
        }
        start_ready(shared, region);
    }
}

fn boots(shared: &Shared, region: &Region) -> bool {
    let state = shared.state();
    state.nodes.values().any(|node| node.group.region == *region && node.phase == Phase::Booting)
}

/// Starts the tasks of the nodes whose instances run and can be reached.
pub(super) fn start_ready(shared: &Shared, region: &Region) {
    let project = shared.project();
    let internal = |key| project.config_of(key).is_some_and(|config| config.use_internal_ips);
    let state = shared.state();
    let booted = state.nodes.values().filter(|node| {
        node.group.region == *region
            && node.phase == Phase::Booting
            && node.instance.as_ref().is_some_and(|info| {
                let internal = internal(&node.group);
                info.state == InstanceState::Running && info.address(internal).is_some()
            })
    });
    for node in booted {
        shared.send(Message::StartNode(node.name.clone()));
    }
}

/// Records what EC2 lists otherwise than the record has it, and reports that
/// EC2 was read.
pub(super) fn reconcile(shared: &Shared, region: &Region, listing: &[Instance]) {
    let events = differences(&shared.state(), region, listing, shared.clock.now());
    for event in events {
        shared.report(event);
    }
    shared.update(Update::InstancesRead { region: region.clone(), at: shared.clock.now() });
}

/// Returns the events by which `listing`, all instances of the cluster that EC2 lists in
/// `region` at `now`, differs from `state`.
pub fn differences(
    state: &RunState,
    region: &Region,
    listing: &[Instance],
    now: Timestamp,
) -> Vec<Event> {
    let of_region = state.instances().filter(|info| info.region == *region);
    let known: BTreeMap<_, _> = of_region.map(|info| (&info.id, info)).collect();
    let seen = listing.iter().flat_map(|instance| match known.get(&instance.id) {
        Some(info) if was_restarted(info, instance, now) => {
            vec![stopped(region, instance), changed(region, instance)]
        }
        Some(info) if differs(info, instance) => vec![changed(region, instance)],
        None if !of_known_launch(state, instance) => vec![stray(region, instance)],
        _ => Vec::new(),
    });
    let listed: BTreeSet<_> = listing.iter().map(|instance| &instance.id).collect();
    let lost = known.values().filter(|info| {
        info.state.is_live() && !listed.contains(&info.id) && is_old(info.since, now)
    });
    seen.chain(lost.map(|info| vanished(info))).collect()
}

/// Whether EC2 knows by now of an instance launched at `since`. A time ahead of
/// every clock is a damaged one, and would never be over.
fn is_old(since: Timestamp, now: Timestamp) -> bool {
    elapsed(since, now).unsigned_abs() > APPEAR || now.duration_since(since) < -SKEW
}

fn differs(info: &InstanceInfo, instance: &Instance) -> bool {
    info.state != instance.state
        || (instance.private_ip.is_some() && info.private_ip != instance.private_ip)
        || info.public_ip != instance.public_ip
}

/// Whether the instance was stopped and started since muster last saw it run, without
/// muster reading it meanwhile: EC2's launch time is that of the last start.
fn was_restarted(info: &InstanceInfo, instance: &Instance, now: Timestamp) -> bool {
    let runs = [info.state, instance.state].iter().all(|state| *state == InstanceState::Running);
    let times = info.running_since.zip(instance.launched);
    runs && times
        .is_some_and(|(since, launched)| launched <= now && launched.duration_since(since) > SKEW)
}

fn of_known_launch(state: &RunState, instance: &Instance) -> bool {
    launch::token_of(instance).is_some_and(|token| {
        state.launches.get(&token).is_some_and(|launch| launch.state == LaunchState::Intended)
    })
}

pub(super) fn changed(region: &Region, instance: &Instance) -> Event {
    Event::InstanceChanged {
        instance: instance.id.clone(),
        region: region.clone(),
        state: instance.state,
        reason: instance.state_reason.clone(),
        private_ip: instance.private_ip,
        public_ip: instance.public_ip,
    }
}

/// A stop that muster did not observe.
fn stopped(region: &Region, instance: &Instance) -> Event {
    Event::InstanceChanged {
        instance: instance.id.clone(),
        region: region.clone(),
        state: InstanceState::Stopped,
        reason: None,
        private_ip: instance.private_ip,
        public_ip: None,
    }
}

fn stray(region: &Region, instance: &Instance) -> Event {
    Event::StrayFound {
        instance: instance.id.clone(),
        region: region.clone(),
        state: instance.state,
        instance_type: instance.instance_type.clone(),
    }
}

/// EC2 forgets a terminated instance after an hour or so.
pub(super) fn vanished(info: &InstanceInfo) -> Event {
    Event::InstanceChanged {
        instance: info.id.clone(),
        region: info.region.clone(),
        state: InstanceState::Terminated,
        reason: Some("EC2 does not know it any more".into()),
        private_ip: None,
        public_ip: None,
    }
}
