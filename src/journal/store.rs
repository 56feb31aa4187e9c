//! Where a project's clusters are kept, and who may write there.

mod lock;
mod takeover;

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use etcetera::BaseStrategy;

use self::lock::lock;
pub use self::takeover::TakeOver;
use super::{JournalError, JournalFile};
use crate::{
    engine::{Event, Stamped},
    model::ClusterId,
};

const JOURNAL: &str = "journal.jsonl";
const MANIFEST: &str = "manifest.json";

/// The default state directory: `$XDG_STATE_HOME/muster`, else
/// `~/.local/state/muster`. `None` where there is no home.
pub fn state_dir() -> Option<PathBuf> {
    let base = etcetera::base_strategy::Xdg::new().ok()?;
    base.state_dir().map(|dir| dir.join("muster"))
}

/// One project's place. Dropping it lets go of the lock.
#[derive(Debug)]
pub struct Store {
    cluster: ClusterId,
    place: Place,
    read_only: Option<ReadOnly>,
    records: Vec<Stamped>,
}

/// Why a process may only read.
#[derive(Clone, Debug)]
enum ReadOnly {
    /// It never writes.
    Looks(String),
    /// This one writes; it may end.
    Waits(String),
}

#[derive(Debug)]
enum Place {
    Disk { folder: PathBuf, journal: Option<JournalFile>, lock: Option<File> },
    Memory(Arc<Mutex<Memory>>),
}

#[derive(Debug, Default)]
struct Memory {
    records: Vec<Stamped>,
    manifest: Option<String>,
}

impl Store {
    /// Opens the place of project `name` below `state_dir`: the cluster that is
    /// not known to be gone, else a new id for the next one. Nothing is
    /// written before [`Store::append`] is called for the first time, but for
    /// the folder that the lock is in.
    pub fn open(state_dir: &Path, name: &str) -> Result<Self, JournalError> {
        let project = state_dir.join(file_name(name));
        let (lock, holder) = lock(&project)?;
        let current = current(&project)?;
        let cluster = current.clone().unwrap_or_else(|| fresh_id(name));
        let mut store = Self::on_disk(
            project.join(cluster.as_str()),
            cluster,
            lock,
            holder.map(ReadOnly::Waits),
        );
        if current.is_some() {
            store.load()?;
        }
        Ok(store)
    }

    /// Opens the place of one cluster by its id, also where its journal is lost:
    /// what carries its tag can still be found and ended.
    pub fn open_cluster(
        state_dir: &Path,
        name: &str,
        cluster: ClusterId,
    ) -> Result<Self, JournalError> {
        let project = state_dir.join(file_name(name));
        let (lock, holder) = lock(&project)?;
        let folder = project.join(file_name(cluster.as_str()));
        let has_journal = folder.join(JOURNAL).exists();
        let mut store = Self::on_disk(folder, cluster, lock, holder.map(ReadOnly::Waits));
        if has_journal {
            store.load()?;
        }
        Ok(store)
    }

    /// The cluster of project `name` that is not known to be gone, only to be
    /// looked at: takes no lock and makes nothing. `None` where there is none.
    pub fn peek(state_dir: &Path, name: &str) -> Result<Option<Self>, JournalError> {
        let project = state_dir.join(file_name(name));
        if !project.is_dir() {
            return Ok(None);
        }
        let Some(cluster) = current(&project)? else { return Ok(None) };
        let folder = project.join(cluster.as_str());
        let why = Some(ReadOnly::Looks("this command only looks".to_owned()));
        let mut store = Self::on_disk(folder, cluster, None, why);
        store.load()?;
        Ok(Some(store))
    }

    /// A place in memory, for the demo and the tests.
    pub fn in_memory(cluster: ClusterId) -> Self {
        let place = Place::Memory(Arc::default());
        Self { cluster, place, read_only: None, records: Vec::new() }
    }

    /// The same records in memory: what is appended is written nowhere. For a
    /// termination where the disk can't be written.
    #[must_use]
    pub fn detached(self) -> Self {
        Self { records: self.records, ..Self::in_memory(self.cluster) }
    }

    /// What the next process would find in this memory: the same records,
    /// those after the first `keep` lost. For tests of crashes.
    #[must_use]
    pub fn reopened(&self, keep: usize) -> Self {
        let records: Vec<_> = match &self.place {
            Place::Memory(memory) => {
                let memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
                memory.records.iter().take(keep).cloned().collect()
            }
            Place::Disk { .. } => self.records.clone(),
        };
        let memory = Memory { records: records.clone(), manifest: None };
        let place = Place::Memory(Arc::new(Mutex::new(memory)));
        Self { cluster: self.cluster.clone(), place, read_only: None, records }
    }

