//! Calls that are refused, with EC2's codes, and have no effect.
#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

use std::time::Duration;

use muster::{
    cloud::{
        Change, ErrorKind, InstanceFilter, InstanceState, PeeringState, Ref, StepId, Tags, Via,
    },
    model::Region,
};
use tokio::time::sleep;

use super::{
    network,
    world::{KEY, PUBLIC_KEY, World, cidr, rule, rule_from},
};

/// An id that does not exist.
const NO_VPC: &str = "vpc-0123456789abcdef0";

pub async fn what_waits_for_an_earlier_step_is_not_asked(world: &World) {
    let waiting = Change::DeleteVpc { vpc: Ref::Made(StepId("us-west-2/vpc".into())) };
    let error = world.cloud.change(&world.west.region, &waiting).await.unwrap_err();
    assert_eq!((error.kind, &error.code, error.operation), (ErrorKind::Other, &None, "DeleteVpc"));
    assert!(error.message.contains("us-west-2/vpc"), "{error}");
}

pub async fn a_name_that_is_taken_is_refused(world: &World) {
    let site = &world.west;
    let key = Change::ImportKeyPair {
        name: KEY.into(),
        public_key: muster::cloud::PublicKey::parse(PUBLIC_KEY).unwrap(),
        tags: Tags::new(),
    };
    assert_eq!(world.refusal(&site.region, key).await, "InvalidKeyPair.Duplicate");
    let group = Change::CreateSecurityGroup {
        name: "contract".into(),
        description: "again".into(),
        vpc: site.vpc.as_str().into(),
        tags: Tags::new(),
    };
    assert_eq!(world.refusal(&site.region, group).await, "InvalidGroup.Duplicate");
}

pub async fn what_is_nobodys_is_refused(world: &World) {
    let site = &world.west;
    let vpc = || Ref::from(NO_VPC);
    let table = || Ref::from(site.own_table.as_str());
    let subnet = Change::CreateSubnet {
        vpc: vpc(),
        zone: "us-west-2a".into(),
        cidr: cidr("10.1.3.0/24"),
        tags: Tags::new(),
    };
    let peering = Change::CreatePeering {
        vpc: vpc(),
        peer_region: world.east.region.clone(),
        peer_vpc: world.east.vpc.as_str().into(),
        tags: Tags::new(),
    };
    let route =
        |via| Change::CreateRoute { table: table(), destination: cidr("10.77.0.0/16"), via };
    let group = || "sg-0123456789abcdef0";
    for (change, code) in [
        (subnet, "InvalidVpcID.NotFound"),
        (peering, "InvalidVpcID.NotFound"),
        (Change::CreateRouteTable { vpc: vpc(), tags: Tags::new() }, "InvalidVpcID.NotFound"),
        (Change::DeleteVpc { vpc: vpc() }, "InvalidVpcID.NotFound"),
        (
            Change::MapPublicIp { subnet: "subnet-0123456789abcdef0".into() },
            "InvalidSubnetID.NotFound",
        ),
        (
            Change::DeleteSubnet { subnet: "subnet-0123456789abcdef0".into() },
            "InvalidSubnetID.NotFound",
        ),
        (Change::DeleteSecurityGroup { group: group().into() }, "InvalidGroup.NotFound"),
        (
            Change::AuthorizeIngress {
                group: group().into(),
                rules: vec![rule([22, 22], "203.0.113.0/24")],
                tags: Tags::new(),
            },
            "InvalidGroup.NotFound",
        ),
        (
            Change::DeleteRouteTable { table: "rtb-0123456789abcdef0".into() },
            "InvalidRouteTableID.NotFound",
        ),
        (
            Change::DeleteInternetGateway { gateway: "igw-0123456789abcdef0".into() },
            "InvalidInternetGatewayID.NotFound",
        ),
        (route(Via::Gateway("igw-0123456789abcdef0".into())), "InvalidInternetGatewayID.NotFound"),
    ] {
        assert_eq!(world.refusal(&site.region, change.clone()).await, code, "{change:?}");
    }
}

pub async fn addresses_that_do_not_fit_are_refused(world: &World) {
    let site = &world.west;
    let subnet = |addresses| Change::CreateSubnet {
        vpc: site.vpc.as_str().into(),
        zone: "us-west-2a".into(),
        cidr: cidr(addresses),
        tags: Tags::new(),
    };
    let refused = world.refusal(&site.region, subnet("10.1.1.128/25")).await;
    assert_eq!(refused, "InvalidSubnet.Conflict");
    let refused = world.refusal(&site.region, subnet("10.77.1.0/24")).await;
    assert_eq!(refused, "InvalidSubnet.Range");
    let huge = Change::CreateVpc { cidr: cidr("10.0.0.0/8"), tags: Tags::new() };
    assert_eq!(world.refusal(&site.region, huge).await, "InvalidVpc.Range");
}

