//! Terminating a cluster: the instances that were shown and confirmed are
//! terminated, and the command is complete only once EC2 lists them so.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use futures_util::future::join_all;
use tokio::time::Instant;

use crate::{
    cloud::{
        CloudError, Instance, InstanceFilter, InstanceState,
        tags::{self, CLUSTER},
    },
    model::{Failure, InstanceId, Region},
    survey::same_name,
};

use super::{
    DownPlan, Event, Unfinished, Update, leftovers,
    listing::{Origin, is_of, list, on_record, origin},
    region::{changed, reconcile, vanished},
    retry::{PATIENCE, PLAN_PATIENCE, Retry},
    shared::Shared,
    targets::{Targets, apply_to, is_early},
    unresolved::{self, Resolver},
};

/// How often their states are read until they are terminated.
const POLL: Duration = Duration::from_secs(2);

/// Finds what `down` would do. `launching`: this process launches meanwhile.
pub(super) async fn plan(shared: &Shared, launching: bool) -> DownPlan {
    let regions = regions(shared);
    let read = join_all(regions.iter().map(|region| of_region(shared, region))).await;
    let mut plan = DownPlan { launching, ..DownPlan::default() };
    for (region, answer) in regions.into_iter().zip(read) {
        let unresolved = unresolved::of_region(shared, &region);
        match answer {
            Ok((own, foreign)) => {
                plan.unresolved.extend(unresolved::not_listed(unresolved, &own));
                plan.add(shared, &region, own);
                plan.foreign.extend(foreign.into_iter().map(|found| (region.clone(), found)));
            }
            Err(error) => {
                plan.unresolved.extend(unresolved);
                let known = on_record(shared, &region);
                plan.terminate.extend(known.into_iter().map(|found| (region.clone(), found)));
                plan.unknown.push((region, Failure::from(&error)));
            }
        }
    }
    plan
}

impl DownPlan {
    fn add(&mut self, shared: &Shared, region: &Region, own: Vec<Instance>) {
        let state = shared.state();
        for found in own.into_iter().filter(|found| found.state.is_live()) {
            match origin(&state, &found) {
                Origin::Recorded => self.terminate.push((region.clone(), found)),
                Origin::Unrecorded => self.unrecorded.push((region.clone(), found)),
            }
        }
    }
}

/// The regions of the project and of the record: a region that was taken out
/// of the configs may still hold instances.
pub(super) fn regions(shared: &Shared) -> BTreeSet<Region> {
    let mut regions: BTreeSet<_> = shared.project().region_names().into_iter().collect();
    let state = shared.state();
    regions.extend(state.regions.iter().cloned());
    regions.extend(state.live().map(|info| info.region.clone()));
    regions.extend(state.unresolved().iter().map(|launch| launch.region().clone()));
    regions
}

/// The cluster's own instances, and those that share its project or a Ray
/// cluster name of the configs.
async fn of_region(
    shared: &Shared,
    region: &Region,
) -> Result<(Vec<Instance>, Vec<Instance>), CloudError> {
    let patience = if expects(shared, region) { PLAN_PATIENCE } else { Duration::ZERO };
    let mut retry = Retry::new(shared, patience);
    let own = retry.call(|| list(shared, region)).await?;
    let project = shared.project();
    let of_project = InstanceFilter::Tag(tags::PROJECT.into(), project.name.value.clone());
    let mut others = retry.call(|| shared.cloud.instances(region, &of_project)).await?;
    if let Some(config) = project.region(region) {
        others.extend(retry.call(|| same_name(config, shared.cloud.as_ref())).await?);
    }
    let is_own = |found: &Instance| {
        own.iter().any(|own| own.id == found.id)
            || found.tags.get(CLUSTER).is_some_and(|id| *id == *shared.cluster.as_str())
    };
    let mut seen = BTreeSet::new();
    others.retain(|found| found.state.is_live() && !is_own(found) && seen.insert(found.id.clone()));
    Ok((own, others))
}

/// Whether something of the cluster may be in `region`, as far as is on record.
fn expects(shared: &Shared, region: &Region) -> bool {
    shared.state().live().any(|info| info.region == *region)
        || !unresolved::of_region(shared, region).is_empty()
}

/// Terminates what `plan` names and waits; reports [`Update::DownEnded`].
pub(super) async fn run(shared: Arc<Shared>, plan: Arc<DownPlan>) {
    let known = shared.state().cluster.is_some();
    if known {
        let instances = plan.terminate.iter().map(|(_, found)| found.id.clone()).collect();
        // Without the record the instances have to be terminated all the same.
        if let Err(failure) = shared.record(Event::DownStarted { instances }).await {
            shared.update(Update::Notice(failure));
        }
    }
    let regions: BTreeSet<_> = regions(&shared).into_iter().chain(plan.regions()).collect();
    let ended = regions.iter().map(|region| end_region(&shared, region, &plan));
    let mut unfinished = Unfinished::default();
    for of_region in join_all(ended).await {
        unfinished.extend(of_region);
    }
    shared.flush().await;
    if known && unfinished.is_empty() {
        // If this can't be recorded, the next run only reads EC2 once more.
        let _ = shared.record(Event::ClusterGone).await;
    }
    let regions: Vec<_> = regions.into_iter().collect();
    leftovers::report(&shared, &regions).await;
    shared.update(Update::DownEnded(unfinished));
}

