//! The requests of changes, and that each is sent once.
#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

use muster::{
    cloud::{
        Change, Cloud, ErrorKind, InboundRule, PortRange, Ref, Source, StepId, Tags,
        ec2::{Ec2Cloud, Timeouts},
    },
    model::Region,
};

use crate::support::endpoint::{Answer, Endpoint, config};

fn cloud(endpoint: &Endpoint) -> Ec2Cloud {
    Ec2Cloud::from_config(config(endpoint.url()), Timeouts::default())
}

fn region() -> Region {
    Region::from("us-west-2")
}

fn vpc() -> Change {
    let tags = Tags::from([("muster:remedy".into(), "us-west-2/vpc".into())]);
    Change::CreateVpc { cidr: "10.20.0.0/16".parse().unwrap(), tags }
}

#[tokio::test]
async fn a_change_is_sent_once() {
    for answer in [Answer::error(500, "InternalError", "again"), Answer::Close] {
        let endpoint = Endpoint::answering([answer]).await;
        let error = cloud(&endpoint).change(&region(), &vpc()).await.unwrap_err();
        assert!(error.outcome_unknown(), "{error}");
        assert_eq!(endpoint.requests().len(), 1, "{error}");
    }
    // A read, in contrast, is tried three times.
    let endpoint = Endpoint::answering([Answer::error(500, "InternalError", "again")]).await;
    cloud(&endpoint).all_vpcs(&region()).await.unwrap_err();
    assert_eq!(endpoint.requests().len(), 3);
}

#[tokio::test]
async fn tags_are_in_the_call_that_makes_something() {
    let made = Answer::ok("CreateVpc", "<vpc><vpcId>vpc-1</vpcId></vpc>");
    let endpoint = Endpoint::answering([made]).await;
    let id = cloud(&endpoint).change(&region(), &vpc()).await.unwrap();
    assert_eq!(id.as_deref(), Some("vpc-1"));
    let [request] = &endpoint.requests()[..] else { unreachable!("one request") };
    assert!(request.is_for("us-west-2"));
    for (key, value) in [
        ("Action", "CreateVpc"),
        ("CidrBlock", "10.20.0.0/16"),
        ("TagSpecification.1.ResourceType", "vpc"),
        ("TagSpecification.1.Tag.1.Key", "muster:remedy"),
        ("TagSpecification.1.Tag.1.Value", "us-west-2/vpc"),
    ] {
        assert_eq!(request.get(key), Some(value), "{key}");
    }
}

#[tokio::test]
async fn rules_go_with_their_descriptions_and_tags() {
    let done = Answer::ok("AuthorizeSecurityGroupIngress", "<return>true</return>");
    let endpoint = Endpoint::answering([done]).await;
    let rule = |source| InboundRule {
        ports: PortRange { from: 0, to: 65535 },
        source,
        description: "quokka".into(),
    };
    let change = Change::AuthorizeIngress {
        group: "sg-1".into(),
        rules: vec![
            rule(Source::Group("sg-1".into())),
            rule(Source::Cidr("10.2.0.0/16".parse().unwrap())),
        ],
        tags: Tags::from([("a".into(), "b".into())]),
    };
    assert_eq!(cloud(&endpoint).change(&region(), &change).await.unwrap(), None);
    let request = &endpoint.requests()[0];
    for (key, value) in [
        ("GroupId", "sg-1"),
        ("IpPermissions.1.IpProtocol", "tcp"),
        ("IpPermissions.1.FromPort", "0"),
        ("IpPermissions.1.ToPort", "65535"),
        ("IpPermissions.1.Groups.1.GroupId", "sg-1"),
        ("IpPermissions.1.Groups.1.Description", "quokka"),
        ("IpPermissions.2.IpRanges.1.CidrIp", "10.2.0.0/16"),
        ("IpPermissions.2.IpRanges.1.Description", "quokka"),
        ("TagSpecification.1.ResourceType", "security-group-rule"),
    ] {
        assert_eq!(request.get(key), Some(value), "{key}");
    }
}

#[tokio::test]
async fn both_an_image_and_its_snapshots_are_tagged() {
    let made = Answer::ok("CopyImage", "<imageId>ami-2</imageId>");
    let endpoint = Endpoint::answering([made]).await;
    let change = Change::CopyImage {
        name: "quokka".into(),
        image: "ami-1".into(),
        from: "eu-west-1".into(),
        token: "t".into(),
        tags: Tags::from([("a".into(), "b".into())]),
    };
    let id = cloud(&endpoint).change(&region(), &change).await.unwrap();
    assert_eq!(id.as_deref(), Some("ami-2"));
    let request = &endpoint.requests()[0];
    for (key, value) in [
        ("SourceImageId", "ami-1"),
        ("SourceRegion", "eu-west-1"),
        ("ClientToken", "t"),
        ("TagSpecification.1.ResourceType", "image"),
        ("TagSpecification.2.ResourceType", "snapshot"),
    ] {
        assert_eq!(request.get(key), Some(value), "{key}");
    }
}

#[tokio::test]
async fn a_change_with_an_unresolved_reference_is_not_sent() {
    let endpoint = Endpoint::answering([Answer::Close]).await;
    let change = Change::DeleteVpc { vpc: Ref::Made(StepId("us-west-2/vpc".into())) };
    let error = cloud(&endpoint).change(&region(), &change).await.unwrap_err();
    assert_eq!((error.kind, error.operation), (ErrorKind::Other, "DeleteVpc"));
    assert_eq!(endpoint.requests().len(), 0);
}
