//! What happens: journalled, folded, sent on; and the manifest that is made
//! of it.

use crate::{
    engine::{Event, Manifest, Stamped, Update},
    journal::TakeOver,
    model::Failure,
};

use super::{Dispatcher, MANIFEST, tasks::Task};

impl Dispatcher {
    /// Journals, folds and sends an event. An intent that cannot be journalled is
    /// refused. Facts are folded and sent even then, and written once there is space,
    /// so that the screen shows the actual state. So is the intent to
    /// terminate, which is always possible. What is on record already is dropped:
    /// a refresh and a termination both see the same instance terminate.
    pub(super) fn record(&mut self, event: Event) -> Result<(), Failure> {
        if self.shared.state().has_recorded(&event) {
            return Ok(());
        }
        let reads = self.store.read_only().is_some();
        // What a reader sees for itself takes no number: the writer gives those.
        let seq = self.shared.state().seq.saturating_add(u64::from(!reads));
        let stamped = Stamped { seq, at: self.shared.clock.now(), event };
        let must_precede = stamped.event.must_precede();
        if !reads && let Err(error) = self.backlog.append(&mut self.store, &stamped) {
            let failure = Failure::new(format!("cannot write the journal: {error}"))
                .hint("free some space: nothing new is launched until it can be written");
            if must_precede {
                return Err(failure);
            }
            self.backlog.keep(stamped.clone());
            self.unwritten(failure);
        }
        self.barriers.apply(&stamped.event, &self.shared.state());
        self.shared.change(|state| state.apply(&stamped));
        self.end_node_without_instance(&stamped.event);
        if stamped.event.may_settle() {
            self.shared.settled.send_replace(());
        }
        self.manifest_due.get_or_insert(tokio::time::Instant::now() + MANIFEST);
        self.send(Update::Event(stamped));
        Ok(())
    }

    /// Reports that something could not be written, once for a command: a disk
    /// that stays full would fill the screen otherwise.
    pub(super) fn unwritten(&mut self, failure: Failure) {
        if self.backlog.reports() {
            self.send(Update::Notice(failure));
        }
    }

    /// Writes what could not be written before, and reports what still can't.
    pub(super) fn write_last(&mut self) {
        // What is left shows below.
        let _ = self.backlog.flush(&mut self.store);
        if self.manifest_due.is_some() || self.backlog.lacks_manifest() {
            self.write_manifest();
        }
        if let Some(failure) = self.backlog.lost() {
            self.send(Update::Unwritten(failure));
        }
    }

    pub(super) fn note(&mut self, event: Event) {
        if let Err(failure) = self.record(event) {
            self.send(Update::Notice(failure));
        }
    }

    /// Takes in what the writer has journalled meanwhile, and its place once it
    /// has ended.
    pub(super) fn follow(&mut self) {
        // Asked for first: behind it nobody else writes.
        let taken = self.store.take_over();
        self.read_further();
        match taken {
            Ok(TakeOver::Held) => {}
            Ok(TakeOver::Taken) => {
                self.send(Update::ReadOnly(None));
                self.refresh();
            }
            Ok(TakeOver::Another(why)) => self.send(Update::ReadOnly(Some(why))),
            Err(error) => self.send(Update::Notice(Failure::new(error.to_string()))),
        }
    }

    fn read_further(&mut self) {
        self.shared.logs.read_further();
        match self.store.read_further() {
            Ok(records) => {
                for stamped in records {
                    self.shared.change(|state| state.apply(&stamped));
                    self.send(Update::Event(stamped));
                }
            }
            Err(error) => self.send(Update::Notice(Failure::new(error.to_string()))),
        }
    }

    /// Aborts the task of a node whose instance is terminated or stopped: it needs no more SSH.
    fn end_node_without_instance(&self, event: &Event) {
        let Event::InstanceChanged { instance, state, .. } = event else { return };
        if state.is_live() && !state.is_stopped() {
            return;
        }
        let name = self.shared.state().node_of(instance).map(|node| node.name.clone());
        if let Some(name) = name {
            self.abort(&Task::Node(name));
        }
    }

    pub(super) fn write_manifest(&mut self) {
        self.manifest_due = None;
        if self.store.read_only().is_some() || self.shared.state().cluster.is_none() {
            return;
        }
        let manifest = Manifest::of(&self.shared.state());
        let written = serde_json::to_string_pretty(&manifest)
            .map_err(|error| error.to_string())
            .and_then(|json| self.store.write_manifest(&json).map_err(|error| error.to_string()));
        self.backlog.manifest_written(written.is_ok());
        if let Err(error) = written {
            let failure = Failure::new(format!("cannot write manifest.json: {error}"));
            self.unwritten(failure.hint("free some space, then run the same command again"));
        }
    }
}
