//! Stopping the instances: they keep their volumes, their private addresses and
//! what is installed on them, and only the volumes are billed.

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
    Event, StopPlan, Unfinished, UnresolvedLaunch, Update,
    down::regions,
    listing::{is_of, list, on_record},
    region::reconcile,
    retry::{PATIENCE, PLAN_PATIENCE, Retry},
    shared::Shared,
    targets::{Targets, apply_to, is_early},
    unresolved::{self, Resolver},
};

/// How often their states are read until they are stopped.
const POLL: Duration = Duration::from_secs(2);

/// Finds what would be stopped, and records what EC2 lists. `launching`: this
/// process launches meanwhile.
pub(super) async fn plan(shared: &Shared, launching: bool) -> StopPlan {
    let regions = regions(shared);
    let read = regions.iter().map(|region| async move {
        Retry::new(shared, PLAN_PATIENCE).call(|| list(shared, region)).await
    });
    let read = join_all(read).await;
    let mut plan = StopPlan { launching, ..StopPlan::default() };
    for (region, answer) in regions.into_iter().zip(read) {
        let unresolved = unresolved::of_region(shared, &region);
        let listing = match answer {
            Ok(listing) => {
                reconcile(shared, &region, &listing);
                plan.unresolved.extend(unresolved::not_listed(unresolved, &listing));
                listing
            }
            Err(error) => {
                plan.unresolved.extend(unresolved);
                plan.unknown.push((region.clone(), Failure::from(&error)));
                on_record(shared, &region)
            }
        };
        for found in listing.into_iter().filter(|found| found.state.is_live()) {
            plan.add(region.clone(), found);
        }
    }
    plan
}

impl StopPlan {
    fn add(&mut self, region: Region, found: Instance) {
        match (found.state, why_not(&found)) {
            (InstanceState::Stopped, _) => self.stopped.push((region, found)),
            (InstanceState::Stopping, _) => self.stopping.push((region, found)),
            (_, Some(why)) => self.stay.push((region, found, why.to_owned())),
            (_, None) => self.stop.push((region, found)),
        }
    }

    /// The instances that it stops or waits for in `region`.
    fn targets(&self, region: &Region) -> Targets {
        let all = self.stop.iter().chain(&self.stopping);
        let of_region = all.filter(|(own, _)| own == region);
        of_region.map(|(_, found)| (found.id.clone(), found.state)).collect()
    }
}

/// Why EC2 would not stop it.
fn why_not(instance: &Instance) -> Option<&'static str> {
    if instance.spot {
        return Some("a spot instance can't be stopped");
    }
    (!instance.ebs_root).then_some("its root volume is on instance store, which a stop would lose")
}

/// Stops what `plan` names and waits; reports [`Update::StopEnded`].
pub(super) async fn run(shared: Arc<Shared>, plan: Arc<StopPlan>) {
    let unfinished = match stop_all(&shared, &plan).await {
        Ok(unfinished) => unfinished,
        Err(failure) => {
            shared.update(Update::Notice(failure.clone()));
            let regions = regions(&shared).into_iter();
            let unknown = regions.map(|region| (region, failure.clone())).collect();
            Unfinished { unknown, ..Unfinished::default() }
        }
    };
    shared.update(Update::StopEnded(unfinished));
}

async fn stop_all(shared: &Shared, plan: &StopPlan) -> Result<Unfinished, Failure> {
    let instances = plan.stop.iter().map(|(_, found)| found.id.clone()).collect();
    shared.record(Event::StopIntended { instances }).await?;
    let regions = regions(shared);
    let ended = join_all(regions.iter().map(|region| stop_region(shared, region, plan))).await;
    let (mut stopped, mut unfinished) = (0, Unfinished::default());
    for (of_region, left) in ended {
        stopped += number(of_region);
        unfinished.extend(left);
    }
    let launched: usize = unfinished.unresolved.iter().map(|launch| launch.count).sum();
    let unknown = unfinished.unknown.len();
    let left = unfinished.instances.len() + unfinished.unrecorded.len() + launched;
    let left = number(if left == 0 { unknown } else { left });
    // If this can't be recorded, the next reading finds out the same.
    let _ = shared.record(Event::StopEnded { stopped, left }).await;
    Ok(unfinished)
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// How many instances of `region` are stopped, and what is not.
async fn stop_region(shared: &Shared, region: &Region, plan: &StopPlan) -> (usize, Unfinished) {
    let mut targets = plan.targets(region);
    {
        let state = shared.state();
        let launched = plan.unresolved.iter().filter_map(|launch| state.created_by(&launch.token));
        let launched: BTreeSet<_> = launched.flatten().collect();
        for info in state.live().filter(|info| info.region == *region) {
            if launched.contains(&info.id) || (plan.launching && state.is_on_record(&info.id)) {
                targets.add(info.id.clone(), info.state);
            }
        }
    }
    let mut stopping = Stopping {
        shared,
        region,
        targets,
        resolver: Resolver::new(shared, region),
        retry: Retry::new(shared, PATIENCE),
        refused: BTreeMap::new(),
    };
    match stopping.watch().await {
        Ok(listing) => stopping.unfinished(listing, plan),
        Err(error) => {
            let failure = Failure::from(&error);
            shared.update(Update::Notice(failure.clone()));
            let unfinished = Unfinished {
                instances: stopping.targets.not(is_done, region),
                unresolved: stopping.resolver.open(),
                unknown: vec![(region.clone(), failure)],
                ..Unfinished::default()
            };
            (stopping.targets.count(InstanceState::Stopped), unfinished)
        }
    }
}

/// One region's stop.
struct Stopping<'a> {
    shared: &'a Shared,
    region: &'a Region,
    targets: Targets,
    resolver: Resolver<'a>,
    retry: Retry<'a>,
    /// What EC2 does not stop, and why.
    refused: BTreeMap<InstanceId, Failure>,
}

