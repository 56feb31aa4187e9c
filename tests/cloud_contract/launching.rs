//! Launching, stopping, starting and terminating.
#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

use std::time::Duration;

use ipnet::Ipv4Net;
use muster::{
    cloud::{
        Change, ConsoleOutput, ErrorKind, Instance, InstanceFilter, InstanceState, LaunchRequest,
        SubnetFilter, Tags,
    },
    model::{ClientToken, InstanceId},
};
use tokio::time::{sleep, timeout};

use super::world::{Site, World};

pub async fn a_launch_makes_all_instances_with_their_tags(world: &World) {
    let site = &world.west;
    let request = site.request(3, "launch-1");
    let launched = world.cloud.launch(&site.region, &request).await.unwrap();
    let indexes: Vec<_> = launched.iter().map(|instance| instance.launch_index).collect();
    assert_eq!(indexes, [0, 1, 2], "in launch order");
    for instance in &launched {
        assert_eq!(instance.tags, request.tags, "in the call itself");
        assert_eq!(instance.instance_type, request.instance_type);
        assert_eq!(instance.zone.as_str(), "us-west-2a", "the subnet's");
        assert!(instance.launched.is_some());
    }
    let running = running(world, site, &ids(&launched)).await;
    let subnet: Ipv4Net = "10.1.1.0/24".parse().unwrap();
    let mut addresses: Vec<_> = running.iter().map(|one| one.private_ip.unwrap()).collect();
    assert!(addresses.iter().all(|address| subnet.contains(address)), "{addresses:?}");
    addresses.sort();
    addresses.dedup();
    assert_eq!(addresses.len(), 3, "each its own");
    assert!(running.iter().all(|one| one.state_reason.is_none()));
}

pub async fn instances_are_found_by_tag_and_by_id(world: &World) {
    let site = &world.west;
    let ours = world.cloud.launch(&site.region, &site.request(2, "ours")).await.unwrap();
    let theirs = world.cloud.launch(&site.region, &site.request(1, "theirs")).await.unwrap();
    let (ours, theirs) = (ids(&ours), ids(&theirs));

    let tag = |value: &str| InstanceFilter::Tag("test".into(), value.into());
    assert_eq!(found(world, site, &tag("ours")).await, ours);
    assert_eq!(found(world, site, &tag("theirs")).await, theirs);
    let both = [ours.clone(), theirs.clone()].concat();
    let any = InstanceFilter::TagIn(
        "test".into(),
        vec!["ours".into(), "theirs".into(), "nobodys".into()],
    );
    assert_eq!(found(world, site, &any).await, sorted(both));
    let some = vec![ours[0].clone(), theirs[0].clone(), "i-0123456789abcdef0".into()];
    let expected = sorted(some[..2].to_vec());
    assert_eq!(found(world, site, &InstanceFilter::Ids(some)).await, expected);
    assert_eq!(found(world, &world.east, &tag("ours")).await, []);
}

pub async fn a_dry_run_launches_nothing(world: &World) {
    let site = &world.west;
    let request = site.request(2, "dry");
    world.cloud.dry_run(&site.region, &request).await.unwrap();
    let tagged = InstanceFilter::Tag("test".into(), "dry".into());
    assert_eq!(found(world, site, &tagged).await, []);
    // The token is still unused for the real launch.
    assert_eq!(world.cloud.launch(&site.region, &request).await.unwrap().len(), 2);
}

pub async fn a_launch_that_names_what_is_missing_is_refused(world: &World) {
    let site = &world.west;
    for (request, code) in wrong(site) {
        let refused = world.cloud.launch(&site.region, &request).await.unwrap_err();
        assert_eq!(refused.code.as_deref(), Some(code));
        assert_eq!((refused.kind, refused.operation), (ErrorKind::NotFound, "RunInstances"));
        assert_eq!(refused.region, site.region);
        assert!(!refused.outcome_unknown(), "{refused}");
        let tagged = InstanceFilter::Tag("test".into(), "wrong".into());
        assert_eq!(found(world, site, &tagged).await, []);
    }
}

