//! One mutating call. It is repeated where it cannot have had an effect, or
//! where a second call has no second effect. What an unanswered call may have created is
//! searched for first. Where EC2 answers that the state is so already, that is verified.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::{
    cloud::{Change, CloudError, ErrorKind, StepId},
    model::{Failure, Region},
    remedy::{self, RegionFacts},
    waits::Waiting,
};

use super::{super::shared::Shared, resolve};

/// How long what was just made may not be found by the next call, and how long
/// EC2 may describe what was just changed as it was before.
const APPEAR: Duration = Duration::from_mins(1);
/// How long a deletion waits for what still depends on the resource.
const DEPENDENCIES: Duration = Duration::from_mins(5);
/// How long a resource that is to be deleted may be new to EC2.
const NEW: Duration = Duration::from_secs(5);
/// The pause between attempts and between reads.
const AGAIN: Duration = Duration::from_secs(1);
/// The pause between attempts to delete what others depend on.
const DELETE_AGAIN: Duration = Duration::from_secs(3);
/// The pauses after a throttling error, in seconds.
const BACK_OFF: [u64; 4] = [1, 2, 4, 8];
/// Calls that may have had their effect: how often they are made again.
const TRIES: u32 = 3;

/// A call that did not succeed.
pub(super) struct Failed {
    /// Why.
    pub failure: Failure,
    /// Whether it may have created something nevertheless.
    pub unresolved: bool,
}

impl From<Failure> for Failed {
    fn from(failure: Failure) -> Self {
        Self { failure, unresolved: false }
    }
}

impl From<&CloudError> for Failed {
    fn from(error: &CloudError) -> Self {
        Failure::from(error).into()
    }
}

/// What is to be done after an error.
enum Next {
    Again(Duration),
    Done(Option<String>),
    Failed(Failed),
}

/// Makes `change`; returns the id of what it made.
pub(super) async fn make(
    shared: &Shared,
    region: &Region,
    slot: &StepId,
    change: &Change,
) -> Result<Option<String>, Failed> {
    let mut call = Call {
        shared,
        region,
        slot,
        change: change.clone(),
        began: Instant::now(),
        back_off: BACK_OFF.into_iter(),
        unclear: 0,
        wait: None,
    };
    loop {
        let error = match shared.cloud.change(region, &call.change).await {
            Ok(made) => return Ok(made),
            Err(error) => error,
        };
        match call.after(&error).await {
            Next::Again(pause) => sleep(pause).await,
            Next::Done(made) => return Ok(made),
            Next::Failed(failed) => return Err(failed),
        }
    }
}

/// A call and what came of it so far.
struct Call<'a> {
    shared: &'a Shared,
    region: &'a Region,
    slot: &'a StepId,
    change: Change,
    began: Instant,
    back_off: std::array::IntoIter<u64, 4>,
    /// Tries that may have had their effect.
    unclear: u32,
    /// The subject of the wait, as the front ends show it.
    wait: Option<Waiting>,
}

