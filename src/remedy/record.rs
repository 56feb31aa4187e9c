//! What this project's journals say that `fix` created: by that record, and by
//! no tag, a resource counts as the project's own. Tags can be set by anybody.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::{cloud::StepId, model::Region};

/// What was created, deleted and intended, in the order of the journals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    created: Vec<Created>,
    deleted: BTreeSet<String>,
    intents: BTreeMap<StepId, Intent>,
    /// Calls of which reads showed nothing for as long as was waited. What they
    /// created may still show.
    lapsed: BTreeSet<(Region, StepId)>,
}

/// A resource that a step created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// Its region.
    pub region: Region,
    /// The step.
    pub slot: StepId,
    /// Its id.
    pub id: String,
    /// When that was recorded.
    pub at: Timestamp,
}

/// A call that may have created something, and whose end is in no journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Its region.
    pub region: Region,
    /// When it was announced.
    pub at: Timestamp,
    /// What it does, one line.
    pub title: String,
    /// Whether EC2 refuses to create a second one.
    pub unique: bool,
}

impl Record {
    /// What exists in `region` as far as the record goes.
    pub fn own<'a>(&'a self, region: &'a Region) -> impl Iterator<Item = &'a Created> {
        let exists = |one: &&Created| !self.deleted.contains(&one.id);
        self.created.iter().filter(move |one| one.region == *region).filter(exists)
    }

    /// Whether `id` ever was this project's, also where it is deleted by now.
    pub fn knows(&self, id: &str) -> bool {
        self.created.iter().any(|one| one.id == id)
    }

    /// Whether `id` is this project's, and not deleted.
    pub fn owns(&self, id: &str) -> bool {
        self.knows(id) && !self.deleted.contains(id)
    }

    /// The regions in which something exists or may exist.
    pub fn regions(&self) -> BTreeSet<Region> {
        let created = self.created.iter().filter(|one| !self.deleted.contains(&one.id));
        let intended = self.intents.values().map(|intent| &intent.region);
        let lapsed = self.lapsed.iter().map(|(region, _)| region);
        created.map(|one| &one.region).chain(intended).chain(lapsed).cloned().collect()
    }

    /// The calls whose end is not known.
    pub fn intents(&self) -> impl Iterator<Item = (&StepId, &Intent)> {
        self.intents.iter()
    }

    /// Whether a call of the step `slot` may have created something that is not on record.
    pub fn may_have_created(&self, region: &Region, slot: &StepId) -> bool {
        self.intents.get(slot).is_some_and(|intent| intent.region == *region)
            || self.lapsed.contains(&(region.clone(), slot.clone()))
    }

    /// Adds a call that may create something.
    pub fn intend(&mut self, slot: StepId, intent: Intent) {
        self.intents.insert(slot, intent);
    }

    /// Reads showed nothing of what the step's call may have created. The step may be
    /// carried out again, and what shows later is still the project's.
    pub fn lapse(&mut self, slot: &StepId, region: &Region) {
        if self.intents.remove(slot).is_some() {
            self.lapsed.insert((region.clone(), slot.clone()));
        }
    }

    /// The end of a step: the id of what it created, if anything.
    pub fn settle(&mut self, slot: &StepId, region: &Region, created: Option<&str>, at: Timestamp) {
        self.intents.remove(slot);
        if let Some(id) = created {
            self.deleted.remove(id);
            if !self.knows(id) {
                let (region, slot, id) = (region.clone(), slot.clone(), id.to_owned());
                self.created.push(Created { region, slot, id, at });
            }
        }
    }

    /// muster deleted `id`.
    pub fn delete(&mut self, id: String) {
        self.deleted.insert(id);
    }

    /// EC2 no longer describes `id`. Should it appear again, it is no more than
    /// any other resource with this project's tags.
    pub fn forget(&mut self, id: &str) {
        self.created.retain(|one| one.id != id);
    }
}
