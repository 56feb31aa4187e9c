//! Each fix on an account in which its finding is the only one: afterwards the
//! finding has passed, and nothing in the account has changed except what the plan
//! listed.

use super::{
    account::{Account, difference},
    exact::assert_exact,
    harness::{FixHarness, only},
    on_both,
    site::{Flaw, flawed},
};
use muster::{cloud::PeeringState, engine::Event, remedy::FixScope};

/// Fixes `flaw`; returns what changed in the account.
async fn fix(account: Account, flaw: Flaw, checks: &[&str]) -> (FixHarness, Vec<String>) {
    let harness = flawed(account, Some(flaw)).await;
    assert_eq!(harness.failing_checks().await, checks, "the only finding");
    let before = harness.account.snapshot().await;
    let fixed = harness.fix(only(checks)).await;
    assert!(fixed.complete, "{:#?}", fixed.events);
    assert_eq!(harness.failing_checks().await, [""; 0], "fixed");
    let after = harness.account.snapshot().await;
    assert_exact(&fixed, &before, &after);
    let changed = difference(&before, &after);
    let again = harness.plan(FixScope::default()).await;
    assert!(again.plan.is_empty(), "twice changes nothing more: {:#?}", again.plan);
    (harness, changed)
}

/// Asserts that every change matches one of `signs`, and that each occurs.
#[track_caller]
fn changed_only(changed: &[String], signs: &[&str]) {
    let is_expected = |line: &String| {
        signs.iter().any(|sign| line.starts_with(&sign[..1]) && line.contains(&sign[1..]))
    };
    let others: Vec<_> = changed.iter().filter(|line| !is_expected(line)).collect();
    assert!(others.is_empty(), "{others:#?}");
    for sign in signs {
        let seen =
            changed.iter().any(|line| line.starts_with(&sign[..1]) && line.contains(&sign[1..]));
        assert!(seen, "{sign} is missing in {changed:#?}");
    }
}

async fn nothing_is_wrong(account: Account) {
    let harness = flawed(account, None).await;
    assert_eq!(harness.failing_checks().await, [""; 0]);
    let plan = harness.plan(FixScope::default()).await;
    assert!(plan.plan.is_empty() && plan.diffs.is_empty());
}
on_both!(a_healthy_account_needs_nothing, super::nothing_is_wrong);

async fn key_missing(account: Account) {
    let (_, changed) = fix(account, Flaw::KeyMissing, &["key.exists"]).await;
    changed_only(&changed, &["+key_pairs", "+tags"]);
}
on_both!(a_missing_key_is_imported, super::key_missing);

async fn key_foreign(account: Account) {
    let (harness, changed) = fix(account, Flaw::KeyForeign, &["key.same-material"]).await;
    changed_only(&changed, &["+key_pairs", "+tags"]);
    for region in ["us-west-2", "eu-west-1"] {
        let config = harness.config(region);
        assert!(config.contains("KeyName: harness-muster\n"), "{config}");
        assert!(config.starts_with(&format!("# {region}\n")), "the rest is kept: {config}");
    }
}
on_both!(another_key_of_that_name_is_left_alone, super::key_foreign);

async fn image_foreign(account: Account) {
    let (harness, changed) = fix(account, Flaw::ImageForeign, &["ami.exists"]).await;
    assert_eq!(changed, [""; 0], "the account is unchanged");
    let (us, eu) = (harness.config("us-west-2"), harness.config("eu-west-1"));
    assert_ne!(image_of(&us), image_of(&eu));
}
on_both!(an_image_of_another_region_becomes_the_same_one_here, super::image_foreign);

async fn image_copied(account: Account) {
    let (harness, changed) = fix(account, Flaw::ImageOnlyThere, &["ami.exists"]).await;
    assert!(
        changed.iter().any(|line| line.starts_with('+') && line.contains("images")),
        "{changed:#?}"
    );
    let (us, eu) = (harness.config("us-west-2"), harness.config("eu-west-1"));
    assert_ne!(image_of(&us), image_of(&eu));
}

fn image_of(config: &str) -> Option<&str> {
    config.lines().find_map(|line| line.trim().strip_prefix("ImageId: "))
}
on_both!(an_image_that_is_nowhere_here_is_copied, super::image_copied);

async fn group_missing(account: Account) {
    let (_, changed) = fix(account, Flaw::GroupMissing, &["sg.exists"]).await;
    changed_only(&changed, &["+security_groups", "+security_group_rules", "+tags"]);
}
on_both!(a_missing_group_is_made, super::group_missing);

