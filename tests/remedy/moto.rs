//! All resources in moto, described through the SDK.
#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

use aws_sdk_ec2::Client;

use super::account::Snapshot;
use crate::support::moto::Moto;

const REGIONS: [&str; 3] = ["us-west-2", "eu-west-1", "ap-southeast-2"];

/// Returns every resource of the regions that tests use.
pub async fn snapshot(moto: &Moto) -> Snapshot {
    let mut all = Snapshot::new();
    for region in REGIONS {
        let ec2 = moto.client(region);
        networks(&ec2, region, &mut all).await;
        rest(&ec2, region, &mut all).await;
    }
    all
}

fn add<T: std::fmt::Debug>(all: &mut Snapshot, path: &str, id: Option<&str>, value: &T) {
    all.insert(format!("{path}/{}", id.unwrap_or_default()), format!("{value:?}"));
}

async fn networks(ec2: &Client, region: &str, all: &mut Snapshot) {
    let at = |kind: &str| format!("regions/{region}/{kind}");
    for one in ec2.describe_vpcs().send().await.unwrap().vpcs() {
        add(all, &at("vpcs"), one.vpc_id(), one);
    }
    for one in ec2.describe_subnets().send().await.unwrap().subnets() {
        add(all, &at("subnets"), one.subnet_id(), one);
    }
    for one in ec2.describe_route_tables().send().await.unwrap().route_tables() {
        add(all, &at("route_tables"), one.route_table_id(), one);
    }
    for one in ec2.describe_internet_gateways().send().await.unwrap().internet_gateways() {
        add(all, &at("internet_gateways"), one.internet_gateway_id(), one);
    }
    let peerings = ec2.describe_vpc_peering_connections().send().await.unwrap();
    for one in peerings.vpc_peering_connections() {
        let deleted = one
            .status()
            .and_then(|status| status.code())
            .is_some_and(|code| code.as_str() == "deleted");
        if !deleted {
            add(all, "peerings", one.vpc_peering_connection_id(), one);
        }
    }
}

async fn rest(ec2: &Client, region: &str, all: &mut Snapshot) {
    let at = |kind: &str| format!("regions/{region}/{kind}");
    for one in ec2.describe_security_groups().send().await.unwrap().security_groups() {
        add(all, &at("security_groups"), one.group_id(), one);
    }
    for one in ec2.describe_security_group_rules().send().await.unwrap().security_group_rules() {
        add(all, &at("security_group_rules"), one.security_group_rule_id(), one);
    }
    for one in ec2.describe_key_pairs().send().await.unwrap().key_pairs() {
        add(all, &at("key_pairs"), one.key_name(), one);
    }
    for one in ec2.describe_images().owners("self").send().await.unwrap().images() {
        add(all, &at("images"), one.image_id(), one);
    }
    for one in ec2.describe_tags().send().await.unwrap().tags() {
        let id =
            format!("{} {}", one.resource_id().unwrap_or_default(), one.key().unwrap_or_default());
        add(all, &at("tags"), Some(&id), one);
    }
}
