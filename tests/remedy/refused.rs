//! Refused, throttled, failing and hanging at each call in turn: a clear end,
//! nothing half said; and once the cause is gone, the next fix ends well and
//! nothing is there twice.

use std::{sync::Arc, time::Duration};

use super::{
    account::Account,
    bench::{Bench, Fixed, carry_out, plan_or_refusal, stop},
    cut::{census, records_of_a_whole_run},
    faulty::{FAULTS, Fault, Faulty},
    network::nothing,
};
use muster::{
    engine::{Command, Event},
    remedy::Wish,
    waits::WaitKind,
};

/// Every operation that building the network takes.
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
async fn whatever_a_call_meets_the_end_is_clear_and_the_next_fix_ends_well() {
    for operation in OPERATIONS {
        for fault in FAULTS {
            let (bench, faulty) = behind_a_faulty_door().await;
            faulty.breaks(operation, fault);
            let fixed = bench.fix(Wish::default()).await;
            ends_clearly(&fixed, operation, fault);
            assert!(faulty.met() > 0, "{operation} was never called");
            faulty.heals();
            ends_well(&bench, &format!("{operation} {fault:?}")).await;
        }
    }
}

async fn behind_a_faulty_door() -> (Bench, Arc<Faulty>) {
    let mut bench = nothing(Account::simulated()).await;
    let faulty = Faulty::new(bench.account.cloud.clone());
    bench.account.cloud = faulty.clone();
    (bench, faulty)
}

/// The next fix ends well, whatever the last one met.
async fn ends_well(bench: &Bench, after: &str) {
    let fixed = bench.fix(Wish::default()).await;
    assert!(fixed.complete, "{after}: {:#?}", fixed.events);
    assert_eq!(bench.failing_checks().await, [""; 0], "{after}");
}

/// Every step that was begun has an end, and every failure says what and why.
#[track_caller]
fn ends_clearly(fixed: &Fixed, operation: &str, fault: Fault) {
    every_step_ends(fixed, operation, fault);
    // What was made though nobody answered is found; then nothing has failed.
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

/// Every operation that a plan reads with.
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

/// A call that only looks has nothing to lose an answer of.
fn faults_of_reading() -> impl Iterator<Item = Fault> {
    FAULTS.into_iter().filter(|fault| *fault != Fault::Lost)
}

/// The plan is made without what could not be read: it says what it leaves and
/// why, or there is none and it says so; and it makes nothing that it can't
/// know to be missing.
#[tokio::test(start_paused = true)]
async fn what_can_not_be_read_is_told_and_nothing_is_made_twice_for_it() {
    let (_, whole) = records_of_a_whole_run().await;
    for operation in READS {
        for fault in faults_of_reading() {
            let (bench, faulty) = behind_a_faulty_door().await;
            faulty.breaks(operation, fault);
            plan_and_carry_out(&bench, operation, fault).await;
            faulty.heals();
            ends_well(&bench, &format!("{operation} {fault:?}")).await;
            let now = census(&bench.account.snapshot().await);
            assert_eq!(now, whole, "{operation} {fault:?}: nothing is double or missing");
        }
    }
}

async fn plan_and_carry_out(bench: &Bench, operation: &str, fault: Fault) {
    let mut engine = bench.engine(bench.store());
    match plan_or_refusal(&mut engine, Command::PlanFix(Wish::default())).await {
        Err(refusal) => assert!(refusal.to_string().contains(operation), "{operation}: {refusal}"),
        Ok(plan) => {
            let told = |left: &muster::remedy::Left| !left.why.trim().is_empty();
            assert!(plan.plan.left.iter().all(told), "{operation} {fault:?}");
            if !plan.plan.is_empty() {
                let fixed = carry_out(&mut engine, &plan).await;
                every_step_ends(&fixed, operation, fault);
            }
        }
    }
    stop(engine).await;
}

/// What was made half-way can't be seen when it can't be read: then nothing is
/// made beside it.
#[tokio::test(start_paused = true)]
async fn half_made_and_unreadable_it_is_not_made_again() {
    let (records, whole) = records_of_a_whole_run().await;
    for operation in READS {
        let mut met = 0;
        for half in [records / 4, records / 2, records * 3 / 4] {
            let (bench, faulty) = behind_a_faulty_door().await;
            super::cut::kill_after(&bench, half).await;
            faulty.breaks(operation, Fault::Denied);
            plan_and_carry_out(&bench, operation, Fault::Denied).await;
            faulty.heals();
            met += faulty.met();
            ends_well(&bench, &format!("{operation} after {half} records")).await;
            let now = census(&bench.account.snapshot().await);
            assert_eq!(now, whole, "{operation} after {half} records: nothing is double");
        }
        assert!(met > 0, "{operation} was never called");
    }
}

/// What only looks while the plan is carried out: whether a peering is active,
/// a copy done, and what became of a call that nobody answered.
#[tokio::test(start_paused = true)]
async fn a_reading_call_that_fails_while_changes_are_made_ends_clearly() {
    let (_, whole) = records_of_a_whole_run().await;
    for operation in READS {
        for fault in faults_of_reading() {
            let (bench, faulty) = behind_a_faulty_door().await;
            let mut engine = bench.engine(bench.store());
            let plan = plan_or_refusal(&mut engine, Command::PlanFix(Wish::default())).await;
            let plan = plan.unwrap_or_default();
            faulty.breaks(operation, fault);
            let fixed = carry_out(&mut engine, &plan).await;
            every_step_ends(&fixed, operation, fault);
            stop(engine).await;
            let waits = operation == "DescribeVpcPeeringConnections";
            assert!(!waits || !fixed.complete, "{fault:?}: it can't know that it is active");
            faulty.heals();
            ends_well(&bench, &format!("{operation} {fault:?}")).await;
            let now = census(&bench.account.snapshot().await);
            assert_eq!(now, whole, "{operation} {fault:?}: nothing is double or missing");
        }
    }
}

/// EC2 has too many calls: what fails, since when and when it is tried next.
#[tokio::test(start_paused = true)]
async fn a_throttled_call_is_registered_as_a_wait() {
    let (bench, faulty) = behind_a_faulty_door().await;
    let mut engine = bench.engine(bench.store());
    let plan = plan_or_refusal(&mut engine, Command::PlanFix(Wish::default())).await;
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
