//! The security groups: whether they exist, and in the nodes' own VPC.

mod by_name;

use crate::{
    cloud::SecurityGroup,
    config::{NodeGroup, Sourced},
    model::{SecurityGroupId, VpcId},
    survey::{Absent, named},
};

use super::{
    Finding,
    context::{Context, Judged, RegionView, and, settle},
};

/// `sg.exists`
pub(super) fn exists(ctx: &Context<'_>) -> Vec<Finding> {
    ctx.places("sg.exists").iter().flat_map(region_groups).collect()
}

fn region_groups(place: &RegionView<'_>) -> Vec<Finding> {
    let by_id = named::security_groups(place.config).into_iter().map(|id| group(place, id));
    let by_name = named::group_names(place.config).into_iter();
    by_id.chain(unnamed(place)).chain(by_name.map(|name| by_name::exists(place, name))).collect()
}

fn group(place: &RegionView<'_>, id: &Sourced<SecurityGroupId>) -> Finding {
    let finding = match place.facts.security_group(id) {
        Ok(group) => place.pass(format!("security group {} exists", **id)).seen(&group.name),
        Err(Absent::Missing) => place
            .fail(format!("security group {} is missing", **id))
            .impact("RunInstances would fail with InvalidGroup.NotFound")
            .todo(format!(
                "name a group of the nodes' VPC; aws ec2 describe-security-groups --region {} lists them",
                place.region()
            )),
        Err(absent) => place.absent(absent, "the security groups"),
    };
    finding.at(id.location())
}

fn unnamed<'a>(place: &'a RegionView<'_>) -> impl Iterator<Item = Finding> + 'a {
    let without = |group: &NodeGroup| {
        let named = place.config.named_groups(group);
        group.template.security_groups.is_empty() && named.is_empty()
    };
    place.by_config(without).into_iter().map(|groups| {
        let cluster = &place.config.config_of(groups[0]).cluster_name;
        place
            .fail(format!("no SecurityGroupIds for {}", place.types(&groups)))
            .seen(format!(
                "Ray would create or find the group ray-autoscaler-{}, in one region only",
                **cluster
            ))
            .impact("EC2 would use the VPC's default group, which admits no SSH")
            .todo("add SecurityGroupIds to the node_config, or security_group to muster.yaml")
            .at(groups[0].node_type.location())
    })
}

/// `sg.same-vpc`
pub(super) fn same_vpc(ctx: &Context<'_>) -> Vec<Finding> {
    let of_region = |place: &RegionView<'_>| -> Vec<Finding> {
        let groups = named::security_groups(place.config).into_iter();
        groups.map(|id| settle(same(place, id)).at(id.location())).collect()
    };
    ctx.places("sg.same-vpc").iter().flat_map(of_region).collect()
}

fn same(place: &RegionView<'_>, id: &SecurityGroupId) -> Judged<Finding> {
    let group = match place.facts.security_group(id) {
        Ok(group) => group,
        Err(Absent::Missing) => return Ok(place.skipped(format!("not judged: {id} is missing"))),
        Err(absent) => return Ok(place.absent(absent, "the security groups")),
    };
    let nodes = node_vpcs(place, id).map_err(|absent| place.absent(absent, "the subnets"))?;
    if nodes.iter().all(|vpc| **vpc == group.vpc) {
        return Ok(place
            .pass(format!("{id} is in the nodes' VPC"))
            .seen(vpc_name(place, &group.vpc)));
    }
    Ok(other_vpc(place, group, &nodes))
}

/// The VPCs of the nodes that would carry the group.
fn node_vpcs<'a>(
    place: &RegionView<'a>,
    id: &SecurityGroupId,
) -> Result<Vec<&'a VpcId>, Absent<'a>> {
    let mut vpcs = Vec::new();
    for group in &place.config.groups {
        if group.template.security_groups.iter().any(|own| own.value == *id) {
            let subnets = place.facts.subnets_of(place.config, group)?;
            vpcs.extend(subnets.into_iter().map(|subnet| &subnet.vpc));
        }
    }
    vpcs.sort();
    vpcs.dedup();
    Ok(vpcs)
}

fn other_vpc(place: &RegionView<'_>, group: &SecurityGroup, nodes: &[&VpcId]) -> Finding {
    let named = and(nodes.iter().map(|vpc| vpc_name(place, vpc)));
    let list = format!(
        "aws ec2 describe-security-groups --region {} --filters Name=vpc-id,Values={}",
        place.region(),
        nodes.iter().map(|vpc| vpc.as_str()).collect::<Vec<_>>().join(",")
    );
    let default = place.facts.vpc(&group.vpc).is_ok_and(|vpc| vpc.is_default);
    let which = if default { "the default VPC" } else { "another VPC" };
    place
        .fail(format!("security group {} is in {which}", group.id))
        .seen(format!("the group is in {}", vpc_name(place, &group.vpc)))
        .seen(format!("the nodes' subnets are in {named}"))
        .impact("RunInstances would fail with InvalidGroup.NotFound or InvalidParameter")
        .todo(format!("name a group of {named}: {list}"))
}

/// `vpc-1 (quokka)`
pub(super) fn vpc_name(place: &RegionView<'_>, id: &VpcId) -> String {
    match place.facts.vpc(id).ok() {
        Some(vpc) if vpc.is_default => format!("{id} (the default VPC)"),
        Some(crate::cloud::Vpc { name: Some(name), .. }) => format!("{id} ({name})"),
        _ => id.to_string(),
    }
}
