//! Every value of a `node_config` reaches EC2. A config that holds every key is
//! parsed by a second parser and compared with the requests that an endpoint
//! receives, and with what moto then describes.
#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

use std::{collections::BTreeSet, fs, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use muster::{
    cloud::{
        Cloud, GroupSelection, LaunchRequest,
        ec2::{ARGUMENTS, Ec2Cloud, Timeouts},
    },
    config::{NodeGroup, Overrides, Project, Source, keys_markdown, load_sources},
    model::{ClusterId, Region},
};
use serde_yaml::Value;

use crate::support::endpoint::{Answer, Endpoint, Request, config};

/// The config of every key.
pub fn every_key() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/configs/valid/every-key.yaml");
    fs::read_to_string(path).unwrap()
}

/// A node type as its file defines it, and the request that launches it.
pub struct Launch {
    /// Its name.
    pub node_type: String,
    /// Its `node_config`, read by another parser than muster's.
    pub node_config: Value,
    /// The request that muster builds from it.
    pub request: LaunchRequest,
}

/// The launches of a config, in the order of its groups.
pub fn launches(text: &str) -> Vec<Launch> {
    let mut document: Value = serde_yaml::from_str(text).unwrap();
    document.apply_merge().unwrap();
    let project = project(text);
    let launch = |group: &NodeGroup| {
        let node_type = group.node_type.value.clone();
        let node_config =
            document["available_node_types"][node_type.as_str()]["node_config"].clone();
        Launch { request: request(&project, group), node_type, node_config }
    };
    project.regions[0].groups.iter().map(launch).collect()
}

fn project(text: &str) -> Project {
    let source = Source { path: Path::new("us.yaml").into(), text: text.into() };
    let overrides = Overrides::default();
    let loaded = load_sources(Path::new(""), None, vec![source], None, &overrides);
    loaded.project.unwrap_or_else(|| unreachable!("{:#?}", loaded.diagnostics))
}

fn request(project: &Project, group: &NodeGroup) -> LaunchRequest {
    let token = format!("token-{}", *group.node_type).into();
    let cluster = ClusterId::new("every-key-1");
    let mut template = project.regions[0].launch_template(project, group, &cluster).unwrap();
    // The endpoint has no group of the config's name.
    if let GroupSelection::Names(_) = template.groups {
        template.groups = GroupSelection::Ids(Vec::new());
    }
    let groups = template.groups.resolve(|name| Err(name.to_owned())).unwrap();
    let subnet = template.subnets.first().cloned();
    template.request(subnet, groups, group.count, token)
}

/// Parameters with another name on the wire, according to botocore's model of EC2.
const ON_THE_WIRE: [(&str, &str); 13] = [
    ("BlockDeviceMappings", "BlockDeviceMapping"),
    ("Ipv6Addresses", "Ipv6Address"),
    ("LicenseSpecifications", "LicenseSpecification"),
    ("NetworkInterfaces", "NetworkInterface"),
    ("NetworkInterfaces.Groups", "SecurityGroupId"),
    ("NetworkInterfaces.Ipv4Prefixes", "Ipv4Prefix"),
    ("NetworkInterfaces.Ipv6Prefixes", "Ipv6Prefix"),
    ("SecondaryInterfaces", "SecondaryInterface"),
    ("SecondaryInterfaces.PrivateIpAddresses", "PrivateIpAddress"),
    ("SecurityGroupIds", "SecurityGroupId"),
    ("SecurityGroups", "SecurityGroup"),
    ("SubnetIds", "SubnetId"),
    ("TagSpecifications", "TagSpecification"),
];

/// Collects every value below `value`: its key path, its parameter, and its text.
fn flat(value: &Value, path: &str, wire: &str, found: &mut Vec<[String; 3]>) {
    let join = |a: &str, b: &str| if a.is_empty() { b.into() } else { format!("{a}.{b}") };
    match value {
        Value::Mapping(map) => {
            for (key, value) in map {
                let key = key.as_str().unwrap();
                let path = join(path, key);
                let name = ON_THE_WIRE.iter().find(|(own, _)| *own == path);
                flat(value, &path, &join(wire, name.map_or(key, |(_, name)| name)), found);
            }
        }
        Value::Sequence(items) => {
            for (item, number) in items.iter().zip(1..) {
                flat(item, path, &format!("{wire}.{number}"), found);
            }
        }
        Value::String(text) => found.push([path.into(), wire.into(), text.clone()]),
        Value::Bool(flag) => found.push([path.into(), wire.into(), flag.to_string()]),
        Value::Number(number) => found.push([path.into(), wire.into(), number.to_string()]),
        other => unreachable!("{path}: {other:?}"),
    }
}

