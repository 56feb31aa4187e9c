//! Stopping the machines: they keep their volumes, their private addresses and
//! what is installed on them, and cost no more than the volumes.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures_util::future::join_all;

use crate::{
    cloud::{CloudError, ErrorKind, Instance, InstanceState},
    model::{Failure, InstanceId, Region},
};

use super::{
    Event, StopPlan, Update,
    down::regions,
    region::{list, reconcile},
    shared::Shared,
};

/// How long a machine that was just launched may take to show up.
const APPEAR: Duration = Duration::from_secs(30);
/// How often EC2 is asked whether they are stopped.
const POLL: Duration = Duration::from_secs(2);
/// How long until muster stops waiting; EC2 gives a system some minutes to end.
const PATIENCE: Duration = Duration::from_mins(15);

/// Finds what would be stopped; the record learns what EC2 says meanwhile.
pub(super) async fn plan(shared: &Shared) -> StopPlan {
    let regions = regions(shared);
    let asked = join_all(regions.iter().map(|region| list(shared, region))).await;
    let mut plan = StopPlan::default();
    for (region, answer) in regions.into_iter().zip(asked) {
        match answer {
            Ok(listing) => {
                reconcile(shared, &region, &listing);
                for found in listing.into_iter().filter(|found| found.state.is_live()) {
                    plan.add(region.clone(), found);
                }
            }
            Err(error) => plan.unknown.push((region, Failure::from(&error))),
        }
    }
    plan
}

impl StopPlan {
    fn add(&mut self, region: Region, found: Instance) {
        match why_not(&found) {
            _ if found.state.is_stopped() => self.stopped.push((region, found)),
            Some(why) => self.stay.push((region, found, why.to_owned())),
            None => self.stop.push((region, found)),
        }
    }
}

/// Why EC2 would not stop it.
fn why_not(instance: &Instance) -> Option<&'static str> {
    if instance.spot {
        return Some("a spot instance can't be stopped");
    }
    (!instance.ebs_root).then_some("its root volume is on instance store, which a stop would lose")
}

/// Stops and waits; tells [`Update::StopEnded`].
pub(super) async fn run(shared: Arc<Shared>) {
    let complete = stop_all(&shared).await.unwrap_or_else(|failure| {
        shared.update(Update::Notice(failure));
        false
    });
    shared.update(Update::StopEnded { complete });
}

async fn stop_all(shared: &Shared) -> Result<bool, Failure> {
    let plan = plan(shared).await;
    let instances = plan.stop.iter().map(|(_, found)| found.id.clone()).collect();
    shared.record(Event::StopIntended { instances }).await?;
    let regions = regions(shared);
    let ended = join_all(regions.iter().map(|region| stop_region(shared, region))).await;
    let (mut stopped, mut left) = (0, 0);
    for (region, end) in regions.iter().zip(ended) {
        let machines = end.unwrap_or_else(|error| {
            shared.update(Update::Notice(Failure::from(&error)));
            on_record(shared, region)
        });
        let done = machines.iter().filter(|state| **state == InstanceState::Stopped).count();
        stopped += number(done);
        left += number(machines.len() - done);
    }
    // If this can't be recorded, the next look finds out the same.
    let _ = shared.record(Event::StopEnded { stopped, left }).await;
    Ok(left == 0 && plan.unknown.is_empty())
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The states of the machines of `region` that are not gone, as last seen.
fn on_record(shared: &Shared, region: &Region) -> Vec<InstanceState> {
    let state = shared.state();
    state.live().filter(|info| info.region == *region).map(|info| info.state).collect()
}

/// Returns once all that can be stopped in `region` is, or patience ends: the
/// states of all its machines that are not gone.
async fn stop_region(shared: &Shared, region: &Region) -> Result<Vec<InstanceState>, CloudError> {
    let begun = tokio::time::Instant::now();
    let _wait = shared.waits.begin(region, "instances to stop");
    let mut asked = BTreeSet::new();
    loop {
        let listing = list(shared, region).await?;
        let new: Vec<InstanceId> = listing
            .iter()
            .filter(|found| found.state == InstanceState::Running && why_not(found).is_none())
            .map(|found| found.id.clone())
            .filter(|id| !asked.contains(id))
            .collect();
        if !new.is_empty() && stop(shared, region, &new).await? {
            asked.extend(new);
        }
        reconcile(shared, region, &listing);
        let untold = untold(shared, region, &listing);
        let waits =
            listing.iter().any(is_to_stop) || (!untold.is_empty() && begun.elapsed() < APPEAR);
        if !waits || begun.elapsed() >= PATIENCE {
            let states = listing.iter().map(|found| found.state).chain(untold);
            return Ok(states.filter(|state| state.is_live()).collect());
        }
        tokio::time::sleep(POLL).await;
    }
}

/// The states of machines on record that EC2 does not tell of, perhaps only not yet.
fn untold(shared: &Shared, region: &Region, listing: &[Instance]) -> Vec<InstanceState> {
    let state = shared.state();
    let listed = |id: &InstanceId| listing.iter().any(|found| found.id == *id);
    let untold = state.live().filter(|info| info.region == *region && !listed(&info.id));
    untold.map(|info| info.state).collect()
}

/// `Ok(false)`: it is not known whether EC2 heard; asking twice does no harm.
async fn stop(shared: &Shared, region: &Region, ids: &[InstanceId]) -> Result<bool, CloudError> {
    match shared.cloud.stop(region, ids).await {
        Ok(_) => Ok(true),
        Err(error) if error.outcome_unknown() || error.kind == ErrorKind::Throttled => {
            shared.update(Update::Notice(Failure::from(&error)));
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Whether it is not stopped yet, and can be: what boots is stopped once it runs.
fn is_to_stop(found: &Instance) -> bool {
    found.state.is_live() && found.state != InstanceState::Stopped && why_not(found).is_none()
}
