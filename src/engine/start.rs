//! Starting the machines again. They come back with other public addresses and
//! without what ran on them; what is installed is still there.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use futures_util::future::join_all;
use tokio::time::Instant;

use crate::{
    cloud::{CloudError, ErrorKind, Instance, InstanceState},
    model::{Failure, InstanceId, Region},
};

use super::{
    Event, StartPlan, Update,
    down::regions,
    region::{self, list, reconcile},
    shared::Shared,
};

/// How often a region is asked until all of it has begun to start.
const POLL: Duration = Duration::from_secs(1);
/// How long one that is just stopping may take until it can be started.
const PATIENCE: Duration = Duration::from_mins(15);
/// How long EC2 may tell of the time before a start that it has accepted.
const LAG: Duration = Duration::from_secs(30);

/// Finds what would be started; the record learns what EC2 says meanwhile.
pub(super) async fn plan(shared: &Shared) -> StartPlan {
    let regions = regions(shared);
    let asked = join_all(regions.iter().map(|region| list(shared, region))).await;
    let mut plan = StartPlan::default();
    for (region, answer) in regions.into_iter().zip(asked) {
        match answer {
            Ok(listing) => {
                reconcile(shared, &region, &listing);
                for found in listing.into_iter().filter(|found| found.state.is_live()) {
                    let why = why_not(shared, &region, &found.id);
                    plan.add(region.clone(), found, why);
                }
            }
            Err(error) => plan.unknown.push((region, Failure::from(&error))),
        }
    }
    plan
}

impl StartPlan {
    fn add(&mut self, region: Region, found: Instance, why_not: Option<&str>) {
        match why_not {
            _ if !found.state.is_stopped() => self.running.push((region, found)),
            Some(why) => self.stay.push((region, found, why.to_owned())),
            None => self.start.push((region, found)),
        }
    }
}

/// Why muster would not start it: nothing would come of it but costs.
fn why_not(shared: &Shared, region: &Region, id: &InstanceId) -> Option<&'static str> {
    if shared.project().region(region).is_none() {
        return Some("its region is not in the project any more");
    }
    let of_node = shared.state().node_of(id).is_some();
    (!of_node).then_some("it is no node's machine; `muster down` ends it")
}

/// Starts the nodes of `region` that are stopped, and watches until each node
/// with a machine is settled.
pub(super) async fn run(shared: Arc<Shared>, region: Region) {
    let listing = list(&shared, &region).await;
    if listing.is_ok_and(|listing| region::is_displaced(&shared, &region, &listing)) {
        return;
    }
    if let Err(error) = start_region(&shared, &region).await {
        fail(&shared, &wanted(&shared, &region), &error);
    }
    shared.flush().await;
    region::watch(&shared, &region).await;
}

/// The machines of nodes that are stopped, as far as is known.
fn wanted(shared: &Shared, region: &Region) -> BTreeSet<InstanceId> {
    let state = shared.state();
    let of_region = state.nodes.values().filter(|node| node.group.region == *region);
    let stopped = of_region.filter(|node| node.is_stopped());
    stopped.filter_map(|node| Some(node.instance.as_ref()?.id.clone())).collect()
}

/// Returns once none of them is stopped any more, or has been given up.
async fn start_region(shared: &Shared, region: &Region) -> Result<(), CloudError> {
    let begun = Instant::now();
    let mut wanted = wanted(shared, region);
    let _wait = shared.waits.begin(region, "instances to start");
    let mut asked = BTreeMap::new();
    while !wanted.is_empty() && begun.elapsed() < PATIENCE {
        let mut listing = list(shared, region).await?;
        let of_wanted = listing.iter().filter(|found| wanted.contains(&found.id));
        let stopped = of_wanted.filter(|found| found.state == InstanceState::Stopped);
        let new: Vec<_> = stopped.map(|found| found.id.clone()).collect();
        let new: Vec<_> = new.into_iter().filter(|id| !asked.contains_key(id)).collect();
        for id in start(shared, region, &new, &mut wanted).await {
            asked.insert(id, Instant::now());
        }
        cover_lag(&mut listing, &asked);
        reconcile(shared, region, &listing);
        region::start_ready(shared, region);
        wanted.retain(|id| is_awaited(&listing, id, &asked));
        if !wanted.is_empty() {
            tokio::time::sleep(POLL).await;
        }
    }
    Ok(())
}

/// Whether nothing is known of its start yet. What EC2 has accepted is awaited
/// until EC2 tells of it, so that what it told before is not taken for new.
fn is_awaited(
    listing: &[Instance],
    id: &InstanceId,
    asked: &BTreeMap<InstanceId, Instant>,
) -> bool {
    let state = listing.iter().find(|found| found.id == *id).map(|found| found.state);
    match asked.get(id) {
        Some(at) if at.elapsed() >= LAG => false,
        Some(_) => state == Some(InstanceState::Pending),
        None => state.is_some_and(InstanceState::is_stopped),
    }
}

/// EC2 still tells of the time before the start.
fn cover_lag(listing: &mut [Instance], asked: &BTreeMap<InstanceId, Instant>) {
    for found in listing.iter_mut().filter(|found| found.state.is_stopped()) {
        if asked.get(&found.id).is_some_and(|at| at.elapsed() < LAG) {
            found.state = InstanceState::Pending;
            found.public_ip = None;
        }
    }
}

/// Starts `ids`; those that EC2 accepted. Where there is no capacity for all
/// of them, each is tried alone. What is refused is wanted no more.
async fn start(
    shared: &Shared,
    region: &Region,
    ids: &[InstanceId],
    wanted: &mut BTreeSet<InstanceId>,
) -> Vec<InstanceId> {
    if ids.is_empty() {
        return Vec::new();
    }
    match shared.cloud.start(region, ids).await {
        Ok(_) => ids.to_vec(),
        Err(error) if error.outcome_unknown() || error.kind == ErrorKind::Throttled => {
            // Asking once more does no harm.
            shared.update(Update::Notice(Failure::from(&error)));
            Vec::new()
        }
        Err(error) if error.kind == ErrorKind::Capacity && ids.len() > 1 => {
            let mut started = Vec::new();
            for id in ids {
                started.extend(
                    Box::pin(start(shared, region, std::slice::from_ref(id), wanted)).await,
                );
            }
            started
        }
        Err(error) => {
            let refused: BTreeSet<_> = ids.iter().cloned().collect();
            wanted.retain(|id| !refused.contains(id));
            fail(shared, &refused, &error);
            Vec::new()
        }
    }
}

fn fail(shared: &Shared, ids: &BTreeSet<InstanceId>, error: &CloudError) {
    let nodes: Vec<_> = {
        let state = shared.state();
        ids.iter().filter_map(|id| Some(state.node_of(id)?.name.clone())).collect()
    };
    for node in nodes {
        shared.tell(Event::NodeFailed { node, failure: Failure::from(error) });
    }
}
