//! Everything that a `node_config` says reaches EC2: one config that holds
//! every key, against an endpoint that writes down what it is sent, and
//! against moto.
#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

use std::{collections::BTreeMap, fs, path::Path};

use aws_sdk_ec2::types::{
    Instance, InstanceAttributeName, InstanceNetworkInterface, InstanceNetworkInterfaceAttachment,
};
use muster::{
    cloud::{
        Cloud, LaunchRequest,
        ec2::{ARGUMENTS, Ec2Cloud, Timeouts},
    },
    config::{Overrides, Project, Source, load_sources},
    model::{ClusterId, Region},
};
use serde_json::Value;

use crate::support::{
    endpoint::{Answer, Endpoint, Request, config},
    moto::Moto,
};

fn every_key() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/configs/valid/every-key.yaml");
    fs::read_to_string(path).unwrap()
}

fn project(text: &str) -> Project {
    let source = Source { path: Path::new("us.yaml").into(), text: text.into() };
    let overrides = Overrides::default();
    let loaded = load_sources(Path::new(""), None, vec![source], None, &overrides);
    loaded.project.unwrap_or_else(|| unreachable!("{:#?}", loaded.diagnostics))
}

/// The requests that launch a project's groups, each with its node type.
fn requests(project: &Project) -> Vec<(String, LaunchRequest)> {
    let region = &project.regions[0];
    let request = |group: &muster::config::NodeGroup| {
        let subnet = group.template.subnets.first().map(|subnet| subnet.value.clone());
        let token = format!("token-{}", *group.node_type).into();
        let cluster = ClusterId::new("every-key-1");
        let request = region.launch_request(project, group, &cluster, subnet, token).unwrap();
        (group.node_type.value.clone(), request)
    };
    region.groups.iter().map(request).collect()
}

/// Arguments whose lists go by another name on the wire, by botocore's model of EC2.
const ON_THE_WIRE: [(&str, &str); 12] = [
    ("BlockDeviceMappings", "BlockDeviceMapping"),
    ("ElasticInferenceAccelerators", "ElasticInferenceAccelerator"),
    ("Ipv6Addresses", "Ipv6Address"),
    ("LicenseSpecifications", "LicenseSpecification"),
    ("NetworkInterfaces", "NetworkInterface"),
    ("NetworkInterfaces.Groups", "SecurityGroupId"),
    ("NetworkInterfaces.Ipv4Prefixes", "Ipv4Prefix"),
    ("NetworkInterfaces.Ipv6Prefixes", "Ipv6Prefix"),
    ("SecondaryInterfaces", "SecondaryInterface"),
    ("SecondaryInterfaces.PrivateIpAddresses", "PrivateIpAddress"),
    ("SecurityGroups", "SecurityGroup"),
    ("TagSpecifications", "TagSpecification"),
];

/// Every value of `value`, under the parameter that carries it.
fn flat(value: &Value, path: &str, wire: &str, found: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let join =
                    |a: &str, b: &str| if a.is_empty() { b.into() } else { format!("{a}.{b}") };
                let path = join(path, key);
                let name = ON_THE_WIRE.iter().find(|(own, _)| *own == path);
                flat(value, &path, &join(wire, name.map_or(key, |(_, name)| name)), found);
            }
        }
        Value::Array(items) => {
            for (item, number) in items.iter().zip(1..) {
                flat(item, path, &format!("{wire}.{number}"), found);
            }
        }
        Value::String(text) => _ = found.insert(wire.into(), text.clone()),
        other => _ = found.insert(wire.into(), other.to_string()),
    }
}

fn launched() -> Answer {
    let set = "<instancesSet><item><instanceId>i-1</instanceId><instanceState><code>0</code>\
               <name>pending</name></instanceState><instanceType>m5.large</instanceType>\
               <amiLaunchIndex>0</amiLaunchIndex><placement><availabilityZone>us-west-2a\
               </availabilityZone></placement></item></instancesSet>";
    Answer::ok("RunInstances", set)
}

fn carries(sent: &Request, request: &LaunchRequest, node_type: &str) {
    let mut expected = BTreeMap::new();
    let more: Value = request.more.clone().into();
    flat(&more, "", "", &mut expected);
    for (key, value) in &expected {
        assert_eq!(sent.get(key), Some(value.as_str()), "{node_type}: {key}");
    }
}

#[tokio::test]
async fn every_argument_reaches_ec2_in_the_launch_and_in_the_dry_run() {
    let project = project(&every_key());
    let endpoint = Endpoint::answering([launched()]).await;
    let cloud = Ec2Cloud::from_config(config(endpoint.url()), Timeouts::default());
    let region = Region::from("us-west-2");
    let mut given = Vec::new();
    for (node_type, request) in requests(&project) {
        let before = endpoint.requests().len();
        cloud.launch(&region, &request).await.unwrap();
        // The endpoint launches all the same, which counts as allowed.
        cloud.dry_run(&region, &request).await.unwrap();
        let sent = endpoint.requests();
        carries(&sent[before], &request, &node_type);
        carries(&sent[before + 1], &request, &node_type);
        given.extend(request.more.keys().cloned());
        let beside = sent[before].get("SubnetId").is_some() && request.has_interfaces();
        assert!(!beside, "{node_type}: a subnet beside network interfaces");
    }
    for argument in ARGUMENTS {
        assert!(given.iter().any(|key| key == argument), "{argument} is in no node type");
    }
}

