//! The world in moto, created through the SDK.
#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

use std::{any::Any, sync::Arc};

use aws_sdk_ec2::{
    Client,
    primitives::Blob,
    types::{
        AddPrefixListEntry, Filter, IpPermission, IpRange, ResourceType, Tag, TagSpecification,
        UserIdGroupPair,
    },
};

use muster::cloud::Cloud;

use super::world::{KEY, PUBLIC_KEY, Site, World};
use crate::support::moto::Moto;

/// Starts a world in its own server.
pub async fn world() -> World {
    let moto = Moto::start();
    let (us, eu) = (moto.client("us-west-2"), moto.client("eu-west-1"));
    let cloud = Arc::new(moto.cloud());
    made(&us, &eu, cloud, Box::new(moto)).await
}

/// Creates the world in an account with only default VPCs.
pub async fn made(us: &Client, eu: &Client, cloud: Arc<dyn Cloud>, keeps: Box<dyn Any>) -> World {
    let west = site(us, "us-west-2", 1, "10.2.0.0/16").await;
    let east = site(eu, "eu-west-1", 2, "10.1.0.0/16").await;
    let more = us.associate_vpc_cidr_block().vpc_id(west.vpc.as_str()).cidr_block("10.9.0.0/16");
    more.send().await.unwrap();
    let third = vpc(eu, "10.3.0.0/16").await;

    let active = peer(us, west.vpc.as_str(), east.vpc.as_str()).await;
    eu.accept_vpc_peering_connection().vpc_peering_connection_id(&active).send().await.unwrap();
    let waiting = peer(us, west.vpc.as_str(), &third).await;
    route(us, west.main_table.as_str(), "10.2.0.0/16", &active).await;
    route(eu, east.main_table.as_str(), "10.1.0.0/16", &active).await;
    route(us, west.own_table.as_str(), "10.3.0.0/16", &waiting).await;

    let entry = |cidr: &str| AddPrefixListEntry::builder().cidr(cidr).build();
    let list = us.create_managed_prefix_list().prefix_list_name("contract").max_entries(5);
    let list = list.address_family("IPv4").entries(entry("203.0.113.0/24"));
    let list = list.entries(entry("198.51.100.7/32")).send().await.unwrap();

    World {
        cloud,
        west,
        east,
        third: third.into(),
        active: active.into(),
        waiting: waiting.into(),
        list: list.prefix_list.unwrap().prefix_list_id.unwrap(),
        keeps,
    }
}

async fn site(ec2: &Client, region: &str, number: u8, peer: &str) -> Site {
    let key = ec2.import_key_pair().key_name(KEY);
    key.public_key_material(Blob::new(PUBLIC_KEY)).send().await.unwrap();
    let vpc = vpc(ec2, &format!("10.{number}.0.0/16")).await;
    let subnet = async |zone: &str, part: u8| {
        let call = ec2.create_subnet().vpc_id(&vpc).availability_zone(format!("{region}{zone}"));
        let made = call.cidr_block(format!("10.{number}.{part}.0/24")).send().await.unwrap();
        made.subnet.unwrap().subnet_id.unwrap()
    };
    let (subnet_a, subnet_b) = (subnet("a", 1).await, subnet("b", 2).await);
    let own_table = ec2.create_route_table().vpc_id(&vpc).send().await.unwrap();
    let own_table = own_table.route_table.unwrap().route_table_id.unwrap();
    let bind = ec2.associate_route_table().route_table_id(&own_table).subnet_id(&subnet_b);
    bind.send().await.unwrap();
    Site {
        region: region.into(),
        group: group(ec2, &vpc, peer).await.into(),
        main_table: main_table(ec2, &vpc).await.into(),
        own_table: own_table.into(),
        subnet_a: subnet_a.into(),
        subnet_b: subnet_b.into(),
        vpc: vpc.into(),
    }
}

async fn vpc(ec2: &Client, cidr: &str) -> String {
    let name = Tag::builder().key("Name").value("contract").build();
    let tags = TagSpecification::builder().resource_type(ResourceType::Vpc).tags(name).build();
    let made = ec2.create_vpc().cidr_block(cidr).tag_specifications(tags).send().await.unwrap();
    made.vpc.unwrap().vpc_id.unwrap()
}

async fn main_table(ec2: &Client, vpc: &str) -> String {
    let filter = |name: &str, value: &str| Filter::builder().name(name).values(value).build();
    let call = ec2.describe_route_tables().filters(filter("vpc-id", vpc));
    let found = call.filters(filter("association.main", "true")).send().await.unwrap();
    found.route_tables.unwrap()[0].route_table_id.clone().unwrap()
}

async fn group(ec2: &Client, vpc: &str, peer: &str) -> String {
    let call = ec2.create_security_group().vpc_id(vpc).group_name("contract");
    let id = call.description("nodes").send().await.unwrap().group_id.unwrap();
    let from = |cidr: &str| IpRange::builder().cidr_ip(cidr).build();
    let ssh = IpPermission::builder().ip_protocol("tcp").from_port(22).to_port(22);
    let itself = UserIdGroupPair::builder().group_id(&id).build();
    let all = || IpPermission::builder().ip_protocol("-1");
    ec2.authorize_security_group_ingress()
        .group_id(&id)
        .ip_permissions(ssh.ip_ranges(from("203.0.113.0/24")).build())
        .ip_permissions(all().user_id_group_pairs(itself).build())
        .send()
        .await
        .unwrap();
    // Separate, because EC2 merges rules of the same protocol and ports.
    let peer = all().ip_ranges(from(peer)).build();
    let call = ec2.authorize_security_group_ingress().group_id(&id).ip_permissions(peer);
    call.send().await.unwrap();
    id
}

/// Requests a peering connection to the VPC `to` in eu-west-1.
async fn peer(ec2: &Client, from: &str, to: &str) -> String {
    let call = ec2.create_vpc_peering_connection().vpc_id(from).peer_vpc_id(to);
    let asked = call.peer_region("eu-west-1").send().await.unwrap();
    asked.vpc_peering_connection.unwrap().vpc_peering_connection_id.unwrap()
}

async fn route(ec2: &Client, table: &str, to: &str, peering: &str) {
    let call = ec2.create_route().route_table_id(table).destination_cidr_block(to);
    call.vpc_peering_connection_id(peering).send().await.unwrap();
}
