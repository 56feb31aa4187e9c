//! Starting stopped instances. They come back with other public addresses and
//! without running services; what is installed on them is still there.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use futures_util::future::join_all;
use tokio::time::Instant;

use crate::{
    cloud::{CloudError, Instance, InstanceState},
    model::{Failure, InstanceId, Region},
};

use super::{
    FoundNode, StartPlan,
    down::regions,
    listing::{list, on_record},
    recover,
    region::{self, reconcile},
    retry::{PATIENCE, PLAN_PATIENCE, Retry},
    shared::Shared,
    targets::{apply_to, is_early},
    unresolved,
    vcpus::{Vcpus, vcpus},
};

/// How often a region is read until all of its instances have begun to start.
const POLL: Duration = Duration::from_secs(1);
/// How long EC2 may list the state from before a start that it has accepted.
const LAG: Duration = Duration::from_secs(30);

/// Finds what would be started, and records the states that EC2 reports.
pub(super) async fn plan(shared: &Shared) -> StartPlan {
    let regions = regions(shared);
    let read = regions.iter().map(|region| async move {
        Retry::new(shared, PLAN_PATIENCE).call(|| list(shared, region)).await
    });
    let read = join_all(read).await;
    let mut plan = StartPlan::default();
    for (region, answer) in regions.into_iter().zip(read) {
        let listing = match answer {
            Ok(listing) => {
                unresolved::record_listed(shared, &region, &listing).await;
                reconcile(shared, &region, &listing);
                shared.flush().await;
                plan.unresolved.extend(unresolved::of_region(shared, &region));
                plan.take_over.extend(found(shared, &region, &listing).await);
                listing
            }
            Err(error) => {
                plan.unresolved.extend(unresolved::of_region(shared, &region));
                plan.unknown.push((region.clone(), Failure::from(&error)));
                on_record(shared, &region)
            }
        };
        for found in listing.into_iter().filter(|found| found.state.is_live()) {
            let why = why_not(shared, &region, &found.id);
            plan.add(region.clone(), found, why);
        }
    }
    plan
}

/// The nodes of `region` whose records are lost, as `up` finds them.
async fn found(shared: &Shared, region: &Region, listing: &[Instance]) -> Vec<FoundNode> {
    let project = shared.project();
    let Some(config) = project.region(region) else { return Vec::new() };
    if recover::find(shared, config, listing, &Vcpus::default()).nodes.is_empty() {
        return Vec::new();
    }
    recover::find(shared, config, listing, &vcpus(shared, config).await).nodes
}

impl StartPlan {
    fn add(&mut self, region: Region, found: Instance, why_not: Option<&str>) {
        let is_found = self.take_over.iter().any(|one| *one.names().1 == found.id);
        match why_not.filter(|_| !is_found) {
            Some(_) if !found.state.is_stopped() => self.unplaced.push((region, found)),
            None if !found.state.is_stopped() => self.running.push((region, found)),
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
    (!of_node).then_some("no node of the configs has it; `muster down` terminates it")
}

/// Starts `ids` in `region`, the instances that were confirmed, and watches
/// until each node with an instance is settled.
pub(super) async fn run(shared: Arc<Shared>, region: Region, ids: BTreeSet<InstanceId>) {
    let listing = Retry::new(&shared, PATIENCE).call(|| list(&shared, &region)).await;
    if listing.is_ok_and(|listing| region::is_displaced(&shared, &region, &listing)) {
        return;
    }
    let mut wanted = ids;
    if let Err(error) = start_region(&shared, &region, &mut wanted).await {
        fail(&shared, &wanted, &error);
    }
    shared.flush().await;
    region::watch(&shared, &region).await;
}

/// Returns once each of `wanted` has left the stopped state or has been given up.
async fn start_region(
    shared: &Shared,
    region: &Region,
    wanted: &mut BTreeSet<InstanceId>,
) -> Result<(), CloudError> {
    let begun = Instant::now();
    let _wait = shared.waits.begin(region, "instances to start");
    let mut retry = Retry::new(shared, PATIENCE);
    let mut asked = BTreeMap::new();
    while !wanted.is_empty() && begun.elapsed() < PATIENCE {
        let mut listing = retry.call(|| list(shared, region)).await?;
        let of_wanted = listing.iter().filter(|found| wanted.contains(&found.id));
        let stopped = of_wanted.filter(|found| found.state == InstanceState::Stopped);
        let new: Vec<_> = stopped.map(|found| found.id.clone()).collect();
        let new: Vec<_> = new.into_iter().filter(|id| !asked.contains_key(id)).collect();
        for id in start(shared, region, &mut retry, &new, wanted).await {
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

/// Whether the outcome of its start is not known yet. A start that EC2 has accepted is awaited
/// until EC2 lists it, so that an outdated state is not taken for a new one.
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

/// Lists started instances as pending while EC2 still lists them as stopped.
fn cover_lag(listing: &mut [Instance], asked: &BTreeMap<InstanceId, Instant>) {
    for found in listing.iter_mut().filter(|found| found.state.is_stopped()) {
        if asked.get(&found.id).is_some_and(|at| at.elapsed() < LAG) {
            found.state = InstanceState::Pending;
            found.public_ip = None;
        }
    }
}

/// Starts `ids`; those that EC2 accepted. Where there is no capacity for all
/// of them, each is tried alone. Refused ones are removed from `wanted`.
async fn start(
    shared: &Shared,
    region: &Region,
    retry: &mut Retry<'_>,
    ids: &[InstanceId],
    wanted: &mut BTreeSet<InstanceId>,
) -> Vec<InstanceId> {
    let call =
        |ids: Vec<InstanceId>| async move { shared.cloud.start(region, &ids).await.map(|_| ()) };
    let done = apply_to(retry, ids.to_vec(), call).await;
    for (id, error) in done.refused {
        if is_early(&error) {
            continue;
        }
        wanted.remove(&id);
        fail(shared, &BTreeSet::from([id]), &error);
    }
    done.accepted
}

fn fail(shared: &Shared, ids: &BTreeSet<InstanceId>, error: &CloudError) {
    let nodes: Vec<_> = {
        let state = shared.state();
        ids.iter().filter_map(|id| Some(state.node_of(id)?.name.clone())).collect()
    };
    shared.fail(nodes, &Failure::from(error));
}
