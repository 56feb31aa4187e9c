//! Launches without a known outcome, resolved without launching: EC2 is asked
//! by token and tag until it lists what the call created, or until what it
//! would have created can't be late any more.

use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use crate::{
    cloud::{CloudError, Instance},
    model::{ClientToken, Failure, InstanceId, NodeName, Region, duration, elapsed},
};

use super::{
    Event, LaunchState, LaunchedInstance, RunState, UnresolvedLaunch, Update,
    launch::record_launched,
    listing::{is_of, list},
    retry::{PATIENCE, Retry},
    shared::Shared,
    vcpus::{Vcpus, vcpus},
};

/// How long after a call its instances may take to be listed. EC2 is
/// eventually consistent: usually seconds, and AWS advises to ask for up to
/// five minutes.
pub(super) const APPEAR: Duration = Duration::from_mins(5);
/// How often they have to be missing, however long ago the call was: two reads
/// in a row may disagree.
const READS: u32 = 5;
/// How often EC2 is read where nothing else is read or done meanwhile.
pub(super) const POLL: Duration = Duration::from_secs(5);

impl RunState {
    /// The launches whose outcome is not on record.
    pub fn unresolved(&self) -> Vec<UnresolvedLaunch> {
        let open = self.launches.iter().filter(|(_, launch)| launch.state == LaunchState::Intended);
        let unresolved = open.map(|(token, launch)| UnresolvedLaunch {
            token: token.clone(),
            group: launch.group.clone(),
            count: launch.nodes.len(),
            since: launch.since,
        });
        unresolved.collect()
    }
}

/// The unresolved launches of `region`.
pub(super) fn of_region(shared: &Shared, region: &Region) -> Vec<UnresolvedLaunch> {
    let unresolved = shared.state().unresolved();
    unresolved.into_iter().filter(|launch| launch.region() == region).collect()
}

/// Those of `launches` of which `listing` does not have every instance.
pub(super) fn not_listed(
    launches: Vec<UnresolvedLaunch>,
    listing: &[Instance],
) -> Vec<UnresolvedLaunch> {
    let listed =
        |launch: &UnresolvedLaunch| listing.iter().filter(|one| is_of(launch, one)).count();
    launches.into_iter().filter(|launch| listed(launch) < launch.count).collect()
}

/// Records the launches of `region` whose instances are all in `listing`.
pub(super) async fn record_listed(shared: &Shared, region: &Region, listing: &[Instance]) {
    for launch in of_region(shared, region) {
        let created = created(&launch, listing);
        if created.len() >= launch.count {
            record(shared, &launch, created).await;
        }
    }
}

fn created(launch: &UnresolvedLaunch, listing: &[Instance]) -> Vec<Instance> {
    listing.iter().filter(|instance| is_of(launch, instance)).cloned().collect()
}

async fn record(shared: &Shared, launch: &UnresolvedLaunch, created: Vec<Instance>) {
    let token = launch.token.clone();
    let nodes = shared.state().launches.get(&token).map(|record| record.nodes.clone());
    let nodes = nodes.unwrap_or_default();
    let project = shared.project();
    let vcpus = match project.region(launch.region()) {
        Some(config) => vcpus(shared, config).await,
        None => Vcpus::default(),
    };
    record_launched(shared, token, &nodes, created, &vcpus).await;
}

/// An unresolved launch, and which of its instances EC2 lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListedLaunch {
    /// The launch.
    #[serde(flatten)]
    pub launch: UnresolvedLaunch,
    /// The instances that it created and that are not terminated.
    pub listed: Vec<InstanceId>,
}

impl ListedLaunch {
    /// How many further instances it may have created.
    pub fn missing(&self) -> usize {
        self.launch.count.saturating_sub(self.listed.len())
    }
}

/// The unresolved launches of `state` in `region` with their instances in
/// `listing`. An event for each that is listed whole; the others as they are.
pub fn listed_launches(
    state: &RunState,
    region: &Region,
    listing: &[Instance],
) -> (Vec<Event>, Vec<ListedLaunch>) {
    let (mut events, mut open) = (Vec::new(), Vec::new());
    let unresolved = state.unresolved().into_iter();
    for launch in unresolved.filter(|launch| launch.region() == region) {
        let created = created(&launch, listing);
        let record = state.launches.get(&launch.token);
        if let Some(record) = record.filter(|_| created.len() >= launch.count) {
            events.push(succeeded(launch.token, &record.nodes, created));
        } else {
            let live = created.into_iter().filter(|instance| instance.state.is_live());
            open.push(ListedLaunch { launch, listed: live.map(|one| one.id).collect() });
        }
    }
    (events, open)
}

