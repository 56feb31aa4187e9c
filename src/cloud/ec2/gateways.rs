//! Internet gateways: `CreateInternetGateway`, `AttachInternetGateway`,
//! `DetachInternetGateway` and `DeleteInternetGateway`.

use aws_sdk_ec2::types::ResourceType;

use super::{client::RegionClient, made::MadeId, tags};
use crate::cloud::{Result, Tags};

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
