//! Whether the operator's packets reach an instance, and whether it accepts the
//! operator's login: security groups, routes and keys, as in reality.

use std::net::{IpAddr, Ipv4Addr};

use tokio::time::Instant;

use super::{
    World,
    machine::Machine,
    state::{RegionState, State},
};
use crate::{
    cloud::{PortRange, PublicKey, RouteState, RouteTable, RouteTarget, SecurityGroup},
    remote::Host,
};

const SSH: PortRange = PortRange { from: 22, to: 22 };

impl World {
    /// Whether a packet from the operator to `host.address` arrives at `machine`.
    pub(super) fn arrives(&self, machine: &Machine, host: &Host) -> bool {
        let state = self.state();
        let Some(region) = state.regions.get(&machine.about.region) else { return false };
        let from = self.spec.operator.address;
        self.impact(&state, region, machine, host.address) && region.admits(machine, from)
    }

    fn impact(&self, state: &State, region: &RegionState, machine: &Machine, to: IpAddr) -> bool {
        let about = &machine.about;
        let public = machine.course().public_ip.is_some_and(|own| to == IpAddr::V4(own));
        let private = to == IpAddr::V4(about.private_ip);
        let operator = self.spec.operator.address;
        (public && region.has_way_out(state, machine, operator))
            || (private && self.spec.operator.inside)
    }

    /// Which of the operator's keys ssh would offer for `host`: the one named,
    /// else all that it has.
    pub(super) fn offered_keys(&self, host: &Host) -> Vec<PublicKey> {
        let keys = self.spec.operator.keys.iter().filter(|key| key.problem.is_none());
        keys.filter(|key| host.private_key.as_ref().is_none_or(|path| key.is_at(path)))
            .filter_map(|key| PublicKey::parse(key.public_key.as_deref()?))
            .collect()
    }
}

impl RegionState {
    /// Whether one of the instance's groups admits ssh from `address`.
    fn admits(&self, machine: &Machine, address: Ipv4Addr) -> bool {
        let own = |group: &&SecurityGroup| machine.about.groups.contains(&group.id);
        self.groups.iter().filter(own).flat_map(|group| &group.inbound).any(|rule| {
            rule.covers_tcp(SSH) && rule.cidrs.iter().any(|cidr| cidr.contains(&address))
        })
    }

    /// Whether the instance's subnet has a route to `address` through an internet gateway.
    fn has_way_out(&self, state: &State, machine: &Machine, address: Ipv4Addr) -> bool {
        let routes =
            self.table_of(machine).map(|table| table.routes.as_slice()).unwrap_or_default();
        let now = Instant::now();
        let best = routes
            .iter()
            .filter(|route| route.destination.contains(&address))
            .filter(|route| state.route_state(&route.target, now) == RouteState::Active)
            .max_by_key(|route| route.destination.prefix_len());
        best.is_some_and(
            |route| matches!(&route.target, RouteTarget::Other(id) if id.starts_with("igw-")),
        )
    }

    /// The table associated with the instance's subnet, else its VPC's main one.
    fn table_of(&self, machine: &Machine) -> Option<&RouteTable> {
        let subnet = &machine.about.subnet;
        let vpc = &self.subnet(subnet)?.subnet.vpc;
        let own = self.tables.iter().find(|table| table.subnets.contains(subnet));
        own.or_else(|| self.tables.iter().find(|table| table.is_main && table.vpc == *vpc))
    }
}
