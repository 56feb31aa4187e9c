//! Where a project's clusters are kept, and who may write there.

mod current;
mod lock;
mod memory;
mod takeover;

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
};

use etcetera::BaseStrategy;

pub use self::takeover::TakeOver;
use self::{
    current::{current, file_name, fresh_id},
    lock::lock,
    memory::Memory,
};
use super::{Damage, JournalError, JournalFile};
use crate::{journal::Stamped, model::ClusterId};

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
    /// Whether the cluster has a journal: else its id is not in use yet.
    is_known: bool,
    damage: Option<Damage>,
    /// How many bytes of the journal were read, where another process appends to it.
    read: u64,
}

/// Why a process may only read.
#[derive(Clone, Debug)]
enum ReadOnly {
    /// It never writes.
    Never(String),
    /// This one writes; it may end.
    Waits(String),
}

#[derive(Debug)]
enum Place {
    Disk { folder: PathBuf, journal: Option<JournalFile>, lock: Option<File> },
    Memory(Memory),
}

impl Store {
    /// Opens the folder of project `name` below `state_dir`: the cluster that is
    /// not known to be terminated, else a new id for the next one. Nothing is
    /// written before [`Store::append`] is called for the first time, but for
    /// the folder that the lock is in.
    pub fn open(state_dir: &Path, name: &str) -> Result<Self, JournalError> {
        let project = state_dir.join(file_name(name));
        let (lock, holder) = lock(&project)?;
        let current = current(&project)?;
        let cluster = current.clone().unwrap_or_else(|| fresh_id(name));
        let mut store = Self::on_disk(
            project.join(file_name(cluster.as_str())),
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
    /// what carries its tag can still be found and terminated.
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

    /// The cluster of project `name` that is not known to be terminated, read-only:
    /// takes no lock and creates nothing. `None` if there is none.
    pub fn peek(state_dir: &Path, name: &str) -> Result<Option<Self>, JournalError> {
        let project = state_dir.join(file_name(name));
        if !project.is_dir() {
            return Ok(None);
        }
        let Some(cluster) = current(&project)? else { return Ok(None) };
        let folder = project.join(file_name(cluster.as_str()));
        let why = Some(ReadOnly::Never("this command is read-only".to_owned()));
        let mut store = Self::on_disk(folder, cluster, None, why);
        store.load()?;
        Ok(Some(store))
    }

    fn new(cluster: ClusterId, place: Place, read_only: Option<ReadOnly>) -> Self {
        let (records, is_known, damage) = (Vec::new(), false, None);
        Self { cluster, place, read_only, records, is_known, damage, read: 0 }
    }

    fn on_disk(
        folder: PathBuf,
        cluster: ClusterId,
        lock: Option<File>,
        read_only: Option<ReadOnly>,
    ) -> Self {
        Self::new(cluster, Place::Disk { folder, journal: None, lock }, read_only)
    }

    fn load(&mut self) -> Result<(), JournalError> {
        if let Place::Disk { folder, journal, .. } = &mut self.place {
            let path = folder.join(JOURNAL);
            let contents = if self.read_only.is_some() {
                JournalFile::read(&path)?
            } else {
                let (file, contents) = JournalFile::open(&path)?;
                *journal = Some(file);
                contents
            };
            self.is_known = true;
            self.damage = Damage::of(&path, &self.cluster, &contents);
            self.read = contents.whole;
            self.records = contents.records;
        }
        Ok(())
    }

    /// The cluster's id: that of the records, or the one the next cluster will have.
    pub fn cluster(&self) -> &ClusterId {
        &self.cluster
    }

    /// The cluster's id where there is one already: its journal exists.
    pub fn known_cluster(&self) -> Option<&ClusterId> {
        Some(&self.cluster).filter(|_| self.is_known)
    }

    /// What of the journal could not be read when it was opened.
    pub fn damage(&self) -> Option<&Damage> {
        self.damage.as_ref()
    }

    /// Who writes here, where this process may only read.
    pub fn read_only(&self) -> Option<&str> {
        match self.read_only.as_ref()? {
            ReadOnly::Never(why) | ReadOnly::Waits(why) => Some(why),
        }
    }

    /// What the journal held when it was opened; taken out.
    pub fn take_records(&mut self) -> Vec<Stamped> {
        std::mem::take(&mut self.records)
    }

    /// What the one writer has appended since this was opened, or since this
    /// was called last.
    pub fn read_further(&mut self) -> Result<Vec<Stamped>, JournalError> {
        let Place::Disk { folder, .. } = &self.place else { return Ok(Vec::new()) };
        let path = folder.join(JOURNAL);
        if !path.exists() {
            return Ok(Vec::new());
        }
        let (records, read) = JournalFile::read_from(&path, self.read)?;
        self.read = read;
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
            Place::Memory(memory) => memory.append(record)?,
            Place::Disk { folder, journal, .. } => {
                if journal.is_none() {
                    make_private(folder)?;
                    *journal = Some(create(&folder.join(JOURNAL))?);
                }
                journal.as_mut().map_or(Ok(()), |journal| journal.append(record, sync))?;
            }
        }
        self.is_known = true;
        Ok(())
    }

    /// Puts the manifest in place, whole or not at all.
    pub fn write_manifest(&self, json: &str) -> Result<(), JournalError> {
        match &self.place {
            Place::Memory(memory) => memory.write_manifest(json),
            Place::Disk { folder, .. } => {
                let path = folder.join(MANIFEST);
                write_atomically(folder, &path, json).map_err(JournalError::io(&path))
            }
        }
    }

    /// The manifest as last written.
    pub fn manifest(&self) -> Option<String> {
        match &self.place {
            Place::Memory(memory) => memory.manifest(),
            Place::Disk { folder, .. } => std::fs::read_to_string(folder.join(MANIFEST)).ok(),
        }
    }
}

/// A new journal; the empty one that a full disk left when it was made.
fn create(path: &Path) -> Result<JournalFile, JournalError> {
    if path.exists() { Ok(JournalFile::open(path)?.0) } else { JournalFile::create(path) }
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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that can't set up should fail")]

    use super::*;
    use crate::{journal::Event, model::Region};

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
    fn a_terminated_cluster_makes_room_for_a_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path(), "p").unwrap();
        let id = store.cluster().clone();
        store.append(&created(&id, 1), true).unwrap();
        drop(store);
        let mut store = Store::open(folder.path(), "p").unwrap();
        assert_eq!(store.cluster(), &id);
        assert_eq!(store.take_records().len(), 1);
        let last = Stamped { seq: 2, event: Event::ClusterGone, ..created(&id, 2) };
        store.append(&last, true).unwrap();
        drop(store);
        let next = Store::open(folder.path(), "p").unwrap();
        assert_ne!(next.cluster(), &id);
        assert!(!next.folder().unwrap().exists());
    }
}
