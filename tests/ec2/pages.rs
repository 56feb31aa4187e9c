//! Answers that come in pages are read to the last one.
#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

use muster::{
    cloud::{
        Cloud, InstanceFilter, SubnetFilter,
        ec2::{Ec2Cloud, Timeouts},
    },
    model::Region,
};

use crate::support::endpoint::{Answer, Endpoint, Request, config};

/// An item as each operation returns it; `{n}` is the page.
const ITEMS: &[(&str, &str, &str)] = &[
    (
        "DescribeImages",
        "imagesSet",
        "<imageId>ami-{n}</imageId><imageState>available</imageState><architecture>arm64</architecture>",
    ),
    (
        "DescribeSecurityGroups",
        "securityGroupInfo",
        "<groupId>sg-{n}</groupId><groupName>quokka</groupName><vpcId>vpc-1</vpcId>",
    ),
    (
        "DescribeSubnets",
        "subnetSet",
        "<subnetId>subnet-{n}</subnetId><vpcId>vpc-1</vpcId><cidrBlock>10.{n}.0.0/16</cidrBlock>\
         <availabilityZone>us-west-2a</availabilityZone>",
    ),
    ("DescribeVpcs", "vpcSet", "<vpcId>vpc-{n}</vpcId><cidrBlock>10.{n}.0.0/16</cidrBlock>"),
    (
        "DescribeRouteTables",
        "routeTableSet",
        "<routeTableId>rtb-{n}</routeTableId><vpcId>vpc-1</vpcId>",
    ),
    (
        "DescribeVpcPeeringConnections",
        "vpcPeeringConnectionSet",
        "<vpcPeeringConnectionId>pcx-{n}</vpcPeeringConnectionId><status><code>active</code>\
         </status><requesterVpcInfo><vpcId>vpc-1</vpcId><region>us-west-2</region>\
         </requesterVpcInfo><accepterVpcInfo><vpcId>vpc-2</vpcId><region>eu-west-1</region>\
         </accepterVpcInfo>",
    ),
    (
        "DescribeInstanceTypes",
        "instanceTypeSet",
        "<instanceType>m{n}.large</instanceType><vCpuInfo><defaultVCpus>2</defaultVCpus>\
         </vCpuInfo><memoryInfo><sizeInMiB>8192</sizeInMiB></memoryInfo>",
    ),
    (
        "DescribeInstanceTypeOfferings",
        "instanceTypeOfferingSet",
        "<instanceType>m5.large</instanceType><location>us-west-2{n}</location>",
    ),
    (
        "DescribeInstances",
        "reservationSet",
        "<instancesSet><item><instanceId>i-{n}</instanceId><instanceType>m5.large</instanceType>\
         <instanceState><name>running</name></instanceState><placement>\
         <availabilityZone>us-west-2a</availabilityZone></placement></item></instancesSet>",
    ),
];

/// Three pages; the second one is empty, as EC2's pages may be while there are more.
fn page(request: &Request) -> Answer {
    let operation = request.get("Action").unwrap();
    let (_, set, item) = ITEMS.iter().find(|(own, ..)| *own == operation).unwrap();
    let (page, next) = match request.get("NextToken") {
        None => (Some("1"), "second"),
        Some("second") => (None, "third"),
        Some(_) => (Some("3"), ""),
    };
    let items = page.map_or(String::new(), |n| format!("<item>{}</item>", item.replace("{n}", n)));
    Answer::ok(operation, &format!("<{set}>{items}</{set}><nextToken>{next}</nextToken>"))
}

#[tokio::test]
async fn every_describe_reads_all_pages() {
    let no_prices = Answer::Http(404, String::new());
    let answer = move |request: &Request, _| {
        if request.is_for_prices() { no_prices.clone() } else { page(request) }
    };
    let endpoint = Endpoint::with(answer).await;
    let cloud = Ec2Cloud::from_config(config(endpoint.url()), Timeouts::default());
    let here = Region::from("us-west-2");
    let vpcs = ["vpc-1".into()];
    let types = ["m5.large".into()];
    let subnets = SubnetFilter::DefaultForZones;
    let tagged = InstanceFilter::Tag("a".into(), "b".into());
    let found = [
        cloud.images(&here, &["ami-1".into()]).await.unwrap().len(),
        cloud.security_groups(&here, &["sg-1".into()]).await.unwrap().len(),
        cloud.subnets(&here, &subnets).await.unwrap().len(),
        cloud.vpcs(&here, &vpcs).await.unwrap().len(),
        cloud.route_tables(&here, &vpcs).await.unwrap().len(),
        // Requested twice, once for each side, and returned once.
        cloud.peerings(&here, &vpcs).await.unwrap().len(),
        cloud.instance_types(&here, &types).await.unwrap().len(),
        cloud.offerings(&here, &types).await.unwrap().len(),
        cloud.instances(&here, &tagged).await.unwrap().len(),
    ];
    assert_eq!(found, [2; ITEMS.len()]);
    let mut requests = endpoint.requests();
    requests.retain(|request| !request.is_for_prices());
    assert_eq!(requests.len(), 3 * (ITEMS.len() + 1));
    let always = |key: &str| requests.iter().all(|request| request.get(key).is_some());
    assert!(always("MaxResults") && always("Filter.1.Name"));
}
