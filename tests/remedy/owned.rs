//! Which resources are this project's: those in its journals, whatever their tags.
//! Anybody can set tags, and a journal can be lost.

use super::{
    account::{Account, difference, id},
    cut::{census, records_of_a_whole_run},
    faulty::{Fault, Faulty},
    harness::{Config, FixHarness, carry_out, plan, stop},
    network::nothing,
};
use muster::{
    cloud::{Change, InboundRule, PortRange, Ref, Source, Tags, tags},
    engine::{Command, FixPlan, Update},
    remedy::{FixScope, Unrecorded},
};

const EU: &str = "eu-west-1";
/// The id of a project in memory.
const PROJECT_ID: &str = "in-memory";

fn tagged(slot: &str, project_id: Option<&str>) -> Tags {
    let project_id = project_id.map(|id| (tags::PROJECT_ID.to_owned(), id.to_owned()));
    let own = [(tags::PROJECT.into(), "harness".into()), (tags::REMEDY.into(), slot.into())];
    own.into_iter().chain(project_id).collect()
}

async fn planned(harness: &FixHarness, command: Command) -> std::sync::Arc<FixPlan> {
    let mut engine = harness.engine(harness.store());
    let shown = plan(&mut engine, command).await;
    stop(engine).await;
    shown
}

async fn take_over(harness: &FixHarness, resources: Vec<Unrecorded>) {
    let mut engine = harness.engine(harness.store());
    assert!(engine.commands.send(Command::TakeOver(resources)).is_ok());
    while !matches!(engine.updates.recv().await, Some(Update::TakenOver)) {}
    stop(engine).await;
}

/// Creates a VPC with a group open to the world, tagged by somebody else.
async fn forged(harness: &FixHarness) -> (String, String) {
    let account = &harness.account;
    let cidr = "10.99.0.0/16".parse().unwrap_or_default();
    let tags = tagged("eu-west-1/vpc", None);
    let vpc = account.make(EU, Change::CreateVpc { cidr, tags }).await;
    let group = Change::CreateSecurityGroup {
        name: "muster-harness-group".into(),
        description: "of somebody else's".into(),
        vpc: id(&vpc),
        tags: tagged("eu-west-1/group", None),
    };
    let group = account.make(EU, group).await;
    let open = InboundRule {
        ports: PortRange { from: 0, to: u16::MAX },
        source: Source::Cidr("0.0.0.0/0".parse().unwrap_or_default()),
        description: "open".into(),
    };
    let (rules, tags) = (vec![open], Tags::new());
    account.make(EU, Change::AuthorizeIngress { group: id(&group), rules, tags }).await;
    (vpc, group)
}

#[tokio::test(start_paused = true)]
async fn resources_tagged_by_others_are_shown_and_neither_used_nor_deleted() {
    let harness = nothing(Account::simulated()).await;
    let (vpc, group) = forged(&harness).await;
    let shown = planned(&harness, Command::PlanFix(FixScope::default())).await;
    let of = |id: &str| shown.plan.unrecorded.iter().find(|one| one.id == id);
    let rule = "admits tcp 0-65535 from 0.0.0.0/0";
    assert!(of(&group).is_some_and(|one| one.details.iter().any(|line| line == rule)));
    assert!(of(&group).is_some_and(|one| one.refused.is_some()), "its rules are not muster's");
    assert!(of(&vpc).is_some_and(|one| one.details == ["addresses 10.99.0.0/16"]));
    assert!(shown.plan.to_take_over().all(|one| one.id != group));

    assert!(harness.fix(FixScope::default()).await.complete);
    let config = harness.config(EU);
    assert!(!config.contains(&group) && !config.contains(&vpc), "{config}");
    assert!(harness.tear_down().await.complete);
    let left = harness.account.snapshot().await;
    let is_there = |id: &str| left.keys().any(|key| key.ends_with(&format!("/{id}")));
    assert!(is_there(&group) && is_there(&vpc), "they do not belong to this project");
}

/// Creates a network that a refused call left incomplete.
async fn half_built() -> FixHarness {
    let mut harness = nothing(Account::simulated()).await;
    let inner = harness.account.cloud.clone();
    let faulty = Faulty::new(inner.clone());
    harness.account.cloud = faulty.clone();
    faulty.breaks("CreateSecurityGroup", Fault::Denied);
    assert!(!harness.fix(FixScope::default()).await.complete);
    harness.account.cloud = inner;
    harness
}

#[tokio::test(start_paused = true)]
async fn after_a_lost_journal_nothing_is_created_again_and_the_instances_can_be_adopted() {
    let (_, whole) = records_of_a_whole_run().await;
    let mut harness = half_built().await;
    let before = census(&harness.account.snapshot().await);
    harness.lose_journal();
    let shown = planned(&harness, Command::PlanFix(FixScope::default())).await;
    let creates = |slot: &str| shown.plan.steps.iter().any(|step| step.slot.0 == slot);
    assert!(!creates("eu-west-1/vpc") && !creates("configs/network-ids"), "{:#?}", shown.plan);
    assert!(shown.plan.left.iter().any(|left| left.why.contains("none of its journals")));
    let fixed = harness.fix(FixScope::default()).await;
    assert!(fixed.complete, "{:#?}", fixed.events);
    let kinds = |all: &std::collections::BTreeMap<String, usize>| {
        let networks = all.iter().filter(|(kind, _)| kind.ends_with("/vpcs"));
        networks.map(|(kind, count)| (kind.clone(), *count)).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&census(&harness.account.snapshot().await)), kinds(&before), "no second VPC");

    take_over(&harness, shown.plan.to_take_over().cloned().collect()).await;
    let fixed = harness.fix(FixScope::default()).await;
    assert!(fixed.complete, "{:#?}", fixed.events);
    assert_eq!(harness.failing_checks().await, [""; 0]);
    assert_eq!(census(&harness.account.snapshot().await), whole);
}

