//! A create call that fails, is lost, or during which muster is killed, while EC2's
//! reads lag behind its writes: the next fix succeeds, nothing exists twice, and the
//! networks can be removed.

use std::{sync::Arc, time::Duration};

use super::{
    account::{Account, difference},
    cut::{census, records_of_a_whole_run},
    faulty::{Fault, Faulty},
    harness::{FixHarness, plan, stop},
    network::nothing,
};
use muster::{engine::Command, remedy::FixScope};

/// Every call that creates or attaches something.
const CREATES: [&str; 7] = [
    "ImportKeyPair",
    "CreateVpc",
    "CreateSubnet",
    "CreateInternetGateway",
    "CreateRouteTable",
    "CreateSecurityGroup",
    "CreateVpcPeeringConnection",
];
/// Calls that refer to new resources.
const OTHERS: [&str; 7] = [
    "AttachInternetGateway",
    "CreateRoute",
    "ModifySubnetAttribute",
    "AssociateRouteTable",
    "AuthorizeSecurityGroupIngress",
    "AcceptVpcPeeringConnection",
    "CreateTags",
];
const FAULTS: [Fault; 5] =
    [Fault::Broken, Fault::Hang, Fault::Lost, Fault::KilledBefore, Fault::KilledAfter];
/// One of three regions.
const EU: &str = "eu-west-1";
/// The lag of reads.
const LAG: Duration = Duration::from_secs(8);

async fn lagging() -> (FixHarness, Arc<Faulty>) {
    let mut harness = nothing(Account::simulated()).await;
    let faulty = Faulty::lagging(harness.account.cloud.clone(), LAG);
    harness.account.cloud = faulty.clone();
    (harness, faulty)
}

/// Runs a fix until it ends or is killed, and prepares the next process.
async fn first_run(harness: &mut FixHarness, faulty: &Faulty, command: Command) {
    let mut engine = harness.engine(harness.store());
    let shown = plan(&mut engine, command).await;
    assert!(engine.commands.send(Command::Fix(shown.plan.clone())).is_ok());
    let ended = async {
        loop {
            match engine.updates.recv().await {
                Some(muster::engine::Update::FixEnded { .. }) | None => break,
                Some(_) => {}
            }
        }
    };
    let killed = tokio::select! {
        () = ended => false,
        () = faulty.killed.notified() => true,
    };
    if killed {
        engine.task.abort();
        let _ = engine.task.await;
    } else {
        stop(engine).await;
    }
    harness.account.cloud = faulty.next_process();
}

async fn ends_the_same(operation: &'static str, region: &'static str, fault: Fault) {
    let case = format!("{operation} {fault:?}");
    let (_, whole) = records_of_a_whole_run().await;
    let (mut harness, faulty) = lagging().await;
    let before = harness.account.snapshot().await;
    faulty.breaks_once(operation, region, fault);
    first_run(&mut harness, &faulty, Command::PlanFix(FixScope::default())).await;
    assert_eq!(faulty.met(), 1, "{case}");

    let fixed = harness.fix(FixScope::default()).await;
    assert!(fixed.complete, "{case}: {:#?}", fixed.events);
    assert_eq!(harness.failing_checks().await, [""; 0], "{case}");
    assert_eq!(census(&harness.account.snapshot().await), whole, "{case}: nothing twice");

    let torn = harness.tear_down().await;
    assert!(torn.complete, "{case}: {:#?}", torn.events);
    let left = difference(&before, &harness.account.snapshot().await);
    let left: Vec<_> =
        left.iter().filter(|line| !line.contains("key_pairs") && !line.contains("tags")).collect();
    assert!(left.is_empty(), "{case}: only the keys are left: {left:#?}");
}

#[tokio::test(start_paused = true)]
async fn no_fault_of_a_create_call_creates_anything_twice() {
    for operation in CREATES {
        // The leader's region requests connections.
        let region = if operation == "CreateVpcPeeringConnection" { "us-west-2" } else { EU };
        for fault in FAULTS {
            ends_the_same(operation, region, fault).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_fault_of_any_other_call_the_next_fix_succeeds() {
    for operation in OTHERS {
        for fault in FAULTS {
            ends_the_same(operation, EU, fault).await;
        }
    }
}
