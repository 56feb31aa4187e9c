//! `DescribeVpcs`, `CreateVpc` and `DeleteVpc`.

use aws_sdk_ec2::{
    operation::describe_vpcs::builders::DescribeVpcsFluentBuilder,
    types::{self, ResourceType, VpcCidrBlockStateCode},
};
use ipnet::Ipv4Net;

use super::{
    client::RegionClient,
    filter,
    made::MadeId,
    parse::{self, Parsed},
    tags as on_creation,
};
use crate::{
    cloud::{Result, Tags, Vpc, tags},
    model::VpcId,
};

const OPERATION: &str = "DescribeVpcs";

/// The VPCs of these ids.
pub(super) async fn describe(at: &RegionClient, ids: &[VpcId]) -> Result<Vec<Vpc>> {
    let call = || at.client.describe_vpcs();
    filter::in_chunks("vpc-id", ids, |filter| found(at, call().filters(filter))).await
}

/// Every VPC of the region.
pub(super) async fn all(at: &RegionClient) -> Result<Vec<Vpc>> {
    found(at, at.client.describe_vpcs()).await
}

async fn found(at: &RegionClient, call: DescribeVpcsFluentBuilder) -> Result<Vec<Vpc>> {
    let vpcs = call.into_paginator().page_size(1000).items().send().try_collect().await;
    at.read(OPERATION, vpcs.map_err(|error| at.failed(OPERATION, &error))?, vpc)
}

/// Makes a VPC, and with it its main route table and its default security group.
pub(super) async fn create(at: &RegionClient, cidr: Ipv4Net, tags: &Tags) -> Result<MadeId> {
    let tags = on_creation::on([ResourceType::Vpc], tags);
    let call = at.client.create_vpc().cidr_block(cidr.to_string()).set_tag_specifications(tags);
    let answer = call.customize().config_override(at.single_attempt()).send();
    at.made("CreateVpc", answer, |made| made.vpc?.vpc_id).await
}

/// Deletes a VPC that has nothing left but what came with it.
pub(super) async fn delete(at: &RegionClient, vpc: &str) -> Result<MadeId> {
    let call = at.client.delete_vpc().vpc_id(vpc).customize();
    at.done("DeleteVpc", call.config_override(at.single_attempt()).send()).await
}

fn vpc(vpc: types::Vpc) -> Parsed<Vpc> {
    let primary: Ipv4Net = parse::text(vpc.cidr_block.as_deref(), "cidrBlock")?;
    let more = vpc.cidr_block_association_set.unwrap_or_default();
    let mut cidrs = vec![primary];
    for block in more.iter().filter(|block| is_associated(block)) {
        let cidr = parse::text(block.cidr_block(), "cidrBlockAssociationSet.cidrBlock")?;
        if cidr != primary {
            cidrs.push(cidr);
        }
    }
    Ok(Vpc {
        id: parse::name(vpc.vpc_id, "vpcId")?,
        cidrs,
        is_default: vpc.is_default.unwrap_or_default(),
        name: parse::tags(vpc.tags).remove(tags::NAME),
    })
}

fn is_associated(block: &types::VpcCidrBlockAssociation) -> bool {
    let state = block.cidr_block_state().and_then(|state| state.state());
    matches!(state, Some(VpcCidrBlockStateCode::Associated | VpcCidrBlockStateCode::Associating))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(cidr: &str, state: VpcCidrBlockStateCode) -> types::VpcCidrBlockAssociation {
        let state = types::VpcCidrBlockState::builder().state(state).build();
        types::VpcCidrBlockAssociation::builder().cidr_block(cidr).cidr_block_state(state).build()
    }

    #[test]
    fn the_primary_cidr_comes_first_and_those_on_their_way_out_are_left_out() {
        let sdk = types::Vpc::builder()
            .vpc_id("vpc-1")
            .cidr_block("10.1.0.0/16")
            .cidr_block_association_set(block("10.9.0.0/16", VpcCidrBlockStateCode::Associated))
            .cidr_block_association_set(block("10.1.0.0/16", VpcCidrBlockStateCode::Associated))
            .cidr_block_association_set(block("10.7.0.0/16", VpcCidrBlockStateCode::Disassociated))
            .tags(types::Tag::builder().key("Name").value("analytics").build());
        let read = vpc(sdk.build());
        let cidrs = read.as_ref().map(|vpc| vpc.cidrs.iter().map(ToString::to_string).collect());
        assert_eq!(cidrs, Ok(vec!["10.1.0.0/16".to_owned(), "10.9.0.0/16".to_owned()]));
        assert_eq!(read.map(|vpc| vpc.name), Ok(Some("analytics".to_owned())));
    }
}