pub async fn what_is_terminated_goes_and_the_rest_stays(world: &World) {
    let site = &world.west;
    let launched = world.cloud.launch(&site.region, &site.request(3, "terminated")).await.unwrap();
    let ids = ids(&launched);
    running(world, site, &ids).await;
    let answered = world.cloud.terminate(&site.region, &ids[..2]).await.unwrap();
    let (named, states): (Vec<_>, Vec<_>) = answered.into_iter().unzip();
    assert_eq!(sorted(named), ids[..2]);
    assert!(states.iter().all(|state| !state.is_live()), "{states:?}");

    let terminated = until(world, site, &ids[..2], InstanceState::Terminated).await;
    let reason = Some("Client.UserInitiatedShutdown".to_owned());
    assert!(terminated.iter().all(|one| one.state_reason == reason), "{terminated:?}");
    assert_eq!(running(world, site, &ids[2..]).await.len(), 1);
    // Terminating again is no error.
    let again = world.cloud.terminate(&site.region, &ids[..1]).await.unwrap();
    assert!(again.iter().all(|(_, state)| !state.is_live()), "{again:?}");
}

/// Returns a launch with a group name and without a subnet.
fn by_name(site: &Site, name: &str) -> LaunchRequest {
    LaunchRequest {
        subnet: None,
        security_groups: Vec::new(),
        more: [("SecurityGroups".to_owned(), serde_json::json!([name]))].into_iter().collect(),
        ..site.request(1, name)
    }
}

pub async fn a_launch_finds_groups_by_name_in_the_default_vpc(world: &World) {
    let site = &world.west;
    let defaults = world.cloud.subnets(&site.region, &SubnetFilter::DefaultForZones).await.unwrap();
    let group = Change::CreateSecurityGroup {
        name: "by-name".into(),
        description: "found by its name".into(),
        vpc: defaults[0].vpc.as_str().into(),
        tags: Tags::new(),
    };
    world.make(&site.region, group).await;
    let launched = world.cloud.launch(&site.region, &by_name(site, "by-name")).await.unwrap();
    assert_eq!(running(world, site, &ids(&launched)).await.len(), 1);
}

pub async fn a_group_of_another_vpc_is_not_found_by_name(world: &World) {
    let site = &world.west;
    let refused = world.cloud.launch(&site.region, &by_name(site, "contract")).await.unwrap_err();
    assert_eq!(refused.code.as_deref(), Some("InvalidGroup.NotFound"));
}

pub async fn a_termination_that_names_a_stranger_ends_nothing(world: &World) {
    let site = &world.west;
    let launched = world.cloud.launch(&site.region, &site.request(1, "kept")).await.unwrap();
    let ids = ids(&launched);
    running(world, site, &ids).await;
    let named = [ids[0].clone(), "i-0123456789abcdef0".into()];
    let refused = world.cloud.terminate(&site.region, &named).await.unwrap_err();
    assert_eq!(refused.code.as_deref(), Some("InvalidInstanceID.NotFound"));
    assert_eq!(refused.kind, ErrorKind::NotFound);
    assert_eq!(running(world, site, &ids).await.len(), 1);
}

pub async fn a_dry_run_that_names_what_is_missing_is_refused(world: &World) {
    let site = &world.west;
    for (request, code) in wrong(site) {
        let refused = world.cloud.dry_run(&site.region, &request).await.unwrap_err();
        assert_eq!((refused.code.as_deref(), refused.kind), (Some(code), ErrorKind::NotFound));
    }
}

pub async fn a_group_of_another_vpc_is_refused(world: &World) {
    let site = &world.west;
    let request = LaunchRequest { subnet: None, ..site.request(1, "wrong") };
    let refused = world.cloud.launch(&site.region, &request).await.unwrap_err();
    let code = refused.code.unwrap();
    assert!(["InvalidGroup.NotFound", "InvalidParameter"].contains(&code.as_str()), "{code}");
}

pub async fn the_same_token_launches_once(world: &World) {
    let site = &world.west;
    let request = site.request(2, "once");
    let first = world.cloud.launch(&site.region, &request).await.unwrap();
    let again = world.cloud.launch(&site.region, &request).await.unwrap();
    assert_eq!(ids(&first), ids(&again));
    let by_token = InstanceFilter::Token(request.token.clone());
    assert_eq!(found(world, site, &by_token).await, ids(&first));
    let other = LaunchRequest { count: 1, ..request };
    let refused = world.cloud.launch(&site.region, &other).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::TokenMismatch);
}

