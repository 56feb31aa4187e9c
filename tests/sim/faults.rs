//! Calls and nodes that fail.

use std::time::Duration;

use muster::{
    cloud::{ErrorKind, InstanceFilter, InstanceState, OptIn, SubnetFilter},
    remote::{Host, RemoteErrorKind},
};
use tokio::time::{Instant, sleep};

use super::{describe, host, launch, refusal, request, west, world};

#[tokio::test(start_paused = true)]
async fn faults_meet_the_calls_that_they_are_for() {
    let world = world(
        r#"
        [[faults]]
        operation = "DescribeKeyPairs"
        calls = [2]
        answer = { error = "RequestLimitExceeded" }
        [[faults]]
        operation = "DescribeVpcs"
        from_s = 60
        until_s = 90
        answer = "unreachable"
        [[faults]]
        operation = "DescribeImages"
        answer = "hang"
        [[faults]]
        operation = "RunInstances"
        dry_run = true
        answer = { error = "UnauthorizedOperation" }
        [[faults]]
        operation = "DescribeSubnets"
        answer = { slow = 20 }
        "#,
    );
    let (cloud, west) = (world.cloud(), west());
    assert!(cloud.key_pairs(&west, &[]).await.is_ok());
    let throttled = cloud.key_pairs(&west, &[]).await.unwrap_err();
    assert_eq!(throttled.kind, ErrorKind::Throttled);
    assert!(cloud.key_pairs(&west, &[]).await.is_ok());

    let denied = cloud.dry_run(&west, &request("dry")).await.unwrap_err();
    assert_eq!(denied.kind, ErrorKind::Denied);
    launch(&world, &request("real")).await;

    let began = Instant::now();
    let hung = cloud.images(&west, &[]).await.unwrap_err();
    assert_eq!((hung.kind, began.elapsed()), (ErrorKind::NoAnswer, Duration::from_secs(30)));
    assert!(cloud.vpcs(&west, &[]).await.is_ok());
    let began = Instant::now();
    cloud.subnets(&west, &SubnetFilter::DefaultForZones).await.unwrap();
    assert_eq!(began.elapsed(), Duration::from_secs(20));
    sleep(Duration::from_secs(15)).await;
    assert_eq!(cloud.vpcs(&west, &[]).await.unwrap_err().kind, ErrorKind::Unreachable);
    sleep(Duration::from_secs(30)).await;
    assert!(cloud.vpcs(&west, &[]).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_lost_leaves_the_instances_behind() {
    let world =
        world("[[faults]]\noperation = \"RunInstances\"\ncalls = [1]\nanswer = \"lost-answer\"");
    let error = refusal(&world, &request("lost")).await;
    assert_eq!((error.kind, error.outcome_unknown()), (ErrorKind::NoAnswer, true));
    let filter = InstanceFilter::Token("lost".into());
    let found = world.cloud().instances(&west(), &filter).await.unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(launch(&world, &request("lost")).await.len(), 2, "the token finds them again");
    assert_eq!(world.snapshot().regions[&west()].instances.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn regions_that_are_not_enabled_or_do_not_exist_are_reported() {
    let world = world("[regions.af-south-1]\nopt_in = \"not-opted-in\"\nzones = [\"a\"]");
    let cloud = world.cloud();
    let disabled = cloud.vpcs(&"af-south-1".into(), &[]).await.unwrap_err();
    assert_eq!(
        (disabled.code.as_deref(), disabled.kind),
        (Some("OptInRequired"), ErrorKind::OptIn)
    );
    let nowhere = cloud.vpcs(&"xx-north-1".into(), &[]).await.unwrap_err();
    assert_eq!((nowhere.code, nowhere.kind), (None, ErrorKind::Unreachable));
    let regions = cloud.regions(&west()).await.unwrap();
    assert_eq!(
        regions.iter().map(|region| region.opt_in).collect::<Vec<_>>(),
        [OptIn::NotOptedIn, OptIn::NotRequired]
    );
}

#[tokio::test(start_paused = true)]
async fn odd_nodes_are_odd_in_their_own_way() {
    let world = world(
        r#"
        [nodes."us-west-2/worker-1"]
        never_runs = true
        [nodes."us-west-2/worker-2"]
        reclaimed_after_s = 30
        "#,
    );
    let instances = launch(&world, &request("odd")).await;
    sleep(Duration::from_secs(12)).await;
    let failed = describe(&world, &instances[0].id).await.unwrap();
    assert_eq!(failed.state_reason.as_deref(), Some("Server.InternalError"));
    let state = async || describe(&world, &instances[1].id).await.unwrap().state;
    assert_eq!(state().await, InstanceState::Running);
    sleep(Duration::from_secs(30)).await;
    assert_eq!(state().await, InstanceState::ShuttingDown);
    let taken = describe(&world, &instances[1].id).await.unwrap();
    assert_eq!(taken.state_reason.as_deref(), Some("Server.SpotInstanceTermination"));
}

#[tokio::test(start_paused = true)]
async fn nodes_refuse_deny_stay_silent_and_change_their_host_keys() {
    let world = world(
        r#"
        [nodes."us-west-2/worker-1"]
        refuses = 1
        denies = 1
        other_host_key_from = 4
        [nodes."us-west-2/worker-2"]
        silent = true
        "#,
    );
    let instances = launch(&world, &request("ssh")).await;
    sleep(Duration::from_secs(30)).await;
    let (remote, first) = (world.remote(), host(&world, &instances[0]).await);
    let kind = async |host: &Host| remote.connect(host).await.err().map(|error| error.kind);
    assert_eq!(kind(&first).await, Some(RemoteErrorKind::Unreachable));
    assert_eq!(kind(&first).await, Some(RemoteErrorKind::Denied));
    assert_eq!(kind(&first).await, None);
    assert_eq!(kind(&first).await, Some(RemoteErrorKind::HostKeyChanged));
    let second = host(&world, &instances[1]).await;
    assert_eq!(kind(&second).await, Some(RemoteErrorKind::Unreachable));
}
