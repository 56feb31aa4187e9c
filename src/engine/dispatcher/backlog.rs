//! Records that the disk did not take: kept in order, and written before the
//! next one as soon as there is room again.

use std::collections::VecDeque;

use crate::{
    engine::Stamped,
    journal::{JournalError, Store},
    model::{Failure, count},
};

/// What is not on disk yet.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    records: VecDeque<Stamped>,
    manifest: bool,
    /// Whether a notice was sent since the last command: a disk that stays full
    /// is one notice.
    reported: bool,
}

impl Backlog {
    /// Appends what waits, then `record`. `Err`: `record` is not on disk.
    pub(super) fn append(
        &mut self,
        store: &mut Store,
        record: &Stamped,
    ) -> Result<(), JournalError> {
        self.flush(store)?;
        store.append(record, record.event.is_durable())
    }

    /// Appends what waits, as far as there is room.
    pub(super) fn flush(&mut self, store: &mut Store) -> Result<(), JournalError> {
        while let Some(record) = self.records.front() {
            store.append(record, record.event.is_durable())?;
            self.records.pop_front();
        }
        Ok(())
    }

    /// Keeps a record of what has happened, though the disk did not take it.
    pub(super) fn keep(&mut self, record: Stamped) {
        self.records.push_back(record);
    }

    /// Notes whether the manifest on disk is the last one.
    pub(super) fn manifest_written(&mut self, written: bool) {
        self.manifest = !written;
    }

    /// Whether the manifest on disk is an older one.
    pub(super) fn lacks_manifest(&self) -> bool {
        self.manifest
    }

    /// From here on the next failure is reported again.
    pub(super) fn report_again(&mut self) {
        self.reported = false;
    }

    /// Whether to report a failure: the first one since the last command.
    pub(super) fn reports(&mut self) -> bool {
        !std::mem::replace(&mut self.reported, true)
    }

    /// What would be lost if the process ended now; `None` if nothing.
    pub(super) fn lost(&self) -> Option<Failure> {
        let records = match self.records.len() {
            0 => None,
            n => Some(format!("{} of the journal", count(n as u64, "record"))),
        };
        let manifest = self.manifest.then(|| "manifest.json".to_owned());
        let what: Vec<_> = records.into_iter().chain(manifest).collect();
        if what.is_empty() {
            return None;
        }
        let failure = Failure::new(format!("cannot write {}", what.join(" and ")));
        Some(failure.hint("free some space, then run the same command again"))
    }
}