/// What `plan` and its launches name in `region`, as far as is known now.
fn targets(shared: &Shared, region: &Region, plan: &DownPlan) -> Targets {
    let of_plan = plan.terminate.iter().filter(|(own, _)| own == region);
    let mut targets: Targets = of_plan.map(|(_, found)| (found.id.clone(), found.state)).collect();
    let state = shared.state();
    let launched = plan.unresolved.iter().filter_map(|launch| state.created_by(&launch.token));
    let launched: BTreeSet<_> = launched.flatten().collect();
    for info in state.live().filter(|info| info.region == *region) {
        if launched.contains(&info.id) || (plan.launching && state.is_on_record(&info.id)) {
            targets.add(info.id.clone(), info.state);
        }
    }
    targets
}

async fn end_region(shared: &Shared, region: &Region, plan: &DownPlan) -> Unfinished {
    let mut ending = Ending {
        shared,
        region,
        targets: targets(shared, region, plan),
        resolver: Resolver::new(shared, region),
        retry: Retry::new(shared, PATIENCE),
        refused: BTreeMap::new(),
    };
    let listing = ending.watch().await;
    ending.unfinished(listing)
}

/// One region's termination.
struct Ending<'a> {
    shared: &'a Shared,
    region: &'a Region,
    targets: Targets,
    resolver: Resolver<'a>,
    retry: Retry<'a>,
    /// What EC2 does not terminate, and why.
    refused: BTreeMap<InstanceId, Failure>,
}

impl Ending<'_> {
    /// The last listing, once all is terminated and resolved, or nothing has
    /// changed for too long.
    async fn watch(&mut self) -> Result<Vec<Instance>, CloudError> {
        let _wait = self.shared.waits.begin(self.region, "instances to terminate");
        let mut progress = (Instant::now(), self.targets.clone());
        loop {
            let shared = self.shared;
            let region = self.region;
            let listing = self.retry.call(|| list(shared, region)).await?;
            self.add_launched(&listing);
            self.resolver.read(&listing).await;
            self.targets.read(&listing);
            reconcile(shared, region, &listing);
            self.terminate().await;
            if self.targets.are_all(is_missing, &self.refused) && self.resolver.open().is_empty() {
                self.settle(&listing);
                return Ok(listing);
            }
            if progress.1 != self.targets {
                progress = (Instant::now(), self.targets.clone());
            }
            if progress.0.elapsed() >= PATIENCE {
                return Ok(listing);
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// What an unresolved launch created is terminated as soon as it shows.
    fn add_launched(&mut self, listing: &[Instance]) {
        for launch in self.resolver.open() {
            for found in listing.iter().filter(|found| is_of(&launch, found)) {
                self.targets.add(found.id.clone(), found.state);
            }
        }
    }

    async fn terminate(&mut self) {
        let ids = self.targets.to_act_on(InstanceState::is_live, &self.refused);
        let (shared, region) = (self.shared, self.region);
        let call = |ids: Vec<InstanceId>| async move {
            shared.cloud.terminate(region, &ids).await.map(|_| ())
        };
        let done = apply_to(&mut self.retry, ids, call).await;
        self.targets.accept(&done.accepted);
        self.refuse(done.refused);
    }

    fn refuse(&mut self, refused: Vec<(InstanceId, CloudError)>) {
        let mut causes = BTreeSet::new();
        for (id, error) in refused {
            // Not known yet by every part of EC2: the next round tries again.
            if is_early(&error) {
                continue;
            }
            if causes.insert(error.to_string()) {
                self.shared.update(Update::Notice(Failure::from(&error)));
            }
            self.refused.insert(id, Failure::from(&error));
        }
    }

    /// Records instances that EC2 no longer lists as terminated.
    fn settle(&self, listing: &[Instance]) {
        for found in listing {
            self.shared.report(changed(self.region, found));
        }
        let state = self.shared.state();
        for info in state.live().filter(|info| info.region == *self.region) {
            if self.targets.is_missing(&info.id) && !listing.iter().any(|one| one.id == info.id) {
                self.shared.report(vanished(info));
            }
        }
    }

    fn unfinished(self, listing: Result<Vec<Instance>, CloudError>) -> Unfinished {
        let region = self.region.clone();
        let mut unfinished = Unfinished {
            instances: self.targets.not(is_missing, &region),
            unresolved: self.resolver.open(),
            ..Unfinished::default()
        };
        match listing {
            Err(error) => {
                let failure = Failure::from(&error);
                self.shared.update(Update::Notice(failure.clone()));
                unfinished.unknown.push((region, failure));
            }
            Ok(listing) => {
                let others = listing
                    .into_iter()
                    .filter(|found| found.state.is_live() && !self.targets.contains(&found.id));
                let others = others.map(|found| (region.clone(), found.id, found.state));
                unfinished.unrecorded.extend(others);
            }
        }
        unfinished
    }
}

fn is_missing(state: InstanceState) -> bool {
    state == InstanceState::Terminated
}
