//! `DescribeVpcPeeringConnections`, `CreateVpcPeeringConnection`,
//! `AcceptVpcPeeringConnection` and `DeleteVpcPeeringConnection`.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{self, ResourceType, VpcPeeringConnectionStateReasonCode as Code};
use futures_util::future::try_join;

use super::{
    client::RegionClient,
    filter,
    made::MadeId,
    parse::{self, Parsed, Unreadable},
    tags,
};
use crate::{
    cloud::{Peering, PeeringSide, PeeringState, Result, Tags},
    model::{Region, VpcId},
};

const OPERATION: &str = "DescribeVpcPeeringConnections";

/// The connections that have one of these VPCs on either side. Filters are
/// joined by AND, so each side takes a call of its own.
pub(super) async fn describe(at: &RegionClient, vpcs: &[VpcId]) -> Result<Vec<Peering>> {
    let requested = by_side(at, "requester-vpc-info.vpc-id", vpcs);
    let accepted = by_side(at, "accepter-vpc-info.vpc-id", vpcs);
    let (requested, accepted) = try_join(requested, accepted).await?;
    let all = requested.into_iter().chain(accepted);
    let each_once: BTreeMap<_, _> = all.map(|one| (one.id.clone(), one)).collect();
    Ok(each_once.into_values().collect())
}

async fn by_side(at: &RegionClient, side: &str, vpcs: &[VpcId]) -> Result<Vec<Peering>> {
    filter::in_chunks(side, vpcs, |filter| async move {
        let call = at.client.describe_vpc_peering_connections().filters(filter);
        let found = call.into_paginator().page_size(1000).items().send().try_collect().await;
        at.read(OPERATION, found.map_err(|error| at.failed(OPERATION, &error))?, peering)
    })
    .await
}

fn peering(peering: types::VpcPeeringConnection) -> Parsed<Peering> {
    let status = peering.status.ok_or(Unreadable("status"))?;
    Ok(Peering {
        id: parse::name(peering.vpc_peering_connection_id, "vpcPeeringConnectionId")?,
        requester: side(peering.requester_vpc_info, "requesterVpcInfo")?,
        accepter: side(peering.accepter_vpc_info, "accepterVpcInfo")?,
        state: state(status.code.as_ref())?,
        message: status.message.unwrap_or_default(),
        expires: peering.expiration_time.as_ref().and_then(parse::time),
    })
}

fn side(
    info: Option<types::VpcPeeringConnectionVpcInfo>,
    field: &'static str,
) -> Parsed<PeeringSide> {
    let info = info.ok_or(Unreadable(field))?;
    let set = info.cidr_block_set.unwrap_or_default();
    let mut cidrs = set
        .iter()
        .filter_map(types::CidrBlock::cidr_block)
        .map(|cidr| parse::text(Some(cidr), "cidrBlockSet"))
        .collect::<Parsed<Vec<_>>>()?;
    if let (true, Some(cidr)) = (cidrs.is_empty(), info.cidr_block.as_deref()) {
        cidrs.push(parse::text(Some(cidr), "cidrBlock")?);
    }
    Ok(PeeringSide {
        vpc: parse::name(info.vpc_id, "vpcId")?,
        region: parse::name(info.region, "region")?,
        cidrs,
    })
}

fn state(code: Option<&Code>) -> Parsed<PeeringState> {
    Ok(match code {
        Some(Code::InitiatingRequest) => PeeringState::InitiatingRequest,
        Some(Code::PendingAcceptance) => PeeringState::PendingAcceptance,
        Some(Code::Provisioning) => PeeringState::Provisioning,
        Some(Code::Active) => PeeringState::Active,
        Some(Code::Failed) => PeeringState::Failed,
        Some(Code::Expired) => PeeringState::Expired,
        Some(Code::Rejected) => PeeringState::Rejected,
        Some(Code::Deleting) => PeeringState::Deleting,
        Some(Code::Deleted) => PeeringState::Deleted,
        _ => return Err(Unreadable("status.code")),
    })
}

/// Asks for a connection between a VPC here and one there.
pub(super) async fn create(
    at: &RegionClient,
    vpc: &str,
    (peer_region, peer_vpc): (&Region, &str),
    tags: &Tags,
) -> Result<MadeId> {
    let call = at.client.create_vpc_peering_connection().vpc_id(vpc).peer_vpc_id(peer_vpc);
    let tags = tags::on([ResourceType::VpcPeeringConnection], tags);
    let call = call.peer_region(peer_region.as_str()).set_tag_specifications(tags).customize();
    let answer = call.config_override(at.single_attempt()).send();
    at.made("CreateVpcPeeringConnection", answer, |made| {
        made.vpc_peering_connection?.vpc_peering_connection_id
    })
    .await
}

/// Accepts a connection; `at` is the region of the accepter.
pub(super) async fn accept(at: &RegionClient, peering: &str) -> Result<MadeId> {
    let call = at.client.accept_vpc_peering_connection().vpc_peering_connection_id(peering);
    let answer = call.customize().config_override(at.single_attempt()).send();
    at.done("AcceptVpcPeeringConnection", answer).await
}

/// Deletes a connection, from either side.
pub(super) async fn delete(at: &RegionClient, peering: &str) -> Result<MadeId> {
    let call = at.client.delete_vpc_peering_connection().vpc_peering_connection_id(peering);
    let answer = call.customize().config_override(at.single_attempt()).send();
    at.done("DeleteVpcPeeringConnection", answer).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_known() {
        for name in Code::values() {
            let read = state(Some(&Code::from(*name)));
            let ours = read.ok().and_then(|state| serde_json::to_string(&state).ok());
            assert_eq!(ours, Some(format!("\"{name}\"")));
        }
        assert_eq!(state(Some(&Code::from("odd"))), Err(Unreadable("status.code")));
    }

    #[test]
    fn a_side_without_listed_cidrs_has_none() {
        let info =
            types::VpcPeeringConnectionVpcInfo::builder().vpc_id("vpc-2").region("eu-west-1");
        let expected =
            PeeringSide { vpc: "vpc-2".into(), region: "eu-west-1".into(), cidrs: vec![] };
        assert_eq!(side(Some(info.build()), "accepterVpcInfo"), Ok(expected));
    }
}
