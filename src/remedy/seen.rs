//! Whether what EC2 describes agrees with what was written: reads lag behind
//! writes.

use crate::{
    cloud::{Change, Cloud, InboundRule, PeeringState, Ref, Result, RouteTarget, Source, Via},
    model::{KeyName, Region},
};

use super::facts::{Candidates, RegionFacts};

/// Describes these resources, and the key pairs of these names.
pub async fn describe(
    cloud: &dyn Cloud,
    region: &Region,
    ids: impl IntoIterator<Item = String> + Send,
    key_names: Vec<KeyName>,
) -> Result<RegionFacts> {
    let candidates = Candidates::new(ids.into_iter().collect(), key_names);
    let vpcs = cloud.all_vpcs(region).await?;
    let mut facts = candidates.read(cloud, region, &vpcs).await?;
    facts.vpcs = vpcs;
    Ok(facts)
}

/// The name of the key pair that a change imports: it is described by that.
pub fn key_name(change: &Change) -> Option<KeyName> {
    match change {
        Change::ImportKeyPair { name, .. } => Some(name.clone()),
        _ => None,
    }
}

/// Whether `facts` hold what `change` wrote. `made`: the id of what it made.
pub fn is_seen(facts: &RegionFacts, change: &Change, made: Option<&str>) -> bool {
    match change {
        Change::ImportKeyPair { name, .. } => facts.key_pairs.iter().any(|pair| pair.name == *name),
        Change::AuthorizeIngress { group, rules, .. } => {
            unseen_rules(facts, group, rules).is_some_and(|unseen| unseen.is_empty())
        }
        Change::AcceptPeering { peering } => facts.peerings.iter().any(|one| {
            let accepted = [PeeringState::Active, PeeringState::Provisioning];
            is(peering, one.id.as_str()) && accepted.contains(&one.state)
        }),
        Change::CreateRoute { table, destination, via }
        | Change::ReplaceRoute { table, destination, via } => {
            let tables = facts.tables.iter().filter(|one| is(table, one.id.as_str()));
            let mut routes = tables.flat_map(|one| &one.routes);
            routes.any(|one| one.destination == *destination && leads(&one.target, via))
        }
        Change::MapPublicIp { subnet } => {
            let mut own = facts.subnets.iter().filter(|one| is(subnet, one.id.as_str()));
            own.any(|one| one.public_ip_on_launch)
        }
        Change::AttachInternetGateway { gateway, vpc } => is_attached(facts, gateway, vpc),
        Change::DetachInternetGateway { gateway, vpc } => !is_attached(facts, gateway, vpc),
        Change::AssociateRouteTable { table, subnet } => {
            let mut own = facts.tables.iter().filter(|one| is(table, one.id.as_str()));
            own.any(|one| one.subnets.iter().any(|id| is(subnet, id.as_str())))
        }
        // Only a person at the console reads these.
        Change::CreateTags { .. } => true,
        _ => match (change.deleted().and_then(Ref::id), made) {
            (Some(id), _) => !facts.describes_id(id),
            (None, Some(id)) => facts.describes_id(id),
            (None, None) => true,
        },
    }
}

/// Those of `rules` that the group does not have; none where it is not described.
pub fn unseen_rules(
    facts: &RegionFacts,
    group: &Ref,
    rules: &[InboundRule],
) -> Option<Vec<InboundRule>> {
    let group = facts.groups.iter().find(|one| is(group, one.id.as_str()))?;
    let has = |rule: &&InboundRule| {
        let mut same = group
            .inbound
            .iter()
            .filter(|one| one.protocol == "tcp" && one.ports == Some(rule.ports));
        same.any(|one| match &rule.source {
            Source::Cidr(cidr) => one.cidrs.contains(&cidr.trunc()),
            Source::Group(source) => one.groups.iter().any(|id| is(source, id.as_str())),
        })
    };
    Some(rules.iter().filter(|rule| !has(rule)).cloned().collect())
}

fn is_attached(facts: &RegionFacts, gateway: &Ref, vpc: &Ref) -> bool {
    let mut own = facts.gateways.iter().filter(|one| is(gateway, &one.id));
    own.any(|one| one.vpc.as_ref().is_some_and(|id| is(vpc, id.as_str())))
}

fn leads(target: &RouteTarget, via: &Via) -> bool {
    match (target, via) {
        (RouteTarget::Peering(id), Via::Peering(to)) => is(to, id.as_str()),
        (RouteTarget::Other(id), Via::Gateway(to)) => is(to, id),
        _ => false,
    }
}

fn is(reference: &Ref, id: &str) -> bool {
    reference.id() == Some(id)
}
