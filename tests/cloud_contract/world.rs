//! What both worlds hold: two regions whose VPCs are peered, a third VPC
//! whose connection waits for acceptance.

use std::{any::Any, sync::Arc};

use muster::{
    cloud::{Cloud, LaunchRequest, Market, Tags},
    model::{
        ClientToken, ImageId, KeyName, PeeringId, Region, RouteTableId, SecurityGroupId, SubnetId,
        VpcId,
    },
};

/// The key pair's name in both regions.
pub const KEY: &str = "contract";
/// Its public key.
pub const PUBLIC_KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFsoGfHGxLmrzrOAgHs8ulOy9PnUZcWmb5+EFcsuqyRm operator@example";
/// An image of Canonical's that both regions have under the same id, as moto does.
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
    /// Lets in SSH from 203.0.113.0/24, everything from itself, and
    /// everything from the other site's first CIDR.
    pub group: SecurityGroupId,
    /// Routes to the other site's first CIDR through the active connection.
    pub main_table: RouteTableId,
    /// The table of `subnet_b`; in the west it routes to 10.3.0.0/16 through
    /// the connection that waits.
    pub own_table: RouteTableId,
}

/// The world.
pub struct World {
    /// The door to it.
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
    /// What has to live as long as the world.
    #[expect(dead_code, reason = "held for being dropped with the world")]
    pub keeps: Box<dyn Any>,
}

impl Site {
    /// A launch of `count` instances that nothing speaks against.
    pub fn request(&self, count: u32, token: &str) -> LaunchRequest {
        LaunchRequest {
            image: ImageId::from(IMAGE),
            instance_type: "m5.large".into(),
            key_name: Some(KeyName::from(KEY)),
            subnet: Some(self.subnet_a.clone()),
            security_groups: vec![self.group.clone()],
            iam_profile: None,
            block_devices: Vec::new(),
            user_data: None,
            market: Market::OnDemand,
            tags: Tags::from([("test".into(), token.into()), ("kind".into(), "worker".into())]),
            count,
            token: ClientToken::from(token),
        }
    }
}
