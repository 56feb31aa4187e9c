//! What a fix leaves alone: active routes, blackhole routes unless the user
//! confirms them, and networks that something else uses.

use std::{sync::Arc, time::Duration};

use super::{
    account::{Account, id},
    harness::{FixHarness, carry_out, plan, stop},
    network::nothing,
    site::{Flaw, flawed},
};
use muster::{
    cloud::{Change, LaunchRequest, Market, Tags},
    engine::{Command, Update},
    model::Region,
    remedy::FixScope,
};

const US: &str = "us-west-2";
const EU: &str = "eu-west-1";

/// Returns a healthy project whose peering connection was deleted and requested
/// again: the routes point to the old one.
async fn with_blackholes() -> FixHarness {
    let harness = flawed(Account::simulated(), None).await;
    let world = harness.account.snapshot().await;
    let of = |region: &str, cidr: &str| {
        let at = format!("/regions/{region}/vpcs/");
        let vpc = world.iter().find(|(key, value)| key.starts_with(&at) && value.contains(cidr));
        vpc.map(|(key, _)| key[at.len()..].to_owned()).unwrap_or_default()
    };
    let old = world.keys().find_map(|key| key.strip_prefix("/peerings/")).unwrap_or_default();
    harness.account.make(US, Change::DeletePeering { peering: id(old) }).await;
    let request = Change::CreatePeering {
        vpc: id(&of(US, "10.1.0.0/16")),
        peer_region: EU.into(),
        peer_vpc: id(&of(EU, "10.2.0.0/16")),
        tags: Tags::new(),
    };
    let new = harness.account.make(US, request).await;
    harness.account.make(EU, Change::AcceptPeering { peering: id(&new) }).await;
    tokio::time::sleep(Duration::from_mins(1)).await;
    harness
}

#[tokio::test(start_paused = true)]
async fn a_blackhole_is_replaced_only_where_the_user_says_so() {
    let harness = with_blackholes().await;
    assert_eq!(harness.failing_checks().await, ["route.peering"]);
    let cautious = harness.plan(FixScope::default()).await;
    assert!(cautious.plan.is_empty(), "{:#?}", cautious.plan);
    let whys: Vec<_> = cautious.plan.left.iter().map(|left| left.why.as_str()).collect();
    assert!(whys.iter().all(|why| why.contains("--replace-blackholes")), "{whys:?}");
    assert_eq!(whys.len(), 2, "each direction once: {whys:?}");

    let scope = FixScope { replace_blackholes: true, ..FixScope::default() };
    assert!(harness.fix(scope).await.complete);
    assert_eq!(harness.failing_checks().await, [""; 0]);
}

/// Launches somebody else's instance in the network that muster created.
async fn move_in(harness: &FixHarness) {
    let region = Region::from(US);
    let world = harness.account.snapshot().await;
    let at = format!("/regions/{US}/subnets/");
    let subnet = world.iter().find(|(key, value)| key.starts_with(&at) && value.contains("10.64."));
    let request = LaunchRequest {
        image: harness.image(US, "guest").await.into(),
        instance_type: "m5.large".into(),
        key_name: None,
        subnet: subnet.map(|(key, _)| key[at.len()..].into()),
        security_groups: Vec::new(),
        iam_profile: None,
        more: muster::cloud::Arguments::new(),
        user_data: None,
        market: Market::OnDemand,
        tags: Tags::new(),
        count: 1,
        token: "guest".into(),
    };
    assert!(harness.account.cloud.launch(&region, &request).await.is_ok_and(|all| all.len() == 1));
}

#[tokio::test(start_paused = true)]
async fn a_network_that_something_else_uses_stays_whole() {
    let harness = nothing(Account::simulated()).await;
    assert!(harness.fix(FixScope::default()).await.complete);
    move_in(&harness).await;
    let mut engine = harness.engine(harness.store());
    let torn = plan(&mut engine, Command::PlanTeardown).await;
    assert!(torn.plan.is_empty(), "all or nothing: {:#?}", torn.plan);
    let whys: Vec<_> = torn.plan.left.iter().map(|left| left.why.as_str()).collect();
    assert!(whys.len() == 1 && whys[0].contains("is still used: eni-"), "{whys:?}");
    stop(engine).await;
}

#[tokio::test(start_paused = true)]
async fn down_lists_the_leftovers() {
    let harness = nothing(Account::simulated()).await;
    let mut engine = harness.engine(harness.store());
    let shown = plan(&mut engine, Command::PlanFix(FixScope::default())).await;
    assert!(carry_out(&mut engine, &shown).await.complete);
    assert!(engine.commands.send(Command::Down(Arc::default())).is_ok());
    let leftovers = loop {
        match engine.updates.recv().await {
            Some(Update::Leftovers(leftovers)) => break leftovers,
            Some(_) => {}
            None => unreachable!("the engine ended"),
        }
    };
    let count = |kind: &str| leftovers.found.iter().filter(|(_, one)| one.kind == kind).count();
    assert_eq!(count("vpc"), 3);
    assert_eq!(count("key-pair"), 3);
    assert_eq!(count("vpc-peering-connection"), 6, "each is listed on both sides");
    assert!(leftovers.unknown.is_empty());
    stop(engine).await;
}

/// In the simulated world, the operator connects from 192.0.2.10.
#[tokio::test(start_paused = true)]
async fn an_operator_without_a_configured_address_is_admitted_from_the_detected_one() {
    let mut harness = flawed(Account::simulated(), Some(Flaw::OperatorKeptOut)).await;
    harness.operator = None;
    assert_eq!(harness.failing_checks().await, ["sg.operator-ssh"]);
    assert!(harness.fix(FixScope::default()).await.complete);
    assert_eq!(harness.failing_checks().await, [""; 0]);
    let world = harness.account.snapshot().await;
    assert!(world.values().any(|one| one.contains("192.0.2.10/32")), "a single address");
}