async fn group_elsewhere(account: Account) {
    let (_, changed) = fix(account, Flaw::GroupElsewhere, &["sg.same-vpc"]).await;
    changed_only(&changed, &["+security_groups", "+security_group_rules", "+tags"]);
}
on_both!(a_group_of_another_vpc_is_replaced_in_the_config, super::group_elsewhere);

async fn peers_kept_out(account: Account) {
    let (_, changed) = fix(account, Flaw::PeersKeptOut, &["sg.peers"]).await;
    changed_only(&changed, &["~security_groups", "+security_group_rules", "+tags"]);
}
on_both!(peers_are_let_in, super::peers_kept_out);

async fn operator_kept_out(account: Account) {
    let (_, changed) = fix(account, Flaw::OperatorKeptOut, &["sg.operator-ssh"]).await;
    changed_only(&changed, &["~security_groups", "+security_group_rules", "+tags"]);
}
on_both!(the_operator_is_let_in, super::operator_kept_out);

async fn not_peered(account: Account) {
    let (_, changed) = fix(account, Flaw::NotPeered, &["peering.active"]).await;
    changed_only(&changed, &["+peerings", "~route_tables", "+tags"]);
}
on_both!(regions_are_peered_and_routed, super::not_peered);

async fn not_accepted(account: Account) {
    let (_, changed) = fix(account, Flaw::NotAccepted, &["peering.active"]).await;
    assert!(changed.iter().all(|line| line.starts_with('~')), "{changed:#?}");
}
on_both!(a_waiting_peering_is_accepted, super::not_accepted);

/// The ended connection stays as it is; a second one is requested.
async fn peering_ended(account: Account, state: PeeringState) {
    let (_, changed) = fix(account, Flaw::PeeringEnded(state), &["peering.active"]).await;
    changed_only(&changed, &["+peerings", "~route_tables", "+tags"]);
}

async fn peering_rejected(account: Account) {
    peering_ended(account, PeeringState::Rejected).await;
}
on_both!(a_rejected_peering_is_asked_for_again, super::peering_rejected);

/// In moto, no request expires or fails.
#[tokio::test(start_paused = true)]
async fn an_expired_or_failed_peering_is_asked_for_again() {
    for state in [PeeringState::Expired, PeeringState::Failed] {
        peering_ended(Account::simulated(), state).await;
    }
}

async fn route_in_main_table(account: Account) {
    let (_, changed) = fix(account, Flaw::RouteInMainTable, &["route.peering"]).await;
    changed_only(&changed, &["~route_tables"]);
    assert_eq!(changed.len(), 1, "only the subnet's own table: {changed:#?}");
}
on_both!(a_route_in_the_main_table_alone_is_added_to_the_subnets, super::route_in_main_table);

async fn same_addresses(account: Account) {
    let (harness, _) = fix(account, Flaw::SameAddresses, &["vpc.cidr-overlap"]).await;
    let (us, eu) = (harness.config("us-west-2"), harness.config("eu-west-1"));
    assert_eq!(us.matches("subnet-").count(), 1, "the leader stays where it is: {us}");
    assert!(eu.contains("sg-") && eu.starts_with("# eu-west-1\n"), "{eu}");
}
on_both!(of_two_networks_with_the_same_addresses_one_is_replaced, super::same_addresses);

async fn no_route_back(account: Account) {
    let (_, changed) = fix(account, Flaw::NoRouteBack, &["route.peering"]).await;
    changed_only(&changed, &["~route_tables"]);
}
on_both!(a_missing_route_is_added, super::no_route_back);

/// Exactly the steps of the shown plan are applied.
async fn as_shown(account: Account) {
    let harness = flawed(account, Some(Flaw::NotPeered)).await;
    let plan = harness.plan(FixScope::default()).await;
    let fixed = harness.fix(FixScope::default()).await;
    let done = fixed.events.iter().filter_map(|event| match event {
        Event::ChangeDone { slot, .. } => Some(slot.clone()),
        _ => None,
    });
    let mut done: Vec<_> = done.collect();
    let mut shown: Vec<_> = plan.plan.steps.iter().map(|step| step.slot.clone()).collect();
    done.sort();
    shown.sort();
    assert_eq!(done, shown);
}
on_both!(exactly_what_was_shown_is_done, super::as_shown);
