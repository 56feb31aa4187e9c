//! Route tables: `DescribeRouteTables`, `CreateRouteTable`,
//! `AssociateRouteTable`, `CreateRoute`, `ReplaceRoute` and `DeleteRouteTable`.

use aws_sdk_ec2::types::{self, ResourceType};
use ipnet::Ipv4Net;

use super::{
    client::RegionClient,
    filter,
    made::{self, MadeId},
    parse::{self, Parsed},
    tags,
};
use crate::{
    cloud::{Result, Route, RouteState, RouteTable, RouteTarget, SubnetFilter, Tags, Via},
    model::{SubnetId, VpcId},
};

const OPERATION: &str = "DescribeRouteTables";

/// All route tables of these VPCs.
pub(super) async fn describe(at: &RegionClient, vpcs: &[VpcId]) -> Result<Vec<RouteTable>> {
    filter::in_chunks("vpc-id", vpcs, |filter| async move {
        let pages = at.client.describe_route_tables().filters(filter).into_paginator();
        let tables = pages.page_size(100).items().send().try_collect().await;
        at.read(OPERATION, tables.map_err(|error| at.failed(OPERATION, &error))?, table)
    })
    .await
}

fn table(table: types::RouteTable) -> Parsed<RouteTable> {
    let associations = table.associations.unwrap_or_default();
    let routes = table.routes.unwrap_or_default();
    Ok(RouteTable {
        id: parse::name(table.route_table_id, "routeTableId")?,
        vpc: parse::name(table.vpc_id, "vpcId")?,
        is_main: associations.iter().any(|one| one.main() == Some(true)),
        subnets: associations.into_iter().filter_map(|one| one.subnet_id).map(Into::into).collect(),
        routes: routes.into_iter().filter_map(route).collect::<Parsed<_>>()?,
    })
}

/// `None` for a route to IPv6 addresses or a prefix list.
fn route(route: types::Route) -> Option<Parsed<Route>> {
    let destination =
        parse::text(Some(route.destination_cidr_block.as_deref()?), "destinationCidrBlock");
    let state = match route.state {
        Some(types::RouteState::Active) => RouteState::Active,
        _ => RouteState::Blackhole,
    };
    Some(destination.map(|destination| Route { destination, target: target(route), state }))
}

fn target(route: types::Route) -> RouteTarget {
    if let Some(id) = route.vpc_peering_connection_id {
        return RouteTarget::Peering(id.into());
    }
    let others = [
        route.gateway_id,
        route.nat_gateway_id,
        route.transit_gateway_id,
        route.instance_id,
        route.network_interface_id,
        route.egress_only_internet_gateway_id,
        route.local_gateway_id,
        route.carrier_gateway_id,
        route.core_network_arn,
    ];
    match others.into_iter().flatten().next() {
        Some(id) if id == "local" => RouteTarget::Local,
        Some(id) => RouteTarget::Other(id),
        None => RouteTarget::Other("unknown".into()),
    }
}

/// Makes a table with the VPC's local routes.
pub(super) async fn create(at: &RegionClient, vpc: &str, tags: &Tags) -> Result<MadeId> {
    let tags = tags::on([ResourceType::RouteTable], tags);
    let call = at.client.create_route_table().vpc_id(vpc).set_tag_specifications(tags);
    let answer = call.customize().config_override(at.single_attempt()).send();
    at.made("CreateRouteTable", answer, |made| made.route_table?.route_table_id).await
}

/// Has a subnet use a table.
pub(super) async fn associate(at: &RegionClient, table: &str, subnet: &str) -> Result<MadeId> {
    let call = at.client.associate_route_table().route_table_id(table).subnet_id(subnet);
    let answer = call.customize().config_override(at.single_attempt()).send();
    at.done("AssociateRouteTable", answer).await
}

/// Adds a route for addresses that the table has none for.
pub(super) async fn create_route(
    at: &RegionClient,
    table: &str,
    to: Ipv4Net,
    via: &Via,
) -> Result<MadeId> {
    let (peering, gateway) = through(via);
    let call = at.client.create_route().route_table_id(table);
    let call = call.destination_cidr_block(to.to_string()).set_gateway_id(gateway);
    let call = call.set_vpc_peering_connection_id(peering).customize();
    at.done("CreateRoute", call.config_override(at.single_attempt()).send()).await
}

