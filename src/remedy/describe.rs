//! Steps in words: what is done, how it is undone, what it costs.

use super::plan::{Action, Rewrite, Step, Target, Until, Written};
use crate::cloud::{Change, InboundRule, Ref, Source, Via};

/// What a step does, one line, without the region: `import your key as quokka`.
pub fn title(step: &Step) -> String {
    lines(step).join("; ")
}

/// The same, a line for each value that is written.
pub fn lines(step: &Step) -> Vec<String> {
    vec![match &step.action {
        Action::Change { change, .. } => of_change(change),
        Action::Wait { until, .. } => match until {
            Until::PeeringThere { peering: id, .. } => format!("wait until {id} is known here"),
            Until::PeeringActive { peering: id, .. } => format!("wait until {id} is active"),
            Until::ImageAvailable(id) => format!("wait until {id} can be launched (minutes)"),
        },
        Action::Rewrite(rewrites) => return rewrites.iter().map(of_rewrite).collect(),
    }]
}

/// What a change does, one line.
pub fn of_change(change: &Change) -> String {
    match change {
        Change::ImportKeyPair { name, public_key, .. } => {
            format!("import your key {} as {name}", public_key.short())
        }
        Change::CopyImage { name, image, from, .. } => {
            format!("copy {image} ({name}) from {from}")
        }
        Change::CreateSecurityGroup { name, vpc, .. } => {
            format!("create security group {name} in {vpc}")
        }
        Change::AuthorizeIngress { group, rules, .. } => {
            format!("let into {group}: {}", admitted(group, rules))
        }
        Change::CreatePeering { vpc, peer_region, peer_vpc, .. } => {
            format!("request a peering connection from {vpc} to {peer_vpc} in {peer_region}")
        }
        Change::AcceptPeering { peering } => format!("accept peering connection {peering}"),
        Change::CreateRoute { table, destination, via } => {
            format!("add to {table} the route {destination} through {}", through(via))
        }
        Change::ReplaceRoute { table, destination, via } => {
            format!("replace in {table} the blackhole {destination} by {}", through(via))
        }
        Change::CreateVpc { cidr, .. } => format!("create a VPC {cidr}"),
        Change::CreateSubnet { zone, cidr, .. } => format!("create a subnet {cidr} in {zone}"),
        Change::MapPublicIp { subnet } => format!("give instances in {subnet} public addresses"),
        Change::CreateInternetGateway { .. } => "create an internet gateway".into(),
        Change::AttachInternetGateway { gateway, vpc } => format!("attach {gateway} to {vpc}"),
        Change::CreateRouteTable { vpc, .. } => format!("create a route table in {vpc}"),
        Change::AssociateRouteTable { table, subnet } => format!("use {table} for {subnet}"),
        Change::CreateTags { resources, .. } => {
            let all: Vec<_> = resources.iter().map(Ref::to_string).collect();
            format!("tag {} on this side", all.join(", "))
        }
        Change::DeletePeering { peering } => format!("delete peering connection {peering}"),
        Change::DeleteSecurityGroup { group } => format!("delete security group {group}"),
        Change::DeleteSubnet { subnet } => format!("delete subnet {subnet}"),
        Change::DeleteRouteTable { table } => format!("delete route table {table}"),
        Change::DetachInternetGateway { gateway, vpc } => format!("detach {gateway} from {vpc}"),
        Change::DeleteInternetGateway { gateway } => format!("delete internet gateway {gateway}"),
        Change::DeleteVpc { vpc } => format!("delete {vpc}"),
    }
}

fn through(via: &Via) -> &Ref {
    let (Via::Peering(id) | Via::Gateway(id)) = via;
    id
}

/// `TCP 22, 6800 from 203.0.113.7/32; TCP 1024-65535 from itself, 10.2.0.0/16`
fn admitted(group: &Ref, rules: &[InboundRule]) -> String {
    let mut by_source: Vec<(String, Vec<String>)> = Vec::new();
    for rule in rules {
        let source = match &rule.source {
            Source::Cidr(cidr) => cidr.to_string(),
            Source::Group(other) if other == group => "itself".into(),
            Source::Group(other) => other.to_string(),
        };
        let ports = ports(rule);
        match by_source.iter_mut().find(|(known, _)| *known == source) {
            Some((_, all)) => all.push(ports),
            None => by_source.push((source, vec![ports])),
        }
    }
    let mut by_ports: Vec<(Vec<String>, Vec<String>)> = Vec::new();
    for (source, ports) in by_source {
        match by_ports.iter_mut().find(|(known, _)| *known == ports) {
            Some((_, all)) => all.push(source),
            None => by_ports.push((ports, vec![source])),
        }
    }
    let line = |(ports, sources): &(Vec<String>, Vec<String>)| {
        format!("TCP {} from {}", ports.join(", "), sources.join(", "))
    };
    by_ports.iter().map(line).collect::<Vec<_>>().join("; ")
}

fn ports(rule: &InboundRule) -> String {
    match (rule.ports.from, rule.ports.to) {
        (from, to) if from == to => from.to_string(),
        (from, to) => format!("{from}-{to}"),
    }
}

fn of_rewrite(rewrite: &Rewrite) -> String {
    let value = match &rewrite.value {
        Written::One(one) => one.to_string(),
        Written::List(all) => all.iter().map(Ref::to_string).collect::<Vec<_>>().join(", "),
    };
    match &rewrite.target {
        Target::At { location, key, old } => format!("{location} {key}: {old} → {value}"),
        Target::NodeConfig { file, node_type, key } => {
            format!("{} {node_type} {key}: {value}", file.display())
        }
    }
}

/// How a step is undone.
pub fn undo(step: &Step) -> &'static str {
    let Action::Change { change, .. } = &step.action else {
        return match step.action {
            Action::Rewrite(_) => "the old file is kept next to it",
            _ => "",
        };
    };
    match change {
        Change::ImportKeyPair { .. } => "delete-key-pair",
        Change::CopyImage { .. } => "deregister-image, delete-snapshot",
        Change::AuthorizeIngress { .. } => "revoke-security-group-ingress",
        // In somebody else's VPC it is no part of a network that muster built.
        Change::CreateSecurityGroup { vpc: Ref::Id(_), .. } => "delete-security-group",
        Change::AcceptPeering { .. }
        | Change::CreatePeering { vpc: Ref::Id(_), peer_vpc: Ref::Id(_), .. } => {
            "delete-vpc-peering-connection"
        }
        Change::CreateRoute { .. } => "delete-route",
        Change::ReplaceRoute { .. } => "replace-route: the old one led nowhere",
        Change::CreateSecurityGroup { .. }
        | Change::CreatePeering { .. }
        | Change::CreateVpc { .. }
        | Change::CreateSubnet { .. }
        | Change::CreateInternetGateway { .. }
        | Change::CreateRouteTable { .. } => "muster down --network",
        Change::MapPublicIp { .. }
        | Change::AttachInternetGateway { .. }
        | Change::AssociateRouteTable { .. }
        | Change::CreateTags { .. } => "goes with what it belongs to",
        _ => "muster fix creates another",
    }
}

/// What a step costs, where it costs anything. Prices: AWS's own pages, 2025.
pub fn cost(step: &Step) -> Option<&'static str> {
    let Action::Change { change, .. } = &step.action else { return None };
    match change {
        Change::CopyImage { .. } => {
            Some("$0.05 per GB and month for the snapshot, $0.02 per GB for the transfer")
        }
        Change::CreatePeering { .. } | Change::AcceptPeering { .. } => {
            Some("nothing by itself; traffic between regions from $0.02 per GB")
        }
        _ => None,
    }
}
