//! The contents of all worlds: two regions whose VPCs are peered, and a third VPC
//! whose connection is pending acceptance.

#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

use std::{any::Any, sync::Arc};

use ipnet::Ipv4Net;
use muster::{
    cloud::{Change, Cloud, InboundRule, LaunchRequest, Market, PortRange, Source, Tags, tags},
    model::{
        ClientToken, ImageId, KeyName, PeeringId, Region, RouteTableId, SecurityGroupId, SubnetId,
        VpcId,
    },
};

/// The key pair's name in both regions.
pub const KEY: &str = "contract";
/// Its public key.
pub const PUBLIC_KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFsoGfHGxLmrzrOAgHs8ulOy9PnUZcWmb5+EFcsuqyRm operator@example";
/// An image by Canonical that has the same id in both regions, as in moto.
pub const IMAGE: &str = "ami-1e749f67";
/// Its name.
pub const IMAGE_NAME: &str = "ubuntu/images/hvm-ssd/ubuntu-trusty-14.04-amd64-server-20170727";

/// A region of the world.
pub struct Site {
    /// The region.
    pub region: Region,
    /// A VPC of its own: 10.1.0.0/16 and 10.9.0.0/16 in the west,
    /// 10.2.0.0/16 in the east; named `contract`.
    pub vpc: VpcId,
    /// In zone a, 10.n.1.0/24, with the main route table.
    pub subnet_a: SubnetId,
    /// In zone b, 10.n.2.0/24, with a route table of its own.
    pub subnet_b: SubnetId,
    /// Admits SSH from 203.0.113.0/24, everything from itself, and everything from the
    /// other site's first CIDR.
    pub group: SecurityGroupId,
    /// Routes to the other site's first CIDR through the active connection.
    pub main_table: RouteTableId,
    /// The table of `subnet_b`; in the west it routes to 10.3.0.0/16 through the pending
    /// connection.
    pub own_table: RouteTableId,
}

/// The world.
pub struct World {
    /// The adapter to it.
    pub cloud: Arc<dyn Cloud>,
    /// us-west-2.
    pub west: Site,
    /// eu-west-1.
    pub east: Site,
    /// In the east, 10.3.0.0/16.
    pub third: VpcId,
    /// From the west's VPC to the east's.
    pub active: PeeringId,
    /// From the west's VPC to the third.
    pub waiting: PeeringId,
    /// In the west, a prefix list of 203.0.113.0/24 and 198.51.100.7/32.
    pub list: String,
    /// What has to live as long as the world.
    #[expect(dead_code, reason = "held for being dropped with the world")]
    pub keeps: Box<dyn Any>,
}

impl World {
    /// Applies a change that creates a resource; returns its id.
    pub async fn make(&self, region: &Region, change: Change) -> String {
        assert!(change.makes(), "{change:?}");
        self.cloud.change(region, &change).await.unwrap().unwrap()
    }

    /// Applies a change that creates nothing.
    pub async fn change(&self, region: &Region, change: Change) {
        assert!(!change.makes(), "{change:?}");
        assert_eq!(self.cloud.change(region, &change).await.unwrap(), None, "{change:?}");
    }

    /// Returns EC2's code for refusing a change.
    pub async fn refusal(&self, region: &Region, change: Change) -> String {
        let refused = self.cloud.change(region, &change).await;
        let Err(error) = refused else { unreachable!("{change:?}: {refused:?}") };
        assert_eq!((&error.region, error.operation), (region, change.operation()));
        assert!(!error.outcome_unknown(), "{error}");
        error.code.unwrap()
    }
}

/// Returns the tags of resources created by `step`.
pub fn tagged_as(step: &str) -> Tags {
    Tags::from([(tags::REMEDY.into(), step.into()), (tags::NAME.into(), "muster".into())])
}

/// Addresses.
pub fn cidr(text: &str) -> Ipv4Net {
    text.parse().unwrap()
}

/// An inbound rule for addresses.
pub fn rule([from, to]: [u16; 2], source: &str) -> InboundRule {
    let ports = PortRange { from, to };
    InboundRule { ports, source: Source::Cidr(cidr(source)), description: "contract".into() }
}

/// An inbound rule for a group.
pub fn rule_from([from, to]: [u16; 2], group: &str) -> InboundRule {
    let ports = PortRange { from, to };
    InboundRule { ports, source: Source::Group(group.into()), description: "contract".into() }
}

impl Site {
    /// Returns a valid launch of `count` instances.
    pub fn request(&self, count: u32, token: &str) -> LaunchRequest {
        LaunchRequest {
            image: ImageId::from(IMAGE),
            instance_type: "m5.large".into(),
            key_name: Some(KeyName::from(KEY)),
            subnet: Some(self.subnet_a.clone()),
            security_groups: vec![self.group.clone()],
            iam_profile: None,
            more: muster::cloud::Arguments::new(),
            user_data: None,
            market: Market::OnDemand,
            tags: Tags::from([("test".into(), token.into()), ("kind".into(), "worker".into())]),
            count,
            token: ClientToken::from(token),
        }
    }
}
