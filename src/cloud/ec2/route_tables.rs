//! `DescribeRouteTables`.

use aws_sdk_ec2::types;

use super::{
    client::RegionClient,
    filter,
    parse::{self, Parsed},
};
use crate::{
    cloud::{Result, Route, RouteState, RouteTable, RouteTarget},
    model::VpcId,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn to(cidr: &str) -> types::builders::RouteBuilder {
        types::Route::builder().destination_cidr_block(cidr).state(types::RouteState::Active)
    }

    #[test]
    fn targets_are_told_apart() {
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
    fn the_main_table_is_the_one_whose_association_says_so() {
        let main = types::RouteTableAssociation::builder().main(true).build();
        let one = types::RouteTableAssociation::builder().main(false).subnet_id("subnet-1").build();
        let sdk = types::RouteTable::builder().route_table_id("rtb-1").vpc_id("vpc-1");
        let read = table(sdk.clone().associations(main).build());
        assert_eq!(read.map(|t| (t.is_main, t.subnets)), Ok((true, vec![])));
        let read = table(sdk.associations(one).build());
        assert_eq!(read.map(|t| (t.is_main, t.subnets)), Ok((false, vec!["subnet-1".into()])));
    }
}