#[tokio::test]
async fn the_same_config_is_the_same_request() {
    let (one, other) = (requests(&project(&every_key())), requests(&project(&every_key())));
    assert_eq!(one, other, "else EC2 would refuse the token");
    let sent = async |requests: &[(String, LaunchRequest)]| {
        let endpoint = Endpoint::answering([launched()]).await;
        let cloud = Ec2Cloud::from_config(config(endpoint.url()), Timeouts::default());
        for (_, request) in requests {
            cloud.launch(&Region::from("us-west-2"), request).await.unwrap();
        }
        endpoint.requests().iter().map(|sent| sent.body().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(sent(&one).await, sent(&other).await);
}

/// The config of every key with ids that moto has, and without what moto
/// takes for mistakes: an instance profile, and the second choice of image.
async fn moto_s_own(moto: &Moto) -> String {
    let client = moto.client("us-west-2");
    let key = client.create_key_pair().key_name("quokka");
    key.send().await.unwrap();
    let vpc = client.create_vpc().cidr_block("10.1.0.0/16").send().await.unwrap();
    let vpc = vpc.vpc.unwrap().vpc_id.unwrap();
    let mut text = every_key().replace("ami-0530ca8899fac469f", "ami-785db401");
    text = text.replace("latest_dlami", "ami-785db401");
    for (old, cidr) in [("subnet-11111111", "10.1.0.0/24"), ("subnet-22222222", "10.1.1.0/24")] {
        let make = client.create_subnet().vpc_id(&vpc).cidr_block(cidr);
        let made = make.availability_zone("us-west-2a").send().await.unwrap();
        text = text.replace(old, &made.subnet.unwrap().subnet_id.unwrap());
    }
    for old in ["sg-11111111", "sg-22222222", "sg-33333333"] {
        let make = client.create_security_group().vpc_id(&vpc).group_name(old).description(old);
        text = text.replace(old, &make.send().await.unwrap().group_id.unwrap());
    }
    let volume = client.create_volume().availability_zone("us-west-2a").size(100);
    let volume = volume.send().await.unwrap().volume_id.unwrap();
    let snapshot = client.create_snapshot().volume_id(volume).send().await.unwrap();
    text = text.replace("snap-11111111", &snapshot.snapshot_id.unwrap());
    let kept = text.lines().filter(|line| !line.contains("IamInstanceProfile"));
    let text = kept.collect::<Vec<_>>().join("\n");
    let (before, named) = text.split_once("  named-groups:").unwrap();
    let (_, after) = named.split_once("head_node_type:").unwrap();
    // An image for those that name none: Ray's own is not moto's.
    let before = before.replace(
        "InstanceType: c5n.18xlarge",
        "InstanceType: c5n.18xlarge\n      ImageId: ami-785db401",
    );
    format!("{before}head_node_type:{after}")
}

#[tokio::test]
async fn what_moto_describes_is_what_the_config_says() {
    let moto = Moto::start();
    let project = project(&moto_s_own(&moto).await);
    let address = moto.url().trim_start_matches("http://").to_owned();
    let endpoint = Endpoint::with(move |_, _| Answer::From(address.clone())).await;
    let cloud = Ec2Cloud::from_config(config(endpoint.url()), Timeouts::default());
    let mut described = BTreeMap::new();
    for (node_type, request) in requests(&project) {
        let before = endpoint.requests().len();
        let made = cloud.launch(&Region::from("us-west-2"), &request).await.unwrap();
        carries(&endpoint.requests()[before], &request, &node_type);
        described.insert(node_type, describe(&moto, made[0].id.as_str()).await);
    }
    let head = &described["ray.head.default"];
    assert_eq!(head.private_ip_address(), Some("10.1.0.10"));
    assert_eq!(head.ebs_optimized(), Some(true));
    assert_eq!(head.key_name(), Some("quokka"));
    assert_eq!(head.monitoring().unwrap().state().unwrap().as_str(), "enabled");
    let metadata = head.metadata_options().unwrap();
    assert_eq!(metadata.http_tokens().unwrap().as_str(), "required");
    assert_eq!(metadata.http_put_response_hop_limit(), Some(2));
    let behaviour = moto.client("us-west-2").describe_instance_attribute();
    let behaviour = behaviour
        .instance_id(head.instance_id().unwrap())
        .attribute(InstanceAttributeName::InstanceInitiatedShutdownBehavior);
    let behaviour = behaviour.send().await.unwrap();
    let behaviour = behaviour.instance_initiated_shutdown_behavior.unwrap().value.unwrap();
    assert_eq!(behaviour, "terminate");
    let root = head.block_device_mappings().iter().find(|d| d.device_name() == Some("/dev/sda1"));
    let volume = root.unwrap().ebs().unwrap().volume_id().unwrap().to_owned();
    let volumes = moto.client("us-west-2").describe_volumes().volume_ids(volume).send().await;
    let volumes = volumes.unwrap().volumes.unwrap();
    assert_eq!((volumes[0].size(), volumes[0].iops()), (Some(100), Some(3000)));
    assert_eq!(volumes[0].encrypted(), Some(true));

    let spot = &described["spot"];
    assert_eq!(spot.instance_lifecycle().unwrap().as_str(), "spot");
    let interfaces = described["interfaces"].network_interfaces();
    assert_eq!(interfaces.len(), 2);
    let groups = |index: i32| {
        let at = |one: &&InstanceNetworkInterface| {
            let attachment = one.attachment();
            attachment.and_then(InstanceNetworkInterfaceAttachment::device_index) == Some(index)
        };
        interfaces.iter().find(at).unwrap().groups().len()
    };
    assert_eq!((groups(0), groups(1)), (2, 1));
}

async fn describe(moto: &Moto, id: &str) -> Instance {
    let answer = moto.client("us-west-2").describe_instances().instance_ids(id).send().await;
    answer.unwrap().reservations.unwrap().remove(0).instances.unwrap().remove(0)
}