    /// What the next process would find in this memory, and write on in; a
    /// place of its own on disk.
    #[must_use]
    pub fn reopen(&self) -> Self {
        let mut store = self.share().unwrap_or_else(|| Self::in_memory(self.cluster.clone()));
        if let Place::Memory(memory) = &store.place {
            let memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
            store.records.clone_from(&memory.records);
        }
        store
    }

    /// Another handle on the same memory, to look into it while an engine has
    /// the store; `None` on disk.
    pub fn share(&self) -> Option<Self> {
        let Place::Memory(memory) = &self.place else { return None };
        let place = Place::Memory(memory.clone());
        Some(Self { cluster: self.cluster.clone(), place, read_only: None, records: Vec::new() })
    }

    fn on_disk(
        folder: PathBuf,
        cluster: ClusterId,
        lock: Option<File>,
        read_only: Option<ReadOnly>,
    ) -> Self {
        let place = Place::Disk { folder, journal: None, lock };
        Self { cluster, place, read_only, records: Vec::new() }
    }

    fn load(&mut self) -> Result<(), JournalError> {
        if let Place::Disk { folder, journal, .. } = &mut self.place {
            let path = folder.join(JOURNAL);
            if self.read_only.is_some() {
                self.records = JournalFile::read(&path)?;
            } else {
                let (file, records) = JournalFile::open(&path)?;
                *journal = Some(file);
                self.records = records;
            }
        }
        Ok(())
    }

    /// The cluster's id: that of the records, or the one the next cluster will have.
    pub fn cluster(&self) -> &ClusterId {
        &self.cluster
    }

    /// Who writes here, where this process may only read.
    pub fn read_only(&self) -> Option<&str> {
        match self.read_only.as_ref()? {
            ReadOnly::Looks(why) | ReadOnly::Waits(why) => Some(why),
        }
    }

    /// What the journal held when it was opened; taken out.
    pub fn take_records(&mut self) -> Vec<Stamped> {
        std::mem::take(&mut self.records)
    }

    /// What the one writer has added behind record number `after`.
    pub fn records_after(&self, after: u64) -> Result<Vec<Stamped>, JournalError> {
        let Place::Disk { folder, .. } = &self.place else { return Ok(Vec::new()) };
        let path = folder.join(JOURNAL);
        if !path.exists() {
            return Ok(Vec::new());
        }
        let mut records = JournalFile::read(&path)?;
        records.retain(|record| record.seq > after);
        Ok(records)
    }

    /// The cluster's folder, if it is on disk. May not exist yet.
    pub fn folder(&self) -> Option<&Path> {
        match &self.place {
            Place::Disk { folder, .. } => Some(folder),
            Place::Memory(_) => None,
        }
    }

    /// Appends a record; `sync` waits until the disk has it. Makes the
    /// cluster's folder and journal where they are missing.
    pub fn append(&mut self, record: &Stamped, sync: bool) -> Result<(), JournalError> {
        match &mut self.place {
            Place::Memory(memory) => {
                let mut memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
                memory.records.push(record.clone());
                Ok(())
            }
            Place::Disk { folder, journal, .. } => {
                if journal.is_none() {
                    make_private(folder)?;
                    *journal = Some(JournalFile::create(&folder.join(JOURNAL))?);
                }
                journal.as_mut().map_or(Ok(()), |journal| journal.append(record, sync))
            }
        }
    }

    /// Puts the manifest in place, whole or not at all.
    pub fn write_manifest(&self, json: &str) -> Result<(), JournalError> {
        match &self.place {
            Place::Memory(memory) => {
                let mut memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
                memory.manifest = Some(json.to_owned());
                Ok(())
            }
            Place::Disk { folder, .. } => {
                let path = folder.join(MANIFEST);
                write_atomically(folder, &path, json).map_err(JournalError::io(&path))
            }
        }
    }

    /// The manifest as last written.
    pub fn manifest(&self) -> Option<String> {
        match &self.place {
            Place::Memory(memory) => {
                memory.lock().unwrap_or_else(PoisonError::into_inner).manifest.clone()
            }
            Place::Disk { folder, .. } => std::fs::read_to_string(folder.join(MANIFEST)).ok(),
        }
    }

    /// How many records are written, in memory.
    pub fn written(&self) -> usize {
        match &self.place {
            Place::Memory(memory) => {
                memory.lock().unwrap_or_else(PoisonError::into_inner).records.len()
            }
            Place::Disk { .. } => 0,
        }
    }
}

