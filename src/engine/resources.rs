//! The events of fixes, kept for the record of what is this project's
//! ([`Record`]): over all its journals, since networks outlive clusters.

use std::{collections::BTreeMap, path::Path};

use jiff::Timestamp;

use crate::{
    cloud::StepId,
    journal,
    model::{Failure, Region},
    remedy::{Intent, Record},
};

use super::{Event, FixStep, Stamped, StepEffect, shared::Shared};

/// The events of one journal that a record follows from, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FixEvents(Vec<(Timestamp, Event)>);

impl FixEvents {
    /// Keeps `event` where it is about a fix.
    pub(super) fn apply(&mut self, at: Timestamp, event: &Event) {
        let is_of_fix = matches!(
            event,
            Event::FixStarted { .. }
                | Event::ChangeIntended { .. }
                | Event::ChangeDone { .. }
                | Event::ChangeFailed { .. }
                | Event::ChangeResolved { .. }
                | Event::ResourceTakenOver { .. }
                | Event::ResourceGone { .. }
        );
        if is_of_fix {
            self.0.push((at, event.clone()));
        }
    }

    fn of(records: &[Stamped]) -> Self {
        let mut events = Self::default();
        for stamped in records {
            events.apply(stamped.at, &stamped.event);
        }
        events
    }
}

/// What is this project's by its journals: those of its other clusters, and
/// this one's as it is in memory.
pub(super) async fn record(shared: &Shared) -> Record {
    let folder = shared.folder.clone();
    let read = move || folder.map(|folder| earlier(&folder)).unwrap_or_default();
    // A journal that can't be read leaves resources out: they are shown as
    // unrecorded then, and neither reused nor deleted.
    let earlier = tokio::task::spawn_blocking(read).await.unwrap_or_default();
    let mut fold = Fold::default();
    for events in &earlier {
        fold.all(events);
    }
    fold.all(&shared.state().fix_events);
    fold.record
}

/// Makes sure that the journal begins with its cluster, as every one has to.
pub(super) async fn open_journal(shared: &Shared) -> Result<(), Failure> {
    if shared.state().cluster.is_some() {
        return Ok(());
    }
    let project = shared.project();
    let created = Event::ClusterCreated {
        cluster: shared.cluster.clone(),
        project: project.name.value.clone(),
        leader: project.leader.value.clone(),
        regions: project.region_names(),
    };
    shared.record(created).await
}

/// The journals of the project's other clusters, the oldest first.
fn earlier(cluster: &Path) -> Vec<FixEvents> {
    let Some(project) = cluster.parent() else { return Vec::new() };
    let mut journals: Vec<_> = journal::others(project, cluster)
        .into_iter()
        .filter_map(|records| Some((records.first()?.at, FixEvents::of(&records))))
        .collect();
    journals.sort_by_key(|(began, _)| *began);
    journals.into_iter().map(|(_, events)| events).collect()
}

#[derive(Default)]
struct Fold {
    steps: BTreeMap<StepId, FixStep>,
    record: Record,
}

impl Fold {
    fn all(&mut self, events: &FixEvents) {
        for (at, event) in &events.0 {
            self.one(*at, event);
        }
    }

    fn one(&mut self, at: Timestamp, event: &Event) {
        match event {
            Event::FixStarted { steps } => {
                self.steps.extend(steps.iter().map(|step| (step.slot.clone(), step.clone())));
            }
            Event::ChangeIntended { slot } => self.intended(slot, at),
            Event::ChangeDone { slot, made } => {
                if let Some(region) = self.region(slot) {
                    self.record.settle(slot, &region, made.as_deref(), at);
                }
                if let Some(StepEffect::Deletes(id)) = self.effect(slot) {
                    self.record.delete(id);
                }
            }
            Event::ChangeFailed { slot, unresolved: false, .. } => {
                if let Some(region) = self.region(slot) {
                    self.record.settle(slot, &region, None, at);
                }
            }
            Event::ChangeResolved { slot, region, made: Some(made) } => {
                self.record.settle(slot, region, Some(made), at);
            }
            Event::ChangeResolved { slot, region, made: None } => self.record.lapse(slot, region),
            Event::ResourceTakenOver { slot, region, id } => {
                self.record.settle(slot, region, Some(id), at);
            }
            Event::ResourceGone { id, .. } => self.record.forget(id),
            _ => {}
        }
    }

    fn intended(&mut self, slot: &StepId, at: Timestamp) {
        let Some(step) = self.steps.get(slot) else { return };
        let unique = match step.effect {
            None | Some(StepEffect::Creates) => false,
            Some(StepEffect::CreatesUnique) => true,
            Some(StepEffect::Deletes(_) | StepEffect::Other) => return,
        };
        if let Some(region) = step.region.clone() {
            let title = step.title.clone();
            self.record.intend(slot.clone(), Intent { region, at, title, unique });
        }
    }

    fn region(&self, slot: &StepId) -> Option<Region> {
        self.steps.get(slot)?.region.clone()
    }

    fn effect(&self, slot: &StepId) -> Option<StepEffect> {
        self.steps.get(slot)?.effect.clone()
    }
}
