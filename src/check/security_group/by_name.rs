//! Security groups that are named and not given by id: they are resolved in
//! the VPC of the nodes, and checked as that VPC's.

use crate::{
    check::{
        Finding,
        context::{RegionView, and, count},
    },
    config::{NodeGroup, Sourced},
    model::VpcId,
    survey::Absent,
};

use super::vpc_name;

/// Whether each VPC that the nodes are launched into has a group of this name.
pub(super) fn exists(place: &RegionView<'_>, name: &Sourced<String>) -> Finding {
    let is_one = |group: &&NodeGroup| {
        place.config.named_groups(group).iter().any(|own| own.value == name.value)
    };
    let carriers: Vec<_> = place.config.groups.iter().filter(is_one).collect();
    let finding = match vpcs(place, &carriers) {
        Ok(vpcs) => in_vpcs(place, name, &vpcs, &carriers),
        Err(Absent::Missing) => nowhere(place, name, &carriers),
        Err(absent) => place.absent(absent, "the subnets"),
    };
    finding.at(name.location().or_else(|| carriers.first()?.node_type.location()))
}

/// The VPCs of the subnets that these nodes are launched into.
fn vpcs<'a>(place: &RegionView<'a>, carriers: &[&NodeGroup]) -> Result<Vec<&'a VpcId>, Absent<'a>> {
    let mut vpcs = Vec::new();
    for group in carriers {
        let subnets = place.facts.subnets_of(place.config, group)?;
        vpcs.extend(subnets.into_iter().map(|subnet| &subnet.vpc));
    }
    vpcs.sort();
    vpcs.dedup();
    Ok(vpcs)
}

fn in_vpcs(
    place: &RegionView<'_>,
    name: &Sourced<String>,
    vpcs: &[&VpcId],
    carriers: &[&NodeGroup],
) -> Finding {
    let mut found = Vec::new();
    for vpc in vpcs {
        match place.facts.group_named(vpc, name) {
            Ok(group) => found.push(&group.id),
            Err(Absent::Missing) => return missing(place, name, vpc, carriers),
            Err(absent) => return place.absent(absent, "the security groups"),
        }
    }
    let named = and(vpcs.iter().map(|vpc| vpc_name(place, vpc)));
    place
        .pass(format!("security group {} is {}", **name, and(found)))
        .seen(format!("the group of that name in {named}, {}", where_from(place, name)))
}

/// Why that VPC is the one.
fn where_from(place: &RegionView<'_>, name: &Sourced<String>) -> &'static str {
    let is_ec2_s = place
        .config
        .groups
        .iter()
        .any(|group| group.template.group_names().contains(&name.as_str()));
    if is_ec2_s { "where EC2 resolves SecurityGroups" } else { "the nodes' VPC" }
}

fn missing(
    place: &RegionView<'_>,
    name: &Sourced<String>,
    vpc: &VpcId,
    carriers: &[&NodeGroup],
) -> Finding {
    let groups = place.facts.security_groups.known().map_or(&[][..], Vec::as_slice);
    let others = groups.iter().filter(|group| group.name == **name);
    let others: Vec<_> =
        others.map(|group| format!("{} in {}", group.id, vpc_name(place, &group.vpc))).collect();
    let to_make = |group: &&NodeGroup| {
        let own = &place.config.config_of(group).group_to_make.name;
        own.as_ref().is_some_and(|own| own.origin == name.origin)
    };
    let by_ray = carriers.iter().any(to_make);
    let finding = place
        .fail(format!("no security group {} in {}", **name, vpc_name(place, vpc)))
        .impact(if by_ray {
            "Ray would create it, in one region only; EC2 would use the VPC's default group, which admits no SSH"
        } else {
            "RunInstances would fail with InvalidGroup.NotFound"
        })
        .todo(format!(
            "name a group of that VPC; aws ec2 describe-security-groups --region {} --filters Name=vpc-id,Values={vpc} lists them",
            place.region()
        ));
    if others.is_empty() {
        return finding;
    }
    let has = if others.len() == 1 { "it is the name of" } else { "other VPCs have it:" };
    finding.seen(format!("{has} {}", and(others)))
}

/// There is no subnet whose VPC could be searched.
fn nowhere(place: &RegionView<'_>, name: &Sourced<String>, carriers: &[&NodeGroup]) -> Finding {
    let by_default = carriers.iter().any(|group| group.template.subnets.is_empty());
    if !by_default {
        return place.absent(Absent::Missing, "the subnets");
    }
    place
        .fail(format!("security group {} can't be found for {}", **name, place.types(carriers)))
        .seen(format!(
            "names are resolved in the default VPC where no subnet is named, and it has none for {} here",
            count(u64::try_from(carriers.len()).unwrap_or(u64::MAX), "node type")
        ))
        .impact("RunInstances would fail with VPCIdNotSpecified or InvalidGroup.NotFound")
        .todo("name it in SecurityGroupIds, with SubnetIds of its VPC")
}
