//! Stop and start: what is kept, what is lost, what is refused.
#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

use muster::{
    cloud::{Instance, InstanceState, LaunchRequest, Market},
    model::InstanceId,
};

use super::{
    launching::{ids, running, until},
    world::{Site, World},
};

/// Launches `count` instances with public addresses and waits until they run.
async fn launched(world: &World, site: &Site, count: u32, token: &str) -> Vec<Instance> {
    // Without a subnet they are in a default subnet, which assigns public addresses.
    let request =
        LaunchRequest { subnet: None, security_groups: Vec::new(), ..site.request(count, token) };
    let launched = world.cloud.launch(&site.region, &request).await.unwrap();
    running(world, site, &ids(&launched)).await
}

async fn stopped(world: &World, site: &Site, ids: &[InstanceId]) -> Vec<Instance> {
    let answered = world.cloud.stop(&site.region, ids).await.unwrap();
    assert_eq!(answered.len(), ids.len());
    assert!(answered.iter().all(|(_, state)| state.is_stopped()), "{answered:?}");
    until(world, site, ids, InstanceState::Stopped).await
}

pub async fn what_is_stopped_keeps_its_private_address_only(world: &World) {
    let site = &world.west;
    let before = launched(world, site, 2, "stop-1").await;
    assert!(before.iter().all(|one| one.public_ip.is_some() && !one.spot && one.ebs_root));
    let now = stopped(world, site, &ids(&before)[..1]).await;
    let was = before.iter().find(|one| one.id == now[0].id).unwrap();
    assert_eq!((now[0].private_ip, now[0].public_ip), (was.private_ip, None));
    assert_eq!(now[0].tags, was.tags);
    assert_eq!(now[0].state_reason.as_deref(), Some("Client.UserInitiatedShutdown"));
    assert!(now[0].state.is_live(), "its volumes are billed");
    assert_eq!(running(world, site, &ids(&before)[1..]).await.len(), 1, "the other one still runs");
}

pub async fn what_is_started_again_has_another_public_address(world: &World) {
    let site = &world.west;
    let before = launched(world, site, 1, "stop-2").await;
    let ids = ids(&before);
    stopped(world, site, &ids).await;
    let answered = world.cloud.start(&site.region, &ids).await.unwrap();
    assert_eq!(answered[0].0, ids[0]);
    assert!(matches!(answered[0].1, InstanceState::Pending | InstanceState::Running));
    let after = running(world, site, &ids).await;
    assert_eq!(after[0].private_ip, before[0].private_ip);
    assert!(after[0].public_ip.is_some());
    assert_ne!(after[0].public_ip, before[0].public_ip);
    assert_eq!(after[0].state_reason, None);
}

pub async fn stopping_and_starting_twice_are_no_errors(world: &World) {
    let site = &world.west;
    let ids = ids(&launched(world, site, 1, "stop-3").await);
    stopped(world, site, &ids).await;
    stopped(world, site, &ids).await;
    for _ in 0..2 {
        world.cloud.start(&site.region, &ids).await.unwrap();
        running(world, site, &ids).await;
    }
}

pub async fn a_stop_that_names_a_stranger_stops_nothing(world: &World) {
    let site = &world.west;
    let ids = ids(&launched(world, site, 1, "stop-4").await);
    let named = [ids[0].clone(), "i-0123456789abcdef0".into()];
    let refused = world.cloud.stop(&site.region, &named).await.unwrap_err();
    assert_eq!(refused.code.as_deref(), Some("InvalidInstanceID.NotFound"));
    assert_eq!(refused.operation, "StopInstances");
    let refused = world.cloud.start(&site.region, &named).await.unwrap_err();
    assert_eq!(refused.code.as_deref(), Some("InvalidInstanceID.NotFound"));
    assert_eq!(refused.operation, "StartInstances");
    assert_eq!(running(world, site, &ids).await.len(), 1);
}

pub async fn what_is_stopped_can_be_terminated(world: &World) {
    let site = &world.west;
    let ids = ids(&launched(world, site, 1, "stop-5").await);
    stopped(world, site, &ids).await;
    world.cloud.terminate(&site.region, &ids).await.unwrap();
    until(world, site, &ids, InstanceState::Terminated).await;
}

pub async fn spot_instances_are_not_stopped(world: &World) {
    let site = &world.west;
    let market = Market::Spot(muster::cloud::Spot::default());
    let request = LaunchRequest { market, ..site.request(1, "stop-6") };
    let spot = world.cloud.launch(&site.region, &request).await.unwrap();
    let both = [ids(&spot), ids(&launched(world, site, 1, "stop-7").await)].concat();
    assert!(running(world, site, &ids(&spot)).await[0].spot);
    let refused = world.cloud.stop(&site.region, &both).await.unwrap_err();
    assert_eq!(refused.code.as_deref(), Some("UnsupportedOperation"));
    assert!(!refused.outcome_unknown(), "{refused}");
    assert_eq!(running(world, site, &both).await.len(), 2, "all or none");
}

pub async fn what_is_gone_is_neither_stopped_nor_started(world: &World) {
    let site = &world.west;
    let ids = ids(&launched(world, site, 1, "stop-8").await);
    world.cloud.terminate(&site.region, &ids).await.unwrap();
    for refused in
        [world.cloud.stop(&site.region, &ids).await, world.cloud.start(&site.region, &ids).await]
    {
        assert_eq!(refused.unwrap_err().code.as_deref(), Some("IncorrectInstanceState"));
    }
}

pub async fn a_stop_takes_its_time(world: &World) {
    let site = &world.west;
    let ids = ids(&launched(world, site, 1, "stop-9").await);
    let answered = world.cloud.stop(&site.region, &ids).await.unwrap();
    assert_eq!(answered[0].1, InstanceState::Stopping);
    let refused = world.cloud.start(&site.region, &ids).await.unwrap_err();
    assert_eq!(refused.code.as_deref(), Some("IncorrectInstanceState"));
    until(world, site, &ids, InstanceState::Stopped).await;
}
