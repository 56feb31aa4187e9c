//! The resources of a region, and the peering connections between regions.

use std::collections::BTreeMap;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use jiff::Timestamp;
use serde::Deserialize;

use super::x86_64;
use crate::{
    cloud::{ImageState, OptIn, PeeringState, Tags},
    model::{
        ImageId, InstanceId, InstanceType, KeyName, PeeringId, RouteTableId, SecurityGroupId,
        SubnetId, VpcId, Zone,
    },
};

/// A region of the account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct RegionSpec {
    #[serde(default = "not_required")]
    pub opt_in: OptIn,
    /// Zones by their letters, `["a", "b"]`.
    #[serde(default)]
    pub zones: Vec<String>,
    /// Types that the catalogue has, but not these zones. Empty zones: none has them.
    #[serde(default)]
    pub not_offered: Vec<NotOfferedSpec>,
    /// Prices here where they differ from the catalogue's, in US dollars an hour.
    #[serde(default)]
    pub usd_per_hour: BTreeMap<InstanceType, f64>,
    /// `L-1216C47A`; none: no limit.
    pub vcpu_quota: Option<u32>,
    /// The same for spot instances.
    pub spot_vcpu_quota: Option<u32>,
    /// Where there is room for a few more only; everywhere else there is for all.
    #[serde(default)]
    pub capacity: Vec<CapacitySpec>,
    #[serde(default)]
    pub vpcs: Vec<VpcSpec>,
    #[serde(default)]
    pub subnets: Vec<SubnetSpec>,
    #[serde(default)]
    pub route_tables: Vec<RouteTableSpec>,
    #[serde(default)]
    pub security_groups: Vec<GroupSpec>,
    /// What prefix lists hold, by id.
    #[serde(default)]
    pub prefix_lists: BTreeMap<String, Vec<IpNet>>,
    #[serde(default)]
    pub key_pairs: Vec<KeyPairSpec>,
    #[serde(default)]
    pub images: Vec<ImageSpec>,
    /// Instances that exist from the start.
    #[serde(default)]
    pub instances: Vec<InstanceSpec>,
}

fn not_required() -> OptIn {
    OptIn::NotRequired
}

/// A type that is not offered everywhere.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct NotOfferedSpec {
    pub instance_type: InstanceType,
    #[serde(default)]
    pub zones: Vec<Zone>,
}

/// How many more instances fit.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct CapacitySpec {
    pub zone: Zone,
    /// Of this type; none: of every type.
    pub instance_type: Option<InstanceType>,
    pub instances: u32,
}

/// A VPC.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct VpcSpec {
    pub id: VpcId,
    /// The primary one first.
    pub cidrs: Vec<Ipv4Net>,
    #[serde(default)]
    pub default: bool,
    pub name: Option<String>,
    /// Tags in addition to its name.
    #[serde(default)]
    pub tags: Tags,
}

/// A subnet.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct SubnetSpec {
    pub id: SubnetId,
    pub vpc: VpcId,
    pub zone: Zone,
    pub cidr: Ipv4Net,
    /// A default subnet: where an instance goes that names none.
    #[serde(default)]
    pub default: bool,
    #[serde(default = "yes")]
    pub public_ip_on_launch: bool,
    #[serde(default)]
    pub tags: Tags,
}

fn yes() -> bool {
    true
}

/// A route table. The local routes of its VPC are understood.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct RouteTableSpec {
    pub id: RouteTableId,
    pub vpc: VpcId,
    #[serde(default)]
    pub main: bool,
    #[serde(default)]
    pub subnets: Vec<SubnetId>,
    #[serde(default)]
    pub routes: Vec<RouteSpec>,
    #[serde(default)]
    pub tags: Tags,
}

/// A route. It is a black hole as long as its peering connection is not active.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct RouteSpec {
    pub to: Ipv4Net,
    /// `pcx-…`, `igw-…`; the internet gateway is there and attached to the VPC.
    pub via: String,
}

/// A security group.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct GroupSpec {
    pub id: SecurityGroupId,
    pub name: String,
    pub vpc: VpcId,
    #[serde(default)]
    pub inbound: Vec<RuleSpec>,
    #[serde(default)]
    pub tags: Tags,
}

/// An inbound rule.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct RuleSpec {
    #[serde(default = "tcp")]
    pub protocol: String,
    /// `[first, last]`; none: every one.
    pub ports: Option<[u16; 2]>,
    #[serde(default)]
    pub cidrs: Vec<Ipv4Net>,
    #[serde(default)]
    pub ipv6_cidrs: Vec<Ipv6Net>,
    #[serde(default)]
    pub prefix_lists: Vec<String>,
    #[serde(default)]
    pub groups: Vec<SecurityGroupId>,
}

fn tcp() -> String {
    "tcp".into()
}

/// A key pair.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct KeyPairSpec {
    pub name: KeyName,
    pub public_key: String,
    /// Whether EC2 returns the public key; it does not for some old pairs.
    #[serde(default = "yes")]
    pub returned: bool,
    /// Made up where not given.
    pub fingerprint: Option<String>,
    #[serde(default)]
    pub tags: Tags,
}

/// An image.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct ImageSpec {
    pub id: ImageId,
    pub name: String,
    #[serde(default = "canonical")]
    pub owner: String,
    #[serde(default = "x86_64")]
    pub architecture: String,
    #[serde(default = "available")]
    pub state: ImageState,
    /// Whether its instances have their root on the host's own disk, so that
    /// they can't be stopped.
    #[serde(default)]
    pub instance_store: bool,
    pub deprecation: Option<Timestamp>,
    /// The one user who may log in.
    #[serde(default = "ubuntu")]
    pub user: String,
    #[serde(default)]
    pub tags: Tags,
}

fn canonical() -> String {
    "099720109477".into()
}

fn available() -> ImageState {
    ImageState::Available
}

fn ubuntu() -> String {
    "ubuntu".into()
}

/// An instance that somebody launched before.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct InstanceSpec {
    pub id: InstanceId,
    pub instance_type: InstanceType,
    pub subnet: SubnetId,
    /// The image that it was launched from; none: one that accepts no login.
    pub image: Option<ImageId>,
    /// The key pair that it was launched with.
    pub key_name: Option<KeyName>,
    #[serde(default)]
    pub security_groups: Vec<SecurityGroupId>,
    #[serde(default)]
    pub spot: bool,
    /// Whether it was stopped before the world's start.
    #[serde(default)]
    pub stopped: bool,
    #[serde(default)]
    pub tags: Tags,
}

/// A peering connection.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct PeeringSpec {
    pub id: PeeringId,
    /// `region/vpc-…`
    pub requester: String,
    /// `region/vpc-…`
    pub accepter: String,
    #[serde(default = "active")]
    pub state: PeeringState,
    /// From the world's start; for one that is pending acceptance.
    pub expires_in_days: Option<f64>,
    /// On the requester's side.
    #[serde(default)]
    pub tags: Tags,
}

fn active() -> PeeringState {
    PeeringState::Active
}