impl Stopping<'_> {
    /// The last listing, once all that can be stopped is, or nothing has
    /// changed for too long.
    async fn watch(&mut self) -> Result<Vec<Instance>, CloudError> {
        let (shared, region) = (self.shared, self.region);
        let _wait = shared.waits.begin(region, "instances to stop");
        let mut progress = (Instant::now(), self.targets.clone());
        loop {
            let listing = self.retry.call(|| list(shared, region)).await?;
            for launch in self.resolver.open() {
                self.add_launched(&launch, &listing);
            }
            self.resolver.read(&listing).await;
            self.targets.read(&listing);
            self.leave_what_can_not_be(&listing);
            reconcile(shared, region, &listing);
            self.stop().await;
            let over = self.targets.are_all(is_done, &self.refused);
            if over && self.resolver.open().is_empty() {
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

    /// What an unresolved launch created is stopped as soon as it runs.
    fn add_launched(&mut self, launch: &UnresolvedLaunch, listing: &[Instance]) {
        for found in listing.iter().filter(|found| is_of(launch, found)) {
            self.targets.add(found.id.clone(), found.state);
        }
    }

    /// Of what was launched meanwhile it is known only now.
    fn leave_what_can_not_be(&mut self, listing: &[Instance]) {
        for found in listing.iter().filter(|found| self.targets.contains(&found.id)) {
            if let Some(why) = why_not(found) {
                self.refused.insert(found.id.clone(), Failure::new(why));
            }
        }
    }

    async fn stop(&mut self) {
        let ids = self.targets.to_act_on(|state| state == InstanceState::Running, &self.refused);
        let (shared, region) = (self.shared, self.region);
        let call =
            |ids: Vec<InstanceId>| async move { shared.cloud.stop(region, &ids).await.map(|_| ()) };
        let done = apply_to(&mut self.retry, ids, call).await;
        self.targets.accept(&done.accepted);
        let mut causes = BTreeSet::new();
        for (id, error) in done.refused {
            if is_early(&error) {
                continue;
            }
            if causes.insert(error.to_string()) {
                shared.update(Update::Notice(Failure::from(&error)));
            }
            self.refused.insert(id, Failure::from(&error));
        }
    }

    fn unfinished(self, listing: Vec<Instance>, plan: &StopPlan) -> (usize, Unfinished) {
        let region = self.region;
        let stays = |id: &InstanceId| plan.stay.iter().any(|(_, one, _)| one.id == *id);
        let known = |id: &InstanceId| self.targets.contains(id) || stays(id);
        let stopped = listing.iter().filter(|found| found.state == InstanceState::Stopped).count();
        let running = listing
            .into_iter()
            .filter(|found| !is_done(found.state) && !self.targets.contains(&found.id));
        let running = running.map(|found| (region.clone(), found.id, found.state));
        let (stay, unrecorded): (Vec<_>, Vec<_>) = running.partition(|(_, id, _)| known(id));
        let mut instances = self.targets.not(is_done, region);
        instances.extend(stay);
        let unresolved = self.resolver.open();
        (stopped, Unfinished { instances, unresolved, unrecorded, unknown: Vec::new() })
    }
}

/// Whether a stop has nothing more to do about an instance in `state`.
fn is_done(state: InstanceState) -> bool {
    state == InstanceState::Stopped || !state.is_live()
}