fn succeeded(token: ClientToken, nodes: &[NodeName], mut created: Vec<Instance>) -> Event {
    created.sort_by_key(|instance| instance.launch_index);
    let launched = nodes.iter().zip(created).map(|(node, instance)| LaunchedInstance {
        node: node.clone(),
        vcpus: None,
        id: instance.id,
        instance_type: instance.instance_type,
        zone: instance.zone,
        private_ip: instance.private_ip,
        public_ip: instance.public_ip,
    });
    Event::LaunchSucceeded { token, instances: launched.collect() }
}

/// Reads `region` until it is on record what became of each of `launches`, or
/// nothing new may be launched any more.
pub(super) async fn read_until_resolved(
    shared: &Shared,
    region: &Region,
    launches: Vec<UnresolvedLaunch>,
) -> Result<(), CloudError> {
    let mut resolver = Resolver::of(shared, launches);
    let mut retry = Retry::new(shared, PATIENCE);
    while !resolver.open().is_empty() && !shared.is_halted() {
        let listing = retry.call(|| list(shared, region)).await?;
        resolver.read(&listing).await;
        if !resolver.open().is_empty() {
            tokio::time::sleep(POLL).await;
        }
    }
    Ok(())
}

/// Waits for the launches of one region.
pub(super) struct Resolver<'a> {
    shared: &'a Shared,
    begun: Instant,
    waits: Vec<Wait>,
}

struct Wait {
    launch: UnresolvedLaunch,
    /// How old it was when the waiting began.
    age: Duration,
    missing_reads: u32,
    announced: bool,
}

impl<'a> Resolver<'a> {
    /// For the launches of `region` that are unresolved now.
    pub(super) fn new(shared: &'a Shared, region: &Region) -> Self {
        Self::of(shared, of_region(shared, region))
    }

    /// For `launches`, all of one region.
    fn of(shared: &'a Shared, launches: Vec<UnresolvedLaunch>) -> Self {
        let now = shared.clock.now();
        let waits = launches.into_iter().map(|launch| {
            let age = elapsed(launch.since, now).unsigned_abs();
            Wait { launch, age, missing_reads: 0, announced: false }
        });
        let waits = waits.collect();
        Self { shared, begun: Instant::now(), waits }
    }

    /// The launches that are still unresolved.
    pub(super) fn open(&self) -> Vec<UnresolvedLaunch> {
        self.waits.iter().map(|wait| wait.launch.clone()).collect()
    }

    /// Takes one listing in: records what became of each launch, as far as
    /// that is known by it, and reports once what is waited for.
    pub(super) async fn read(&mut self, listing: &[Instance]) {
        let waited = self.begun.elapsed();
        for mut wait in std::mem::take(&mut self.waits) {
            let created = created(&wait.launch, listing);
            if created.len() >= wait.launch.count {
                record(self.shared, &wait.launch, created).await;
                continue;
            }
            wait.missing_reads += 1;
            let age = wait.age.saturating_add(waited);
            if age < APPEAR || wait.missing_reads < READS {
                wait.announce(self.shared, age);
                self.waits.push(wait);
            } else if created.is_empty() {
                let _ = self.shared.record(never(&wait.launch)).await;
            } else {
                record(self.shared, &wait.launch, created).await;
            }
        }
    }
}

impl Wait {
    fn announce(&mut self, shared: &Shared, age: Duration) {
        if std::mem::replace(&mut self.announced, true) {
            return;
        }
        let left = APPEAR.saturating_sub(age);
        let wait = if left.is_zero() { String::new() } else { format!(", for {}", duration(left)) };
        let what = format!("{}: waiting for EC2 to list its instances{wait}", self.launch);
        shared.update(Update::Notice(Failure::new(what)));
    }
}

fn never(launch: &UnresolvedLaunch) -> Event {
    let what = format!(
        "EC2 lists no instance of this launch {} after the call: it was not carried out",
        duration(APPEAR)
    );
    Event::LaunchFailed { token: launch.token.clone(), failure: Failure::new(what) }
}
