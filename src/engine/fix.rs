//! Carrying out a plan of changes: in the order of its needs, side by side
//! where nothing depends, each intent on disk before its call. What fails ends
//! what needs it and nothing else. A call that is under way is waited for when
//! muster is asked to end, since its answer must not be lost.

mod call;
mod configs;
mod planning;
mod resolve;
mod settle;
mod wait;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures_util::{StreamExt, stream::FuturesUnordered};

use crate::{
    cloud::{Made, Ref, StepId},
    model::Failure,
    remedy::{Action, Plan, Rewrite, Step, describe},
};

pub(super) use planning::{plan, plan_teardown, preview, project_id};

use self::call::Failed;
use super::{Event, FixStep, StepEffect, Update, shared::Shared};

/// Applies `plan`, then sends [`Update::FixEnded`].
pub(super) async fn run(shared: Arc<Shared>, plan: Arc<Plan>) {
    let steps = plan.steps.iter().map(|step| FixStep {
        slot: step.slot.clone(),
        region: step.region().cloned(),
        title: describe::title(step),
        effect: Some(effect(step)),
    });
    if let Err(failure) = shared.record(Event::FixStarted { steps: steps.collect() }).await {
        shared.update(Update::Notice(failure));
        return shared.update(Update::FixEnded { complete: false });
    }
    let mut run = Run { shared: &shared, plan: &plan, made: Made::new(), over: Over::default() };
    run.account().await;
    run.settle().await;
    run.configs().await;
    let complete = run.end();
    shared.update(Update::FixEnded { complete });
}

fn effect(step: &Step) -> StepEffect {
    let Action::Change { change, .. } = &step.action else { return StepEffect::Other };
    match change.deleted().and_then(Ref::id) {
        Some(id) => StepEffect::Deletes(id.to_owned()),
        None if change.is_unique() => StepEffect::CreatesUnique,
        None if change.makes() => StepEffect::Creates,
        None => StepEffect::Other,
    }
}

/// A plan under way.
struct Run<'a> {
    shared: &'a Arc<Shared>,
    plan: &'a Plan,
    made: Made,
    over: Over,
}

/// Steps that are over.
#[derive(Default)]
struct Over {
    begun: BTreeSet<StepId>,
    done: BTreeSet<StepId>,
    failed: BTreeSet<StepId>,
}

impl<'a> Run<'a> {
    /// All that is done in the account.
    async fn account(&mut self) {
        let shared = self.shared;
        let mut running = FuturesUnordered::new();
        loop {
            while let Some(step) = self.next() {
                self.over.begun.insert(step.slot.clone());
                running.push(one(shared, step, self.made.clone()));
            }
            let Some((slot, result)) = running.next().await else { break };
            match result {
                Ok(made) => {
                    self.made.extend(made.map(|id| (slot.clone(), id)));
                    self.over.done.insert(slot);
                }
                Err(_) => _ = self.over.failed.insert(slot),
            }
        }
    }

    /// Waits until EC2 describes what was written.
    async fn settle(&self) {
        let mut written: BTreeMap<_, Vec<settle::Written>> = BTreeMap::new();
        for step in self.plan.steps.iter().filter(|step| self.over.done.contains(&step.slot)) {
            if let Action::Change { region, change } = &step.action {
                let made = self.made.get(&step.slot).cloned();
                let change = change.clone().with(&self.made);
                written.entry(region.clone()).or_default().push((change, made));
            }
        }
        if !self.shared.is_halted() {
            settle::all(self.shared, written).await;
        }
    }