#[tokio::test(start_paused = true)]
async fn without_a_journal_no_network_is_deleted() {
    let mut harness = nothing(Account::simulated()).await;
    assert!(harness.fix(FixScope::default()).await.complete);
    harness.lose_journal();
    let shown = planned(&harness, Command::PlanTeardown).await;
    assert!(shown.plan.is_empty(), "{:#?}", shown.plan.steps);
    let vpcs = shown.plan.unrecorded.iter().filter(|one| one.id.starts_with("vpc-"));
    assert_eq!(vpcs.count(), 3, "all are shown");

    take_over(&harness, shown.plan.unrecorded.clone()).await;
    assert!(harness.tear_down().await.complete);
    let left = harness.account.snapshot().await;
    assert!(!left.keys().any(|key| key.contains("/peerings/")), "{left:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_gateway_without_its_vpc_is_removed() {
    let mut harness = nothing(Account::simulated()).await;
    let before = harness.account.snapshot().await;
    let inner = harness.account.cloud.clone();
    let faulty = Faulty::new(inner.clone());
    harness.account.cloud = faulty.clone();
    faulty.breaks("CreateVpc", Fault::Denied);
    assert!(!harness.fix(FixScope::default()).await.complete);
    harness.account.cloud = inner;
    let gateways = |all: &[String]| all.iter().filter(|line| line.contains("gateways")).count();
    let made = difference(&before, &harness.account.snapshot().await);
    assert_eq!(gateways(&made), 3, "{made:#?}");
    assert!(harness.tear_down().await.complete);
    let left = difference(&before, &harness.account.snapshot().await);
    assert_eq!(gateways(&left), 0, "{left:#?}");
}

#[tokio::test(start_paused = true)]
async fn two_networks_in_one_region_are_both_removed() {
    let harness = nothing(Account::simulated()).await;
    let before = harness.account.snapshot().await;
    assert!(harness.fix(FixScope::default()).await.complete);
    let account = &harness.account;
    let cidr = "10.99.0.0/16".parse().unwrap_or_default();
    let tags = || tagged("eu-west-1/vpc", Some(PROJECT_ID));
    let vpc = account.make(EU, Change::CreateVpc { cidr, tags: tags() }).await;
    let tags = tagged("eu-west-1/gateway", Some(PROJECT_ID));
    let gateway = account.make(EU, Change::CreateInternetGateway { tags }).await;
    let (gateway, vpc) = (Ref::Id(gateway), Ref::Id(vpc));
    account.make(EU, Change::AttachInternetGateway { gateway, vpc }).await;
    let shown = planned(&harness, Command::PlanTeardown).await;
    assert_eq!(shown.plan.unrecorded.len(), 2, "{:#?}", shown.plan.unrecorded);
    take_over(&harness, shown.plan.unrecorded.clone()).await;

    let torn = harness.tear_down().await;
    assert!(torn.complete, "{:#?}", torn.events);
    let left = difference(&before, &harness.account.snapshot().await);
    let left: Vec<_> =
        left.iter().filter(|line| !line.contains("key_pairs") && !line.contains("tags")).collect();
    assert!(left.is_empty(), "{left:#?}");
}

/// The config returns to the default VPC: the recorded connection of that name joins
/// another VPC.
#[tokio::test(start_paused = true)]
async fn a_connection_that_joins_other_vpcs_is_not_reused() {
    let harness = nothing(Account::simulated()).await;
    assert!(harness.fix(FixScope::default()).await.complete);
    let image = harness.image(EU, "again").await;
    let text = Config::bare(EU, image).text();
    harness.overwrite(EU, &text);
    let fixed = harness.fix(FixScope::default()).await;
    assert!(fixed.complete, "{:#?}", fixed.events);
    let steps: Vec<_> = fixed.plan.steps.iter().map(|step| step.slot.0.as_str()).collect();
    assert!(steps.contains(&"us-west-2+eu-west-1/peering"), "{steps:#?}");
    assert_eq!(harness.failing_checks().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_deletion_waits_for_what_depends_on_it() {
    let mut harness = nothing(Account::simulated()).await;
    let before = harness.account.snapshot().await;
    assert!(harness.fix(FixScope::default()).await.complete);
    let faulty = Faulty::new(harness.account.cloud.clone());
    harness.account.cloud = faulty.clone();
    for operation in ["DeleteVpc", "DeleteSubnet", "DeleteSecurityGroup", "DetachInternetGateway"] {
        faulty.breaks_once(operation, EU, Fault::InUse);
    }
    let mut engine = harness.engine(harness.store());
    let shown = plan(&mut engine, Command::PlanTeardown).await;
    let torn = carry_out(&mut engine, &shown).await;
    stop(engine).await;
    assert!(torn.complete, "{:#?}", torn.events);
    assert_eq!(faulty.met(), 4);
    let left = difference(&before, &harness.account.snapshot().await);
    assert!(!left.iter().any(|line| line.contains("/vpcs/")), "{left:#?}");
}
