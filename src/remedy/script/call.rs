//! What each change is called by the `aws` command, and its input.

use super::json::Json;
use crate::cloud::{Change, InboundRule, Ref, Source, Tags, Via};

/// One call of `aws ec2`.
pub(super) struct Call {
    /// The command: `create-vpc`.
    pub verb: &'static str,
    /// Where in its answer the new id is, if it makes something.
    pub made: Option<&'static str>,
    /// The input of the API operation.
    pub input: Json,
}

impl Call {
    fn new(verb: &'static str, input: Json) -> Self {
        Self { verb, made: None, input }
    }

    fn making(verb: &'static str, made: &'static str, input: Json) -> Self {
        Self { verb, made: Some(made), input }
    }

    pub fn of(change: &Change) -> Self {
        match change {
            Change::ImportKeyPair { .. }
            | Change::CopyImage { .. }
            | Change::CreateSecurityGroup { .. }
            | Change::CreateVpc { .. }
            | Change::CreateSubnet { .. }
            | Change::CreateInternetGateway { .. }
            | Change::CreateRouteTable { .. }
            | Change::CreatePeering { .. } => making(change),
            Change::AuthorizeIngress { group, rules, tags } => Self::new(
                "authorize-security-group-ingress",
                Json::object([
                    ("GroupId", Json::id(group)),
                    ("IpPermissions", Json::list(rules.iter().map(permission))),
                    tagged(&["security-group-rule"], tags),
                ]),
            ),
            Change::CreateRoute { table, destination, via } => {
                Self::new("create-route", route(table, *destination, via))
            }
            Change::ReplaceRoute { table, destination, via } => {
                Self::new("replace-route", route(table, *destination, via))
            }
            Change::CreateTags { resources, tags } => Self::new(
                "create-tags",
                Json::object([
                    ("Resources", Json::list(resources.iter().map(Json::id))),
                    ("Tags", Json::tags(tags)),
                ]),
            ),
            other => plain(other),
        }
    }
}

/// Calls that make something.
fn making(change: &Change) -> Call {
    match change {
        Change::ImportKeyPair { name, tags, .. } => Call::making(
            "import-key-pair",
            "KeyPairId",
            Json::object([("KeyName", Json::text(name)), tagged(&["key-pair"], tags)]),
        ),
        Change::CopyImage { name, image, from, token, tags } => Call::making(
            "copy-image",
            "ImageId",
            Json::object([
                ("Name", Json::text(name)),
                ("SourceImageId", Json::text(image)),
                ("SourceRegion", Json::text(from)),
                ("ClientToken", Json::text(token)),
                tagged(&["image", "snapshot"], tags),
            ]),
        ),
        Change::CreateSecurityGroup { name, description, vpc, tags } => Call::making(
            "create-security-group",
            "GroupId",
            Json::object([
                ("GroupName", Json::text(name)),
                ("Description", Json::text(description)),
                ("VpcId", Json::id(vpc)),
                tagged(&["security-group"], tags),
            ]),
        ),
        Change::CreateVpc { cidr, tags } => Call::making(
            "create-vpc",
            "Vpc.VpcId",
            Json::object([("CidrBlock", Json::text(cidr)), tagged(&["vpc"], tags)]),
        ),
        Change::CreateSubnet { vpc, zone, cidr, tags } => Call::making(
            "create-subnet",
            "Subnet.SubnetId",
            Json::object([
                ("VpcId", Json::id(vpc)),
                ("AvailabilityZone", Json::text(zone)),
                ("CidrBlock", Json::text(cidr)),
                tagged(&["subnet"], tags),
            ]),
        ),
        Change::CreateInternetGateway { tags } => Call::making(
            "create-internet-gateway",
            "InternetGateway.InternetGatewayId",
            Json::object([tagged(&["internet-gateway"], tags)]),
        ),
        Change::CreateRouteTable { vpc, tags } => Call::making(
            "create-route-table",
            "RouteTable.RouteTableId",
            Json::object([("VpcId", Json::id(vpc)), tagged(&["route-table"], tags)]),
        ),
        Change::CreatePeering { vpc, peer_region, peer_vpc, tags } => Call::making(
            "create-vpc-peering-connection",
            "VpcPeeringConnection.VpcPeeringConnectionId",
            Json::object([
                ("VpcId", Json::id(vpc)),
                ("PeerRegion", Json::text(peer_region)),
                ("PeerVpcId", Json::id(peer_vpc)),
                tagged(&["vpc-peering-connection"], tags),
            ]),
        ),
        other => plain(other),
    }
}