impl Call<'_> {
    async fn after(&mut self, error: &CloudError) -> Next {
        if let Some(next) = self.by_code(error).await {
            return next;
        }
        match error.kind {
            ErrorKind::Throttled => match self.back_off.next() {
                Some(seconds) => self.throttled(error, Duration::from_secs(seconds)),
                None => Next::Failed(error.into()),
            },
            // EC2 lists new resources with a delay.
            ErrorKind::NotFound if self.began.elapsed() < APPEAR && !self.change.deletes() => {
                Next::Again(AGAIN)
            }
            _ if error.outcome_unknown() && self.change.makes() && !self.is_repeatable() => {
                self.find(error).await
            }
            // Made twice, the others have one effect.
            _ if error.outcome_unknown() && self.unclear < TRIES => {
                self.unclear += 1;
                Next::Again(AGAIN * self.unclear)
            }
            _ => Next::Failed(error.into()),
        }
    }

    fn throttled(&mut self, error: &CloudError, pause: Duration) -> Next {
        let (waits, region) = (&self.shared.waits, self.region);
        let wait = self.wait.get_or_insert_with(|| waits.retry(region, self.change.operation()));
        wait.detail(error.to_string());
        wait.next_in(pause);
        Next::Again(pause)
    }

    /// Whether a second call returns what the first one created.
    fn is_repeatable(&self) -> bool {
        matches!(self.change, Change::CopyImage { .. })
    }

    /// What some codes mean for some changes.
    async fn by_code(&mut self, error: &CloudError) -> Option<Next> {
        let code = error.code.as_deref()?;
        match (&self.change, code) {
            (Change::CreateRoute { .. }, "RouteAlreadyExists")
            | (
                Change::AttachInternetGateway { .. } | Change::AssociateRouteTable { .. },
                "Resource.AlreadyAssociated",
            )
            | (Change::DetachInternetGateway { .. }, "Gateway.NotAttached")
            | (Change::DeletePeering { .. }, "InvalidStateTransition") => {
                Some(self.done_if_seen(error).await)
            }
            (Change::AcceptPeering { .. }, "InvalidStateTransition") => {
                Some(self.accepted_or_again(error).await)
            }
            (Change::AuthorizeIngress { .. }, "InvalidPermission.Duplicate") => {
                Some(self.only_missing_rules(error).await)
            }
            (
                _,
                "InvalidGroup.Duplicate"
                | "InvalidSubnet.Conflict"
                | "InvalidKeyPair.Duplicate"
                | "VpcPeeringConnectionAlreadyExists",
            ) if self.change.makes() => Some(self.find(error).await),
            (change, "DependencyViolation") if change.deletes() => Some(self.wait_for_users(error)),
            (change, code) if change.deletes() && code.ends_with(".NotFound") => {
                Some(self.deleted(error).await)
            }
            _ => None,
        }
    }

    async fn described(&self) -> Result<RegionFacts, CloudError> {
        let names = remedy::key_name(&self.change).into_iter().collect();
        let cloud = self.shared.cloud.as_ref();
        remedy::describe_resources(cloud, self.region, self.change.ids(), names).await
    }

    /// EC2 answers that it is so already: done, where it describes exactly that.
    async fn done_if_seen(&self, error: &CloudError) -> Next {
        let began = Instant::now();
        let what = remedy::describe::of_change(&self.change);
        let _wait = self.shared.waits.begin(self.region, format!("EC2 to show: {what}"));
        loop {
            let facts = self.described().await;
            if facts.is_ok_and(|facts| remedy::is_seen(&facts, &self.change, None)) {
                return Next::Done(None);
            }
            if began.elapsed() > APPEAR {
                return Next::Failed(error.into());
            }
            sleep(AGAIN).await;
        }
    }

    /// A connection can be accepted once, and not before the other side knows of it.
    async fn accepted_or_again(&self, error: &CloudError) -> Next {
        match self.described().await {
            Ok(facts) if remedy::is_seen(&facts, &self.change, None) => Next::Done(None),
            _ if self.began.elapsed() < APPEAR => Next::Again(AGAIN),
            _ => Next::Failed(error.into()),
        }
    }

    /// One rule that exists refuses all of the call: the others are added without it.
    async fn only_missing_rules(&mut self, error: &CloudError) -> Next {
        let facts = self.described().await;
        let Change::AuthorizeIngress { group, rules, .. } = &mut self.change else {
            return Next::Failed(error.into());
        };
        let unseen =
            facts.ok().and_then(|facts| remedy::unseen_rules(&facts, group, rules.as_slice()));
        match unseen {
            Some(unseen) if unseen.is_empty() => Next::Done(None),
            Some(unseen) if unseen.len() < rules.len() => {
                *rules = unseen;
                Next::Again(Duration::ZERO)
            }
            _ if self.began.elapsed() < APPEAR => Next::Again(AGAIN),
            _ => Next::Failed(error.into()),
        }
    }

    /// Interfaces, gateways and groups need tens of seconds to go.
    fn wait_for_users(&mut self, error: &CloudError) -> Next {
        if self.began.elapsed() > DEPENDENCIES {
            let hint = "delete what still uses it, then run `muster down --network` again";
            return Next::Failed(Failure::from(error).hint(hint).into());
        }
        let (waits, region) = (&self.shared.waits, self.region);
        let wait = self.wait.get_or_insert_with(|| waits.retry(region, self.change.operation()));
        let what = remedy::describe::of_change(&self.change);
        wait.detail(format!(
            "{what}: something depends on it (DependencyViolation); tried for up to {} min",
            DEPENDENCIES.as_secs() / 60
        ));
        wait.next_in(DELETE_AGAIN);
        Next::Again(DELETE_AGAIN)
    }

    /// What is to be deleted is unknown to EC2: deleted already, or too new.
    async fn deleted(&self, error: &CloudError) -> Next {
        let facts = self.described().await;
        let seen = facts.is_ok_and(|facts| remedy::is_seen(&facts, &self.change, None));
        match self.began.elapsed() {
            elapsed if seen && elapsed >= NEW => Next::Done(None),
            elapsed if elapsed < APPEAR => Next::Again(AGAIN),
            _ => Next::Failed(error.into()),
        }
    }

    /// What came of a call without an answer, or one that EC2 refuses since
    /// such a resource exists: found by the tags that were part of the call.
    async fn find(&mut self, error: &CloudError) -> Next {
        match resolve::created(self.shared, self.region, self.slot, &self.change).await {
            Ok(Some(id)) => Next::Done(Some(id)),
            Ok(None) if error.outcome_unknown() && self.unclear < 1 => {
                // Nothing was created, in all the time that tags may take.
                self.unclear += 1;
                let Self { shared, region, slot, change, .. } = self;
                match resolve::lapsed_and_repeated(shared, region, slot, change).await {
                    Ok(()) => Next::Again(AGAIN),
                    Err(failure) => Next::Failed(Failed { failure, unresolved: true }),
                }
            }
            Ok(None) => Next::Failed(Failed {
                failure: Failure::from(error),
                unresolved: error.outcome_unknown(),
            }),
            Err(read) => {
                let hint = format!("whether it was created could not be read: {read}");
                let failure = Failure::from(error).hint(hint);
                Next::Failed(Failed { failure, unresolved: error.outcome_unknown() })
            }
        }
    }
}
