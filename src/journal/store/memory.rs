//! A place in memory: for the demo, and for tests of crashes and full disks.

use std::{
    io::ErrorKind,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{JournalError, Place, Store};
use crate::{journal::Stamped, model::ClusterId};

/// What every handle on a memory shares.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory(Arc<Mutex<Held>>);

#[derive(Debug, Default)]
struct Held {
    records: Vec<Stamped>,
    manifest: Option<String>,
    /// How many more writes find room; `None`: all.
    room: Option<usize>,
}

impl Memory {
    fn with(records: Vec<Stamped>) -> Self {
        Self(Arc::new(Mutex::new(Held { records, ..Held::default() })))
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn append(&self, record: &Stamped) -> Result<(), JournalError> {
        let mut held = self.lock();
        held.take_room()?;
        held.records.push(record.clone());
        Ok(())
    }

    pub(super) fn write_manifest(&self, json: &str) -> Result<(), JournalError> {
        let mut held = self.lock();
        held.take_room()?;
        held.manifest = Some(json.to_owned());
        Ok(())
    }

    pub(super) fn manifest(&self) -> Option<String> {
        self.lock().manifest.clone()
    }
}

impl Held {
    fn take_room(&mut self) -> Result<(), JournalError> {
        match &mut self.room {
            None => Ok(()),
            Some(0) => Err(JournalError::io(Path::new("memory"))(ErrorKind::StorageFull.into())),
            Some(room) => {
                *room -= 1;
                Ok(())
            }
        }
    }
}

impl Store {
    /// A place in memory, for the demo and the tests.
    pub fn in_memory(cluster: ClusterId) -> Self {
        Self::new(cluster, Place::Memory(Memory::default()), None)
    }

    /// A place in memory that holds `records`, as the next process finds them.
    /// For tests of crashes.
    pub fn holding(cluster: ClusterId, records: Vec<Stamped>) -> Self {
        let mut store = Self::new(cluster, Place::Memory(Memory::with(records.clone())), None);
        store.is_known = !records.is_empty();
        store.records = records;
        store
    }

    /// The same records in memory: what is appended is written nowhere. For a
    /// termination where the disk can't be written.
    #[must_use]
    pub fn detached(self) -> Self {
        let place = Place::Memory(Memory::with(self.records.clone()));
        Self { place, read_only: None, ..self }
    }

    /// What the next process would find in this memory: the same records,
    /// those after the first `keep` lost. For tests of crashes.
    #[must_use]
    pub fn reopened(&self, keep: usize) -> Self {
        let mut records = self.records_in_memory();
        records.truncate(keep);
        Self::holding(self.cluster.clone(), records)
    }

    /// What the next process would find in this memory, and write on in; a
    /// place of its own on disk.
    #[must_use]
    pub fn reopen(&self) -> Self {
        let mut store = self.share().unwrap_or_else(|| Self::in_memory(self.cluster.clone()));
        store.records = store.records_in_memory();
        store.is_known = !store.records.is_empty();
        store
    }

    /// Another handle on the same memory, to read it while an engine has
    /// the store; `None` on disk.
    pub fn share(&self) -> Option<Self> {
        let Place::Memory(memory) = &self.place else { return None };
        Some(Self::new(self.cluster.clone(), Place::Memory(memory.clone()), None))
    }

    /// Lets `room` more writes succeed, and those after them fail as on a full
    /// disk; `None`: all succeed again. For tests.
    pub fn limit(&self, room: Option<usize>) {
        if let Place::Memory(memory) = &self.place {
            memory.lock().room = room;
        }
    }

    /// The records that are written, in memory.
    pub fn records_in_memory(&self) -> Vec<Stamped> {
        match &self.place {
            Place::Memory(memory) => memory.lock().records.clone(),
            Place::Disk { .. } => self.records.clone(),
        }
    }

    /// How many records are written, in memory.
    pub fn written(&self) -> usize {
        match &self.place {
            Place::Memory(memory) => memory.lock().records.len(),
            Place::Disk { .. } => 0,
        }
    }
}
