//! The config with every key, launched on moto: the described instances match the
//! config, as far as moto keeps the values.
#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{
    Instance, InstanceAttributeName, InstanceNetworkInterface, InstanceNetworkInterfaceAttachment,
    Volume,
};
use muster::{
    cloud::{
        Cloud,
        ec2::{Ec2Cloud, Timeouts},
    },
    model::Region,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::arguments::{carries, every_key, launches};
use crate::support::{
    endpoint::{Answer, Endpoint, config},
    moto::Moto,
};

/// An image that moto has.
const IMAGE: &str = "ami-785db401";

#[tokio::test]
async fn moto_describes_what_the_config_specifies() {
    let moto = Moto::start();
    let text = with_moto_s_ids(&moto).await;
    let address = moto.url().trim_start_matches("http://").to_owned();
    let endpoint = Endpoint::with(move |_, _| Answer::From(address.clone())).await;
    let cloud = Ec2Cloud::from_config(config(endpoint.url()), Timeouts::default());
    let mut described = BTreeMap::new();
    for launch in launches(&text) {
        let before = endpoint.requests().len();
        let made = cloud.launch(&Region::from("us-west-2"), &launch.request).await;
        let made = made.unwrap_or_else(|error| unreachable!("{}: {error}", launch.node_type));
        carries(&endpoint.requests()[before], &launch);
        described.insert(launch.node_type, describe(&moto, made[0].id.as_str()).await);
    }
    the_head(&moto, &described["ray.head.default"]).await;
    let spot = &described["spot"];
    assert_eq!(spot.instance_lifecycle().unwrap().as_str(), "spot");
    assert!(spot.iam_instance_profile().unwrap().arn().unwrap().ends_with("/quokka"));
    interfaces(&described["interfaces"]);
    let by_name = described["named-groups"].security_groups();
    assert_eq!(by_name[0].group_name(), Some("quokka"));
}

/// Returns the config with every key, with ids that exist in moto, and creates the
/// resources that they name.
async fn with_moto_s_ids(moto: &Moto) -> String {
    make_profile(moto).await;
    let client = moto.client("us-west-2");
    client.create_key_pair().key_name("quokka").send().await.unwrap();
    let named = client.create_security_group().group_name("quokka").description("by name");
    named.send().await.unwrap();
    let vpc = client.create_vpc().cidr_block("10.1.0.0/16").send().await.unwrap();
    let vpc = vpc.vpc.unwrap().vpc_id.unwrap();
    // moto accepts only devices with a volume, and keeps IOPS only for gp3.
    let text = every_key();
    let text: Vec<_> = text.lines().filter(|line| !line.contains("- {DeviceName:")).collect();
    let mut text = with_images(&text.join("\n")).replace("VolumeType: io2", "VolumeType: gp3");
    // moto uses the first interface's subnet for all of them.
    let create = client.create_subnet().vpc_id(&vpc).cidr_block("10.1.0.0/24");
    let made = create.availability_zone("us-west-2a").send().await.unwrap();
    let subnet = made.subnet.unwrap().subnet_id.unwrap();
    text = text.replace("subnet-11111111", &subnet).replace("subnet-22222222", &subnet);
    for old in ["sg-11111111", "sg-22222222", "sg-33333333"] {
        let create = client.create_security_group().vpc_id(&vpc);
        let create = create.group_name(old.replace("sg-", "group-")).description("every key");
        text = text.replace(old, &create.send().await.unwrap().group_id.unwrap());
    }
    let interface = client.create_network_interface().subnet_id(subnet).send().await.unwrap();
    let interface = interface.network_interface.unwrap().network_interface_id.unwrap();
    text = text.replace("eni-11111111", &interface);
    let volume = client.create_volume().availability_zone("us-west-2a").size(100);
    let volume = volume.send().await.unwrap().volume_id.unwrap();
    let snapshot = client.create_snapshot().volume_id(volume).send().await.unwrap();
    text.replace("snap-11111111", &snapshot.snapshot_id.unwrap())
}

/// Replaces Ray's image, which moto lacks, by one of moto's.
fn with_images(text: &str) -> String {
    let mut text = text.replace("ami-0530ca8899fac469f", IMAGE).replace("latest_dlami", IMAGE);
    for (before, after) in [
        ("InstanceType: c5n.18xlarge\n", ""),
        ("InstanceType: m5.large\n", "      NetworkInterfaces: [{NetworkInterfaceId"),
    ] {
        let with = format!("{before}      ImageId: {IMAGE}\n{after}");
        text = text.replace(&format!("{before}{after}"), &with);
    }
    text.replace("SecurityGroups: [quokka]", &format!("ImageId: {IMAGE}, SecurityGroups: [quokka]"))
}

/// Creates the instance profile with raw IAM requests, because muster has no IAM client.
async fn make_profile(moto: &Moto) {
    let body = "Action=CreateInstanceProfile&InstanceProfileName=quokka&Version=2010-05-08";
    let request = format!(
        "POST / HTTP/1.1\r\nHost: iam.amazonaws.com\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=AKIATEST/20260101/us-east-1/iam/aws4_request\
         \r\n\r\n{body}",
        body.len()
    );
    let address = moto.url().trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("<InstanceProfileName>quokka"), "{answer}");
}

async fn describe(moto: &Moto, id: &str) -> Instance {
    let answer = moto.client("us-west-2").describe_instances().instance_ids(id).send().await;
    answer.unwrap().reservations.unwrap().remove(0).instances.unwrap().remove(0)
}

async fn the_head(moto: &Moto, head: &Instance) {
    assert_eq!(head.private_ip_address(), Some("10.1.0.10"));
    assert_eq!(head.ebs_optimized(), Some(true));
    assert_eq!(head.key_name(), Some("quokka"));
    assert!(head.iam_instance_profile().unwrap().arn().unwrap().ends_with("/quokka"));
    assert_eq!(head.monitoring().unwrap().state().unwrap().as_str(), "enabled");
    let metadata = head.metadata_options().unwrap();
    assert_eq!(metadata.http_tokens().unwrap().as_str(), "required");
    assert_eq!(metadata.http_put_response_hop_limit(), Some(2));
    assert_eq!(head.placement().unwrap().availability_zone(), Some("us-west-2a"));
    let tag = |key| head.tags().iter().find(|tag| tag.key() == Some(key)).and_then(|t| t.value());
    assert_eq!(tag("team"), Some("data"));
    let behaviour = moto.client("us-west-2").describe_instance_attribute();
    let behaviour = behaviour
        .instance_id(head.instance_id().unwrap())
        .attribute(InstanceAttributeName::InstanceInitiatedShutdownBehavior);
    let behaviour = behaviour.send().await.unwrap();
    let behaviour = behaviour.instance_initiated_shutdown_behavior.unwrap().value.unwrap();
    assert_eq!(behaviour, "terminate");
    let root = root_volume(moto, head).await;
    assert_eq!((root.size(), root.iops()), (Some(100), Some(3000)));
    assert_eq!(root.volume_type().unwrap().as_str(), "gp3");
    assert_eq!(root.encrypted(), Some(true));
}

async fn root_volume(moto: &Moto, head: &Instance) -> Volume {
    let root = head.block_device_mappings().iter().find(|d| d.device_name() == Some("/dev/sda1"));
    let id = root.unwrap().ebs().unwrap().volume_id().unwrap();
    let volumes = moto.client("us-west-2").describe_volumes().volume_ids(id).send().await;
    volumes.unwrap().volumes.unwrap().remove(0)
}

fn interfaces(instance: &Instance) {
    let interfaces = instance.network_interfaces();
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
