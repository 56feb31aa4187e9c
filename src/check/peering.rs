//! The peering connection between each two regions. Peering is not
//! transitive: every pair needs its own.

use jiff::{SignedDuration, Timestamp};

use crate::cloud::{Peering, PeeringState};

use super::{
    Finding, Level,
    context::{Context, Judged, count, pairs, settle},
    network::{Link, is_alive, links},
};

/// A request that nobody accepts expires after this.
const EXPIRY: SignedDuration = SignedDuration::from_hours(7 * 24);

/// `peering.active`
pub(super) fn active(ctx: &Context<'_>) -> Vec<Finding> {
    let now = ctx.survey.at;
    let judge = |(a, b)| match links(a, b) {
        Ok(links) => links.into_iter().map(|link| settle(connected(&link, now))).collect(),
        Err(finding) => vec![*finding],
    };
    pairs(&ctx.places("peering.active")).into_iter().flat_map(judge).collect()
}

fn connected(link: &Link<'_>, now: Timestamp) -> Judged<Finding> {
    if link.overlap().is_some() {
        return Ok(link.finding(Level::Skipped, "not judged: the addresses overlap"));
    }
    let peerings = link.peerings()?;
    let Some(best) = peerings.first().filter(|peering| is_alive(peering)) else {
        return Ok(none(link, &peerings));
    };
    Ok(match best.state {
        PeeringState::Active => {
            link.finding(Level::Pass, "peering is active").seen(best.id.as_str())
        }
        PeeringState::Provisioning => link
            .finding(Level::Warn, "peering was accepted and is being set up")
            .seen(best.id.as_str())
            .todo("refresh in a minute"),
        _ => waits(link, best, now),
    })
}

fn waits(link: &Link<'_>, peering: &Peering, now: Timestamp) -> Finding {
    let by = &peering.accepter.region;
    link.finding(Level::Fail, "peering is pending acceptance")
        .seen(format!(
            "{} requested by {}, to be accepted in {by}",
            peering.id, peering.requester.region
        ))
        .all_seen(peering.expires.map(|expires| times(expires, now)))
        .impact("packets between the nodes of the two regions are dropped; connections time out")
        .todo(format!(
            "aws ec2 accept-vpc-peering-connection --region {by} --vpc-peering-connection-id {}",
            peering.id
        ))
}

/// `since 3 days, expires in 4 days`
fn times(expires: Timestamp, now: Timestamp) -> String {
    let left = expires.duration_since(now);
    format!("since {}, expires in {}", span(EXPIRY - left), span(left))
}

/// In whole days, or hours where it is less than one.
fn span(duration: SignedDuration) -> String {
    let hours = u64::try_from(duration.as_hours()).unwrap_or_default();
    if hours < 24 { count(hours, "hour") } else { count(hours / 24, "day") }
}

fn none(link: &Link<'_>, ended: &[&Peering]) -> Finding {
    let (near, far) = (link.from.region(), link.to.region());
    let create = format!(
        "aws ec2 create-vpc-peering-connection --region {near} --vpc-id {} --peer-vpc-id {} \
         --peer-region {far}, then aws ec2 accept-vpc-peering-connection --region {far}",
        link.from_vpc.id, link.to_vpc.id
    );
    let mut stories: Vec<_> = ended.iter().map(|peering| story(peering)).collect();
    stories.dedup();
    link.finding(Level::Fail, "no peering connection")
        .seen(format!("none between {} and {}", link.from_vpc.id, link.to_vpc.id))
        .all_seen(stories)
        .impact("packets between the nodes of the two regions are dropped; connections time out")
        .todo(create)
}

/// How a connection ended: `pcx-1 expired`.
fn story(peering: &Peering) -> String {
    let state = match peering.state {
        PeeringState::Failed => "failed",
        PeeringState::Expired => "expired: nobody accepted it in seven days",
        PeeringState::Rejected => "was rejected",
        PeeringState::Deleting => "is being deleted",
        _ => "was deleted",
    };
    match peering.message.as_str() {
        "" => format!("{} {state}", peering.id),
        message => format!("{} {state} ({message})", peering.id),
    }
}
