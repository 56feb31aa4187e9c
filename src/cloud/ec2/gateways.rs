//! Internet gateways: `DescribeInternetGateways`, `CreateInternetGateway`,
//! `AttachInternetGateway`, `DetachInternetGateway` and `DeleteInternetGateway`.

use aws_sdk_ec2::types::{self, AttachmentStatus, ResourceType};

use super::{
    client::RegionClient,
    filter,
    made::MadeId,
    parse::{self, Parsed},
    tags,
};
use crate::cloud::{InternetGateway, Result, Tags};

const OPERATION: &str = "DescribeInternetGateways";

/// The gateways of these ids.
pub(super) async fn describe(at: &RegionClient, ids: &[String]) -> Result<Vec<InternetGateway>> {
    filter::in_chunks("internet-gateway-id", ids, |filter| async move {
        let pages = at.client.describe_internet_gateways().filters(filter).into_paginator();
        let gateways = pages.page_size(100).items().send().try_collect().await;
        at.read(OPERATION, gateways.map_err(|error| at.failed(OPERATION, &error))?, gateway)
    })
    .await
}

fn gateway(gateway: types::InternetGateway) -> Parsed<InternetGateway> {
    let attachments = gateway.attachments.unwrap_or_default();
    let attached =
        attachments.into_iter().find(|one| one.state != Some(AttachmentStatus::Detached));
    Ok(InternetGateway {
        id: parse::name(gateway.internet_gateway_id, "internetGatewayId")?,
        vpc: attached.and_then(|one| one.vpc_id).map(Into::into),
    })
}

/// Makes a gateway that is attached to nothing.
pub(super) async fn create(at: &RegionClient, tags: &Tags) -> Result<MadeId> {
    let tags = tags::on([ResourceType::InternetGateway], tags);
    let call = at.client.create_internet_gateway().set_tag_specifications(tags).customize();
    let answer = call.config_override(at.single_attempt()).send();
    at.made("CreateInternetGateway", answer, |made| made.internet_gateway?.internet_gateway_id)
        .await
}

/// Attaches a gateway to a VPC.
pub(super) async fn attach(at: &RegionClient, gateway: &str, vpc: &str) -> Result<MadeId> {
    let call = at.client.attach_internet_gateway().internet_gateway_id(gateway).vpc_id(vpc);
    let answer = call.customize().config_override(at.single_attempt()).send();
    at.done("AttachInternetGateway", answer).await
}

/// Detaches a gateway from its VPC.
pub(super) async fn detach(at: &RegionClient, gateway: &str, vpc: &str) -> Result<MadeId> {
    let call = at.client.detach_internet_gateway().internet_gateway_id(gateway).vpc_id(vpc);
    let answer = call.customize().config_override(at.single_attempt()).send();
    at.done("DetachInternetGateway", answer).await
}

/// Deletes a gateway that is attached to nothing.
pub(super) async fn delete(at: &RegionClient, gateway: &str) -> Result<MadeId> {
    let call = at.client.delete_internet_gateway().internet_gateway_id(gateway).customize();
    let answer = call.config_override(at.single_attempt()).send();
    at.done("DeleteInternetGateway", answer).await
}