pub async fn what_is_there_already_is_refused(world: &World) {
    let network = network::make(world, 131).await;
    let half = &network.west;
    let region = &world.west.region;
    let group = || Ref::Id(half.group.clone());
    for again in [rule([22, 22], "203.0.113.0/24"), rule_from([0, 65535], &half.group)] {
        let tags = Tags::new();
        let again = Change::AuthorizeIngress { group: group(), rules: vec![again], tags };
        assert_eq!(world.refusal(region, again).await, "InvalidPermission.Duplicate");
    }
    let route = Change::CreateRoute {
        table: Ref::Id(half.table.clone()),
        destination: cidr("10.132.0.0/16"),
        via: Via::Peering(Ref::Id(network.peering.clone())),
    };
    assert_eq!(world.refusal(region, route).await, "RouteAlreadyExists");
    let attach = Change::AttachInternetGateway {
        gateway: Ref::Id(half.gateway.clone()),
        vpc: world.west.vpc.as_str().into(),
    };
    assert_eq!(world.refusal(region, attach).await, "Resource.AlreadyAssociated");
}

pub async fn a_peering_is_accepted_once_and_over_there(world: &World) {
    let (west, east) = (&world.west.region, &world.east.region);
    let accept = |id: &str| Change::AcceptPeering { peering: id.into() };
    let waiting = world.waiting.as_str();
    assert_eq!(world.refusal(west, accept(waiting)).await, "OperationNotPermitted");
    let active = world.active.as_str();
    assert_eq!(world.refusal(east, accept(active)).await, "InvalidStateTransition");
}

pub async fn a_route_is_replaced_only_where_there_is_one(world: &World) {
    let network = network::make(world, 141).await;
    let half = &network.west;
    let replace = |destination| Change::ReplaceRoute {
        table: Ref::Id(half.table.clone()),
        destination: cidr(destination),
        via: Via::Peering(Ref::Id(network.peering.clone())),
    };
    let region: &Region = &world.west.region;
    // EC2's list of codes has `InvalidRoute.NotFound` for this.
    assert_eq!(world.refusal(region, replace("10.77.0.0/16")).await, "InvalidParameterValue");
    world.change(region, replace("0.0.0.0/0")).await;
}

pub async fn what_is_in_use_is_not_deleted(world: &World) {
    let network = network::make(world, 151).await;
    let half = &network.west;
    let region = &world.west.region;
    for change in [
        Change::DeleteVpc { vpc: Ref::Id(half.vpc.clone()) },
        Change::DeleteRouteTable { table: Ref::Id(half.table.clone()) },
        Change::DeleteInternetGateway { gateway: Ref::Id(half.gateway.clone()) },
    ] {
        assert_eq!(world.refusal(region, change).await, "DependencyViolation");
    }
}

pub async fn groups_peerings_and_gateways_in_use_are_not_deleted(world: &World) {
    let network = network::make(world, 171).await;
    let half = &network.west;
    let (cloud, region) = (&world.cloud, &world.west.region);
    let (subnet, group) = (half.subnet.as_str(), half.group.as_str());
    let mut request = world.west.request(1, "in-use");
    request.subnet = Some(subnet.into());
    request.security_groups = vec![group.into()];
    let launched = cloud.launch(region, &request).await.unwrap();
    let detach = Change::DetachInternetGateway {
        gateway: Ref::Id(half.gateway.clone()),
        vpc: Ref::Id(half.vpc.clone()),
    };
    for change in [
        Change::DeleteSubnet { subnet: subnet.into() },
        Change::DeleteSecurityGroup { group: group.into() },
        detach,
    ] {
        assert_eq!(world.refusal(region, change).await, "DependencyViolation");
    }
    let ids = [launched[0].id.clone()];
    cloud.terminate(region, &ids).await.unwrap();
    let filter = InstanceFilter::Ids(ids.to_vec());
    loop {
        let left = cloud.instances(region, &filter).await.unwrap();
        if left.iter().all(|one| one.state == InstanceState::Terminated) {
            break;
        }
        sleep(Duration::from_secs(1)).await;
    }
    let attached = Change::DeleteVpc { vpc: Ref::Id(network.east.vpc.clone()) };
    assert_eq!(world.refusal(&world.east.region, attached).await, "DependencyViolation");
    network::unmake(world, network).await;
}

/// The other region's refusal shows in the state.
pub async fn a_peering_that_cannot_be_fails(world: &World) {
    let (west, east) = (&world.west, &world.east);
    let overlapping = Change::CreateVpc { cidr: cidr("10.1.0.0/17"), tags: Tags::new() };
    let overlapping = world.make(&east.region, overlapping).await;
    for peer in [overlapping.as_str(), NO_VPC] {
        let ask = Change::CreatePeering {
            vpc: west.vpc.as_str().into(),
            peer_region: east.region.clone(),
            peer_vpc: peer.into(),
            tags: Tags::new(),
        };
        let id = world.make(&west.region, ask).await;
        let vpcs = [west.vpc.clone()];
        let peerings = world.cloud.peerings(&west.region, &vpcs).await.unwrap();
        let failed = peerings.iter().find(|one| one.id.as_str() == id).unwrap();
        assert_eq!(failed.state, PeeringState::Failed);
        let accept = Change::AcceptPeering { peering: Ref::Id(id) };
        assert_eq!(world.refusal(&east.region, accept).await, "InvalidStateTransition");
    }
}
