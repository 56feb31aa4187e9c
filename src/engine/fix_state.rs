//! How far the last plan of changes is: a fold of its events.

use jiff::Timestamp;
use serde::Serialize;

use crate::{cloud::StepId, model::Failure};

use super::{Event, FixStep};

/// A plan that was begun.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FixState {
    /// Its steps, in order.
    pub steps: Vec<FixProgress>,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When it ended; `None` while it runs, or if it was interrupted.
    pub ended: Option<Timestamp>,
}

/// One step and how far it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FixProgress {
    /// The step.
    pub step: FixStep,
    /// How far it is.
    pub state: ChangeState,
}

/// How far a step is.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeState {
    /// Not begun.
    Waiting,
    /// Called, or about to be. After a crash the account shows the outcome.
    Running,
    /// Done; made this.
    Done(Option<String>),
    /// Failed.
    Failed(Failure),
}

impl FixState {
    /// A plan that begins.
    pub(super) fn begin(steps: &[FixStep], at: Timestamp) -> Self {
        let waiting =
            |step: &FixStep| FixProgress { step: step.clone(), state: ChangeState::Waiting };
        Self { steps: steps.iter().map(waiting).collect(), started: Some(at), ended: None }
    }

    /// Folds an event of the plan.
    pub(super) fn apply(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::ChangeIntended { slot } => self.set(slot, ChangeState::Running),
            Event::ChangeDone { slot, made } => self.set(slot, ChangeState::Done(made.clone())),
            Event::ChangeFailed { slot, failure, .. } => {
                self.set(slot, ChangeState::Failed(failure.clone()));
            }
            Event::ChangeResolved { slot, made, .. } => self.set(
                slot,
                made.as_ref()
                    .map_or(ChangeState::Waiting, |id| ChangeState::Done(Some(id.clone()))),
            ),
            Event::FixEnded { .. } => self.ended = Some(at),
            _ => {}
        }
    }

    fn set(&mut self, slot: &StepId, state: ChangeState) {
        if let Some(progress) = self.steps.iter_mut().find(|one| one.step.slot == *slot) {
            progress.state = state;
        }
    }

    /// `text` with the ids of what has been made in place of the steps' names.
    pub fn with_ids(&self, text: &str) -> String {
        let made = self.steps.iter().filter_map(|one| match &one.state {
            ChangeState::Done(Some(id)) => Some((&one.step.slot, id)),
            _ => None,
        });
        made.fold(text.to_owned(), |text, (slot, id)| text.replace(&format!("<{slot}>"), id))
    }

    /// Steps done.
    pub fn done(&self) -> usize {
        self.count(|state| matches!(state, ChangeState::Done(_)))
    }

    /// Steps that failed.
    pub fn failed(&self) -> usize {
        self.count(|state| matches!(state, ChangeState::Failed(_)))
    }

    /// Whether it was begun and neither ended nor runs in `this` process.
    pub fn is_cut_off(&self) -> bool {
        self.started.is_some() && self.ended.is_none()
    }

    fn count(&self, is: impl Fn(&ChangeState) -> bool) -> usize {
        self.steps.iter().filter(|one| is(&one.state)).count()
    }
}
