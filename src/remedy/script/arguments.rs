//! What each change is called by the `aws` command, and its arguments.

use serde_json::{Value, json};

use super::word::id;
use crate::cloud::{Change, InboundRule, Ref, Source, Tags, Via};

/// The command, where in its answer the new id stands, and its arguments.
pub(super) fn arguments(change: &Change) -> (&'static str, Option<&'static str>, Vec<String>) {
    match change {
        Change::ImportKeyPair { .. }
        | Change::CopyImage { .. }
        | Change::CreateSecurityGroup { .. }
        | Change::CreateVpc { .. }
        | Change::CreateSubnet { .. }
        | Change::CreateInternetGateway { .. }
        | Change::CreateRouteTable { .. }
        | Change::CreatePeering { .. } => making(change),
        Change::AuthorizeIngress { group, rules, tags } => {
            let rules = Value::Array(rules.iter().map(permission).collect()).to_string();
            let mut all = words([("--group-id", id(group)), ("--ip-permissions", rules)]);
            all.extend(tagged(&["security-group-rule"], tags));
            ("authorize-security-group-ingress", None, all)
        }
        Change::AcceptPeering { peering } => {
            ("accept-vpc-peering-connection", None, peering_id(peering))
        }
        Change::DeletePeering { peering } => {
            ("delete-vpc-peering-connection", None, peering_id(peering))
        }
        Change::CreateRoute { table, destination, via } => {
            ("create-route", None, route(table, *destination, via))
        }
        Change::ReplaceRoute { table, destination, via } => {
            ("replace-route", None, route(table, *destination, via))
        }
        Change::CreateTags { resources, tags } => {
            let mut all = vec!["--resources".to_owned()];
            all.extend(resources.iter().map(id));
            all.extend(["--tags".to_owned(), tag_list(tags).to_string()]);
            ("create-tags", None, all)
        }
        _ => plain(change),
    }
}

/// Calls that make something.
fn making(change: &Change) -> (&'static str, Option<&'static str>, Vec<String>) {
    let with = |all: Vec<String>, kinds: &[&str], tags: &Tags| {
        all.into_iter().chain(tagged(kinds, tags)).collect::<Vec<_>>()
    };
    match change {
        Change::ImportKeyPair { name, tags, .. } => {
            let all = words([("--key-name", name.to_string())]);
            ("import-key-pair", Some("KeyPairId"), with(all, &["key-pair"], tags))
        }
        Change::CopyImage { name, image, from, token, tags } => {
            let all = words([
                ("--name", name.clone()),
                ("--source-image-id", image.to_string()),
                ("--source-region", from.to_string()),
                ("--client-token", token.clone()),
            ]);
            ("copy-image", Some("ImageId"), with(all, &["image", "snapshot"], tags))
        }
        Change::CreateSecurityGroup { name, description, vpc, tags } => {
            let all = words([
                ("--group-name", name.clone()),
                ("--description", description.clone()),
                ("--vpc-id", id(vpc)),
            ]);
            ("create-security-group", Some("GroupId"), with(all, &["security-group"], tags))
        }
        Change::CreateVpc { cidr, tags } => {
            let all = words([("--cidr-block", cidr.to_string())]);
            ("create-vpc", Some("Vpc.VpcId"), with(all, &["vpc"], tags))
        }
        Change::CreateSubnet { vpc, zone, cidr, tags } => {
            let all = words([
                ("--vpc-id", id(vpc)),
                ("--availability-zone", zone.to_string()),
                ("--cidr-block", cidr.to_string()),
            ]);
            ("create-subnet", Some("Subnet.SubnetId"), with(all, &["subnet"], tags))
        }
        Change::CreateInternetGateway { tags } => {
            let answer = Some("InternetGateway.InternetGatewayId");
            ("create-internet-gateway", answer, with(Vec::new(), &["internet-gateway"], tags))
        }
        Change::CreateRouteTable { vpc, tags } => {
            let all = words([("--vpc-id", id(vpc))]);
            (
                "create-route-table",
                Some("RouteTable.RouteTableId"),
                with(all, &["route-table"], tags),
            )
        }
        Change::CreatePeering { vpc, peer_region, peer_vpc, tags } => {
            let all = words([
                ("--vpc-id", id(vpc)),
                ("--peer-region", peer_region.to_string()),
                ("--peer-vpc-id", id(peer_vpc)),
            ]);
            let answer = Some("VpcPeeringConnection.VpcPeeringConnectionId");
            ("create-vpc-peering-connection", answer, with(all, &["vpc-peering-connection"], tags))
        }
        other => plain(other),
    }
}

