//! The cluster's end: what carries its id is terminated, and muster says so
//! only once EC2 does.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures_util::future::join_all;

use crate::{
    cloud::{CloudError, Instance, InstanceState, tags},
    model::{Failure, InstanceId, Region},
    survey::same_name,
};

use super::{
    DownPlan, Event, InstanceInfo, Update,
    launch::unresolved,
    region::{changed, list, reconcile, vanished},
    remains,
    shared::Shared,
};

/// How often EC2 is asked whether they are gone.
const POLL: Duration = Duration::from_secs(2);
/// How long until muster stops waiting; EC2 may take minutes to shut a machine down.
const PATIENCE: Duration = Duration::from_mins(15);
/// How long an instance of a launch whose answer was lost may take to show up.
const APPEAR: Duration = Duration::from_secs(30);

/// Finds what `down` would do.
pub(super) async fn plan(shared: &Shared) -> DownPlan {
    let regions = regions(shared);
    let asked = join_all(regions.iter().map(|region| of_region(shared, region))).await;
    let mut plan = DownPlan::default();
    for (region, answer) in regions.into_iter().zip(asked) {
        match answer {
            Ok((own, foreign)) => {
                plan.terminate.extend(own.into_iter().map(|found| (region.clone(), found)));
                plan.foreign.extend(foreign.into_iter().map(|found| (region.clone(), found)));
            }
            Err(error) => plan.unknown.push((region, Failure::from(&error))),
        }
    }
    plan
}

/// The regions of the project and of the record: a region that was taken out
/// of the configs may still hold machines.
pub(super) fn regions(shared: &Shared) -> BTreeSet<Region> {
    let mut regions: BTreeSet<_> = shared.project().region_names().into_iter().collect();
    regions.extend(shared.state().regions.iter().cloned());
    regions
}

async fn of_region(
    shared: &Shared,
    region: &Region,
) -> Result<(Vec<Instance>, Vec<Instance>), CloudError> {
    let project = shared.project();
    let same_name = async {
        let Some(config) = project.region(region) else { return Ok(Vec::new()) };
        same_name(config, shared.cloud.as_ref()).await
    };
    let (own, named) = tokio::join!(list(shared, region), same_name);
    let ours = |found: &Instance| {
        found.tags.get(tags::CLUSTER).is_some_and(|id| *id == *shared.cluster.as_str())
    };
    let own = own?.into_iter().filter(|found| found.state.is_live()).collect();
    let foreign = named?.into_iter().filter(|found| found.state.is_live() && !ours(found));
    Ok((own, foreign.collect()))
}

/// Terminates and waits; tells [`Update::DownEnded`].
pub(super) async fn run(shared: Arc<Shared>) {
    let gone = terminate_all(&shared).await.unwrap_or_else(|failure| {
        shared.update(Update::Notice(failure));
        false
    });
    if gone && shared.state().cluster.is_some() {
        // If this can't be recorded, the next run only asks EC2 once more.
        let _ = shared.record(Event::ClusterGone).await;
    }
    let regions: Vec<_> = regions(&shared).into_iter().collect();
    remains::tell(&shared, &regions).await;
    shared.update(Update::DownEnded { gone });
}

async fn terminate_all(shared: &Shared) -> Result<bool, Failure> {
    let plan = plan(shared).await;
    let instances = plan.terminate.iter().map(|(_, found)| found.id.clone()).collect();
    if shared.state().cluster.is_some() {
        shared.record(Event::DownStarted { instances }).await?;
    }
    let ended = join_all(regions(shared).iter().map(|region| end_region(shared, region))).await;
    let mut gone = true;
    for result in ended {
        gone &= result.unwrap_or_else(|error| {
            shared.update(Update::Notice(Failure::from(&error)));
            false
        });
    }
    Ok(gone)
}

/// `Ok(true)`: EC2 says that none is left in `region`.
async fn end_region(shared: &Shared, region: &Region) -> Result<bool, CloudError> {
    let begun = tokio::time::Instant::now();
    let _wait = shared.waits.begin(region, "instances to terminate");
    let mut asked = BTreeSet::new();
    while begun.elapsed() < PATIENCE {
        let listing = list(shared, region).await?;
        let new: Vec<InstanceId> = listing
            .iter()
            .filter(|found| found.state.is_live() && !asked.contains(&found.id))
            .map(|found| found.id.clone())
            .collect();
        if !new.is_empty() {
            terminate(shared, region, &new).await?;
            asked.extend(new);
        }
        reconcile(shared, region, &listing);
        if is_over(shared, region, &listing, begun.elapsed()) {
            settle(shared, region, &listing);
            return Ok(true);
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(false)
}

async fn terminate(shared: &Shared, region: &Region, ids: &[InstanceId]) -> Result<(), CloudError> {
    shared.cloud.terminate(region, ids).await.map(|_| ())
}

/// Whether nothing is left that EC2 tells of, and nothing that it may only
/// not tell of yet: a machine on record that never showed up, or a launch
/// whose answer was lost.
fn is_over(shared: &Shared, region: &Region, listing: &[Instance], waited: Duration) -> bool {
    let all_gone = listing.iter().all(|found| found.state == InstanceState::Terminated);
    let listed = |id: &InstanceId| listing.iter().any(|found| found.id == *id);
    let unlisted = |info: &InstanceInfo| info.region == *region && !listed(&info.id);
    let may_appear = !unresolved(shared, region).is_empty() || shared.state().live().any(unlisted);
    all_gone && (!may_appear || waited >= APPEAR)
}

/// Records the end of what EC2 no longer tells of.
fn settle(shared: &Shared, region: &Region, listing: &[Instance]) {
    for found in listing {
        shared.tell(changed(region, found));
    }
    let state = shared.state();
    let listed = |id: &InstanceId| listing.iter().any(|found| found.id == *id);
    for info in state.live().filter(|info| info.region == *region && !listed(&info.id)) {
        shared.tell(vanished(info));
    }
}
