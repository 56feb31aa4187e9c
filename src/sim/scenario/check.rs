//! Whether a scenario names only what it describes.

use std::collections::BTreeSet;

use super::format::{LocalKeySpec, RegionSpec, Spec};
use crate::{cloud::PublicKey, model::Region, sim::catalog};

/// The API operations that a fault or a latency can be for.
const OPERATIONS: [&str; 13] = [
    "DescribeRegions",
    "DescribeImages",
    "DescribeKeyPairs",
    "DescribeSecurityGroups",
    "DescribeSubnets",
    "DescribeVpcs",
    "DescribeRouteTables",
    "DescribeVpcPeeringConnections",
    "DescribeInstanceTypes",
    "DescribeInstanceTypeOfferings",
    "DescribeInstances",
    "RunInstances",
    "TerminateInstances",
];

/// Everything that is wrong, a line each, with the key that it stands at.
pub(super) fn problems(spec: &Spec) -> Vec<String> {
    let mut wrong = Vec::new();
    if !(spec.speed.is_finite() && spec.speed > 0.0) {
        wrong.push(format!("speed: must be above zero, is {}", spec.speed));
    }
    if spec.regions.is_empty() {
        wrong.push("regions: there are none".into());
    }
    files(spec, &mut wrong);
    operations(spec, &mut wrong);
    for key in &spec.operator.keys {
        local_key(key, &mut wrong);
    }
    for (name, region) in &spec.regions {
        region_problems(name, region, spec, &mut wrong);
    }
    peerings(spec, &mut wrong);
    wrong
}

fn files(spec: &Spec, wrong: &mut Vec<String>) {
    for name in spec.project_file.iter().chain(&spec.configs).chain(&spec.recipe) {
        if !spec.files.contains_key(name) && catalog::demo_file(name).is_none() {
            wrong.push(format!("configs: no file {name:?} in [files] or assets/demo"));
        }
    }
}

fn operations(spec: &Spec, wrong: &mut Vec<String>) {
    let of_latency = spec.api.operations.keys().map(|name| ("api.operations", name));
    let of_faults = spec.faults.iter().filter_map(|fault| fault.operation.as_ref());
    for (key, name) in of_latency.chain(of_faults.map(|name| ("faults.operation", name))) {
        if !OPERATIONS.contains(&name.as_str()) {
            wrong
                .push(format!("{key}: no operation {name:?}; there are {}", OPERATIONS.join(", ")));
        }
    }
    for region in spec.faults.iter().filter_map(|fault| fault.region.as_ref()) {
        if !spec.regions.contains_key(region) {
            wrong.push(format!("faults.region: no region {region:?}"));
        }
    }
}

fn local_key(key: &LocalKeySpec, wrong: &mut Vec<String>) {
    let at = format!("operator.keys: {}", key.path.display());
    match (&key.public_key, key.problem) {
        (None, None) => wrong.push(format!("{at}: needs a public_key or a problem")),
        (Some(line), _) if PublicKey::parse(line).is_none() => {
            wrong.push(format!("{at}: public_key is not of the form `ssh-ed25519 AAAA…`"));
        }
        _ => {}
    }
}

fn region_problems(name: &Region, region: &RegionSpec, spec: &Spec, wrong: &mut Vec<String>) {
    let at = |what: &str, id: &dyn std::fmt::Display| format!("regions.{name}.{what}: {id}");
    let vpcs: BTreeSet<&str> = region.vpcs.iter().map(|vpc| vpc.id.as_str()).collect();
    let subnets: BTreeSet<&str> = region.subnets.iter().map(|one| one.id.as_str()).collect();
    let zones: BTreeSet<String> = region.zones.iter().map(|one| format!("{name}{one}")).collect();
    for vpc in region.vpcs.iter().filter(|vpc| vpc.cidrs.is_empty()) {
        wrong.push(format!("{}: needs a CIDR", at("vpcs", &vpc.id)));
    }
    for subnet in &region.subnets {
        let place = at("subnets", &subnet.id);
        let vpc = region.vpcs.iter().find(|vpc| vpc.id == subnet.vpc);
        match vpc {
            None => wrong.push(format!("{place}: no VPC {}", subnet.vpc)),
            Some(vpc) if !vpc.cidrs.iter().any(|cidr| cidr.contains(&subnet.cidr)) => {
                wrong.push(format!("{place}: {} is not within its VPC", subnet.cidr));
            }
            Some(_) => {}
        }
        if !zones.contains(subnet.zone.as_str()) {
            wrong.push(format!("{place}: no zone {}", subnet.zone));
        }
    }
    for table in &region.route_tables {
        let place = at("route_tables", &table.id);
        if !vpcs.contains(table.vpc.as_str()) {
            wrong.push(format!("{place}: no VPC {}", table.vpc));
        }
        for subnet in table.subnets.iter().filter(|id| !subnets.contains(id.as_str())) {
            wrong.push(format!("{place}: no subnet {subnet}"));
        }
    }
    for group in region.security_groups.iter().filter(|one| !vpcs.contains(one.vpc.as_str())) {
        wrong.push(format!("{}: no VPC {}", at("security_groups", &group.id), group.vpc));
    }
    for key in region.key_pairs.iter().filter(|key| PublicKey::parse(&key.public_key).is_none()) {
        wrong.push(format!("{}: public_key is not one", at("key_pairs", &key.name)));
    }
    for instance in &region.instances {
        let place = at("instances", &instance.id);
        if !subnets.contains(instance.subnet.as_str()) {
            wrong.push(format!("{place}: no subnet {}", instance.subnet));
        }
    }
    types(name, region, spec, wrong);
}

fn types(name: &Region, region: &RegionSpec, spec: &Spec, wrong: &mut Vec<String>) {
    let named = region
        .not_offered
        .iter()
        .map(|lack| &lack.instance_type)
        .chain(region.usd_per_hour.keys())
        .chain(region.capacity.iter().filter_map(|limit| limit.instance_type.as_ref()))
        .chain(region.instances.iter().map(|instance| &instance.instance_type));
    for instance_type in named {
        let known = spec.instance_types.contains_key(instance_type)
            || catalog::instance_types().any(|info| info.name == *instance_type);
        if !known {
            wrong.push(format!("regions.{name}: no instance type {instance_type}"));
        }
    }
}

fn peerings(spec: &Spec, wrong: &mut Vec<String>) {
    for peering in &spec.peerings {
        for side in [&peering.requester, &peering.accepter] {
            if !is_vpc(spec, side) {
                wrong.push(format!("peerings: {}: no VPC {side:?} (region/vpc-…)", peering.id));
            }
        }
    }
}

fn is_vpc(spec: &Spec, place: &str) -> bool {
    let Some((region, vpc)) = place.split_once('/') else { return false };
    let region = spec.regions.get(&Region::new(region));
    region.is_some_and(|region| region.vpcs.iter().any(|own| own.id.as_str() == vpc))
}
