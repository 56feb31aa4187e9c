//! What EC2 returns, in muster's own types.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
};

use ipnet::{Ipv4Net, Ipv6Net};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{
    ClientToken, ClusterId, ImageId, InstanceId, InstanceType, KeyName, PeeringId, Region,
    RouteTableId, SecurityGroupId, SubnetId, VpcId, Zone,
};

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// A region and whether the account may use it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegionInfo {
    /// Its name.
    pub name: Region,
    /// Its opt-in state.
    pub opt_in: OptIn,
}

/// `opt-in-status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OptIn {
    /// On for every account.
    NotRequired,
    /// Has been enabled.
    OptedIn,
    /// Has to be enabled first.
    NotOptedIn,
}

/// An AMI.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Its id.
    pub id: ImageId,
    /// Its name, the same in every region that its owner published it to.
    pub name: String,
    /// The owner's account id.
    pub owner: String,
    /// Whether it can be launched.
    pub state: ImageState,
    /// `x86_64`, `arm64`, …
    pub architecture: String,
    /// When it was or will be deprecated; it still launches by id.
    pub deprecation: Option<Timestamp>,
}

/// `State` of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImageState {
    /// Can be launched.
    Available,
    /// Any other state, as EC2 names it.
    Other(String),
}

/// A public key in OpenSSH's terms. The comment is left out, so that equal
/// keys are equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PublicKey {
    /// `ssh-rsa`, `ssh-ed25519`.
    pub algorithm: String,
    /// The key's blob in base64.
    pub base64: String,
}

impl PublicKey {
    /// Reads `ssh-rsa AAAA… comment`; `None` where the line is not of that form.
    pub fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let (algorithm, base64) = (words.next()?, words.next()?);
        Some(Self { algorithm: algorithm.into(), base64: base64.into() })
    }

    /// A few characters that distinguish keys on a screen: `ssh-rsa …9dQ2Xw`.
    pub fn short(&self) -> String {
        let tail = self.base64.trim_end_matches('=');
        let start = tail.char_indices().rev().nth(5).map_or(0, |(i, _)| i);
        format!("{} …{}", self.algorithm, &tail[start..])
    }
}

/// A filter on image names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageName {
    /// This name, whatever characters it holds.
    Exact(String),
    /// Every name that starts with this text.
    StartsWith(String),
}

impl ImageName {
    /// Whether `name` is one of them.
    pub fn matches(&self, name: &str) -> bool {
        match self {
            Self::Exact(exact) => name == exact,
            Self::StartsWith(start) => name.starts_with(start),
        }
    }
}

/// A key pair of a region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPair {
    /// Its name.
    pub name: KeyName,
    /// EC2's fingerprint, whose form depends on how the key came to be: never compare it.
    pub fingerprint: String,
    /// The public key itself; EC2 does not return that of some old pairs.
    pub public_key: Option<PublicKey>,
}

/// Ports of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortRange {
    /// First port.
    pub from: u16,
    /// Last port, inclusive.
    pub to: u16,
}

/// One inbound rule of a security group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IpPermission {
    /// `tcp`, `udp`, `icmp`; `-1` is everything.
    pub protocol: String,
    /// The ports, none where the protocol has none or all are meant.
    pub ports: Option<PortRange>,
    /// Sources by IPv4 CIDR.
    pub cidrs: Vec<Ipv4Net>,
    /// Sources by IPv6 CIDR.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ipv6_cidrs: Vec<Ipv6Net>,
    /// Sources by prefix list: `pl-…`. What it holds is read apart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prefix_lists: Vec<String>,
    /// Sources by group.
    pub groups: Vec<SecurityGroupId>,
}

impl IpPermission {
    /// Whether the rule covers TCP on every port of `ports`.
    pub fn covers_tcp(&self, ports: PortRange) -> bool {
        match (self.protocol.as_str(), self.ports) {
            ("-1", _) | ("tcp" | "6", None) => true,
            ("tcp" | "6", Some(own)) => own.from <= ports.from && ports.to <= own.to,
            _ => false,
        }
    }
}

/// A security group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityGroup {
    /// Its id.
    pub id: SecurityGroupId,
    /// Its name.
    pub name: String,
    /// The VPC that it belongs to.
    pub vpc: VpcId,
    /// What it lets in.
    pub inbound: Vec<IpPermission>,
}

impl SecurityGroup {
    /// How many inbound rules it holds as EC2 counts them for IPv4: one a source.
    pub fn ipv4_rules(&self) -> usize {
        let sources =
            |one: &IpPermission| one.cidrs.len() + one.prefix_lists.len() + one.groups.len();
        self.inbound.iter().map(sources).sum()
    }
}

/// A subnet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subnet {
    /// Its id.
    pub id: SubnetId,
    /// Its VPC.
    pub vpc: VpcId,
    /// Its zone.
    pub zone: Zone,
    /// Its addresses.
    pub cidr: Ipv4Net,
    /// Whether instances here get a public address.
    pub public_ip_on_launch: bool,
    /// Addresses left.
    pub available_ips: u32,
}

/// A VPC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vpc {
    /// Its id.
    pub id: VpcId,
    /// All its associated IPv4 CIDRs, the primary one first.
    pub cidrs: Vec<Ipv4Net>,
    /// Whether it is the region's default VPC (172.31.0.0/16 everywhere).
    pub is_default: bool,
    /// The `Name` tag.
    pub name: Option<String>,
}

