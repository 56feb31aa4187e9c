//! What a scenario file may say. Durations are in seconds, as they would be
//! in reality; the scenario's `speed` divides them all.

use std::{collections::BTreeMap, net::Ipv4Addr, path::PathBuf};

use ipnet::Ipv4Net;
use jiff::Timestamp;
use serde::Deserialize;

use crate::{
    cloud::{ImageState, OptIn, PeeringState, Tags},
    model::{
        ImageId, InstanceId, InstanceType, KeyName, NodeName, PeeringId, Region, RouteTableId,
        SecurityGroupId, SubnetId, VpcId, Zone,
    },
};

/// A world, and the project that is to run in it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct Spec {
    /// One line for whoever picks a scenario.
    pub summary: String,
    /// A built-in scenario that this one changes: tables are merged; `steps`
    /// and `faults` come before its own; every other value takes its place.
    #[expect(dead_code, reason = "acted upon before the file gets this form")]
    pub extends: Option<String>,
    /// The project file, by the name of a file.
    pub project_file: Option<String>,
    /// The region configs, by the names of files.
    #[serde(default)]
    pub configs: Vec<String>,
    /// The recipe, by the name of a file; none: the built-in one.
    pub recipe: Option<String>,
    /// Files of the scenario's own, by name; others come from `assets/demo`.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// What the clock shows at first, in quotes: TOML's own dates are not read.
    #[serde(default = "default_start")]
    pub starts_at: Timestamp,
    /// Divides every duration.
    #[serde(default = "one")]
    pub speed: f64,
    #[serde(default)]
    pub api: ApiSpec,
    #[serde(default)]
    pub operator: OperatorSpec,
    #[serde(default)]
    pub boot: BootSpec,
    /// Instance types that the built-in catalogue lacks, or others of the same name.
    #[serde(default)]
    pub instance_types: BTreeMap<InstanceType, TypeSpec>,
    #[serde(default)]
    pub regions: BTreeMap<Region, RegionSpec>,
    #[serde(default)]
    pub peerings: Vec<PeeringSpec>,
    /// Nodes that do not behave as the rest, by the names that muster gives them.
    #[serde(default)]
    pub nodes: BTreeMap<NodeName, NodeSpec>,
    /// What steps print; of several entries that fit, the first one counts.
    #[serde(default)]
    pub steps: Vec<StepSpec>,
    #[serde(default)]
    pub faults: Vec<FaultSpec>,
}

fn default_start() -> Timestamp {
    // 2026-11-22 14:02:11 UTC, a day like any other.
    Timestamp::constant(1_795_356_131, 0)
}

fn one() -> f64 {
    1.0
}

/// How the EC2 API answers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::sim) struct ApiSpec {
    /// From the call to its answer.
    pub latency_s: Secs,
    /// The same for single operations: `RunInstances = 1.2`.
    pub operations: BTreeMap<String, Secs>,
    /// How far `DescribeInstances` is behind the truth.
    pub lag_s: Secs,
    /// After which the caller gives up on an answer, as the real client does.
    pub time_limit_s: Secs,
    /// How long EC2 still tells of terminated instances.
    pub remembers_s: Secs,
    /// Instance profiles that exist in the account.
    pub instance_profiles: Vec<String>,
}

impl Default for ApiSpec {
    fn default() -> Self {
        Self {
            latency_s: Secs(0.12),
            operations: BTreeMap::new(),
            lag_s: Secs(0.0),
            time_limit_s: Secs(30.0),
            remembers_s: Secs(3600.0),
            instance_profiles: vec!["ray-autoscaler-v1".into()],
        }
    }
}

/// The machine that muster runs on.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::sim) struct OperatorSpec {
    /// Where its connections come from, as the nodes see it.
    pub address: Ipv4Addr,
    /// Whether it reaches private addresses, as over a VPN.
    pub inside: bool,
    /// Its private keys.
    pub keys: Vec<LocalKeySpec>,
}

impl Default for OperatorSpec {
    fn default() -> Self {
        Self { address: Ipv4Addr::new(192, 0, 2, 10), inside: false, keys: Vec::new() }
    }
}

/// A private key file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct LocalKeySpec {
    /// Its path; `~/` stands for whatever home the configs resolve to.
    pub path: PathBuf,
    /// Its public half, as in an OpenSSH `.pub` file.
    pub public_key: Option<String>,
    /// What keeps ssh from using it.
    pub problem: Option<KeyProblem>,
}

/// What can be wrong with a private key file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::sim) enum KeyProblem {
    Unreadable,
    ReadableByOthers,
    NotAKey,
    Passphrase,
}

/// How machines come up and go.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_field_names, reason = "the postfix is the unit, which a file has to say")]
pub(in crate::sim) struct BootSpec {
    /// From the launch to `running`.
    pub pending_s: Span,
    /// From `running` until sshd answers.
    pub ssh_s: Span,
    /// From the call to terminate until `terminated`.
    pub shutting_down_s: Span,
    /// What connecting takes.
    pub connect_s: Span,
    /// How long ssh waits for an address that stays silent.
    pub connect_timeout_s: Secs,
}

