//! `forward.json` in a cluster's folder: which `muster forward` leads its
//! ports here, for as long as that one runs.
//!
//! Its process holds a lock on the file, which ends with it however it ends: so
//! a record that was left behind, or whose process id another program has now,
//! is not taken for a living one. The file comes locked into its place, and
//! whoever looks tries its lock. Who may forward is settled by the lock of
//! another file, `forward.lock`, which nobody else touches: so nobody ever
//! waits for a lock.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{Read, Write},
    path::{Path, PathBuf},
};

use super::JournalError;
use crate::handover::Forwarded;

const NAME: &str = "forward.json";
const NEW: &str = "forward.json.new";
const CLAIM: &str = "forward.lock";

/// The right to forward, and the record of it; dropping it takes both away.
#[derive(Debug)]
pub struct ForwardRecord {
    folder: PathBuf,
    /// Locked as long as it is open.
    _claim: File,
    /// The same, once there is something to say.
    told: Option<File>,
}

impl ForwardRecord {
    /// Takes the place of the one that forwards; `Ok(Err(other))` where there is one.
    pub fn take(folder: &Path) -> Result<Result<Self, Option<Forwarded>>, JournalError> {
        let path = folder.join(CLAIM);
        let claim = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
        let claim = claim.map_err(JournalError::io(&path))?;
        match claim.try_lock() {
            Ok(()) => Ok(Ok(Self { folder: folder.to_owned(), _claim: claim, told: None })),
            Err(TryLockError::WouldBlock) => Ok(Err(forwarded(folder))),
            Err(TryLockError::Error(error)) => Err(JournalError::io(&path)(error)),
        }
    }

    /// Says what is forwarded where from now on.
    pub fn write(&mut self, forwarded: &Forwarded) -> Result<(), JournalError> {
        let new = self.folder.join(NEW);
        let write = || {
            let mut file = File::create(&new)?;
            file.try_lock()?;
            file.write_all(serde_json::to_string(forwarded)?.as_bytes())?;
            fs::rename(&new, self.folder.join(NAME))?;
            Ok(file)
        };
        self.told = Some(write().map_err(JournalError::io(&new))?);
        Ok(())
    }
}

impl Drop for ForwardRecord {
    fn drop(&mut self) {
        if self.told.is_some() {
            // What stays is told apart by its lock.
            drop(fs::remove_file(self.folder.join(NAME)));
        }
    }
}

/// The one that forwards now, if any does.
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
    use crate::handover::Ports;

    #[test]
    fn a_record_counts_for_as_long_as_its_process_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(forwarded(folder.path()), None);
        let mut record = ForwardRecord::take(folder.path()).unwrap().unwrap();
        assert_eq!(forwarded(folder.path()), None, "nothing is said yet");
        let told = Forwarded { pid: 7, ports: Ports::ON_THE_LEADER };
        record.write(&told).unwrap();
        assert_eq!(forwarded(folder.path()), Some(told));
        let second = ForwardRecord::take(folder.path()).unwrap();
        assert_eq!(second.err(), Some(Some(told)));
        drop(record);
        assert_eq!(forwarded(folder.path()), None);
    }

    #[test]
    fn who_looks_keeps_nobody_from_taking_it() {
        let folder = tempfile::tempdir().unwrap();
        let told = Forwarded { pid: 7, ports: Ports::ON_THE_LEADER };
        fs::write(folder.path().join(NAME), serde_json::to_string(&told).unwrap()).unwrap();
        let looking = File::open(folder.path().join(NAME)).unwrap();
        looking.try_lock_shared().unwrap();
        let mut record = ForwardRecord::take(folder.path()).unwrap().unwrap();
        record.write(&told).unwrap();
        assert_eq!(forwarded(folder.path()), Some(told));
    }

    #[test]
    fn what_a_killed_process_left_is_no_record() {
        let folder = tempfile::tempdir().unwrap();
        let told = Forwarded { pid: std::process::id(), ports: Ports::ON_THE_LEADER };
        fs::write(folder.path().join(NAME), serde_json::to_string(&told).unwrap()).unwrap();
        assert_eq!(forwarded(folder.path()), None);
        assert!(ForwardRecord::take(folder.path()).unwrap().is_ok());
    }
}
