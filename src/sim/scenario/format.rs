//! What a scenario file may say. Durations are in seconds, as they would be
//! in reality; the scenario's `speed` divides them all.

mod behaviour;
mod hazards;
mod region;
mod time;

use std::{collections::BTreeMap, net::Ipv4Addr, path::PathBuf};

use jiff::Timestamp;
use serde::Deserialize;

use crate::model::{InstanceType, NodeName, Region};

pub(in crate::sim) use self::{
    behaviour::{FaultAnswer, FaultSpec, NodeSpec, StepSpec},
    hazards::HazardSpec,
    region::{
        ImageSpec, InstanceSpec, KeyPairSpec, PeeringSpec, RegionSpec, RouteTableSpec, RuleSpec,
    },
    time::{Secs, Span},
};

/// A world, and the project that is to run in it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct Spec {
    /// One line for the list of scenarios.
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
    /// Eventual consistency, throttling and random faults; none by default.
    #[serde(default)]
    pub hazards: HazardSpec,
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
    /// How long other calls don't know yet of what a change has made.
    pub change_lag_s: Secs,
    /// From a peering connection's acceptance until it works.
    pub provisioning_s: Secs,
    /// What copying an image takes.
    pub image_copy_s: Secs,
    /// After which the caller gives up on an answer, as the real client does.
    pub time_limit_s: Secs,
    /// How long EC2 still lists terminated instances.
    pub remembers_s: Secs,
    /// Instance profiles that exist in the account.
    pub instance_profiles: Vec<String>,
    /// How many `RunInstances` calls a region takes, dry runs included; none:
    /// any number. EC2 takes `{ burst = 5, per_s = 2 }`.
    pub launch_bucket: Option<BucketSpec>,
}

/// A token bucket; each call takes a token, and an empty one refuses.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct BucketSpec {
    /// The tokens of a full one.
    pub burst: u32,
    /// Tokens that come back in a second.
    pub per_s: f64,
}

impl Default for ApiSpec {
    fn default() -> Self {
        Self {
            latency_s: Secs(0.12),
            operations: BTreeMap::new(),
            lag_s: Secs(0.0),
            change_lag_s: Secs(0.0),
            provisioning_s: Secs(2.0),
            image_copy_s: Secs(90.0),
            time_limit_s: Secs(30.0),
            remembers_s: Secs(3600.0),
            instance_profiles: vec!["ray-autoscaler-v1".into()],
            launch_bucket: None,
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

/// How instances boot and stop.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_field_names, reason = "the postfix is the unit, which a file has to say")]
pub(in crate::sim) struct BootSpec {
    /// From the launch to `running`.
    pub pending_s: Span,
    /// From `running` until sshd answers.
    pub ssh_s: Span,
    /// From `running` until EC2 has the console output, with the host keys in it.
    pub console_s: Span,
    /// From the call to stop until `stopped`.
    pub stopping_s: Span,
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
            console_s: Span { least: 1.0, most: 2.0 },
            stopping_s: Span { least: 15.0, most: 40.0 },
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

fn x86_64() -> String {
    "x86_64".into()
}
