//! Changes in the simulated world, in addition to the contract: timing, faults, and
//! that nothing is left.

use std::sync::Arc;

use muster::{
    cloud::{Change, ErrorKind, PeeringState, PublicKey, Ref, Tags, tags},
    model::Region,
    sim::World,
};
use tokio::time::{Duration, sleep};

use super::{KEY, scenario, west, world};

/// A second region whose VPC does not overlap with the first one's.
const EAST: &str = r#"
[regions.eu-west-1]
zones = ["a"]
vpcs = [{ id = "vpc-0e", cidrs = ["10.200.0.0/16"], tags = { team = "data" } }]
"#;

fn vpc(step: &str) -> Change {
    let tags = Tags::from([(tags::REMEDY.into(), step.into())]);
    Change::CreateVpc { cidr: "10.77.0.0/16".parse().unwrap(), tags }
}

async fn make(world: &Arc<World>, region: &Region, change: &Change) -> String {
    world.cloud().change(region, change).await.unwrap().unwrap()
}

/// Returns the ids of resources that a step of this name created.
async fn found(world: &Arc<World>, step: &str) -> Vec<String> {
    let tagged = world.cloud().tagged(&west(), &[tags::REMEDY]).await.unwrap();
    let by_step = tagged.into_iter().filter(|one| one.tags[tags::REMEDY] == step);
    by_step.map(|one| one.id).collect()
}

#[tokio::test(start_paused = true)]
async fn created_and_deleted_resources_leave_no_trace() {
    let world = world("");
    let before = world.snapshot();
    let id = make(&world, &west(), &vpc("vpc")).await;
    let made = world.snapshot();
    assert_ne!(made, before);
    assert_eq!(made.regions[&west()].tags[&id][tags::REMEDY], "vpc");
    let delete = Change::DeleteVpc { vpc: Ref::Id(id) };
    world.cloud().change(&west(), &delete).await.unwrap();
    assert_eq!(world.snapshot(), before);
}

#[tokio::test(start_paused = true)]
async fn ids_are_the_same_every_time_and_none_is_given_twice() {
    let (one, other) = (world(""), world(""));
    let first = make(&one, &west(), &vpc("a")).await;
    // In another order.
    let second = make(&other, &west(), &vpc("b")).await;
    assert_eq!(make(&other, &west(), &vpc("a")).await, first);
    assert_eq!(make(&one, &west(), &vpc("b")).await, second);
    assert_ne!(make(&one, &west(), &vpc("a")).await, first);
    assert_eq!(first.len(), "vpc-".len() + 17);
}

#[tokio::test(start_paused = true)]
async fn a_change_whose_answer_is_lost_takes_effect() {
    let fault = "[[faults]]\noperation = \"CreateVpc\"\ncalls = [1]\nanswer = \"lost-answer\"";
    let world = world(fault);
    let error = world.cloud().change(&west(), &vpc("lost")).await.unwrap_err();
    assert_eq!((error.kind, error.operation), (ErrorKind::NoAnswer, "CreateVpc"));
    assert!(error.outcome_unknown());
    assert_eq!(found(&world, "lost").await.len(), 1);
    assert_eq!(world.calls("CreateVpc"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_change_that_meets_an_error_has_no_effect() {
    let fault = "[[faults]]\noperation = \"CreateVpc\"\nanswer = { error = \"VpcLimitExceeded\" }";
    let world = world(fault);
    let before = world.snapshot();
    let error = world.cloud().change(&west(), &vpc("no")).await.unwrap_err();
    assert_eq!(error.code.as_deref(), Some("VpcLimitExceeded"));
    assert_eq!(world.snapshot(), before);
}

#[tokio::test(start_paused = true)]
async fn a_resource_just_created_is_not_listed_yet() {
    let world = world("[api]\nchange_lag_s = 5\nlatency_s = 0");
    let id = make(&world, &west(), &vpc("fresh")).await;
    let table = Change::CreateRouteTable { vpc: Ref::Id(id.clone()), tags: Tags::new() };
    let early = world.cloud().change(&west(), &table).await.unwrap_err();
    assert_eq!(early.code.as_deref(), Some("InvalidVpcID.NotFound"));
    assert_eq!(found(&world, "fresh").await, Vec::<String>::new());
    sleep(Duration::from_secs(5)).await;
    assert_eq!(found(&world, "fresh").await, [id]);
    make(&world, &west(), &table).await;
}

#[tokio::test(start_paused = true)]
async fn an_accepted_peering_takes_its_time() {
    let world = world(&format!("[api]\nprovisioning_s = 30\nlatency_s = 0\n{EAST}"));
    let (cloud, east) = (world.cloud(), Region::new("eu-west-1"));
    let ours = cloud.all_vpcs(&west()).await.unwrap()[0].id.clone();
    let tags = Tags::from([("ours".into(), "yes".into())]);
    let ask = Change::CreatePeering {
        vpc: ours.as_str().into(),
        peer_region: east.clone(),
        peer_vpc: "vpc-0e".into(),
        tags: tags.clone(),
    };
    let id = make(&world, &west(), &ask).await;
    let read_peering = async || {
        let found = cloud.peerings(&east, &["vpc-0e".into()]).await.unwrap();
        (found[0].state, found[0].accepter.cidrs.len())
    };
    assert_eq!(read_peering().await, (PeeringState::PendingAcceptance, 0));
    let again = cloud.change(&west(), &ask).await.unwrap_err();
    assert_eq!(again.code.as_deref(), Some("VpcPeeringConnectionAlreadyExists"));
    let tag = Change::CreateTags { resources: vec![id.as_str().into()], tags };
    cloud.change(&east, &tag).await.unwrap();
    let accept = Change::AcceptPeering { peering: id.as_str().into() };
    cloud.change(&east, &accept).await.unwrap();
    assert_eq!(read_peering().await, (PeeringState::Provisioning, 1));
    sleep(Duration::from_secs(30)).await;
    assert_eq!(read_peering().await, (PeeringState::Active, 1));
    let delete = Change::DeletePeering { peering: id.as_str().into() };
    cloud.change(&west(), &delete).await.unwrap();
    assert_eq!(read_peering().await.0, PeeringState::Deleted);
    assert_eq!(cloud.tagged(&east, &["ours"]).await.unwrap(), []);
    assert_eq!(world.snapshot().peerings, []);
}

#[tokio::test(start_paused = true)]
async fn the_tags_of_a_scenario_are_listed() {
    let world = world(EAST);
    let tagged = world.cloud().tagged(&"eu-west-1".into(), &["team"]).await.unwrap();
    let [vpc] = &tagged[..] else { unreachable!("one: {tagged:?}") };
    assert_eq!((vpc.id.as_str(), vpc.kind.as_str()), ("vpc-0e", "vpc"));
}

#[tokio::test(start_paused = true)]
async fn changes_are_kept_when_the_scenario_is_replaced() {
    let world = world("");
    let import = Change::ImportKeyPair {
        name: "made".into(),
        public_key: PublicKey::parse(KEY).unwrap(),
        tags: Tags::from([(tags::REMEDY.into(), "key".into())]),
    };
    let key = make(&world, &west(), &import).await;
    let vpc = make(&world, &west(), &vpc("vpc")).await;
    let before = world.snapshot();
    world.replace_resources(&scenario(""));
    assert_eq!(world.snapshot(), before);
    assert_eq!(found(&world, "key").await, [key]);
    assert_eq!(found(&world, "vpc").await, [vpc]);
}