impl Default for BootSpec {
    fn default() -> Self {
        Self {
            pending_s: Span { least: 12.0, most: 20.0 },
            ssh_s: Span { least: 4.0, most: 9.0 },
            shutting_down_s: Span { least: 15.0, most: 30.0 },
            connect_s: Span { least: 0.2, most: 0.6 },
            connect_timeout_s: Secs(10.0),
        }
    }
}

/// An instance type.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct TypeSpec {
    pub vcpus: u32,
    pub memory_gib: u64,
    #[serde(default = "x86_64")]
    pub architecture: String,
    pub usd_per_hour: Option<f64>,
}

pub(super) fn x86_64() -> String {
    "x86_64".into()
}

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

/// A type that is not to be had everywhere.
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
}

/// A route. It is a black hole as long as its peering connection is not active.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct RouteSpec {
    pub to: Ipv4Net,
    /// `pcx-…`, `igw-…`.
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
    /// Whether EC2 tells the public key; it does not for some old pairs.
    #[serde(default = "yes")]
    pub told: bool,
    /// Made up where not given.
    pub fingerprint: Option<String>,
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
    pub deprecation: Option<Timestamp>,
    /// The one user who may log in.
    #[serde(default = "ubuntu")]
    pub user: String,
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
    /// From the world's start; for one that waits for acceptance.
    pub expires_in_days: Option<f64>,
}

fn active() -> PeeringState {
    PeeringState::Active
}

/// What is odd about a node.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::sim) struct NodeSpec {
    pub pending_s: Option<Span>,
    pub ssh_s: Option<Span>,
    /// Goes from `pending` to `terminated`, for EC2's own reasons.
    pub never_runs: bool,
    /// Taken by spot reclamation, counted from `running`.
    pub reclaimed_after_s: Option<Secs>,
    /// Stays silent: no connection ever comes about.
    pub silent: bool,
    /// Refuses this many connections first.
    pub refuses: u32,
    /// From this connection on (the first is 1) another host key answers.
    pub other_host_key_from: Option<u32>,
    /// Every script of this node takes as many times as long.
    pub slowness: Option<f64>,
}

/// What a step prints and how it ends.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct StepSpec {
    /// The step's name; none: every step.
    pub step: Option<String>,
    /// The nodes; empty: every node. A region stands for all its nodes, `head`
    /// and `worker` for those of that kind.
    #[serde(default)]
    pub nodes: Vec<String>,
    /// The tries, from 1; empty: every try.
    #[serde(default)]
    pub attempts: Vec<u32>,
    /// What it prints, spread over the time that it takes. `{node}`,
    /// `{region}`, `{ip}` stand for the node's.
    #[serde(default)]
    pub output: String,
    #[serde(default = "a_moment")]
    pub takes_s: Span,
    /// Its exit status.
    #[serde(default)]
    pub exit: i32,
    /// Never ends by itself.
    #[serde(default)]
    pub hangs: bool,
    /// The connection breaks after this many lines, once; the script goes on.
    pub connection_lost_after: Option<u64>,
}

fn a_moment() -> Span {
    Span { least: 1.0, most: 2.0 }
}

/// An API call that does not go well.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct FaultSpec {
    /// `RunInstances`, `DescribeKeyPairs`; none: every operation.
    pub operation: Option<String>,
    /// None: every region.
    pub region: Option<Region>,
    /// `RunInstances` only: the dry runs, or the real ones; none: both.
    pub dry_run: Option<bool>,
    /// Which calls, from 1, counted by operation, region and dry or real; empty: every one.
    #[serde(default)]
    pub calls: Vec<u32>,
    /// Not before, counted from the world's start.
    #[serde(default)]
    pub from_s: Secs,
    /// Not after.
    pub until_s: Option<Secs>,
    pub answer: FaultAnswer,
}

/// What happens instead.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::sim) enum FaultAnswer {
    /// EC2 answers this code.
    Error(String),
    /// No answer ever comes, and nothing was done.
    Hang,
    /// It was done, but no answer ever comes.
    LostAnswer,
    /// The endpoint can't be reached.
    Unreachable,
    /// It takes this many seconds.
    Slow(Secs),
}

/// A duration in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(try_from = "f64")]
pub(in crate::sim) struct Secs(pub f64);

impl TryFrom<f64> for Secs {
    type Error = String;

    fn try_from(seconds: f64) -> Result<Self, String> {
        if (0.0..=1e8).contains(&seconds) {
            return Ok(Self(seconds));
        }
        Err(format!("a duration in seconds can't be {seconds}"))
    }
}

/// A duration in seconds, or a range that each node has its own place in.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(try_from = "SpanText")]
pub(in crate::sim) struct Span {
    pub least: f64,
    pub most: f64,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected seconds, or [least, most] of them")]
enum SpanText {
    Fixed(f64),
    Range([f64; 2]),
}

impl TryFrom<SpanText> for Span {
    type Error = String;

    fn try_from(text: SpanText) -> Result<Self, String> {
        let (least, most) = match text {
            SpanText::Fixed(seconds) => (seconds, seconds),
            SpanText::Range([least, most]) => (least, most),
        };
        let (Secs(least), Secs(most)) = (least.try_into()?, most.try_into()?);
        if least <= most {
            return Ok(Self { least, most });
        }
        Err(format!("a range of seconds can't go from {least} to {most}"))
    }
}
