//! What EC2 lists of the existing resources.

use std::sync::Arc;

use tokio::time::Instant;

use super::{
    change::Kind,
    machine::Machine,
    state::{HeldSubnet, RegionState, State},
};
use crate::{
    cloud::{
        Image, Instance, InstanceState, Interface, Route, RouteTable, Subnet, Tagged, Tags, Vpc,
        tags,
    },
    model::VpcId,
};

/// A resource with those of its tags that have one of `keys`, if any.
pub(super) fn tagged(id: &str, tags: &Tags, keys: &[&str]) -> Option<Tagged> {
    let asked = tags.iter().filter(|(key, _)| keys.contains(&key.as_str()));
    let tags: Tags = asked.map(|(key, value)| (key.clone(), value.clone())).collect();
    let kind = Kind::of(id).map(Kind::name).unwrap_or_default();
    (!tags.is_empty()).then(|| Tagged { id: id.to_owned(), kind: kind.to_owned(), tags })
}

impl RegionState {
    /// A subnet with the number of addresses that are free at `now`.
    pub(super) fn visible_subnet(&self, held: &HeldSubnet, now: Instant) -> Subnet {
        let taken = self.machines.values().filter(|machine| {
            machine.about.subnet == held.subnet.id
                && machine.state_at(now) != InstanceState::Terminated
        });
        let taken = u32::try_from(taken.count()).unwrap_or(u32::MAX);
        let available_ips = held.subnet.available_ips.saturating_sub(taken);
        Subnet { available_ips, ..held.subnet.clone() }
    }

    /// The images that calls see.
    pub(super) fn visible_images(&self, now: Instant) -> impl Iterator<Item = Image> {
        let visible = self.images.iter().filter(|held| self.is_visible(held.image.id.as_str()));
        visible.map(move |held| held.at(now))
    }

    /// The VPCs that calls see.
    pub(super) fn visible_vpcs(&self) -> impl Iterator<Item = Vpc> {
        let visible = self.vpcs.iter().filter(|vpc| self.is_visible(vpc.id.as_str()));
        visible.map(|vpc| self.visible_vpc(vpc))
    }

    /// A VPC with its name.
    pub(super) fn visible_vpc(&self, vpc: &Vpc) -> Vpc {
        let name = self.tags.get(vpc.id.as_str()).and_then(|tags| tags.get(tags::NAME));
        Vpc { name: name.cloned(), ..vpc.clone() }
    }

    /// An instance as of `moment`, with the tags that it got since its launch.
    pub(super) fn visible_instance(&self, machine: &Machine, moment: Instant) -> Instance {
        let mut instance = machine.visible(moment);
        if let Some(later) = self.tags.get(instance.id.as_str()) {
            instance.tags.extend(later.clone());
        }
        instance
    }

    /// What carries a tag of one of `keys`, instances left out.
    pub(super) fn tagged(&self, keys: &[&str]) -> impl Iterator<Item = Tagged> {
        self.tags
            .iter()
            .filter(|(id, _)| {
                let seen = self.is_visible(id) && self.shows_tags(id);
                Kind::of(id) != Some(Kind::Instance) && seen
            })
            .filter_map(|(id, tags)| tagged(id, tags, keys))
    }
}

impl State {
    /// A route table with its routes' states.
    pub(super) fn visible_table(&self, table: &RouteTable, now: Instant) -> RouteTable {
        let visible =
            |route: &Route| Route { state: self.route_state(&route.target, now), ..route.clone() };
        RouteTable { routes: table.routes.iter().map(visible).collect(), ..table.clone() }
    }
}

impl RegionState {
    /// The addresses that instances hold in `vpcs`.
    pub(super) fn interfaces(&self, vpcs: &[VpcId], now: Instant) -> Vec<Interface> {
        let visible = |machine: &Arc<Machine>| {
            let about = &machine.about;
            let vpc = &self.subnet(&about.subnet)?.subnet.vpc;
            let holds = machine.state_at(now) != InstanceState::Terminated && vpcs.contains(vpc);
            holds.then(|| Interface {
                id: about.id.as_str().replacen("i-", "eni-", 1),
                vpc: vpc.clone(),
                instance: Some(about.id.clone()),
                description: String::new(),
            })
        };
        self.machines.values().filter_map(visible).collect()
    }
}
