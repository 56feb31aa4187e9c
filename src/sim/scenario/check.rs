//! Whether a scenario names only what it describes.

use std::{collections::BTreeSet, fmt::Display};

use super::format::{LocalKeySpec, RegionSpec, Spec};
use crate::{cloud::PublicKey, model::Region, sim::catalog};

/// The API operations that a fault or a latency can be for.
const OPERATIONS: [&str; 41] = [
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
    "DescribeTags",
    "GetConsoleOutput",
    "DescribeInternetGateways",
    "RunInstances",
    "TerminateInstances",
    "StopInstances",
    "StartInstances",
    "ImportKeyPair",
    "CopyImage",
    "CreateSecurityGroup",
    "AuthorizeSecurityGroupIngress",
    "CreateVpcPeeringConnection",
    "AcceptVpcPeeringConnection",
    "CreateRoute",
    "ReplaceRoute",
    "CreateVpc",
    "CreateSubnet",
    "ModifySubnetAttribute",
    "CreateInternetGateway",
    "AttachInternetGateway",
    "CreateRouteTable",
    "AssociateRouteTable",
    "CreateTags",
    "DeleteVpcPeeringConnection",
    "DeleteSecurityGroup",
    "DeleteSubnet",
    "DeleteRouteTable",
    "DetachInternetGateway",
    "DeleteInternetGateway",
    "DeleteVpc",
];

/// Everything that is wrong, a line each, with the key that it stands at.
pub(super) fn problems(spec: &Spec) -> Vec<String> {
    let mut wrong = Wrong(Vec::new());
    if !(0.001..=1000.0).contains(&spec.speed) {
        wrong.say("speed", format_args!("{} is not between 0.001 and 1000", spec.speed));
    }
    if spec.regions.is_empty() {
        wrong.say("regions", "there are none");
    }
    files(spec, &mut wrong);
    operations(spec, &mut wrong);
    nodes(spec, &mut wrong);
    for key in &spec.operator.keys {
        local_key(key, &mut wrong);
    }
    for (name, region) in &spec.regions {
        Checked { name, region, spec }.all(&mut wrong);
    }
    peerings(spec, &mut wrong);
    wrong.0
}

/// What is wrong so far.
struct Wrong(Vec<String>);

impl Wrong {
    fn say(&mut self, at: impl Display, what: impl Display) {
        self.0.push(format!("{at}: {what}"));
    }
}

fn files(spec: &Spec, wrong: &mut Wrong) {
    for name in spec.project_file.iter().chain(&spec.configs).chain(&spec.recipe) {
        if !spec.files.contains_key(name) && catalog::demo_file(name).is_none() {
            wrong.say("configs", format_args!("no file {name:?} in [files] or assets/demo"));
        }
    }
}

fn operations(spec: &Spec, wrong: &mut Wrong) {
    let of_latency = spec.api.operations.keys().map(|name| ("api.operations", name));
    let of_faults = spec.faults.iter().filter_map(|fault| fault.operation.as_ref());
    for (key, name) in of_latency.chain(of_faults.map(|name| ("faults.operation", name))) {
        if !OPERATIONS.contains(&name.as_str()) {
            wrong.say(key, format_args!("no operation {name:?}, but {}", OPERATIONS.join(", ")));
        }
    }
    for region in spec.faults.iter().filter_map(|fault| fault.region.as_ref()) {
        if !spec.regions.contains_key(region) {
            wrong.say("faults.region", format_args!("no region {region}"));
        }
    }
}

fn nodes(spec: &Spec, wrong: &mut Wrong) {
    let is_region = |name: &str| spec.regions.contains_key(&Region::new(name));
    let is_node = |name: &str| name.split_once('/').is_some_and(|(region, _)| is_region(region));
    for (name, node) in &spec.nodes {
        if !is_node(name.as_str()) {
            wrong.say("nodes", format_args!("{name:?} is not of the form <region>/worker-1"));
        }
        if node.slowness.is_some_and(|slowness| !(0.001..=1000.0).contains(&slowness)) {
            wrong.say(format_args!("nodes.{name}.slowness"), "is not between 0.001 and 1000");
        }
    }
    for name in spec.steps.iter().flat_map(|step| &step.nodes) {
        if !(["head", "worker"].contains(&name.as_str()) || is_region(name) || is_node(name)) {
            wrong.say("steps.nodes", format_args!("{name:?} is no node, region or kind"));
        }
    }
}

fn local_key(key: &LocalKeySpec, wrong: &mut Wrong) {
    let at = format!("operator.keys: {}", key.path.display());
    match (&key.public_key, key.problem) {
        (None, None) => wrong.say(at, "needs a public_key or a problem"),
        (Some(line), _) if PublicKey::parse(line).is_none() => {
            wrong.say(at, "public_key is not of the form `ssh-ed25519 AAAA…`");
        }
        _ => {}
    }
}

