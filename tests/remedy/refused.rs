//! Refused, throttled, failing and hanging at each call in turn: the fix ends
//! clearly and reports everything; once the cause is removed, the next fix succeeds
//! and nothing exists twice.

use std::{sync::Arc, time::Duration};

use super::{
    account::Account,
    cut::{census, records_of_a_whole_run},
    faulty::{FAULTS, Fault, Faulty},
    harness::{FixHarness, Fixed, carry_out, plan_or_refusal, stop},
    network::nothing,
};
use muster::{
    engine::{Command, Event},
    remedy::FixScope,
    waits::WaitKind,
};

/// Every operation that creating the network needs.
const OPERATIONS: [&str; 14] = [
    "ImportKeyPair",
    "CreateVpc",
    "CreateInternetGateway",
    "AttachInternetGateway",
    "CreateRouteTable",
    "CreateRoute",
    "CreateSubnet",
    "ModifySubnetAttribute",
    "AssociateRouteTable",
    "CreateSecurityGroup",
    "AuthorizeSecurityGroupIngress",
    "CreateVpcPeeringConnection",
    "AcceptVpcPeeringConnection",
    "CreateTags",
];

#[tokio::test(start_paused = true)]
async fn any_fault_is_reported_and_the_next_fix_succeeds() {
    for operation in OPERATIONS {
        for fault in FAULTS {
            let (harness, faulty) = with_faulty_adapter().await;
            faulty.breaks(operation, fault);
            let fixed = harness.fix(FixScope::default()).await;
            ends_clearly(&fixed, operation, fault);
            assert!(faulty.met() > 0, "{operation} was never called");
            faulty.heals();
            ends_well(&harness, &format!("{operation} {fault:?}")).await;
        }
    }
}

async fn with_faulty_adapter() -> (FixHarness, Arc<Faulty>) {
    let mut harness = nothing(Account::simulated()).await;
    let faulty = Faulty::new(harness.account.cloud.clone());
    harness.account.cloud = faulty.clone();
    (harness, faulty)
}

/// Asserts that the next fix succeeds, whatever happened in the last one.
async fn ends_well(harness: &FixHarness, after: &str) {
    let fixed = harness.fix(FixScope::default()).await;
    assert!(fixed.complete, "{after}: {:#?}", fixed.events);
    assert_eq!(harness.failing_checks().await, [""; 0], "{after}");
}

/// Asserts that every started step has an end, and every failure names what and why.
#[track_caller]
fn ends_clearly(fixed: &Fixed, operation: &str, fault: Fault) {
    every_step_ends(fixed, operation, fault);
    // A resource created without an answer is found; then nothing has failed.
    assert!(fault == Fault::Lost || !fixed.complete, "{operation} {fault:?}");
}

#[track_caller]
fn every_step_ends(fixed: &Fixed, operation: &str, fault: Fault) {
    let mut open = std::collections::BTreeSet::new();
    let mut failures = Vec::new();
    for event in &fixed.events {
        match event {
            Event::ChangeIntended { slot } => _ = open.insert(slot.clone()),
            Event::ChangeDone { slot, .. } => assert!(open.remove(slot), "{slot}"),
            Event::ChangeFailed { slot, failure, .. } => {
                assert!(open.remove(slot), "{slot}");
                failures.push(failure.to_string());
            }
            _ => {}
        }
    }
    assert!(open.is_empty(), "{operation} {fault:?}: {open:?}");
    assert!(matches!(fixed.events.last(), Some(Event::FixEnded { .. })), "{operation} {fault:?}");
    assert_eq!(fixed.complete, failures.is_empty(), "{operation} {fault:?}");
    for failure in &failures {
        assert!(failure.contains(operation), "{operation} {fault:?}: {failure}");
    }
}

/// Every operation that planning reads with.
const READS: [&str; 12] = [
    "DescribeRegions",
    "DescribeImages",
    "DescribeKeyPairs",
    "DescribeSecurityGroups",
    "DescribeSubnets",
    "DescribeVpcs",
    "DescribeRouteTables",
    "DescribeVpcPeeringConnections",
    "DescribeInstanceTypes",
    "DescribeInstanceTypeOfferings",
    "DescribeTags",
    "RunInstances",
];

/// A read-only call loses nothing if its answer is lost.
fn faults_of_reading() -> impl Iterator<Item = Fault> {
    FAULTS.into_iter().filter(|fault| *fault != Fault::Lost)
}

