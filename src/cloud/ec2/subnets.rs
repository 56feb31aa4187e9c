//! `DescribeSubnets`.

use aws_sdk_ec2::types::{self, Filter};

use super::{
    client::RegionClient,
    filter,
    parse::{self, Parsed},
};
use crate::cloud::{Result, Subnet, SubnetFilter};

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