/// Calls that name ids and nothing else.
fn plain(change: &Change) -> Call {
    let one = |verb, field, id| Call::new(verb, Json::object([(field, Json::id(id))]));
    match change {
        Change::AcceptPeering { peering } => {
            one("accept-vpc-peering-connection", "VpcPeeringConnectionId", peering)
        }
        Change::DeletePeering { peering } => {
            one("delete-vpc-peering-connection", "VpcPeeringConnectionId", peering)
        }
        Change::MapPublicIp { subnet } => Call::new(
            "modify-subnet-attribute",
            Json::object([
                ("SubnetId", Json::id(subnet)),
                ("MapPublicIpOnLaunch", Json::object([("Value", Json::True)])),
            ]),
        ),
        Change::AttachInternetGateway { gateway, vpc } => {
            Call::new("attach-internet-gateway", gateway_and_vpc(gateway, vpc))
        }
        Change::DetachInternetGateway { gateway, vpc } => {
            Call::new("detach-internet-gateway", gateway_and_vpc(gateway, vpc))
        }
        Change::AssociateRouteTable { table, subnet } => Call::new(
            "associate-route-table",
            Json::object([("RouteTableId", Json::id(table)), ("SubnetId", Json::id(subnet))]),
        ),
        Change::DeleteSecurityGroup { group } => one("delete-security-group", "GroupId", group),
        Change::DeleteSubnet { subnet } => one("delete-subnet", "SubnetId", subnet),
        Change::DeleteRouteTable { table } => one("delete-route-table", "RouteTableId", table),
        Change::DeleteInternetGateway { gateway } => {
            one("delete-internet-gateway", "InternetGatewayId", gateway)
        }
        Change::DeleteVpc { vpc } => one("delete-vpc", "VpcId", vpc),
        other => Call::of(other),
    }
}

fn gateway_and_vpc(gateway: &Ref, vpc: &Ref) -> Json {
    Json::object([("InternetGatewayId", Json::id(gateway)), ("VpcId", Json::id(vpc))])
}

fn route(table: &Ref, destination: ipnet::Ipv4Net, via: &Via) -> Json {
    let through = match via {
        Via::Peering(peering) => ("VpcPeeringConnectionId", Json::id(peering)),
        Via::Gateway(gateway) => ("GatewayId", Json::id(gateway)),
    };
    Json::object([
        ("RouteTableId", Json::id(table)),
        ("DestinationCidrBlock", Json::text(&destination)),
        through,
    ])
}

fn permission(rule: &InboundRule) -> Json {
    let (list, source) = match &rule.source {
        Source::Cidr(cidr) => ("IpRanges", ("CidrIp", Json::text(cidr))),
        Source::Group(group) => ("UserIdGroupPairs", ("GroupId", Json::id(group))),
    };
    let source = Json::object([source, ("Description", Json::text(&rule.description))]);
    Json::object([
        ("IpProtocol", Json::text("tcp")),
        ("FromPort", Json::Number(rule.ports.from)),
        ("ToPort", Json::Number(rule.ports.to)),
        (list, Json::list([source])),
    ])
}

fn tagged(kinds: &[&str], tags: &Tags) -> (&'static str, Json) {
    let of_kind = |kind: &&str| {
        Json::object([("ResourceType", Json::text(*kind)), ("Tags", Json::tags(tags))])
    };
    ("TagSpecifications", Json::list(kinds.iter().map(of_kind)))
}
