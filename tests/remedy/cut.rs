//! A fix that is killed after any of its records and restarted: the same result,
//! without duplicates.

use std::collections::BTreeMap;

use super::{
    account::{Account, Snapshot},
    harness::{FixHarness, carry_out, plan, stop},
    network::nothing,
};
use muster::{
    engine::{Command, Handle, Update},
    remedy::FixScope,
};

/// Counts the resources of each kind.
pub fn census(snapshot: &Snapshot) -> BTreeMap<String, usize> {
    let mut census = BTreeMap::new();
    for key in snapshot.keys() {
        // /regions/eu-west-1/tags/vpc-0…/Name
        let kind: Vec<_> = key.split('/').take(4).filter(|part| !part.contains("-0")).collect();
        *census.entry(kind.join("/")).or_default() += 1;
    }
    census
}

/// Returns the number of events of a whole run, and the resources after it.
pub async fn records_of_a_whole_run() -> (usize, BTreeMap<String, usize>) {
    let harness = nothing(Account::simulated()).await;
    let fixed = harness.fix(FixScope::default()).await;
    assert!(fixed.complete, "{:#?}", fixed.events);
    (fixed.events.len(), census(&harness.account.snapshot().await))
}

#[tokio::test(start_paused = true)]
async fn killed_after_each_of_its_records_it_ends_the_same() {
    let (records, whole) = records_of_a_whole_run().await;
    assert!(records > 60, "{records}");
    for kept in 1..=records {
        let harness = nothing(Account::simulated()).await;
        kill_after(&harness, kept).await;
        let fixed = harness.fix(FixScope::default()).await;
        assert!(fixed.complete, "after {kept} records: {:#?}", fixed.events);
        assert_eq!(harness.failing_checks().await, [""; 0], "after {kept} records");
        let now = census(&harness.account.snapshot().await);
        assert_eq!(now, whole, "after {kept} records nothing is double or missing");
    }
}

/// Kills an engine after its fix has emitted `kept` events.
pub async fn kill_after(harness: &FixHarness, kept: usize) {
    let mut engine = harness.engine(harness.store());
    let plan = plan(&mut engine, Command::PlanFix(FixScope::default())).await;
    engine.commands.send(Command::Fix(plan.plan.clone())).unwrap_or_default();
    let mut events = 0;
    while events < kept {
        match engine.updates.recv().await {
            Some(Update::Event(_)) => events += 1,
            Some(Update::FixEnded { .. }) | None => break,
            Some(_) => {}
        }
    }
    kill(engine).await;
}

/// Calls under way go on in the account without an answer, as after a kill. Waits
/// for them, because they would otherwise overlap with the next engine.
async fn kill(engine: Handle) {
    engine.task.abort();
    let _ = engine.task.await;
    tokio::time::sleep(std::time::Duration::from_mins(10)).await;
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_was_shown_can_be_carried_out_twice() {
    let harness = nothing(Account::simulated()).await;
    let mut engine = harness.engine(harness.store());
    let shown = plan(&mut engine, Command::PlanFix(FixScope::default())).await;
    assert!(carry_out(&mut engine, &shown).await.complete);
    let again = plan(&mut engine, Command::PlanFix(FixScope::default())).await;
    assert!(again.plan.is_empty(), "the engine knows the new configs: {:#?}", again.plan);
    stop(engine).await;
}
