//! A fix that is killed after any of its records, and begun again: the same
//! end, and nothing double.

use std::collections::BTreeMap;

use super::{
    account::{Account, Snapshot},
    bench::{Bench, carry_out, plan, stop},
    network::nothing,
};
use muster::{
    engine::{Command, Handle, Update},
    remedy::Wish,
};

/// How many resources of each kind there are.
pub fn census(snapshot: &Snapshot) -> BTreeMap<String, usize> {
    let mut census = BTreeMap::new();
    for key in snapshot.keys() {
        // /regions/eu-west-1/tags/vpc-0…/Name
        let kind: Vec<_> = key.split('/').take(4).filter(|part| !part.contains("-0")).collect();
        *census.entry(kind.join("/")).or_default() += 1;
    }
    census
}

/// How many events a whole run tells, and what is there after it.
pub async fn records_of_a_whole_run() -> (usize, BTreeMap<String, usize>) {
    let bench = nothing(Account::simulated()).await;
    let fixed = bench.fix(Wish::default()).await;
    assert!(fixed.complete, "{:#?}", fixed.events);
    (fixed.events.len(), census(&bench.account.snapshot().await))
}

#[tokio::test(start_paused = true)]
async fn killed_after_each_of_its_records_it_ends_the_same() {
    let (records, whole) = records_of_a_whole_run().await;
    assert!(records > 60, "{records}");
    for kept in 1..=records {
        let bench = nothing(Account::simulated()).await;
        kill_after(&bench, kept).await;
        let fixed = bench.fix(Wish::default()).await;
        assert!(fixed.complete, "after {kept} records: {:#?}", fixed.events);
        assert_eq!(bench.failing_checks().await, [""; 0], "after {kept} records");
        let now = census(&bench.account.snapshot().await);
        assert_eq!(now, whole, "after {kept} records nothing is double or missing");
    }
}

/// Kills an engine as its fix has told of `kept` events.
pub async fn kill_after(bench: &Bench, kept: usize) {
    let mut engine = bench.engine(bench.store());
    let plan = plan(&mut engine, Command::PlanFix(Wish::default())).await;
    engine.commands.send(Command::Fix(plan.plan.clone())).unwrap_or_default();
    let mut told = 0;
    while told < kept {
        match engine.updates.recv().await {
            Some(Update::Event(_)) => told += 1,
            Some(Update::FixEnded { .. }) | None => break,
            Some(_) => {}
        }
    }
    kill(engine).await;
}

/// What is under way in the account goes on without an answer, as after a
/// kill; waited for here, since it would else go on beside the next engine.
async fn kill(engine: Handle) {
    engine.task.abort();
    let _ = engine.task.await;
    tokio::time::sleep(std::time::Duration::from_mins(10)).await;
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_was_shown_can_be_carried_out_twice() {
    let bench = nothing(Account::simulated()).await;
    let mut engine = bench.engine(bench.store());
    let shown = plan(&mut engine, Command::PlanFix(Wish::default())).await;
    assert!(carry_out(&mut engine, &shown).await.complete);
    let again = plan(&mut engine, Command::PlanFix(Wish::default())).await;
    assert!(again.plan.is_empty(), "the engine knows the new configs: {:#?}", again.plan);
    stop(engine).await;
}
