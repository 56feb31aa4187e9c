//! What is built in: scenarios, the demo's configs, and instance types.

use crate::cloud::InstanceTypeInfo;

/// The scenarios by name, each with one line on what it shows. A test sees to
/// it that these are the lines in the files.
pub(super) const SUMMARIES: &[(&str, &str)] = &[
    ("mistakes", "three regions with the six classic mistakes in them"),
    ("healthy", "the same three regions, everything right: launch it"),
    ("capacity", "a zone without capacity, a step that needs three tries, one that never succeeds"),
    (
        "trouble",
        "nodes that boot late, refuse ssh, lose it, change their host key, or are terminated",
    ),
    (
        "unreachable",
        "every step succeeds, and the verification finds what would make a query hang for ever",
    ),
    ("denied", "an account without the permissions that a launch needs"),
    ("slow-api", "EC2 takes five seconds for every answer"),
    ("hang", "one region never answers, and nodes elsewhere hang"),
];

/// The text of the scenario `name`.
pub(super) fn scenario(name: &str) -> Option<&'static str> {
    Some(match name {
        "mistakes" => include_str!("../../assets/scenarios/mistakes.toml"),
        "healthy" => include_str!("../../assets/scenarios/healthy.toml"),
        "capacity" => include_str!("../../assets/scenarios/capacity.toml"),
        "trouble" => include_str!("../../assets/scenarios/trouble.toml"),
        "unreachable" => include_str!("../../assets/scenarios/unreachable.toml"),
        "denied" => include_str!("../../assets/scenarios/denied.toml"),
        "slow-api" => include_str!("../../assets/scenarios/slow-api.toml"),
        "hang" => include_str!("../../assets/scenarios/hang.toml"),
        _ => return None,
    })
}

/// The text of the file `name` in `assets/demo`.
pub(super) fn demo_file(name: &str) -> Option<&'static str> {
    Some(match name {
        "muster.yaml" => include_str!("../../assets/demo/muster.yaml"),
        "us.yaml" => include_str!("../../assets/demo/us.yaml"),
        "eu.yaml" => include_str!("../../assets/demo/eu.yaml"),
        "ap.yaml" => include_str!("../../assets/demo/ap.yaml"),
        "mistakes/eu.yaml" => include_str!("../../assets/demo/mistakes/eu.yaml"),
        _ => return None,
    })
}

/// Name, vCPUs, memory in GiB, architecture, and AWS's on-demand price for
/// Linux in us-west-2, in US dollars an hour.
const INSTANCE_TYPES: &[(&str, u32, u64, &str, f64)] = &[
    ("t3.micro", 2, 1, "x86_64", 0.0104),
    ("t3.medium", 2, 4, "x86_64", 0.0416),
    ("m5.large", 2, 8, "x86_64", 0.096),
    ("m5.xlarge", 4, 16, "x86_64", 0.192),
    ("m5.2xlarge", 8, 32, "x86_64", 0.384),
    ("c5.xlarge", 4, 8, "x86_64", 0.17),
    ("r5.xlarge", 4, 32, "x86_64", 0.252),
    ("r5.2xlarge", 8, 64, "x86_64", 0.504),
    ("m6g.large", 2, 8, "arm64", 0.077),
    ("m6g.xlarge", 4, 16, "arm64", 0.154),
];

/// The instance types that every simulated region has, unless its scenario lists its own.
pub(super) fn instance_types() -> impl Iterator<Item = InstanceTypeInfo> {
    INSTANCE_TYPES.iter().map(|&(name, vcpus, memory_gib, architecture, price)| InstanceTypeInfo {
        name: name.into(),
        vcpus,
        memory_mib: memory_gib * 1024,
        architectures: vec![architecture.into()],
        usd_per_hour: Some(price),
    })
}