/// Where a route leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RouteTarget {
    /// Inside the VPC.
    Local,
    /// A peering connection.
    Peering(PeeringId),
    /// Anything else by its id: `igw-…`, `nat-…`.
    Other(String),
}

/// `State` of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RouteState {
    /// In use.
    Active,
    /// Its target does not exist, or is not active.
    Blackhole,
}

/// A route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// The addresses it is for.
    pub destination: Ipv4Net,
    /// Where it leads.
    pub target: RouteTarget,
    /// Whether it works.
    pub state: RouteState,
}

/// A route table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteTable {
    /// Its id.
    pub id: RouteTableId,
    /// Its VPC.
    pub vpc: VpcId,
    /// Whether subnets without an association use it.
    pub is_main: bool,
    /// The subnets explicitly associated with it.
    pub subnets: Vec<SubnetId>,
    /// Its routes.
    pub routes: Vec<Route>,
}

/// An internet gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InternetGateway {
    /// Its id: `igw-…`.
    pub id: String,
    /// The VPC that it is attached to; attaching and detaching count as attached.
    pub vpc: Option<VpcId>,
}

/// One side of a peering connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeeringSide {
    /// The VPC.
    pub vpc: VpcId,
    /// Its region.
    pub region: Region,
    /// Its CIDRs, where EC2 returns them (it does not before acceptance).
    pub cidrs: Vec<Ipv4Net>,
}

/// `Status.Code` of a peering connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PeeringState {
    /// Being requested.
    InitiatingRequest,
    /// Waits for the other side, for seven days.
    PendingAcceptance,
    /// Accepted, not yet usable.
    Provisioning,
    /// Works.
    Active,
    /// Could not be made (overlapping CIDRs, limits).
    Failed,
    /// Nobody accepted.
    Expired,
    /// The other side refused.
    Rejected,
    /// Going away.
    Deleting,
    /// Deleted.
    Deleted,
}

/// A VPC peering connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peering {
    /// Its id, the same on both sides.
    pub id: PeeringId,
    /// The requester.
    pub requester: PeeringSide,
    /// Who is to accept.
    pub accepter: PeeringSide,
    /// Its state.
    pub state: PeeringState,
    /// EC2's message on the state.
    pub message: String,
    /// When a pending request expires.
    pub expires: Option<Timestamp>,
}

/// What an instance type is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InstanceTypeInfo {
    /// Its name.
    pub name: InstanceType,
    /// Virtual CPUs.
    pub vcpus: u32,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// Architectures that it runs: `x86_64`, `arm64`.
    pub architectures: Vec<String>,
    /// On-demand price in US dollars an hour, where known.
    pub usd_per_hour: Option<f64>,
}

/// A type is offered in a zone (not: has capacity there).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offering {
    /// The type.
    pub instance_type: InstanceType,
    /// The zone.
    pub zone: Zone,
}

/// `InstanceState.Name`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InstanceState {
    /// Starting; billed from `running` on.
    Pending,
    /// Running and billed.
    Running,
    /// Stopping.
    Stopping,
    /// Stopped; volumes are billed.
    Stopped,
    /// Being terminated.
    ShuttingDown,
    /// Terminated.
    Terminated,
}

impl InstanceState {
    /// As EC2 writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::ShuttingDown => "shutting-down",
            Self::Terminated => "terminated",
        }
    }

    /// Whether it costs money now or soon, or holds volumes that do.
    pub fn is_live(self) -> bool {
        !matches!(self, Self::ShuttingDown | Self::Terminated)
    }

    /// Whether it is stopped or about to be: then only its volumes cost, and
    /// nothing runs on it.
    pub fn is_stopped(self) -> bool {
        matches!(self, Self::Stopping | Self::Stopped)
    }
}

/// An instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// Its id.
    pub id: InstanceId,
    /// Its state.
    pub state: InstanceState,
    /// Why it is in that state, where EC2 reports one: `Server.SpotInstanceTermination`.
    pub state_reason: Option<String>,
    /// Its type.
    pub instance_type: InstanceType,
    /// Its zone.
    pub zone: Zone,
    /// Its address within the VPC.
    pub private_ip: Option<Ipv4Addr>,
    /// Its public address.
    pub public_ip: Option<IpAddr>,
    /// When it was launched.
    pub launched: Option<Timestamp>,
    /// Whether it is a spot instance: a one-time one, as Ray and muster
    /// launch them, can't be stopped.
    pub spot: bool,
    /// Whether its root volume lasts (EBS) or is on the host's own disk
    /// (`instance-store`): then it can't be stopped either.
    pub ebs_root: bool,
    /// Its index within the call that launched it.
    pub launch_index: u32,
    /// The token of the call that launched it.
    pub token: Option<ClientToken>,
    /// Its tags.
    pub tags: Tags,
}

/// Which instances to describe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InstanceFilter {
    /// By id.
    Ids(Vec<InstanceId>),
    /// Those that carry this tag with this value.
    Tag(String, String),
    /// Those whose tag has one of these values.
    TagIn(String, Vec<String>),
    /// Those that a call with this token launched.
    Token(ClientToken),
}

impl InstanceFilter {
    /// All instances of one of muster's clusters.
    pub fn cluster(id: &ClusterId) -> Self {
        Self::Tag(super::tags::CLUSTER.into(), id.to_string())
    }
}
