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
        Image, Instance, KeyPair, Peering, RegionInfo, RouteTable, SecurityGroup, Subnet, Vpc,
    },
    model::Region,
};

/// Everything in a world that a call could have changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Snapshot {
    /// Each region.
    pub regions: BTreeMap<Region, RegionSnapshot>,
    /// All peering connections.
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
    /// Its instances, ended ones included, by id.
    pub instances: Vec<Instance>,
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
        Snapshot { regions, peerings: state.peerings.clone() }
    }
}

impl RegionState {
    fn snapshot(&self, state: &State, now: Instant) -> RegionSnapshot {
        RegionSnapshot {
            info: self.info.clone(),
            images: self.images.iter().map(|held| held.image.clone()).collect(),
            key_pairs: self.keys.iter().map(|held| held.pair.clone()).collect(),
            security_groups: self.groups.clone(),
            vpcs: self.vpcs.clone(),
            subnets: self.subnets.iter().map(|held| self.told_subnet(held, now)).collect(),
            route_tables: self.tables.iter().map(|table| state.told_table(table)).collect(),
            instances: self.machines.values().map(|machine| machine.told(now)).collect(),
        }
    }
}