/// Calls that name ids and nothing else.
fn plain(change: &Change) -> (&'static str, Option<&'static str>, Vec<String>) {
    let (verb, arguments) = match change {
        Change::MapPublicIp { subnet } => {
            let mut all = words([("--subnet-id", id(subnet))]);
            all.push("--map-public-ip-on-launch".into());
            ("modify-subnet-attribute", all)
        }
        Change::AttachInternetGateway { gateway, vpc } => {
            ("attach-internet-gateway", gateway_and_vpc(gateway, vpc))
        }
        Change::DetachInternetGateway { gateway, vpc } => {
            ("detach-internet-gateway", gateway_and_vpc(gateway, vpc))
        }
        Change::AssociateRouteTable { table, subnet } => (
            "associate-route-table",
            words([("--route-table-id", id(table)), ("--subnet-id", id(subnet))]),
        ),
        Change::DeleteSecurityGroup { group } => {
            ("delete-security-group", words([("--group-id", id(group))]))
        }
        Change::DeleteSubnet { subnet } => ("delete-subnet", words([("--subnet-id", id(subnet))])),
        Change::DeleteRouteTable { table } => {
            ("delete-route-table", words([("--route-table-id", id(table))]))
        }
        Change::DeleteInternetGateway { gateway } => {
            ("delete-internet-gateway", words([("--internet-gateway-id", id(gateway))]))
        }
        Change::DeleteVpc { vpc } => ("delete-vpc", words([("--vpc-id", id(vpc))])),
        other => return arguments(other),
    };
    (verb, None, arguments)
}

fn gateway_and_vpc(gateway: &Ref, vpc: &Ref) -> Vec<String> {
    words([("--internet-gateway-id", id(gateway)), ("--vpc-id", id(vpc))])
}

fn peering_id(peering: &Ref) -> Vec<String> {
    words([("--vpc-peering-connection-id", id(peering))])
}

fn route(table: &Ref, destination: ipnet::Ipv4Net, via: &Via) -> Vec<String> {
    let through = match via {
        Via::Peering(peering) => ("--vpc-peering-connection-id", id(peering)),
        Via::Gateway(gateway) => ("--gateway-id", id(gateway)),
    };
    let destination = destination.to_string();
    words([("--route-table-id", id(table)), ("--destination-cidr-block", destination), through])
}

fn permission(rule: &InboundRule) -> Value {
    let description = &rule.description;
    let (key, source) = match &rule.source {
        Source::Cidr(cidr) => {
            ("IpRanges", json!([{ "CidrIp": cidr.to_string(), "Description": description }]))
        }
        Source::Group(group) => {
            ("UserIdGroupPairs", json!([{ "GroupId": id(group), "Description": description }]))
        }
    };
    json!({ "IpProtocol": "tcp", "FromPort": rule.ports.from, "ToPort": rule.ports.to, key: source })
}

fn tagged(kinds: &[&str], tags: &Tags) -> Vec<String> {
    let of_kind = |kind: &&str| json!({ "ResourceType": kind, "Tags": tag_list(tags) });
    let specifications = Value::Array(kinds.iter().map(of_kind).collect());
    vec!["--tag-specifications".to_owned(), specifications.to_string()]
}

fn tag_list(tags: &Tags) -> Value {
    tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect()
}

fn words<const N: usize>(pairs: [(&str, String); N]) -> Vec<String> {
    pairs.into_iter().flat_map(|(option, value)| [option.to_owned(), value]).collect()
}
