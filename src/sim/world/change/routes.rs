//! Route tables, their associations and their routes.

use ipnet::Ipv4Net;

use super::{Checked, Kind, MadeId, Refusal, Scene, dependent, id, invalid};
use crate::{
    cloud::{PeeringState, Route, RouteState, RouteTable, RouteTarget, Tags, Via},
    model::{RouteTableId, SubnetId, VpcId},
    sim::world::state::HeldPeering,
};

impl Scene<'_> {
    pub(super) fn create_table(&mut self, vpc: &str, tags: &Tags) -> Checked<MadeId> {
        self.check(Kind::Vpc, vpc)?;
        Ok(Some(self.add_table(&vpc.into(), false, tags)))
    }

    /// Makes a table with the local routes of `vpc`.
    pub(super) fn add_table(&mut self, vpc: &VpcId, is_main: bool, tags: &Tags) -> String {
        let id = self.make(Kind::Table, "", tags);
        let own = self.held.vpcs.iter().filter(|held| held.id == *vpc);
        let routes = own.flat_map(|held| &held.cidrs).map(|cidr| Route {
            destination: *cidr,
            target: RouteTarget::Local,
            state: RouteState::Active,
        });
        let table = RouteTable {
            id: RouteTableId::new(&id),
            vpc: vpc.clone(),
            is_main,
            subnets: Vec::new(),
            routes: routes.collect(),
        };
        self.held.tables.push(table);
        id
    }

    fn table(&mut self, table: &str) -> Checked<&mut RouteTable> {
        self.check(Kind::Table, table)?;
        let mut tables = self.held.tables.iter_mut();
        tables.find(|own| own.id.as_str() == table).ok_or_else(|| Kind::Table.missing(table))
    }

    pub(super) fn associate(&mut self, table: &str, subnet: &str) -> Checked<MadeId> {
        self.check(Kind::Subnet, subnet)?;
        let subnet = SubnetId::new(subnet);
        let vpc = self.held.subnet(&subnet).map(|held| held.subnet.vpc.clone());
        if Some(&self.table(table)?.vpc) != vpc.as_ref() {
            return Err(different_networks(table, &format!("subnet {subnet}")));
        }
        let other = self.held.tables.iter().find(|own| own.subnets.contains(&subnet));
        match other.map(|other| other.id.as_str() == table) {
            Some(true) => return Ok(None),
            Some(false) => {
                let message = format!(
                    "the specified association for route table {table} conflicts with an existing \
                     association"
                );
                return Err(Refusal::new("Resource.AlreadyAssociated", message));
            }
            None => self.table(table)?.subnets.push(subnet),
        }
        Ok(None)
    }

    pub(super) fn create_route(&mut self, table: &str, to: Ipv4Net, via: &Via) -> Checked<MadeId> {
        let to = to.trunc();
        let target = self.target(table, via)?;
        let routes = &mut self.table(table)?.routes;
        if routes.iter().any(|route| route.destination == to) {
            let message = format!("The route identified by {to} already exists.");
            return Err(Refusal::new("RouteAlreadyExists", message));
        }
        routes.push(Route { destination: to, target, state: RouteState::Active });
        Ok(None)
    }

    pub(super) fn replace_route(&mut self, table: &str, to: Ipv4Net, via: &Via) -> Checked<MadeId> {
        let to = to.trunc();
        let target = self.target(table, via)?;
        let routes = &mut self.table(table)?.routes;
        match routes.iter_mut().find(|route| route.destination == to) {
            Some(Route { target: RouteTarget::Local, .. }) => {
                Err(invalid(format!("cannot replace the local route for {to}")))
            }
            Some(route) => {
                route.target = target;
                Ok(None)
            }
            None => Err(invalid(format!(
                "There is no route defined for '{to}' in the route table. Use CreateRoute instead."
            ))),
        }
    }

    /// Where `via` leads, which has to begin in the table's VPC.
    fn target(&mut self, table: &str, via: &Via) -> Checked<RouteTarget> {
        let vpc = self.table(table)?.vpc.clone();
        match via {
            Via::Gateway(gateway) => {
                let gateway = id(gateway);
                self.check(Kind::Gateway, gateway)?;
                if self.attachment(gateway) != Some(&vpc) {
                    return Err(different_networks(table, &format!("network gateway {gateway}")));
                }
                Ok(RouteTarget::Other(gateway.to_owned()))
            }
            Via::Peering(peering) => {
                let peering = id(peering);
                self.check(Kind::Peering, peering)?;
                self.check_begins(table, peering, &vpc)?;
                Ok(RouteTarget::Peering(peering.into()))
            }
        }
    }

    /// A route may be there before its connection works, but not after its end.
    fn check_begins(&self, table: &str, peering: &str, vpc: &VpcId) -> Checked<()> {
        let is = |held: &&HeldPeering| held.peering.id.as_str() == peering;
        let ended = |held: &HeldPeering| {
            !matches!(
                held.state(self.now),
                PeeringState::PendingAcceptance | PeeringState::Provisioning | PeeringState::Active
            )
        };
        let Some(held) = self.peerings.iter().find(is).filter(|held| !ended(held)) else {
            return Err(Kind::Peering.missing(peering));
        };
        let sides = [&held.peering.requester, &held.peering.accepter];
        if sides.iter().any(|side| side.region == *self.region && side.vpc == *vpc) {
            return Ok(());
        }
        Err(different_networks(table, &format!("vpc peering connection {peering}")))
    }

    pub(super) fn delete_table(&mut self, table: &str) -> Checked<MadeId> {
        let own = self.table(table)?;
        if own.is_main || !own.subnets.is_empty() {
            return Err(dependent("routeTable", table));
        }
        self.drop_table(table);
        Ok(None)
    }

    pub(super) fn drop_table(&mut self, table: &str) {
        self.held.tables.retain(|own| own.id.as_str() != table);
        self.forget(table);
    }
}

fn different_networks(table: &str, other: &str) -> Refusal {
    invalid(format!("route table {table} and {other} belong to different networks"))
}