    /// A step that may begin now.
    fn next(&self) -> Option<&'a Step> {
        if self.shared.is_halted() {
            return None;
        }
        self.plan.steps.iter().find(|step| {
            !matches!(step.action, Action::Rewrite(_))
                && !self.over.begun.contains(&step.slot)
                && self.is_free(step)
        })
    }

    /// Whether all that a step needs is done. What is no step of this plan was
    /// done by an earlier one.
    fn is_free(&self, step: &Step) -> bool {
        let needs = step.needs();
        needs.iter().all(|need| self.over.done.contains(need) || self.plan.step(need).is_none())
    }

    /// Writes into the configs all that can be: at once, since positions shift
    /// with each writing.
    async fn configs(&mut self) {
        let free = |step: &&Step| matches!(step.action, Action::Rewrite(_)) && self.is_free(step);
        let steps: Vec<_> = self.plan.steps.iter().filter(free).collect();
        if steps.is_empty() || self.shared.is_halted() {
            return;
        }
        let rewrites = steps.iter().flat_map(|step| match &step.action {
            Action::Rewrite(rewrites) => rewrites.as_slice(),
            _ => &[],
        });
        let rewrites: Vec<Rewrite> = rewrites.cloned().collect();
        for step in &steps {
            let intent = Event::ChangeIntended { slot: step.slot.clone() };
            if let Err(failure) = self.shared.record(intent).await {
                return self.shared.update(Update::Notice(failure));
            }
        }
        let result = configs::rewrite(self.shared, &rewrites, &self.made).await;
        for step in steps {
            let slot = step.slot.clone();
            match &result {
                Ok(()) => {
                    self.over.done.insert(slot.clone());
                    self.shared.report(Event::ChangeDone { slot, made: None });
                }
                Err(failure) => {
                    self.over.failed.insert(slot.clone());
                    let (failure, unresolved) = (failure.clone(), false);
                    self.shared.report(Event::ChangeFailed { slot, failure, unresolved });
                }
            }
        }
    }

    /// Reports the end. Returns whether all steps were done.
    fn end(self) -> bool {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let (done, failed) = (self.over.done.len(), self.over.failed.len());
        let left = self.plan.steps.len() - done - failed;
        let (done, failed) = (number(done), number(failed));
        self.shared.report(Event::FixEnded { done, failed, left: number(left) });
        failed == 0 && left == 0
    }
}

/// One step, in a task that goes on when this one is dropped.
async fn one(
    shared: &Arc<Shared>,
    step: &Step,
    made: Made,
) -> (StepId, Result<Option<String>, Failure>) {
    let slot = step.slot.clone();
    let where_ = step.region().map(|region| format!("{region}: ")).unwrap_or_default();
    let underway = match step.action {
        Action::Change { .. } => {
            Some(shared.must.begin(format!("{where_}{}", describe::title(step))))
        }
        // Steps that only read may be dropped.
        Action::Wait { .. } | Action::Rewrite(_) => None,
    };
    let (shared, step) = (shared.clone(), step.clone());
    let work = tokio::spawn(async move {
        let _underway = underway;
        tokio::select! {
            result = carry_out(&shared, &step, &made) => result,
            // What comes of a call could not be recorded: none is made again.
            () = shared.ended() => Err(Failure::new("the engine has ended")),
        }
    });
    let result = work.await.unwrap_or_else(|error| {
        Err(Failure::new(format!("muster failed: {error}")).hint("refresh, then run the fix again"))
    });
    (slot, result)
}

async fn carry_out(shared: &Shared, step: &Step, made: &Made) -> Result<Option<String>, Failure> {
    let slot = &step.slot;
    shared.record(Event::ChangeIntended { slot: slot.clone() }).await?;
    let result = match &step.action {
        Action::Change { region, change } => {
            call::make(shared, region, slot, &change.clone().with(made)).await
        }
        Action::Wait { region, until } => {
            wait::until(shared, region, &until.with(made)).await.map_err(Failed::from)
        }
        Action::Rewrite(_) => Ok(None),
    };
    match result {
        Ok(made) => {
            // If this can't be recorded, the next run finds by its tag what was made.
            let done = Event::ChangeDone { slot: slot.clone(), made: made.clone() };
            let _ = shared.record(done).await;
            Ok(made)
        }
        Err(Failed { failure, unresolved }) => {
            let slot = slot.clone();
            shared.report(Event::ChangeFailed { slot, failure: failure.clone(), unresolved });
            Err(failure)
        }
    }
}
