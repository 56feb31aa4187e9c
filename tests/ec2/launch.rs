//! The requests of `RunInstances`, and the meaning of its failures.
#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

use muster::{
    cloud::{
        Arguments, Cloud, ErrorKind, IamProfile, LaunchRequest, Market, Spot, Tags,
        ec2::{Ec2Cloud, Timeouts},
    },
    model::Region,
};

use serde_json::json;

use super::SHORT;
use crate::support::endpoint::{Answer, Endpoint, config};

fn cloud(endpoint: &Endpoint) -> Ec2Cloud {
    Ec2Cloud::from_config(config(endpoint.url()), Timeouts::default())
}

fn region() -> Region {
    Region::from("us-west-2")
}

fn request() -> LaunchRequest {
    LaunchRequest {
        image: "ami-1".into(),
        instance_type: "m5.large".into(),
        key_name: Some("quokka".into()),
        subnet: Some("subnet-1".into()),
        security_groups: vec!["sg-1".into(), "sg-2".into()],
        iam_profile: Some(IamProfile::Name("ray-autoscaler-v1".into())),
        more: disks(),
        user_data: Some("#!/bin/sh\necho hello\n".into()),
        market: Market::OnDemand,
        tags: Tags::from([("muster:cluster".into(), "quokka-abc123".into())]),
        count: 2,
        token: "0b5f".into(),
    }
}

fn disks() -> Arguments {
    let root = json!({
        "DeviceName": "/dev/sda1",
        "Ebs": {"VolumeSize": 100, "VolumeType": "gp3", "DeleteOnTermination": true},
    });
    let second = json!({"DeviceName": "/dev/sdb", "VirtualName": "ephemeral0"});
    [("BlockDeviceMappings".to_owned(), json!([root, second]))].into_iter().collect()
}

fn launched() -> Answer {
    let instance = |id, index| {
        format!(
            "<item><instanceId>{id}</instanceId><instanceState><code>0</code><name>pending</name>\
             </instanceState><instanceType>m5.large</instanceType><amiLaunchIndex>{index}\
             </amiLaunchIndex><placement><availabilityZone>us-west-2a</availabilityZone>\
             </placement><clientToken>0b5f</clientToken></item>"
        )
    };
    let set = format!("<instancesSet>{}{}</instancesSet>", instance("i-2", 1), instance("i-1", 0));
    Answer::ok("RunInstances", &set)
}

#[tokio::test]
async fn a_launch_carries_everything_in_one_call() {
    let endpoint = Endpoint::answering([launched()]).await;
    let instances = cloud(&endpoint).launch(&region(), &request()).await.unwrap();
    let order: Vec<_> = instances.iter().map(|one| (one.id.as_str(), one.launch_index)).collect();
    assert_eq!(order, [("i-1", 0), ("i-2", 1)]);
    assert_eq!(instances[0].token.as_ref().unwrap().as_str(), "0b5f");

    let sent = &endpoint.requests()[0];
    for (key, value) in [
        ("Action", "RunInstances"),
        ("ImageId", "ami-1"),
        ("InstanceType", "m5.large"),
        ("KeyName", "quokka"),
        ("SubnetId", "subnet-1"),
        ("SecurityGroupId.1", "sg-1"),
        ("SecurityGroupId.2", "sg-2"),
        ("IamInstanceProfile.Name", "ray-autoscaler-v1"),
        ("MinCount", "2"),
        ("MaxCount", "2"),
        ("ClientToken", "0b5f"),
        ("UserData", "IyEvYmluL3NoCmVjaG8gaGVsbG8K"),
        ("BlockDeviceMapping.1.DeviceName", "/dev/sda1"),
        ("BlockDeviceMapping.1.Ebs.VolumeSize", "100"),
        ("BlockDeviceMapping.1.Ebs.VolumeType", "gp3"),
        ("BlockDeviceMapping.1.Ebs.DeleteOnTermination", "true"),
        ("BlockDeviceMapping.2.VirtualName", "ephemeral0"),
        ("TagSpecification.1.ResourceType", "instance"),
        ("TagSpecification.1.Tag.1.Key", "muster:cluster"),
        ("TagSpecification.1.Tag.1.Value", "quokka-abc123"),
        ("TagSpecification.2.ResourceType", "volume"),
        ("TagSpecification.2.Tag.1.Key", "muster:cluster"),
    ] {
        assert_eq!(sent.get(key), Some(value), "{key}");
    }
    for key in ["DryRun", "TagSpecification.3.ResourceType", "InstanceMarketOptions.MarketType"] {
        assert_eq!(sent.get(key), None, "{key}");
    }
    assert_eq!(sent.get("BlockDeviceMapping.2.Ebs.VolumeSize"), None);
}

