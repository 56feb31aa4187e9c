//! Which call each change is.

use super::{
    client::RegionClient,
    gateways, images, key_pairs,
    made::{MadeId, id},
    peerings, route_tables, security_groups, subnets, tags, vpcs,
};
use crate::cloud::{Change, Result};

/// Makes a change.
pub(super) async fn make(at: &RegionClient, change: &Change) -> Result<MadeId> {
    change.check_settled(&at.region)?;
    match change {
        Change::ImportKeyPair { name, public_key, tags } => {
            key_pairs::import(at, name, public_key, tags).await
        }
        Change::CopyImage { name, image, from, token, tags } => {
            images::copy(at, name, (image, from), token, tags).await
        }
        Change::CreateSecurityGroup { name, description, vpc, tags } => {
            security_groups::create(at, name, description, id(vpc), tags).await
        }
        Change::AuthorizeIngress { group, rules, tags } => {
            security_groups::authorize(at, id(group), rules, tags).await
        }
        Change::CreatePeering { vpc, peer_region, peer_vpc, tags } => {
            peerings::create(at, id(vpc), (peer_region, id(peer_vpc)), tags).await
        }
        Change::AcceptPeering { peering } => peerings::accept(at, id(peering)).await,
        Change::CreateRoute { table, destination, via } => {
            route_tables::create_route(at, id(table), *destination, via).await
        }
        Change::ReplaceRoute { table, destination, via } => {
            route_tables::replace_route(at, id(table), *destination, via).await
        }
        Change::CreateVpc { cidr, tags } => vpcs::create(at, *cidr, tags).await,
        Change::CreateSubnet { vpc, zone, cidr, tags } => {
            subnets::create(at, id(vpc), zone, *cidr, tags).await
        }
        Change::MapPublicIp { subnet } => subnets::map_public_ip(at, id(subnet)).await,
        Change::CreateInternetGateway { tags } => gateways::create(at, tags).await,
        Change::AttachInternetGateway { gateway, vpc } => {
            gateways::attach(at, id(gateway), id(vpc)).await
        }
        Change::CreateRouteTable { vpc, tags } => route_tables::create(at, id(vpc), tags).await,
        Change::AssociateRouteTable { table, subnet } => {
            route_tables::associate(at, id(table), id(subnet)).await
        }
        Change::CreateTags { resources, tags } => tags::create(at, resources, tags).await,
        Change::DeletePeering { peering } => peerings::delete(at, id(peering)).await,
        Change::DeleteSecurityGroup { group } => security_groups::delete(at, id(group)).await,
        Change::DeleteSubnet { subnet } => subnets::delete(at, id(subnet)).await,
        Change::DeleteRouteTable { table } => route_tables::delete(at, id(table)).await,
        Change::DetachInternetGateway { gateway, vpc } => {
            gateways::detach(at, id(gateway), id(vpc)).await
        }
        Change::DeleteInternetGateway { gateway } => gateways::delete(at, id(gateway)).await,
        Change::DeleteVpc { vpc } => vpcs::delete(at, id(vpc)).await,
    }
}
