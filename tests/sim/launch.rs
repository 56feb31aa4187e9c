//! EC2's side: refusals, tokens, boot and termination, and what is listed when.

use std::{collections::BTreeSet, slice::from_ref, time::Duration};

use muster::{
    cloud::{ErrorKind, Instance, InstanceFilter, InstanceState, LaunchRequest},
    model::InstanceId,
    sim::{Scenario, World},
};
use tokio::time::{Instant, sleep, timeout};

use super::{describe, launch, refusal, request, west, world};

#[tokio::test(start_paused = true)]
async fn a_launch_is_refused_with_the_codes_of_ec2() {
    type Spoil = fn(&mut LaunchRequest);
    let cases: [(&str, ErrorKind, Spoil); 12] = [
        ("InvalidAMIID.NotFound", ErrorKind::NotFound, |it| it.image = "ami-0ccc".into()),
        ("InvalidAMIID.Malformed", ErrorKind::Invalid, |it| it.image = "ubuntu".into()),
        ("InvalidAMIID.Unavailable", ErrorKind::Invalid, |it| it.image = "ami-0ddd".into()),
        ("InvalidKeyPair.NotFound", ErrorKind::NotFound, |it| it.key_name = Some("none".into())),
        ("InvalidSubnetID.NotFound", ErrorKind::NotFound, |it| it.subnet = Some("subnet-9".into())),
        ("InvalidGroup.NotFound", ErrorKind::NotFound, |it| {
            it.security_groups = vec!["sg-09".into()];
        }),
        // It exists, but in another VPC than the subnet.
        ("InvalidGroup.NotFound", ErrorKind::NotFound, |it| {
            it.security_groups = vec!["sg-02".into()];
        }),
        ("InvalidParameterValue", ErrorKind::Invalid, |it| it.instance_type = "m5.huge".into()),
        // An arm64 type with an x86_64 image.
        ("InvalidParameterValue", ErrorKind::Invalid, |it| it.instance_type = "m6g.large".into()),
        ("Unsupported", ErrorKind::Capacity, |it| it.instance_type = "c5.xlarge".into()),
        ("VcpuLimitExceeded", ErrorKind::Quota, |it| it.count = 40),
        ("InsufficientInstanceCapacity", ErrorKind::Capacity, |it| it.count = 9),
    ];
    let world = world("");
    for (code, kind, spoil) in cases {
        let mut request = request(code);
        spoil(&mut request);
        let error = refusal(&world, &request).await;
        assert_eq!((error.code.as_deref(), error.kind), (Some(code), kind), "{error}");
    }
    assert_eq!(world.snapshot().regions[&west()].instances, []);
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_checks_names_but_not_capacity() {
    let world = world("");
    let region = west();
    assert!(world.cloud().dry_run(&region, &request("a")).await.is_ok());
    let many = LaunchRequest { count: 40, ..request("b") };
    assert!(world.cloud().dry_run(&region, &many).await.is_ok());
    let unknown = LaunchRequest { image: "ami-0ccc".into(), ..request("c") };
    let error = world.cloud().dry_run(&region, &unknown).await.unwrap_err();
    assert_eq!(error.code.as_deref(), Some("InvalidAMIID.NotFound"));
    assert_eq!(world.snapshot().regions[&region].instances, []);
}

#[tokio::test(start_paused = true)]
async fn a_token_launches_once_and_is_zonal() {
    let world = world("");
    let first = launch(&world, &request("token")).await;
    let again = launch(&world, &request("token")).await;
    let ids = |instances: &[Instance]| -> Vec<InstanceId> {
        instances.iter().map(|instance| instance.id.clone()).collect()
    };
    assert_eq!(ids(&first), ids(&again));

    let other = LaunchRequest { count: 1, ..request("token") };
    assert_eq!(refusal(&world, &other).await.kind, ErrorKind::TokenMismatch);

    let elsewhere = LaunchRequest { subnet: Some("subnet-0b".into()), ..request("token") };
    assert_ne!(ids(&launch(&world, &elsewhere).await), ids(&first));
    assert_eq!(world.snapshot().regions[&west()].instances.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn an_instance_boots_in_its_time_and_ends_after_terminate() {
    let world = world("[api]\nlatency_s = 1");
    let began = Instant::now();
    let instances = launch(&world, &request("boot")).await;
    assert_eq!(began.elapsed(), Duration::from_secs(1), "RunInstances takes its latency");
    let id = &instances[0].id;
    let state = async || describe(&world, id).await.unwrap().state;

    assert_eq!(instances[0].state, InstanceState::Pending);
    assert_eq!(state().await, InstanceState::Pending);
    sleep(Duration::from_secs(10)).await;
    assert_eq!(state().await, InstanceState::Running);

    let ended = world.cloud().terminate(&west(), from_ref(id)).await.unwrap();
    assert_eq!(ended, [(id.clone(), InstanceState::ShuttingDown)]);
    sleep(Duration::from_secs(20)).await;
    let instance = describe(&world, id).await.unwrap();
    assert_eq!(instance.state, InstanceState::Terminated);
    assert_eq!((instance.private_ip, instance.public_ip), (None, None));
    assert_eq!(instance.state_reason.as_deref(), Some("Client.UserInitiatedShutdown"));
}

#[tokio::test(start_paused = true)]
async fn reads_lag_behind_writes() {
    let world = world("[api]\nlag_s = 5\nlatency_s = 0");
    let id = launch(&world, &request("lag")).await.remove(0).id;
    assert_eq!(describe(&world, &id).await, None, "EC2 does not list it yet");
    sleep(Duration::from_secs(5)).await;
    assert_eq!(describe(&world, &id).await.unwrap().state, InstanceState::Pending);
    sleep(Duration::from_secs(20)).await;
    world.cloud().terminate(&west(), from_ref(&id)).await.unwrap();
    assert_eq!(describe(&world, &id).await.unwrap().state, InstanceState::Running);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_may_have_launched() {
    let world = world("[api]\nlatency_s = 2");
    for (patience, left) in [(500, 0), (1500, 2)] {
        let cloud = world.cloud();
        let (west, request) = (west(), request("lost"));
        let call = cloud.launch(&west, &request);
        assert!(timeout(Duration::from_millis(patience), call).await.is_err());
        assert_eq!(world.snapshot().regions[&west].instances.len(), left);
    }
}

#[tokio::test(start_paused = true)]
async fn terminated_instances_are_listed_for_a_while_and_free_their_capacity() {
    let world = world("[api]\nremembers_s = 60");
    let id = launch(&world, &LaunchRequest { count: 8, ..request("all") }).await.remove(0).id;
    let one = LaunchRequest { count: 1, ..request("one") };
    assert_eq!(refusal(&world, &one).await.kind, ErrorKind::Capacity);
    world.cloud().terminate(&west(), from_ref(&id)).await.unwrap();
    assert_eq!(launch(&world, &one).await.len(), 1);
    sleep(Duration::from_secs(75)).await;
    assert_eq!(describe(&world, &id).await.unwrap().state, InstanceState::Terminated);
    sleep(Duration::from_secs(10)).await;
    assert_eq!(describe(&world, &id).await, None);
    let unknown = world.cloud().terminate(&west(), &["i-1".into()]).await.unwrap_err();
    assert_eq!(unknown.code.as_deref(), Some("InvalidInstanceID.NotFound"));
}

#[tokio::test(start_paused = true)]
async fn instances_that_were_there_before_are_found_by_tag_only() {
    let world = world(
        r#"
        [[regions.us-west-2.instances]]
        id = "i-0foreign"
        instance_type = "m5.large"
        subnet = "subnet-0a"
        tags = { ray-cluster-name = "tpch" }
        "#,
    );
    launch(&world, &request("ours")).await;
    let filter = InstanceFilter::Tag("ray-cluster-name".into(), "tpch".into());
    let found = world.cloud().instances(&west(), &filter).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].id.as_str(), found[0].state), ("i-0foreign", InstanceState::Running));
}

#[tokio::test(start_paused = true)]
async fn a_thousand_instances_in_ten_regions_take_no_longer_than_one() {
    let scenario = Scenario::scale(10, 100).unwrap();
    let world = World::new(&scenario);
    let regions = world.cloud().regions(&west()).await.unwrap();
    assert_eq!(regions.len(), 10);
    let began = Instant::now();
    let launches = world.snapshot().regions.into_iter().map(|(region, held)| {
        let request = LaunchRequest {
            image: held.images[0].id.clone(),
            subnet: Some(held.subnets[0].id.clone()),
            security_groups: vec![held.security_groups[0].id.clone()],
            count: 100,
            ..request("scale")
        };
        let cloud = world.cloud();
        async move { cloud.launch(&region, &request).await.map(|instances| instances.len()) }
    });
    let counts = futures_util::future::try_join_all(launches).await.unwrap();
    assert_eq!(counts.iter().sum::<usize>(), 1000);
    assert!(began.elapsed() < Duration::from_secs(1));
    let snapshot = world.snapshot();
    let all = snapshot.regions.values().flat_map(|region| &region.instances);
    let ids: BTreeSet<_> = all.clone().map(|instance| instance.id.clone()).collect();
    let addresses: BTreeSet<_> = all.map(|instance| instance.public_ip).collect();
    assert_eq!((ids.len(), addresses.len()), (1000, 1000));
}

#[tokio::test(start_paused = true)]
async fn a_scenario_can_be_replaced_while_its_instances_run() {
    let scenario = |name: &str| Scenario::built_in(name).unwrap();
    let world = World::new(&scenario("mistakes"));
    let keys = |world: &World| world.snapshot().regions[&"eu-west-1".into()].key_pairs.len();
    assert_eq!(keys(&world), 0);
    let us = LaunchRequest {
        image: "ami-0530ca8899fac469f".into(),
        subnet: Some("subnet-0a11c9d2e4f567801".into()),
        security_groups: vec!["sg-01f4b7c2a9d83e650".into()],
        ..request("before")
    };
    let before = launch(&world, &us).await;
    world.replace_resources(&scenario("healthy"));
    assert_eq!(keys(&world), 1);
    assert_eq!(world.snapshot().peerings, World::new(&scenario("healthy")).snapshot().peerings);
    let after = launch(&world, &LaunchRequest { token: "after".into(), ..us }).await;
    let ips: BTreeSet<_> =
        before.iter().chain(&after).map(|instance| instance.private_ip).collect();
    assert_eq!(ips.len(), 4, "no address twice");
}
