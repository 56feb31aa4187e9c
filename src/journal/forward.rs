//! `forward.json` in a cluster's folder: which ports a `muster forward` forwards
//! to this machine, for as long as it runs.
//!
//! Its process holds a lock on the file that ends with the process, however it ends:
//! a record that was left behind, or whose process id another program has now,
//! is not taken for a live one. The file is renamed into place already locked, and
//! readers try its lock. The right to forward is held by the lock of another
//! file, `forward.lock`, which nothing else touches, so that nobody ever
//! waits for a lock.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{Read, Write},
    path::{Path, PathBuf},
};

use super::JournalError;
use crate::model::Forwarded;

const NAME: &str = "forward.json";
const NEW: &str = "forward.json.new";
const CLAIM: &str = "forward.lock";

/// The right to forward, and the record of it. Dropping it releases both.
#[derive(Debug)]
pub struct ForwardRecord {
    folder: PathBuf,
    /// Locked as long as it is open.
    _claim: File,
    /// The locked record, once it is written.
    record: Option<File>,
}

impl ForwardRecord {
    /// Takes the right to forward; `Ok(Err(other))` if another process holds it.
    pub fn take(folder: &Path) -> Result<Result<Self, Option<Forwarded>>, JournalError> {
        let path = folder.join(CLAIM);
        let claim = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
        let claim = claim.map_err(JournalError::io(&path))?;
        match claim.try_lock() {
            Ok(()) => Ok(Ok(Self { folder: folder.to_owned(), _claim: claim, record: None })),
            Err(TryLockError::WouldBlock) => Ok(Err(forwarded(folder))),
            Err(TryLockError::Error(error)) => Err(JournalError::io(&path)(error)),
        }
    }

    /// Records what is forwarded where from now on.
    pub fn write(&mut self, forwarded: &Forwarded) -> Result<(), JournalError> {
        let new = self.folder.join(NEW);
        let write = || {
            let mut file = File::create(&new)?;
            file.try_lock()?;
            file.write_all(serde_json::to_string(forwarded)?.as_bytes())?;
            fs::rename(&new, self.folder.join(NAME))?;
            Ok(file)
        };
        self.record = Some(write().map_err(JournalError::io(&new))?);
        Ok(())
    }
}

impl Drop for ForwardRecord {
    fn drop(&mut self) {
        if self.record.is_some() {
            // If removing it fails, its lock shows that it is stale.
            drop(fs::remove_file(self.folder.join(NAME)));
        }
    }
}

/// Returns the forward that runs now, if any.
pub fn forwarded(folder: &Path) -> Option<Forwarded> {
    let mut file = File::open(folder.join(NAME)).ok()?;
    let is_left_behind = !matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
    if is_left_behind {
        return None;
    }
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that can't set up should fail")]

    use super::*;
    use crate::model::Ports;

    #[test]
    fn a_record_counts_for_as_long_as_its_process_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(forwarded(folder.path()), None);
        let mut record = ForwardRecord::take(folder.path()).unwrap().unwrap();
        assert_eq!(forwarded(folder.path()), None, "nothing is recorded yet");
        let written = Forwarded { pid: 7, ports: Ports::ON_THE_LEADER };
        record.write(&written).unwrap();
        assert_eq!(forwarded(folder.path()), Some(written));
        let second = ForwardRecord::take(folder.path()).unwrap();
        assert_eq!(second.err(), Some(Some(written)));
        drop(record);
        assert_eq!(forwarded(folder.path()), None);
    }

    #[test]
    fn a_reader_does_not_block_the_writer() {
        let folder = tempfile::tempdir().unwrap();
        let written = Forwarded { pid: 7, ports: Ports::ON_THE_LEADER };
        fs::write(folder.path().join(NAME), serde_json::to_string(&written).unwrap()).unwrap();
        let refreshing = File::open(folder.path().join(NAME)).unwrap();
        refreshing.try_lock_shared().unwrap();
        let mut record = ForwardRecord::take(folder.path()).unwrap().unwrap();
        record.write(&written).unwrap();
        assert_eq!(forwarded(folder.path()), Some(written));
    }

    #[test]
    fn what_a_killed_process_left_is_no_record() {
        let folder = tempfile::tempdir().unwrap();
        let written = Forwarded { pid: std::process::id(), ports: Ports::ON_THE_LEADER };
        fs::write(folder.path().join(NAME), serde_json::to_string(&written).unwrap()).unwrap();
        assert_eq!(forwarded(folder.path()), None);
        assert!(ForwardRecord::take(folder.path()).unwrap().is_ok());
    }
}
