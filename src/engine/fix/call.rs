//! One changing call: tried again only where nothing can have come of it, and
//! looked for where something may have.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::{
    cloud::{Change, CloudError, ErrorKind, Slot, tags},
    model::{Failure, Region},
};

use super::super::shared::Shared;

/// How long what was just made may not be found by the next call.
const APPEAR: Duration = Duration::from_mins(1);
/// How long what an unanswered call made may take to show up.
const SHOW: Duration = Duration::from_secs(10);
/// How often is tried or looked again.
const AGAIN: Duration = Duration::from_secs(1);
/// Waits after being told that there were too many calls.
const BACK_OFF: [u64; 4] = [1, 2, 4, 8];

/// Makes `change`; answers the id of what it made.
pub(super) async fn make(
    shared: &Shared,
    region: &Region,
    slot: &Slot,
    change: &Change,
) -> Result<Option<String>, Failure> {
    let began = Instant::now();
    let mut back_off = BACK_OFF.into_iter();
    let mut unclear = false;
    loop {
        let error = match shared.cloud.change(region, change).await {
            Ok(made) => return Ok(made),
            Err(error) => error,
        };
        if is_done_already(change, &error, unclear) {
            return Ok(None);
        }
        match error.kind {
            ErrorKind::Throttled => match back_off.next() {
                Some(seconds) => sleep(Duration::from_secs(seconds)).await,
                None => return Err(Failure::from(&error)),
            },
            // EC2 tells of what is new with a delay.
            ErrorKind::NotFound if began.elapsed() < APPEAR && !change.deletes() => {
                sleep(AGAIN).await;
            }
            _ if error.outcome_unknown() && change.makes() => {
                return find(shared, region, slot, &error).await;
            }
            // Made twice, the others have one effect.
            _ if error.outcome_unknown() && !unclear => unclear = true,
            _ => return Err(Failure::from(&error)),
        }
    }
}

/// Whether the answer says that it is so already. Where an earlier try got no
/// answer, more answers say that.
fn is_done_already(change: &Change, error: &CloudError, unclear: bool) -> bool {
    match (change, error.code.as_deref()) {
        (Change::AuthorizeIngress { .. }, Some("InvalidPermission.Duplicate"))
        | (
            Change::AttachInternetGateway { .. } | Change::AssociateRouteTable { .. },
            Some("Resource.AlreadyAssociated"),
        )
        | (Change::DetachInternetGateway { .. }, Some("Gateway.NotAttached")) => true,
        (Change::CreateRoute { .. }, Some("RouteAlreadyExists"))
        | (Change::AcceptPeering { .. }, Some("InvalidStateTransition")) => unclear,
        (change, Some(code)) => change.deletes() && code.ends_with(".NotFound"),
        _ => false,
    }
}

/// What came of a call that nobody answered.
async fn find(
    shared: &Shared,
    region: &Region,
    slot: &Slot,
    error: &CloudError,
) -> Result<Option<String>, Failure> {
    let began = Instant::now();
    let project = &shared.project().name.value.clone();
    loop {
        let tagged = shared.cloud.tagged(region, &[tags::REMEDY, tags::PROJECT]).await;
        let made = tagged.unwrap_or_default().into_iter().find(|one| {
            one.tags.get(tags::REMEDY) == Some(&slot.0)
                && one.tags.get(tags::PROJECT) == Some(project)
        });
        match made {
            Some(made) => return Ok(Some(made.id)),
            None if began.elapsed() > SHOW => {
                let failure = Failure::from(error);
                return Err(failure.hint(
                    "whether it was made is not known: fix again, which finds it if it was",
                ));
            }
            None => sleep(AGAIN).await,
        }
    }
}