/// Changes the target of an existing route.
pub(super) async fn replace_route(
    at: &RegionClient,
    table: &str,
    to: Ipv4Net,
    via: &Via,
) -> Result<MadeId> {
    let (peering, gateway) = through(via);
    let call = at.client.replace_route().route_table_id(table);
    let call = call.destination_cidr_block(to.to_string()).set_gateway_id(gateway);
    let call = call.set_vpc_peering_connection_id(peering).customize();
    at.done("ReplaceRoute", call.config_override(at.single_attempt()).send()).await
}

/// A peering connection, or a gateway.
fn through(via: &Via) -> (Option<String>, Option<String>) {
    match via {
        Via::Peering(peering) => (Some(made::id(peering).to_owned()), None),
        Via::Gateway(gateway) => (None, Some(made::id(gateway).to_owned())),
    }
}

/// Deletes a table. Associations of deleted subnets, which not every
/// service ends by itself, keep nobody from it.
pub(super) async fn delete(at: &RegionClient, table: &str) -> Result<MadeId> {
    let refused = match delete_once(at, table).await {
        Err(error) if error.code.as_deref() == Some("DependencyViolation") => error,
        answer => return answer,
    };
    let orphans = orphans(at, table).await.unwrap_or_default();
    if orphans.is_empty() {
        return Err(refused);
    }
    for association in orphans {
        let call = at.client.disassociate_route_table().association_id(association).customize();
        at.done("DisassociateRouteTable", call.config_override(at.single_attempt()).send()).await?;
    }
    delete_once(at, table).await
}

async fn delete_once(at: &RegionClient, table: &str) -> Result<MadeId> {
    let call = at.client.delete_route_table().route_table_id(table).customize();
    let answer = call.config_override(at.single_attempt()).send();
    at.done("DeleteRouteTable", answer).await
}

/// The associations of a table whose subnets no longer exist.
async fn orphans(at: &RegionClient, table: &str) -> Option<Vec<String>> {
    let found = at.client.describe_route_tables().route_table_ids(table).send().await.ok()?;
    let tables = found.route_tables?.into_iter();
    let associations: Vec<_> =
        tables.flat_map(|one| one.associations.unwrap_or_default()).collect();
    let named = associations.iter().filter_map(|one| one.subnet_id.clone().map(SubnetId::from));
    let named = SubnetFilter::Ids(named.collect());
    let there = super::subnets::describe(at, &named).await.ok()?;
    let is_there = |id: &str| there.iter().any(|subnet| subnet.id.as_str() == id);
    let stale = associations
        .into_iter()
        .filter(|one| one.subnet_id.as_deref().is_some_and(|id| !is_there(id)));
    Some(stale.filter_map(|one| one.route_table_association_id).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(cidr: &str) -> types::builders::RouteBuilder {
        types::Route::builder().destination_cidr_block(cidr).state(types::RouteState::Active)
    }

    #[test]
    fn targets_are_distinguished() {
        assert_eq!(target(to("10.0.0.0/16").gateway_id("local").build()), RouteTarget::Local);
        let pcx = to("10.1.0.0/16").vpc_peering_connection_id("pcx-1").build();
        assert_eq!(target(pcx), RouteTarget::Peering("pcx-1".into()));
        let igw = to("0.0.0.0/0").gateway_id("igw-1").build();
        assert_eq!(target(igw), RouteTarget::Other("igw-1".into()));
    }

    #[test]
    fn a_route_to_ipv6_addresses_is_left_out() {
        let sdk = types::Route::builder().gateway_id("local").state(types::RouteState::Active);
        assert_eq!(route(sdk.build()), None);
    }

    #[test]
    fn what_is_not_active_does_not_carry() {
        let hole = to("10.1.0.0/16").state(types::RouteState::Blackhole);
        let state = route(hole.vpc_peering_connection_id("pcx-1").build());
        assert!(matches!(state, Some(Ok(Route { state: RouteState::Blackhole, .. }))));
    }

    #[test]
    fn the_main_table_is_the_one_with_a_main_association() {
        let main = types::RouteTableAssociation::builder().main(true).build();
        let one = types::RouteTableAssociation::builder().main(false).subnet_id("subnet-1").build();
        let sdk = types::RouteTable::builder().route_table_id("rtb-1").vpc_id("vpc-1");
        let read = table(sdk.clone().associations(main).build());
        assert_eq!(read.map(|t| (t.is_main, t.subnets)), Ok((true, vec![])));
        let read = table(sdk.associations(one).build());
        assert_eq!(read.map(|t| (t.is_main, t.subnets)), Ok((false, vec!["subnet-1".into()])));
    }
}