#[tokio::test]
async fn a_spot_launch_tags_its_request_as_well() {
    let endpoint = Endpoint::answering([launched()]).await;
    let spot = Spot {
        max_price: Some("0.05".into()),
        valid_until: Some("2030-01-31T12:00:00Z".parse().unwrap()),
        ..Spot::default()
    };
    let market = Market::Spot(spot);
    let request = LaunchRequest { market, ..request() };
    cloud(&endpoint).launch(&region(), &request).await.unwrap();
    let sent = &endpoint.requests()[0];
    for (key, value) in [
        ("InstanceMarketOptions.MarketType", "spot"),
        ("InstanceMarketOptions.SpotOptions.MaxPrice", "0.05"),
        ("InstanceMarketOptions.SpotOptions.SpotInstanceType", "one-time"),
        ("InstanceMarketOptions.SpotOptions.ValidUntil", "2030-01-31T12:00:00Z"),
        ("TagSpecification.3.ResourceType", "spot-instances-request"),
    ] {
        assert_eq!(sent.get(key), Some(value), "{key}");
    }
}

#[tokio::test]
async fn a_dry_run_leaves_the_token_to_the_launch() {
    let allowed = Answer::error(412, "DryRunOperation", "Request would have succeeded.");
    let endpoint = Endpoint::answering([allowed]).await;
    cloud(&endpoint).dry_run(&region(), &request()).await.unwrap();
    let sent = &endpoint.requests()[0];
    assert_eq!(sent.get("DryRun"), Some("true"));
    assert_ne!(sent.get("ClientToken"), Some("0b5f"));
}

#[tokio::test]
async fn a_refused_dry_run_shows_the_reason() {
    let refused = Answer::error(403, "UnauthorizedOperation", "You are not authorized.");
    let endpoint = Endpoint::answering([refused]).await;
    let error = cloud(&endpoint).dry_run(&region(), &request()).await.unwrap_err();
    assert_eq!((error.kind, error.operation), (ErrorKind::Denied, "RunInstances"));
}

/// Each attempt costs one of the few rate-limit tokens of `RunInstances`, and a full
/// zone is an HTTP 500, so the caller decides by the code whether to retry.
#[tokio::test]
async fn a_launch_and_its_dry_run_are_one_attempt_each() {
    let answers = [
        (Answer::error(500, "InsufficientInstanceCapacity", "None left."), ErrorKind::Capacity),
        (Answer::error(503, "RequestLimitExceeded", "Too many."), ErrorKind::Throttled),
        (Answer::error(500, "InternalError", "Ours."), ErrorKind::Service),
        (Answer::Http(500, String::new()), ErrorKind::Service),
        (Answer::Close, ErrorKind::NoAnswer),
    ];
    for (answer, kind) in answers {
        let endpoint = Endpoint::answering([answer.clone(), answer]).await;
        let cloud = cloud(&endpoint);
        let launch = cloud.launch(&region(), &request()).await.unwrap_err();
        assert_eq!((launch.kind, endpoint.requests().len()), (kind, 1), "{launch}");
        let dry_run = cloud.dry_run(&region(), &request()).await.unwrap_err();
        assert_eq!((dry_run.kind, endpoint.requests().len()), (kind, 2), "{dry_run}");
    }
}

#[tokio::test]
async fn a_launch_is_not_retried_while_its_answer_may_arrive() {
    let endpoint = Endpoint::answering([Answer::Silence]).await;
    let cloud = Ec2Cloud::from_config(config(endpoint.url()), SHORT);
    let error = cloud.launch(&region(), &request()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NoAnswer);
    assert_eq!(endpoint.requests().len(), 1);
}
