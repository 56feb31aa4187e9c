//! The whole world at one moment, without lag, for comparing.

use std::collections::BTreeMap;

use serde::Serialize;
use tokio::time::Instant;

use super::{
    World,
    state::{RegionState, State},
};
use crate::{
    cloud::{
        Image, InboundRule, Instance, KeyPair, Peering, RegionInfo, RouteTable, SecurityGroup,
        Subnet, Tags, Vpc,
    },
    model::{Region, SecurityGroupId},
};

pub use crate::cloud::InternetGateway;

/// Everything in a world that a call could have changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Snapshot {
    /// Each region.
    pub regions: BTreeMap<Region, RegionSnapshot>,
    /// All peering connections but those that were deleted, which EC2 itself
    /// forgets in time.
    pub peerings: Vec<Peering>,
}

/// One region of a [`Snapshot`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RegionSnapshot {
    /// The region and its opt-in state.
    pub info: RegionInfo,
    /// Its images.
    pub images: Vec<Image>,
    /// Its key pairs.
    pub key_pairs: Vec<KeyPair>,
    /// Its security groups.
    pub security_groups: Vec<SecurityGroup>,
    /// Its VPCs.
    pub vpcs: Vec<Vpc>,
    /// Its subnets.
    pub subnets: Vec<Subnet>,
    /// Its route tables.
    pub route_tables: Vec<RouteTable>,
    /// Its internet gateways.
    pub internet_gateways: Vec<InternetGateway>,
    /// The inbound rules that calls added, one by one.
    pub security_group_rules: Vec<SecurityGroupRule>,
    /// The tags of all these by id; a VPC's name is one.
    pub tags: BTreeMap<String, Tags>,
    /// Its instances, ended ones included, by id.
    pub instances: Vec<Instance>,
}

/// An inbound rule as EC2 counts them: one source each.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SecurityGroupRule {
    /// Its id, `sgr-…`.
    pub id: String,
    /// Its group.
    pub group: SecurityGroupId,
    /// The rule itself.
    pub rule: InboundRule,
}

impl World {
    /// The world as it truly is now.
    pub fn snapshot(&self) -> Snapshot {
        let state = self.state();
        let now = Instant::now();
        let regions = state
            .regions
            .iter()
            .map(|(name, held)| (name.clone(), held.snapshot(&state, now)))
            .collect();
        let lasting = state.peerings.iter().filter(|held| held.visible_until.is_none());
        Snapshot { regions, peerings: lasting.map(|held| held.at(now)).collect() }
    }
}

impl RegionState {
    fn snapshot(&self, state: &State, now: Instant) -> RegionSnapshot {
        RegionSnapshot {
            info: self.info.clone(),
            images: self.images.iter().map(|held| held.at(now)).collect(),
            key_pairs: self.keys.iter().map(|held| held.pair.clone()).collect(),
            security_groups: self.groups.clone(),
            vpcs: self.vpcs.iter().map(|vpc| self.visible_vpc(vpc)).collect(),
            subnets: self.subnets.iter().map(|held| self.visible_subnet(held, now)).collect(),
            route_tables: self.tables.iter().map(|table| state.visible_table(table, now)).collect(),
            internet_gateways: self.gateways.clone(),
            security_group_rules: self.rules.clone(),
            tags: self.tags.clone(),
            instances: self.machines.values().map(|one| self.visible_instance(one, now)).collect(),
        }
    }
}