fn peerings(spec: &Spec, wrong: &mut Wrong) {
    for peering in &spec.peerings {
        for side in [&peering.requester, &peering.accepter] {
            if !is_vpc(spec, side) {
                let at = format_args!("peerings: {}", peering.id).to_string();
                wrong.say(at, format_args!("no VPC {side:?}, of the form <region>/vpc-…"));
            }
        }
    }
}

fn is_vpc(spec: &Spec, place: &str) -> bool {
    let Some((region, vpc)) = place.split_once('/') else { return false };
    let region = spec.regions.get(&Region::new(region));
    region.is_some_and(|region| region.vpcs.iter().any(|own| own.id.as_str() == vpc))
}

/// A region under examination.
struct Checked<'a> {
    name: &'a Region,
    region: &'a RegionSpec,
    spec: &'a Spec,
}

impl Checked<'_> {
    fn all(&self, wrong: &mut Wrong) {
        self.vpcs(wrong);
        self.subnets(wrong);
        self.route_tables(wrong);
        self.groups_and_keys(wrong);
        self.instances(wrong);
        self.types(wrong);
    }

    fn at(&self, what: &str, id: &impl Display) -> String {
        format!("regions.{}.{what}: {id}", self.name)
    }

    fn has_vpc(&self, id: &crate::model::VpcId) -> bool {
        self.region.vpcs.iter().any(|vpc| vpc.id == *id)
    }

    fn has_subnet(&self, id: &crate::model::SubnetId) -> bool {
        self.region.subnets.iter().any(|subnet| subnet.id == *id)
    }

    fn vpcs(&self, wrong: &mut Wrong) {
        for vpc in self.region.vpcs.iter().filter(|vpc| vpc.cidrs.is_empty()) {
            wrong.say(self.at("vpcs", &vpc.id), "needs a CIDR");
        }
    }

    fn subnets(&self, wrong: &mut Wrong) {
        let is_zone = |zone: &str| {
            let letter = zone.strip_prefix(self.name.as_str());
            letter.is_some_and(|letter| self.region.zones.iter().any(|own| own == letter))
        };
        for subnet in &self.region.subnets {
            let at = self.at("subnets", &subnet.id);
            match self.region.vpcs.iter().find(|vpc| vpc.id == subnet.vpc) {
                None => wrong.say(&at, format_args!("no VPC {}", subnet.vpc)),
                Some(vpc) if !vpc.cidrs.iter().any(|cidr| cidr.contains(&subnet.cidr)) => {
                    wrong.say(&at, format_args!("{} is not within its VPC", subnet.cidr));
                }
                Some(_) => {}
            }
            if !is_zone(subnet.zone.as_str()) {
                wrong.say(&at, format_args!("no zone {}", subnet.zone));
            }
        }
    }

    fn route_tables(&self, wrong: &mut Wrong) {
        for table in &self.region.route_tables {
            let at = self.at("route_tables", &table.id);
            if !self.has_vpc(&table.vpc) {
                wrong.say(&at, format_args!("no VPC {}", table.vpc));
            }
            for subnet in table.subnets.iter().filter(|id| !self.has_subnet(id)) {
                wrong.say(&at, format_args!("no subnet {subnet}"));
            }
        }
    }

    fn groups_and_keys(&self, wrong: &mut Wrong) {
        for group in self.region.security_groups.iter().filter(|group| !self.has_vpc(&group.vpc)) {
            wrong.say(self.at("security_groups", &group.id), format_args!("no VPC {}", group.vpc));
        }
        for key in &self.region.key_pairs {
            if PublicKey::parse(&key.public_key).is_none() {
                wrong.say(self.at("key_pairs", &key.name), "public_key is not one");
            }
        }
    }

    fn instances(&self, wrong: &mut Wrong) {
        for instance in &self.region.instances {
            let at = self.at("instances", &instance.id);
            if !self.has_subnet(&instance.subnet) {
                wrong.say(&at, format_args!("no subnet {}", instance.subnet));
            }
            let (images, keys) = (&self.region.images, &self.region.key_pairs);
            for image in instance.image.iter().filter(|id| !images.iter().any(|own| own.id == **id))
            {
                wrong.say(&at, format_args!("no image {image}"));
            }
            for key in
                instance.key_name.iter().filter(|id| !keys.iter().any(|own| own.name == **id))
            {
                wrong.say(&at, format_args!("no key pair {key}"));
            }
        }
    }

    fn types(&self, wrong: &mut Wrong) {
        let region = self.region;
        let known: BTreeSet<_> = catalog::instance_types()
            .map(|info| info.name)
            .chain(self.spec.instance_types.keys().cloned())
            .collect();
        let named = region
            .not_offered
            .iter()
            .map(|lack| &lack.instance_type)
            .chain(region.usd_per_hour.keys())
            .chain(region.capacity.iter().filter_map(|limit| limit.instance_type.as_ref()))
            .chain(region.instances.iter().map(|instance| &instance.instance_type));
        for instance_type in named.filter(|name| !known.contains(name)) {
            let at = format!("regions.{}", self.name);
            wrong.say(at, format_args!("no instance type {instance_type}"));
        }
    }
}
