//! The survey: everything that the checks need to know, read once, all
//! regions side by side, in two dependent rounds of calls however many
//! regions there are.

use std::{collections::BTreeMap, path::PathBuf};

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    cloud::{
        CloudError, Image, Instance, InstanceTypeInfo, KeyPair, Offering, OptIn, Peering,
        PublicKey, RouteTable, SecurityGroup, Subnet, Vpc,
    },
    model::{Failure, GroupKey, Region},
};

/// A fact, or why it could not be read. What could not be read is never
/// taken for absent.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fact<T> {
    /// It was read.
    Known(T),
    /// It could not be read.
    Unknown(Failure),
}

impl<T> Fact<T> {
    /// The value, if known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }
}

impl<T> From<Result<T, CloudError>> for Fact<T> {
    fn from(result: Result<T, CloudError>) -> Self {
        match result {
            Ok(value) => Self::Known(value),
            Err(error) => Self::Unknown(Failure::from(&error)),
        }
    }
}

/// What is known of the world at one moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Survey {
    /// When the reading began.
    pub at: Timestamp,
    /// The public halves of the local private keys that the project names, by path.
    pub local_keys: BTreeMap<PathBuf, Fact<PublicKey>>,
    /// Each region.
    pub regions: BTreeMap<Region, RegionSurvey>,
    /// Whether no region at all could be asked (network, credentials, endpoint).
    pub not_asked: Option<Failure>,
}

/// What is known of one region. Lists hold what exists of what the project names.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RegionSurvey {
    /// Whether the account may use the region; `None` inside: no such region.
    pub opt_in: Fact<Option<OptIn>>,
    /// The images named.
    pub images: Fact<Vec<Image>>,
    /// The key pairs named.
    pub key_pairs: Fact<Vec<KeyPair>>,
    /// The groups named.
    pub security_groups: Fact<Vec<SecurityGroup>>,
    /// The subnets named, or the default ones where a group names none.
    pub subnets: Fact<Vec<Subnet>>,
    /// The VPCs of those subnets and groups.
    pub vpcs: Fact<Vec<Vpc>>,
    /// Their route tables.
    pub route_tables: Fact<Vec<RouteTable>>,
    /// Their peering connections.
    pub peerings: Fact<Vec<Peering>>,
    /// The instance types named.
    pub instance_types: Fact<Vec<InstanceTypeInfo>>,
    /// Where they are offered.
    pub offerings: Fact<Vec<Offering>>,
    /// Instances that carry the tag `ray-cluster-name` of this region's config.
    pub instances: Fact<Vec<Instance>>,
    /// The dry run of each group's launch. `Known(None)`: would be allowed.
    /// `Known(Some(…))`: EC2 refused. Absent: not asked, since what is named is missing.
    pub dry_runs: BTreeMap<GroupKey, Fact<Option<Failure>>>,
}
