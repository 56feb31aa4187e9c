//! A create call that fails, is lost, or in whose midst muster is killed, while
//! EC2's reads lag behind its writes: the next fix ends well, nothing is there
//! twice, and the networks can be taken away.

use std::{sync::Arc, time::Duration};

use super::{
    account::{Account, difference},
    bench::{Bench, plan, stop},
    cut::{census, records_of_a_whole_run},
    faulty::{Fault, Faulty},
    network::nothing,
};
use muster::{engine::Command, remedy::Wish};

/// Every call that creates something, and attaching.
const CREATES: [&str; 7] = [
    "ImportKeyPair",
    "CreateVpc",
    "CreateSubnet",
    "CreateInternetGateway",
    "CreateRouteTable",
    "CreateSecurityGroup",
    "CreateVpcPeeringConnection",
];
/// Those that refer to what is new.
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
/// How far reads are behind.
const LAG: Duration = Duration::from_secs(8);

async fn lagging() -> (Bench, Arc<Faulty>) {
    let mut bench = nothing(Account::simulated()).await;
    let faulty = Faulty::lagging(bench.account.cloud.clone(), LAG);
    bench.account.cloud = faulty.clone();
    (bench, faulty)
}

/// Runs a fix until it ends or is killed; the next process finds what is left.
async fn first_run(bench: &mut Bench, faulty: &Faulty, command: Command) {
    let mut engine = bench.engine(bench.store());
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
    bench.account.cloud = faulty.next_process();
}

async fn ends_the_same(operation: &'static str, region: &'static str, fault: Fault) {
    let case = format!("{operation} {fault:?}");
    let (_, whole) = records_of_a_whole_run().await;
    let (mut bench, faulty) = lagging().await;
    let before = bench.account.snapshot().await;
    faulty.breaks_once(operation, region, fault);
    first_run(&mut bench, &faulty, Command::PlanFix(Wish::default())).await;
    assert_eq!(faulty.met(), 1, "{case}");

    let fixed = bench.fix(Wish::default()).await;
    assert!(fixed.complete, "{case}: {:#?}", fixed.events);
    assert_eq!(bench.failing_checks().await, [""; 0], "{case}");
    assert_eq!(census(&bench.account.snapshot().await), whole, "{case}: nothing twice");

    let torn = bench.tear_down().await;
    assert!(torn.complete, "{case}: {:#?}", torn.events);
    let left = difference(&before, &bench.account.snapshot().await);
    let left: Vec<_> =
        left.iter().filter(|line| !line.contains("key_pairs") && !line.contains("tags")).collect();
    assert!(left.is_empty(), "{case}: only the keys are left: {left:#?}");
}

#[tokio::test(start_paused = true)]
async fn whatever_a_create_call_meets_nothing_is_created_twice() {
    for operation in CREATES {
        // The leader's region asks for connections.
        let region = if operation == "CreateVpcPeeringConnection" { "us-west-2" } else { EU };
        for fault in FAULTS {
            ends_the_same(operation, region, fault).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_another_call_meets_the_next_fix_ends_well() {
    for operation in OTHERS {
        for fault in FAULTS {
            ends_the_same(operation, EU, fault).await;
        }
    }
}
