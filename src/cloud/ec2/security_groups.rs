//! `DescribeSecurityGroups`, `CreateSecurityGroup`,
//! `AuthorizeSecurityGroupIngress` and `DeleteSecurityGroup`.

use aws_sdk_ec2::types::{self, ResourceType};

use super::{
    client::RegionClient,
    filter,
    made::{self, MadeId},
    parse::{self, Parsed},
    tags,
};
use crate::{
    cloud::{InboundRule, IpPermission, PortRange, Result, SecurityGroup, Source, Tags},
    model::SecurityGroupId,
};

const OPERATION: &str = "DescribeSecurityGroups";

/// The groups of these ids with their inbound rules.
pub(super) async fn describe(
    at: &RegionClient,
    ids: &[SecurityGroupId],
) -> Result<Vec<SecurityGroup>> {
    by(at, "group-id", ids).await
}

/// The groups of these names.
pub(super) async fn named(at: &RegionClient, names: &[String]) -> Result<Vec<SecurityGroup>> {
    by(at, "group-name", names).await
}

async fn by(
    at: &RegionClient,
    filter: &str,
    values: &[impl AsRef<str>],
) -> Result<Vec<SecurityGroup>> {
    filter::in_chunks(filter, values, |filter| async move {
        let pages = at.client.describe_security_groups().filters(filter).into_paginator();
        let groups = pages.page_size(1000).items().send().try_collect().await;
        at.read(OPERATION, groups.map_err(|error| at.failed(OPERATION, &error))?, group)
    })
    .await
}

fn group(group: types::SecurityGroup) -> Parsed<SecurityGroup> {
    let rules = group.ip_permissions.unwrap_or_default();
    Ok(SecurityGroup {
        id: parse::name(group.group_id, "groupId")?,
        name: group.group_name.unwrap_or_default(),
        vpc: parse::name(group.vpc_id, "vpcId")?,
        inbound: rules.into_iter().map(permission).collect::<Parsed<_>>()?,
    })
}

fn permission(rule: types::IpPermission) -> Parsed<IpPermission> {
    let cidrs = rule.ip_ranges.unwrap_or_default();
    let ipv6 = rule.ipv6_ranges.unwrap_or_default();
    let lists = rule.prefix_list_ids.unwrap_or_default();
    let groups = rule.user_id_group_pairs.unwrap_or_default();
    let ports = ports(rule.from_port, rule.to_port);
    Ok(IpPermission {
        protocol: parse::name(rule.ip_protocol, "ipProtocol")?,
        ports,
        cidrs: cidrs
            .iter()
            .map(|range| parse::text(range.cidr_ip(), "cidrIp"))
            .collect::<Parsed<_>>()?,
        ipv6_cidrs: ipv6
            .iter()
            .map(|range| parse::text(range.cidr_ipv6(), "cidrIpv6"))
            .collect::<Parsed<_>>()?,
        prefix_lists: lists
            .into_iter()
            .map(|list| parse::name(list.prefix_list_id, "prefixListId"))
            .collect::<Parsed<_>>()?,
        groups: groups.into_iter().filter_map(|pair| pair.group_id).map(Into::into).collect(),
    })
}

/// -1 stands for every port, or every ICMP type. ICMP's own numbers are types
/// and codes; as a range they make no sense where the code is the smaller.
fn ports(from: Option<i32>, to: Option<i32>) -> Option<PortRange> {
    let (from, to) = (u16::try_from(from?).ok()?, u16::try_from(to?).ok()?);
    (from <= to).then_some(PortRange { from, to })
}

/// Makes a group that lets nothing in.
pub(super) async fn create(
    at: &RegionClient,
    name: &str,
    description: &str,
    vpc: &str,
    tags: &Tags,
) -> Result<MadeId> {
    let call = at.client.create_security_group().group_name(name).description(description);
    let tags = tags::on([ResourceType::SecurityGroup], tags);
    let call = call.vpc_id(vpc).set_tag_specifications(tags).customize();
    let answer = call.config_override(at.single_attempt()).send();
    at.made("CreateSecurityGroup", answer, |made| made.group_id).await
}

/// Adds inbound rules, all of them or none.
pub(super) async fn authorize(
    at: &RegionClient,
    group: &str,
    rules: &[InboundRule],
    tags: &Tags,
) -> Result<MadeId> {
    let rules = rules.iter().map(sdk_rule).collect();
    let call = at.client.authorize_security_group_ingress().group_id(group);
    let tags = tags::on([ResourceType::SecurityGroupRule], tags);
    let call = call.set_ip_permissions(Some(rules)).set_tag_specifications(tags).customize();
    let answer = call.config_override(at.single_attempt()).send();
    at.done("AuthorizeSecurityGroupIngress", answer).await
}

fn sdk_rule(rule: &InboundRule) -> types::IpPermission {
    let builder = types::IpPermission::builder()
        .ip_protocol("tcp")
        .from_port(rule.ports.from.into())
        .to_port(rule.ports.to.into());
    match &rule.source {
        Source::Cidr(cidr) => {
            let range = types::IpRange::builder().cidr_ip(cidr.to_string());
            builder.ip_ranges(range.description(&rule.description).build()).build()
        }
        Source::Group(group) => {
            let pair = types::UserIdGroupPair::builder().group_id(made::id(group));
            builder.user_id_group_pairs(pair.description(&rule.description).build()).build()
        }
    }
}

/// Deletes a group that nothing uses.
pub(super) async fn delete(at: &RegionClient, group: &str) -> Result<MadeId> {
    let call = at.client.delete_security_group().group_id(group).customize();
    let answer = call.config_override(at.single_attempt()).send();
    at.done("DeleteSecurityGroup", answer).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minus_one_and_nothing_are_every_port() {
        assert_eq!(ports(Some(-1), Some(-1)), None);
        assert_eq!(ports(None, None), None);
        assert_eq!(ports(Some(0), Some(65535)), Some(PortRange { from: 0, to: 65535 }));
        assert_eq!(ports(Some(22), Some(22)), Some(PortRange { from: 22, to: 22 }));
        assert_eq!(ports(Some(8), Some(0)), None);
    }

    #[test]
    fn a_rule_keeps_every_kind_of_source() {
        let sdk = types::IpPermission::builder()
            .ip_protocol("tcp")
            .from_port(22)
            .to_port(22)
            .ip_ranges(types::IpRange::builder().cidr_ip("10.0.0.0/16").build())
            .ipv6_ranges(types::Ipv6Range::builder().cidr_ipv6("::/0").build())
            .prefix_list_ids(types::PrefixListId::builder().prefix_list_id("pl-1").build())
            .user_id_group_pairs(types::UserIdGroupPair::builder().group_id("sg-1").build());
        let expected = IpPermission {
            protocol: "tcp".into(),
            ports: Some(PortRange { from: 22, to: 22 }),
            cidrs: "10.0.0.0/16".parse().into_iter().collect(),
            ipv6_cidrs: "::/0".parse().into_iter().collect(),
            prefix_lists: vec!["pl-1".into()],
            groups: vec!["sg-1".into()],
        };
        assert_eq!(permission(sdk.build()), Ok(expected));
    }

    #[test]
    fn a_source_that_cannot_be_read_is_not_left_out() {
        let sdk = types::IpPermission::builder()
            .ip_protocol("-1")
            .ip_ranges(types::IpRange::builder().cidr_ip("10.0.0.0").build());
        assert_eq!(permission(sdk.build()), Err(parse::Unreadable("cidrIp")));
    }
}