/// The plan omits what could not be read: it lists what it leaves and why, or the
/// planning fails with the reason. It creates nothing that is not known to be
/// missing.
#[tokio::test(start_paused = true)]
async fn unreadable_resources_are_reported_and_nothing_is_created_twice() {
    let (_, whole) = records_of_a_whole_run().await;
    for operation in READS {
        for fault in faults_of_reading() {
            let (harness, faulty) = with_faulty_adapter().await;
            faulty.breaks(operation, fault);
            plan_and_carry_out(&harness, operation, fault).await;
            faulty.heals();
            ends_well(&harness, &format!("{operation} {fault:?}")).await;
            let now = census(&harness.account.snapshot().await);
            assert_eq!(now, whole, "{operation} {fault:?}: nothing is double or missing");
        }
    }
}

async fn plan_and_carry_out(harness: &FixHarness, operation: &str, fault: Fault) {
    let mut engine = harness.engine(harness.store());
    match plan_or_refusal(&mut engine, Command::PlanFix(FixScope::default())).await {
        Err(refusal) => assert!(refusal.to_string().contains(operation), "{operation}: {refusal}"),
        Ok(plan) => {
            let has_reason = |left: &muster::remedy::Unfixed| !left.why.trim().is_empty();
            assert!(plan.plan.left.iter().all(has_reason), "{operation} {fault:?}");
            if !plan.plan.is_empty() {
                let fixed = carry_out(&mut engine, &plan).await;
                every_step_ends(&fixed, operation, fault);
            }
        }
    }
    stop(engine).await;
}

/// A partial fix that can't be read is invisible: then nothing is created in
/// addition to it.
#[tokio::test(start_paused = true)]
async fn a_partial_unreadable_network_is_not_created_again() {
    let (records, whole) = records_of_a_whole_run().await;
    for operation in READS {
        let mut met = 0;
        for half in [records / 4, records / 2, records * 3 / 4] {
            let (harness, faulty) = with_faulty_adapter().await;
            super::cut::kill_after(&harness, half).await;
            faulty.breaks(operation, Fault::Denied);
            plan_and_carry_out(&harness, operation, Fault::Denied).await;
            faulty.heals();
            met += faulty.met();
            ends_well(&harness, &format!("{operation} after {half} records")).await;
            let now = census(&harness.account.snapshot().await);
            assert_eq!(now, whole, "{operation} after {half} records: nothing is double");
        }
        assert!(met > 0, "{operation} was never called");
    }
}

/// Read-only calls while the plan is applied: whether a peering is active or a copy
/// done, and what became of an unanswered call.
#[tokio::test(start_paused = true)]
async fn a_failing_read_during_a_fix_is_reported() {
    let (_, whole) = records_of_a_whole_run().await;
    for operation in READS {
        for fault in faults_of_reading() {
            let (harness, faulty) = with_faulty_adapter().await;
            let mut engine = harness.engine(harness.store());
            let plan = plan_or_refusal(&mut engine, Command::PlanFix(FixScope::default())).await;
            let plan = plan.unwrap_or_default();
            faulty.breaks(operation, fault);
            let fixed = carry_out(&mut engine, &plan).await;
            every_step_ends(&fixed, operation, fault);
            stop(engine).await;
            let waits = operation == "DescribeVpcPeeringConnections";
            assert!(!waits || !fixed.complete, "{fault:?}: it can't know that it is active");
            faulty.heals();
            ends_well(&harness, &format!("{operation} {fault:?}")).await;
            let now = census(&harness.account.snapshot().await);
            assert_eq!(now, whole, "{operation} {fault:?}: nothing is double or missing");
        }
    }
}

/// EC2 has too many calls: what fails, since when and when it is tried next.
#[tokio::test(start_paused = true)]
async fn a_throttled_call_is_registered_as_a_wait() {
    let (harness, faulty) = with_faulty_adapter().await;
    let mut engine = harness.engine(harness.store());
    let plan = plan_or_refusal(&mut engine, Command::PlanFix(FixScope::default())).await;
    let plan = plan.unwrap_or_default();
    faulty.breaks("CreateVpc", Fault::Throttled);
    let waits = engine.waits.clone();
    let mut seen = None;
    let watch = async {
        while seen.is_none() {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let all = waits.list(Duration::from_secs(5));
            let retry = all.iter().find(|wait| wait.kind == WaitKind::Retry);
            seen = retry.map(ToString::to_string);
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        _ = carry_out(&mut engine, &plan) => {}
        () = watch => {}
    }
    let wait = seen.unwrap_or_default();
    assert!(wait.contains(": CreateVpc has failed for 5 s"), "{wait}");
    assert!(wait.contains("RequestLimitExceeded") && wait.contains("; next try in "), "{wait}");
    let waits = waits.list(Duration::ZERO);
    assert!(waits.iter().all(|wait| wait.kind != WaitKind::Retry), "{waits:?}");
    stop(engine).await;
}
