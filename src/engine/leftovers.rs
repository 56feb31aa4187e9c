//! What muster made and a `down` leaves: networks, keys, images, volumes; and
//! what leads through it in tables of somebody else's.

use futures_util::future::join_all;

use ipnet::Ipv4Net;
use serde::Serialize;

use crate::{
    cloud::{Result, RouteTarget, Tagged, tags},
    model::{Failure, PeeringId, Region, RouteTableId},
    remedy,
};

use super::{Update, fix, resources, shared::Shared};

/// What is still there that muster made for a project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// By region and kind.
    pub found: Vec<(Region, Tagged)>,
    /// What carries the project's name as a tag, and is in none of its journals.
    pub unrecorded: Vec<(Region, Tagged)>,
    /// Routes through muster's peering connections in tables that it did not make.
    pub routes: Vec<(Region, LeftRoute)>,
    /// Regions that could not be read; their resources are not known.
    pub unknown: Vec<(Region, Failure)>,
}

/// A route through a peering connection that muster made. EC2 has no tags on
/// routes, so whose it is is known only by where it leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftRoute {
    /// The table that it is in.
    pub table: RouteTableId,
    /// For these addresses.
    pub destination: Ipv4Net,
    /// The connection.
    pub peering: PeeringId,
}

/// Reads the leftovers of `regions`, and sends [`Update::Leftovers`].
pub(super) async fn report(shared: &Shared, regions: &[Region]) {
    let record = resources::record(shared).await;
    let id = fix::project_id(shared).unwrap_or_default();
    // Volumes, snapshots and rules come along with something else; no journal
    // has their ids.
    let comes_along = |one: &Tagged| one.kind == "volume" || remedy::is_beside(&one.kind);
    let is_own = |one: &Tagged| {
        let has = |key: &str, value: &str| one.tags.get(key).is_some_and(|own| own == value);
        let tagged = has(tags::PROJECT_ID, &id) || has(tags::CLUSTER, shared.cluster.as_str());
        record.owns(&one.id) || comes_along(one) && tagged
    };
    let asked = join_all(regions.iter().map(|region| of_region(shared, region))).await;
    let mut leftovers = Leftovers::default();
    for (region, answer) in regions.iter().zip(asked) {
        match answer {
            Ok((found, routes)) => {
                let (own, others): (Vec<_>, Vec<_>) =
                    found.into_iter().partition(|one| is_own(one));
                leftovers.found.extend(own.into_iter().map(|one| (region.clone(), one)));
                leftovers.unrecorded.extend(others.into_iter().map(|one| (region.clone(), one)));
                leftovers.routes.extend(routes.into_iter().map(|one| (region.clone(), one)));
            }
            Err(error) => leftovers.unknown.push((region.clone(), Failure::from(&error))),
        }
    }
    shared.update(Update::Leftovers(leftovers));
}

/// Leaves out instances: `down` reports them, and EC2 lists terminated ones for an hour.
async fn of_region(shared: &Shared, region: &Region) -> Result<(Vec<Tagged>, Vec<LeftRoute>)> {
    let project = shared.project();
    let tagged = shared
        .cloud
        .tagged(region, &[tags::PROJECT, tags::REMEDY, tags::PROJECT_ID, tags::CLUSTER])
        .await?;
    let ours = |one: &Tagged| one.tags.get(tags::PROJECT) == Some(&project.name.value);
    let lasts = |one: &Tagged| one.kind != "instance";
    let mut found: Vec<_> = tagged.into_iter().filter(ours).filter(lasts).collect();
    found.sort_by(|a, b| (&a.kind, &a.id).cmp(&(&b.kind, &b.id)));
    let routes = routes(shared, region, &found).await?;
    Ok((found, routes))
}

/// What leads through the peering connections among `own`, in other tables.
async fn routes(shared: &Shared, region: &Region, own: &[Tagged]) -> Result<Vec<LeftRoute>> {
    if !own.iter().any(|one| one.kind == "vpc-peering-connection") {
        return Ok(Vec::new());
    }
    let vpcs: Vec<_> = shared.cloud.all_vpcs(region).await?.into_iter().map(|vpc| vpc.id).collect();
    let tables = shared.cloud.route_tables(region, &vpcs).await?;
    let made = |id: &str| own.iter().any(|one| one.id == id);
    let others = tables.iter().filter(|table| !made(table.id.as_str()));
    let left = others.flat_map(|table| {
        table.routes.iter().filter_map(|route| match &route.target {
            RouteTarget::Peering(peering) if made(peering.as_str()) => Some(LeftRoute {
                table: table.id.clone(),
                destination: route.destination,
                peering: peering.clone(),
            }),
            _ => None,
        })
    });
    Ok(left.collect())
}
