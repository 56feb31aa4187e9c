//! Waiting until EC2 reports an expected state.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::{
    cloud::{CloudError, ImageState, Peering, PeeringState},
    model::{Failure, ImageId, Region, VpcId},
    remedy::Until,
};

use super::super::shared::Shared;

/// The polling interval.
const POLL: Duration = Duration::from_secs(1);
const POLL_IMAGE: Duration = Duration::from_secs(5);
/// How long a peering connection may take; a minute is long.
const PEERING: Duration = Duration::from_mins(3);
/// How long the copy of an image may take; it depends on its size.
const IMAGE: Duration = Duration::from_hours(1);

/// Returns once it is so.
pub(super) async fn until(
    shared: &Shared,
    region: &Region,
    until: &Until,
) -> Result<Option<String>, Failure> {
    let began = Instant::now();
    let (poll, patience) = match until {
        Until::ImageAvailable(_) => (POLL_IMAGE, IMAGE),
        Until::PeeringThere { .. } | Until::PeeringActive { .. } => (POLL, PEERING),
    };
    let wait = shared.waits.begin(region, until.subject().to_string());
    loop {
        let seen = match read(shared, region, until).await {
            Ok(Seen::So) => return Ok(None),
            Ok(Seen::Never(failure)) => return Err(failure),
            Ok(Seen::NotYet(state)) => state,
            Err(error) if error.not_asked() || began.elapsed() > patience => {
                return Err(Failure::from(&error));
            }
            Err(error) => error.to_string(),
        };
        if began.elapsed() > patience {
            let what = format!("{} is still {seen} after {patience:?}", until.subject());
            return Err(Failure::new(what).hint("refresh later, then run the fix again"));
        }
        wait.detail(seen);
        wait.next_in(poll);
        sleep(poll).await;
    }
}

enum Seen {
    So,
    /// Not yet; what it is now.
    NotYet(String),
    /// It never will be.
    Never(Failure),
}

async fn read(shared: &Shared, region: &Region, until: &Until) -> Result<Seen, CloudError> {
    match until {
        Until::PeeringThere { peering, vpc } | Until::PeeringActive { peering, vpc } => {
            let vpc = VpcId::new(vpc.id().unwrap_or_default());
            let all = shared.cloud.peerings(region, &[vpc]).await?;
            let id = peering.id().unwrap_or_default();
            let found = all.iter().find(|one| one.id.as_str() == id);
            let active = matches!(until, Until::PeeringActive { .. });
            Ok(found.map_or_else(|| Seen::NotYet("unknown".into()), |one| judge(one, active)))
        }
        Until::ImageAvailable(image) => {
            let id = ImageId::new(image.id().unwrap_or_default());
            let images = shared.cloud.images(region, std::slice::from_ref(&id)).await?;
            Ok(match images.first().map(|image| &image.state) {
                Some(ImageState::Available) => Seen::So,
                Some(ImageState::Other(state)) if state == "failed" || state == "invalid" => {
                    Seen::Never(Failure::new(format!("the copy {id} is {state}")))
                }
                Some(ImageState::Other(state)) => Seen::NotYet(state.clone()),
                None => Seen::NotYet("unknown".into()),
            })
        }
    }
}

fn judge(peering: &Peering, active: bool) -> Seen {
    match peering.state {
        PeeringState::Active => Seen::So,
        PeeringState::PendingAcceptance | PeeringState::Provisioning if !active => Seen::So,
        PeeringState::InitiatingRequest
        | PeeringState::PendingAcceptance
        | PeeringState::Provisioning => Seen::NotYet(format!("{:?}", peering.state).to_lowercase()),
        state => {
            let what = format!("{} is {}", peering.id, format!("{state:?}").to_lowercase());
            let message = if peering.message.is_empty() {
                what
            } else {
                format!("{what}: {}", peering.message)
            };
            Seen::Never(
                Failure::new(message).hint("likely causes are overlapping CIDRs and quotas"),
            )
        }
    }
}
