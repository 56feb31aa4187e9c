//! `DescribeSubnets`, `CreateSubnet`, `ModifySubnetAttribute` and `DeleteSubnet`.

use aws_sdk_ec2::types::{self, AttributeBooleanValue, Filter, ResourceType};
use ipnet::Ipv4Net;

use super::{
    client::RegionClient,
    filter,
    made::MadeId,
    parse::{self, Parsed},
    tags,
};
use crate::{
    cloud::{Result, Subnet, SubnetFilter, Tags},
    model::Zone,
};

const OPERATION: &str = "DescribeSubnets";

/// The subnets that `which` means.
pub(super) async fn describe(at: &RegionClient, which: &SubnetFilter) -> Result<Vec<Subnet>> {
    match which {
        SubnetFilter::Ids(ids) => {
            filter::in_chunks("subnet-id", ids, |filter| filtered(at, filter)).await
        }
        SubnetFilter::DefaultForZones => filtered(at, filter::is("default-for-az", "true")).await,
    }
}

async fn filtered(at: &RegionClient, filter: Filter) -> Result<Vec<Subnet>> {
    let pages = at.client.describe_subnets().filters(filter).into_paginator().page_size(1000);
    let subnets = pages.items().send().try_collect().await;
    at.read(OPERATION, subnets.map_err(|error| at.failed(OPERATION, &error))?, subnet)
}

fn subnet(subnet: types::Subnet) -> Parsed<Subnet> {
    let left = subnet.available_ip_address_count.unwrap_or_default();
    Ok(Subnet {
        id: parse::name(subnet.subnet_id, "subnetId")?,
        vpc: parse::name(subnet.vpc_id, "vpcId")?,
        zone: parse::name(subnet.availability_zone, "availabilityZone")?,
        cidr: parse::text(subnet.cidr_block.as_deref(), "cidrBlock")?,
        public_ip_on_launch: subnet.map_public_ip_on_launch.unwrap_or_default(),
        available_ips: u32::try_from(left).unwrap_or_default(),
    })
}

/// Makes a subnet.
pub(super) async fn create(
    at: &RegionClient,
    vpc: &str,
    zone: &Zone,
    cidr: Ipv4Net,
    tags: &Tags,
) -> Result<MadeId> {
    let call = at.client.create_subnet().vpc_id(vpc).availability_zone(zone.as_str());
    let tags = tags::on([ResourceType::Subnet], tags);
    let call = call.cidr_block(cidr.to_string()).set_tag_specifications(tags).customize();
    let answer = call.config_override(at.single_attempt()).send();
    at.made("CreateSubnet", answer, |made| made.subnet?.subnet_id).await
}

/// Has instances get a public address at launch.
pub(super) async fn map_public_ip(at: &RegionClient, subnet: &str) -> Result<MadeId> {
    let yes = AttributeBooleanValue::builder().value(true).build();
    let call = at.client.modify_subnet_attribute().subnet_id(subnet).map_public_ip_on_launch(yes);
    let answer = call.customize().config_override(at.single_attempt()).send();
    at.done("ModifySubnetAttribute", answer).await
}

/// Deletes a subnet without instances.
pub(super) async fn delete(at: &RegionClient, subnet: &str) -> Result<MadeId> {
    let call = at.client.delete_subnet().subnet_id(subnet).customize();
    at.done("DeleteSubnet", call.config_override(at.single_attempt()).send()).await
}
