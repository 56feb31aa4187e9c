//! The subnets that the nodes would be in.

use crate::{
    cloud::Subnet,
    config::{Location, NodeGroup, Sourced},
    model::{SubnetId, Zone},
    survey::{Absent, named},
};

use super::{
    Finding,
    context::{Context, RegionView, and, count},
};

/// `subnet.exists`
pub(super) fn exists(ctx: &Context<'_>) -> Vec<Finding> {
    ctx.places("subnet.exists").iter().flat_map(region_subnets).collect()
}

fn region_subnets(place: &RegionView<'_>) -> Vec<Finding> {
    let named = named::subnets(place.config).into_iter().map(|id| subnet(place, id));
    named.chain(defaults(place)).chain(several_vpcs(place)).collect()
}

fn subnet(place: &RegionView<'_>, id: &Sourced<SubnetId>) -> Finding {
    let finding = match place.facts.subnet(id) {
        Ok(subnet) => room(place, subnet),
        Err(Absent::Missing) => place
            .fail(format!("subnet {} is missing", **id))
            .impact("RunInstances would fail with InvalidSubnetID.NotFound")
            .todo(format!(
                "name a subnet of this region; aws ec2 describe-subnets --region {} lists them",
                place.region()
            )),
        Err(absent) => place.absent(absent, "the subnets"),
    };
    finding.at(id.location())
}

/// Whether the subnet has addresses for the largest group that would go there.
fn room(place: &RegionView<'_>, subnet: &Subnet) -> Finding {
    let names_it =
        |group: &&NodeGroup| group.template.subnets.iter().any(|id| id.value == subnet.id);
    let largest = place.config.groups.iter().filter(names_it).map(|group| group.count).max();
    let wanted = largest.unwrap_or_default();
    let (zone, cidr, free) = (&subnet.zone, subnet.cidr, subnet.available_ips);
    let seen = format!("{zone}, {cidr}, addresses free: {free}");
    if subnet.available_ips >= wanted {
        return place.pass(format!("subnet {} exists", subnet.id)).seen(seen);
    }
    place
        .fail(format!("subnet {} has no room for {}", subnet.id, count(wanted, "node")))
        .seen(seen)
        .impact("RunInstances would fail with InsufficientFreeAddressesInSubnet")
        .todo("name a larger subnet, or launch fewer nodes")
}

/// For groups that name no subnet: those that EC2 would choose from,
/// reported for each set of zones that configs allow.
fn defaults<'a>(place: &'a RegionView<'_>) -> impl Iterator<Item = Finding> + 'a {
    let groups = place.config.groups.iter();
    let mut groups: Vec<_> = groups.filter(|group| group.template.subnets.is_empty()).collect();
    groups.dedup_by_key(|group| zones(place, group));
    groups.into_iter().map(|group| default_subnets(place, group))
}

fn zones<'a>(place: &RegionView<'a>, group: &NodeGroup) -> Vec<&'a Zone> {
    place.config.config_of(group).zones.iter().map(|zone| &zone.value).collect()
}

fn default_subnets(place: &RegionView<'_>, group: &NodeGroup) -> Finding {
    let finding = match place.facts.subnets_of(place.config, group) {
        Ok(subnets) => place
            .pass(format!("the default VPC has {}", count(subnets.len() as u64, "default subnet")))
            .seen(format!("in {}", and(subnets.iter().map(|subnet| &subnet.zone)))),
        Err(Absent::Missing) => no_default(place, &and(zones(place, group))),
        Err(absent) => place.absent(absent, "the default subnets"),
    };
    finding.at(group.node_type.location())
}

fn no_default(place: &RegionView<'_>, zones: &str) -> Finding {
    let title = if zones.is_empty() {
        "no subnet is named, and there is no default one".to_owned()
    } else {
        format!("no subnet is named, and there is no default one in {zones}")
    };
    place
        .fail(title)
        .impact("RunInstances would fail with VPCIdNotSpecified or MissingInput")
        .todo("add SubnetIds to the node_config")
}

/// Nodes in two VPCs of one region could not reach each other.
fn several_vpcs(place: &RegionView<'_>) -> Option<Finding> {
    let mut vpcs: Vec<_> = place.subnets().ok()?.into_iter().map(|subnet| &subnet.vpc).collect();
    vpcs.sort();
    vpcs.dedup();
    (vpcs.len() > 1).then(|| {
        place
            .fail(format!("the subnets are in {} VPCs", vpcs.len()))
            .seen(and(vpcs))
            .impact("packets between the nodes of this region are dropped; connections time out")
            .todo("name subnets of one VPC")
            .at(elsewhere(place).or_else(|| place.network_location()))
    })
}

/// Where the first subnet is named that is not in the VPC of the first of all.
fn elsewhere<'a>(place: &RegionView<'a>) -> Option<&'a Location> {
    let named = named::subnets(place.config).into_iter();
    let mut named = named.filter_map(|id| Some((id, &place.facts.subnet(id).ok()?.vpc)));
    let (_, first) = named.next()?;
    named.find(|(_, vpc)| *vpc != first)?.0.location()
}