/// Asserts that `sent` holds every value of the node type's config.
pub fn carries(sent: &Request, launch: &Launch) {
    let mut values = Vec::new();
    flat(&launch.node_config, "", "", &mut values);
    for [path, wire, text] in values {
        let at = format!("{}: {path} as {wire}", launch.node_type);
        match path.as_str() {
            // Ray's alias for its own image in the region.
            "ImageId" if text == "latest_dlami" => {
                assert!(sent.get(&wire).unwrap().starts_with("ami-"), "{at}");
            }
            // One call accepts one subnet.
            "SubnetIds" => assert_eq!(sent.get("SubnetId"), Some(text.as_str()), "{at}"),
            "UserData" => {
                assert_eq!(sent.get(&wire), Some(STANDARD.encode(text).as_str()), "{at}");
            }
            // Merged with muster's own tags.
            _ if path.starts_with("TagSpecifications") => {}
            _ => assert_eq!(sent.get(&wire), Some(text.as_str()), "{at}"),
        }
    }
    for specification in launch.node_config["TagSpecifications"].as_sequence().into_iter().flatten()
    {
        for tag in specification["Tags"].as_sequence().unwrap() {
            assert!(has_tag(sent, &specification["ResourceType"], tag), "{tag:?}");
        }
    }
}

fn has_tag(sent: &Request, resource: &Value, tag: &Value) -> bool {
    let at = |key: String| sent.get(&key);
    let specification = (1..100)
        .map(|n| format!("TagSpecification.{n}"))
        .take_while(|one| at(format!("{one}.ResourceType")).is_some())
        .find(|one| at(format!("{one}.ResourceType")) == resource.as_str());
    let Some(specification) = specification else { return false };
    (1..100)
        .map(|n| format!("{specification}.Tag.{n}"))
        .take_while(|one| at(format!("{one}.Key")).is_some())
        .any(|one| {
            at(format!("{one}.Key")) == tag["Key"].as_str()
                && at(format!("{one}.Value")) == tag["Value"].as_str()
        })
}

fn launched() -> Answer {
    let set = "<instancesSet><item><instanceId>i-1</instanceId><instanceState><code>0</code>\
               <name>pending</name></instanceState><instanceType>m5.large</instanceType>\
               <amiLaunchIndex>0</amiLaunchIndex><placement><availabilityZone>us-west-2a\
               </availabilityZone></placement></item></instancesSet>";
    Answer::ok("RunInstances", set)
}

#[tokio::test]
async fn every_argument_reaches_ec2_in_the_launch_and_in_the_dry_run() {
    let endpoint = Endpoint::answering([launched()]).await;
    let cloud = Ec2Cloud::from_config(config(endpoint.url()), Timeouts::default());
    let region = Region::from("us-west-2");
    for launch in launches(&every_key()) {
        let before = endpoint.requests().len();
        cloud.launch(&region, &launch.request).await.unwrap();
        // The endpoint launches anyway, which counts as allowed.
        cloud.dry_run(&region, &launch.request).await.unwrap();
        let sent = endpoint.requests();
        assert_eq!(sent.len(), before + 2);
        carries(&sent[before], &launch);
        carries(&sent[before + 1], &launch);
        let both = sent[before].get("SubnetId").is_some() && launch.request.has_interfaces();
        assert!(!both, "{}: a subnet in addition to network interfaces", launch.node_type);
    }
}

/// The test above sends every key that the tables mark as used.
#[test]
fn the_config_of_every_key_launches_every_key() {
    let (mut values, mut given) = (Vec::new(), BTreeSet::new());
    for launch in launches(&every_key()) {
        flat(&launch.node_config, "", "", &mut values);
        given.extend(launch.request.more.keys().cloned());
    }
    let values: BTreeSet<String> = values.into_iter().map(|[path, ..]| path).collect();
    let table = keys_markdown();
    let table = table.split_once("\n## `node_config`\n").unwrap().1.split("\n## ").next().unwrap();
    for row in table.lines().filter(|row| row.contains("| used |") || row.contains("| passed on |"))
    {
        let path = row.trim_start_matches("| `").split('`').next().unwrap();
        let stands = values.iter().any(|one| {
            one.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        });
        assert!(stands, "{path} is launched by no node type");
    }
    for argument in ARGUMENTS {
        assert!(given.contains(*argument), "{argument} is in no request");
    }
}

#[tokio::test]
async fn the_same_config_is_the_same_request() {
    let sent = async || {
        let endpoint = Endpoint::answering([launched()]).await;
        let cloud = Ec2Cloud::from_config(config(endpoint.url()), Timeouts::default());
        for launch in launches(&every_key()) {
            cloud.launch(&Region::from("us-west-2"), &launch.request).await.unwrap();
        }
        endpoint.requests().iter().map(|sent| sent.body().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(sent().await, sent().await, "otherwise EC2 would refuse the token");
}