pub async fn an_unused_token_finds_nothing(world: &World) {
    let token = InstanceFilter::Token(ClientToken::from("unused"));
    assert_eq!(found(world, &world.west, &token).await, []);
}

pub async fn a_console_output_is_of_an_instance_that_exists(world: &World) {
    let site = &world.west;
    let launched =
        ids(&world.cloud.launch(&site.region, &site.request(1, "console-1")).await.unwrap());
    running(world, site, &launched).await;
    let shown = console(world, site, &launched[0]).await;
    assert!(shown.as_str().contains("Linux version"), "{shown:?}");
    let nobodys = "i-0123456789abcdef0".into();
    let refused = world.cloud.console_output(&site.region, &nobodys).await.unwrap_err();
    assert_eq!(refused.code.as_deref(), Some("InvalidInstanceID.NotFound"));
    assert_eq!(refused.operation, "GetConsoleOutput");
}

pub async fn a_console_output_holds_the_host_keys(world: &World) {
    let site = &world.west;
    let launched =
        ids(&world.cloud.launch(&site.region, &site.request(1, "console-2")).await.unwrap());
    let early = world.cloud.console_output(&site.region, &launched[0]).await.unwrap();
    assert!(early.is_none_or(|early| early.host_keys().is_empty()), "it has not booted yet");
    running(world, site, &launched).await;
    let keys = console(world, site, &launched[0]).await.host_keys();
    assert_eq!(keys.len(), 1);
    assert!(keys[0].to_string().starts_with("ED25519 SHA256:"), "{keys:?}");
}

/// Reads until there is a console output.
async fn console(world: &World, site: &Site, id: &InstanceId) -> ConsoleOutput {
    let read = async {
        loop {
            match world.cloud.console_output(&site.region, id).await.unwrap() {
                Some(output) => return output,
                None => sleep(Duration::from_millis(100)).await,
            }
        }
    };
    timeout(Duration::from_mins(5), read).await.unwrap()
}

/// Requests that each name one thing that does not exist, and EC2's code for it.
fn wrong(site: &Site) -> [(LaunchRequest, &'static str); 4] {
    let right = || site.request(1, "wrong");
    let nowhere = Some("subnet-0123456789abcdef0".into());
    [
        (LaunchRequest { key_name: Some("nobodys".into()), ..right() }, "InvalidKeyPair.NotFound"),
        (
            LaunchRequest { image: "ami-0123456789abcdef0".into(), ..right() },
            "InvalidAMIID.NotFound",
        ),
        (
            LaunchRequest { security_groups: vec!["sg-0123456789abcdef0".into()], ..right() },
            "InvalidGroup.NotFound",
        ),
        (LaunchRequest { subnet: nowhere, ..right() }, "InvalidSubnetID.NotFound"),
    ]
}

pub fn ids(instances: &[Instance]) -> Vec<InstanceId> {
    sorted(instances.iter().map(|instance| instance.id.clone()).collect())
}

fn sorted(mut ids: Vec<InstanceId>) -> Vec<InstanceId> {
    ids.sort();
    ids
}

async fn found(world: &World, site: &Site, filter: &InstanceFilter) -> Vec<InstanceId> {
    ids(&world.cloud.instances(&site.region, filter).await.unwrap())
}

pub async fn running(world: &World, site: &Site, ids: &[InstanceId]) -> Vec<Instance> {
    until(world, site, ids, InstanceState::Running).await
}

/// Polls until all of `ids` are in `state`.
pub async fn until(
    world: &World,
    site: &Site,
    ids: &[InstanceId],
    state: InstanceState,
) -> Vec<Instance> {
    let filter = InstanceFilter::Ids(ids.to_vec());
    let look = async {
        loop {
            let found = world.cloud.instances(&site.region, &filter).await.unwrap();
            if found.len() == ids.len() && found.iter().all(|one| one.state == state) {
                return found;
            }
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(Duration::from_mins(5), look).await.unwrap()
}
