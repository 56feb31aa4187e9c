//! The survey: everything that the checks need to know, read once, all
//! regions side by side, in two dependent rounds of calls however many
//! regions there are.

mod dry_run;
mod lookup;
pub(crate) mod named;
mod region;
mod take;

pub use dry_run::blockers;
pub use lookup::Absent;
pub(crate) use region::same_name;
pub use take::{SurveyOptions, take};

use std::{collections::BTreeMap, path::PathBuf};

use ipnet::IpNet;
use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::{
    cloud::{
        CloudError, Image, Instance, InstanceTypeInfo, KeyPair, Offering, OptIn, Peering,
        PublicKey, RouteTable, SecurityGroup, Subnet, Vpc,
    },
    model::{Failure, GroupKey, InstanceType, Region, SubnetId},
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
    /// Whether the credentials that `aws_credentials: copy` sends last until somebody
    /// rotates them; none: nothing is copied.
    pub copied_keys_last: Option<Fact<bool>>,
    /// Whether no region at all could be asked (network, credentials, endpoint).
    pub not_asked: Option<Failure>,
}

/// What is known of one region. Lists hold what exists of what the project names.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RegionSurvey {
    /// Why the region could not be read at all; then nothing here is known
    /// but what other regions report of it.
    pub not_asked: Option<Failure>,
    /// Whether the account may use the region; `None` inside: no such region.
    pub opt_in: Fact<Option<OptIn>>,
    /// The images named, also those that only other regions' configs name.
    pub images: Fact<Vec<Image>>,
    /// The key pairs named.
    pub key_pairs: Fact<Vec<KeyPair>>,
    /// The groups named by id, and those of the names given, in whatever VPC.
    pub security_groups: Fact<Vec<SecurityGroup>>,
    /// What the prefix lists hold that rules of those groups name, by id.
    pub prefix_lists: BTreeMap<String, Fact<Vec<IpNet>>>,
    /// The subnets named, or the default ones where a group names none.
    pub subnets: Fact<Vec<Subnet>>,
    /// Which of them are the default ones; empty where every group names its own.
    pub default_subnets: Fact<Vec<SubnetId>>,
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
    /// Instances that carry the tag `ray-cluster-name` of one of this region's configs.
    pub instances: Fact<Vec<Instance>>,
    /// The dry run of each group's launch. `Known(None)`: would be allowed.
    /// `Known(Some(…))`: EC2 refused. Absent: not checked, since a named resource is missing.
    #[serde(serialize_with = "by_name")]
    pub dry_runs: BTreeMap<GroupKey, Fact<Option<Failure>>>,
}

/// JSON takes no other keys than text.
fn by_name<S: Serializer>(
    dry_runs: &BTreeMap<GroupKey, Fact<Option<Failure>>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(dry_runs.iter().map(|(group, answer)| (group.to_string(), answer)))
}

impl Survey {
    /// The on-demand price of `instance_type` in `region`, in US dollars an hour.
    pub fn usd_per_hour(&self, region: &Region, instance_type: &InstanceType) -> Option<f64> {
        let types = self.regions.get(region)?.instance_types.known()?;
        types.iter().find(|info| info.name == *instance_type)?.usd_per_hour
    }

    /// Takes over from `earlier` the dry runs that this survey did not make.
    pub fn keep_dry_runs(&mut self, earlier: &Self) {
        for (name, region) in &mut self.regions {
            let known = earlier.regions.get(name).map(|region| region.dry_runs.clone());
            for (group, answer) in known.unwrap_or_default() {
                region.dry_runs.entry(group).or_insert(answer);
            }
        }
    }
}

impl RegionSurvey {
    /// A region of which nothing could be read, for this reason.
    pub fn unknown(reason: &Failure) -> Self {
        Self {
            not_asked: None,
            opt_in: Fact::Unknown(reason.clone()),
            images: Fact::Unknown(reason.clone()),
            key_pairs: Fact::Unknown(reason.clone()),
            security_groups: Fact::Unknown(reason.clone()),
            prefix_lists: BTreeMap::new(),
            subnets: Fact::Unknown(reason.clone()),
            default_subnets: Fact::Unknown(reason.clone()),
            vpcs: Fact::Unknown(reason.clone()),
            route_tables: Fact::Unknown(reason.clone()),
            peerings: Fact::Unknown(reason.clone()),
            instance_types: Fact::Unknown(reason.clone()),
            offerings: Fact::Unknown(reason.clone()),
            instances: Fact::Unknown(reason.clone()),
            dry_runs: BTreeMap::new(),
        }
    }
}