fn write_atomically(folder: &Path, path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_data()?;
    file.persist(path)?;
    Ok(())
}

/// Makes `folder` and what is above it, closed to other users: logs may hold
/// what the user's own steps print.
fn make_private(folder: &Path) -> Result<(), JournalError> {
    use std::os::unix::fs::DirBuilderExt;
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(folder).map_err(JournalError::io(folder))
}

/// The project's cluster that is not known to be gone; the latest where there are several.
fn current(project: &Path) -> Result<Option<ClusterId>, JournalError> {
    let mut found: Option<(jiff::Timestamp, ClusterId)> = None;
    for entry in std::fs::read_dir(project).map_err(JournalError::io(project))? {
        let path = entry.map_err(JournalError::io(project))?.path().join(JOURNAL);
        if !path.exists() {
            continue;
        }
        let (first, last) = JournalFile::ends(&path)?;
        let gone = last.is_some_and(|last| last.event == Event::ClusterGone);
        // Without a first record nothing was launched: it is synced before.
        let Some(Stamped { at, event: Event::ClusterCreated { cluster, .. }, .. }) = first else {
            continue;
        };
        if !gone && found.as_ref().is_none_or(|(latest, _)| at > *latest) {
            found = Some((at, cluster));
        }
    }
    Ok(found.map(|(_, cluster)| cluster))
}

/// A new cluster's id. Random, so that two people's clusters of one name differ.
fn fresh_id(name: &str) -> ClusterId {
    let short: String = file_name(name).chars().take(40).collect();
    let random = uuid::Uuid::new_v4().simple().to_string();
    ClusterId::new(format!("{short}-{}", &random[..6]))
}

/// `name` as one path component: anything unusual becomes `_`, and what
/// changed gets a hash, so that two names never share a folder.
fn file_name(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let clean: String = name.chars().map(|c| if plain(c) { c } else { '_' }).take(80).collect();
    if clean == name && !clean.starts_with('.') && !clean.is_empty() {
        return clean;
    }
    // FNV-1a: stable across versions, which std's hasher is not.
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{}-{hash:016x}", clean.trim_start_matches('.'))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that can't set up should fail")]

    use super::*;
    use crate::model::Region;

    pub(super) fn created(cluster: &ClusterId, seq: u64) -> Stamped {
        let event = Event::ClusterCreated {
            cluster: cluster.clone(),
            project: "p".into(),
            leader: Region::new("us-west-2"),
            regions: vec![],
        };
        Stamped { seq, at: jiff::Timestamp::UNIX_EPOCH, event }
    }

    #[test]
    fn one_writer_at_a_time_and_the_second_reads() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = Store::open(folder.path(), "p").unwrap();
        let id = first.cluster().clone();
        first.append(&created(&id, 1), true).unwrap();
        let peeked = Store::peek(folder.path(), "p").unwrap().unwrap();
        assert_eq!((peeked.cluster(), peeked.records.len()), (&id, 1));
        let second = Store::open(folder.path(), "p").unwrap();
        assert!(second.read_only().unwrap().contains(&std::process::id().to_string()));
        assert_eq!(second.cluster(), &id);
        drop(first);
        assert!(Store::open(folder.path(), "p").unwrap().read_only().is_none());
    }

    #[test]
    fn peeking_makes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Store::peek(folder.path(), "p").unwrap().is_none());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_gone_cluster_makes_room_for_a_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path(), "p").unwrap();
        let id = store.cluster().clone();
        store.append(&created(&id, 1), true).unwrap();
        drop(store);
        let mut store = Store::open(folder.path(), "p").unwrap();
        assert_eq!(store.cluster(), &id);
        assert_eq!(store.take_records().len(), 1);
        let gone = Stamped { seq: 2, event: Event::ClusterGone, ..created(&id, 2) };
        store.append(&gone, true).unwrap();
        drop(store);
        let next = Store::open(folder.path(), "p").unwrap();
        assert_ne!(next.cluster(), &id);
        assert!(!next.folder().unwrap().exists());
    }

    #[test]
    fn names_that_differ_never_share_a_folder() {
        let names = ["a/b", "a_b", "a b", "..", ".", "", "ä", "a"];
        let mut folders: Vec<_> = names.iter().map(|name| file_name(name)).collect();
        folders.sort();
        folders.dedup();
        assert_eq!(folders.len(), names.len());
        assert!(folders.iter().all(|name| !name.contains('/') && !name.starts_with('.')));
    }
}
