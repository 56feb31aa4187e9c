//! `DescribeNetworkInterfaces`.

use aws_sdk_ec2::types::NetworkInterface;

use super::{
    client::RegionClient,
    filter,
    parse::{self, Parsed},
};
use crate::{
    cloud::{Interface, Result},
    model::{InstanceId, VpcId},
};

const OPERATION: &str = "DescribeNetworkInterfaces";

/// What has an address in one of `vpcs`.
pub(super) async fn describe(at: &RegionClient, vpcs: &[VpcId]) -> Result<Vec<Interface>> {
    filter::in_chunks("vpc-id", vpcs, |filter| async {
        let call = at.client.describe_network_interfaces().filters(filter);
        let found = call.into_paginator().page_size(1000).items().send().try_collect().await;
        at.read(OPERATION, found.map_err(|error| at.failed(OPERATION, &error))?, interface)
    })
    .await
}

fn interface(found: NetworkInterface) -> Parsed<Interface> {
    let instance = found.attachment.and_then(|attachment| attachment.instance_id);
    Ok(Interface {
        id: parse::name(found.network_interface_id, "networkInterfaceId")?,
        vpc: parse::name(found.vpc_id, "vpcId")?,
        instance: instance.map(InstanceId::from),
        description: found.description.unwrap_or_default(),
    })
}
