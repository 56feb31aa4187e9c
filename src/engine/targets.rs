//! The instances that a confirmed plan acts on, and the state of each.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use crate::{
    cloud::{CloudError, ErrorKind, Instance, InstanceState},
    model::{Failure, InstanceId, Region},
};

use super::retry::{Retry, is_transient};

/// How long an instance may be missing from listings before it counts as
/// terminated: EC2 lists terminated instances for about an hour, and new ones
/// a little late.
const MISSING: Duration = Duration::from_secs(30);

/// Instances by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Targets(BTreeMap<InstanceId, Target>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Target {
    state: InstanceState,
    /// Whether EC2 accepted the call.
    accepted: bool,
    listed: Listed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listed {
    Yes,
    NoSince(Instant),
}

impl FromIterator<(InstanceId, InstanceState)> for Targets {
    fn from_iter<I: IntoIterator<Item = (InstanceId, InstanceState)>>(ids: I) -> Self {
        let mut targets = Self::default();
        for (id, state) in ids {
            targets.add(id, state);
        }
        targets
    }
}

impl Targets {
    /// Adds one, unless it is there.
    pub(super) fn add(&mut self, id: InstanceId, state: InstanceState) {
        let listed = Listed::NoSince(Instant::now());
        self.0.entry(id).or_insert(Target { state, accepted: false, listed });
    }

    /// Whether `id` is one.
    pub(super) fn contains(&self, id: &InstanceId) -> bool {
        self.0.contains_key(id)
    }

    /// Takes a listing in.
    pub(super) fn read(&mut self, listing: &[Instance]) {
        for (id, target) in &mut self.0 {
            match listing.iter().find(|found| found.id == *id) {
                Some(found) => {
                    (target.state, target.listed) = (found.state, Listed::Yes);
                }
                None if target.listed == Listed::Yes => {
                    target.listed = Listed::NoSince(Instant::now());
                }
                None => {}
            }
        }
    }

    /// Those that are listed, in a state that `fits`, and neither accepted nor refused.
    pub(super) fn to_act_on(
        &self,
        fits: impl Fn(InstanceState) -> bool,
        refused: &BTreeMap<InstanceId, Failure>,
    ) -> Vec<InstanceId> {
        let open = self.0.iter().filter(|(id, target)| {
            target.listed == Listed::Yes
                && fits(target.state)
                && !target.accepted
                && !refused.contains_key(*id)
        });
        open.map(|(id, _)| id.clone()).collect()
    }

    /// EC2 accepted the call for `ids`.
    pub(super) fn accept(&mut self, ids: &[InstanceId]) {
        for id in ids {
            if let Some(target) = self.0.get_mut(id) {
                target.accepted = true;
            }
        }
    }

    /// Whether EC2 has not listed `id` for so long that it does not exist.
    pub(super) fn is_missing(&self, id: &InstanceId) -> bool {
        self.0.get(id).is_some_and(Target::is_missing)
    }

    /// Whether each is in a state that is `done`, does not exist, or was refused.
    pub(super) fn are_all(
        &self,
        done: impl Fn(InstanceState) -> bool,
        refused: &BTreeMap<InstanceId, Failure>,
    ) -> bool {
        self.0.iter().all(|(id, target)| target.is(&done) || refused.contains_key(id))
    }

    /// Those that exist and are in no state that is `done`.
    pub(super) fn not(
        &self,
        done: impl Fn(InstanceState) -> bool,
        region: &Region,
    ) -> Vec<(Region, InstanceId, InstanceState)> {
        let open = self.0.iter().filter(|(_, target)| !target.is(&done));
        open.map(|(id, target)| (region.clone(), id.clone(), target.state)).collect()
    }

    /// How many exist and are in `state`.
    pub(super) fn count(&self, state: InstanceState) -> usize {
        self.0.values().filter(|target| target.state == state && !target.is_missing()).count()
    }
}

impl Target {
    fn is(&self, done: impl Fn(InstanceState) -> bool) -> bool {
        self.is_missing() || (done(self.state) && self.listed == Listed::Yes)
    }

    fn is_missing(&self) -> bool {
        matches!(self.listed, Listed::NoSince(since) if since.elapsed() >= MISSING)
    }
}

/// What came of a call for several instances.
#[derive(Debug, Default)]
pub(super) struct Applied {
    /// EC2 accepted it for these.
    pub(super) accepted: Vec<InstanceId>,
    /// EC2 refused it for each of these.
    pub(super) refused: Vec<(InstanceId, CloudError)>,
}

/// Calls for all of `ids` at once; where EC2 refuses that for a reason that
/// may be one instance's, for each alone.
pub(super) async fn apply_to<F>(
    retry: &mut Retry<'_>,
    ids: Vec<InstanceId>,
    call: impl Fn(Vec<InstanceId>) -> F,
) -> Applied
where
    F: Future<Output = Result<(), CloudError>>,
{
    let mut applied = Applied::default();
    if ids.is_empty() {
        return applied;
    }
    let error = match retry.call(|| call(ids.clone())).await {
        Ok(()) => {
            applied.accepted = ids;
            return applied;
        }
        Err(error) => error,
    };
    let of_all =
        matches!(error.kind, ErrorKind::Denied | ErrorKind::Credentials | ErrorKind::OptIn);
    if of_all || is_transient(error.kind) || ids.len() == 1 {
        applied.refused = ids.into_iter().map(|id| (id, error.clone())).collect();
        return applied;
    }
    for id in ids {
        match retry.call(|| call(vec![id.clone()])).await {
            Ok(()) => applied.accepted.push(id),
            Err(error) => applied.refused.push((id, error)),
        }
    }
    applied
}

/// Whether the same call may be accepted once the instance is listed, or runs.
pub(super) fn is_early(error: &CloudError) -> bool {
    error.kind == ErrorKind::NotFound || error.code.as_deref() == Some("IncorrectInstanceState")
}
