//! `forward.json` in a cluster's folder: which `muster forward` leads its
//! ports here, for as long as that one runs.
//!
//! The process holds a lock on the file, which ends with it however it ends:
//! so a record that was left behind, or whose process id another program has
//! now, is not taken for a living one.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{Seek, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use super::JournalError;
use crate::handover::Forwarded;

/// A record that is kept; dropping it takes it away.
#[derive(Debug)]
pub struct ForwardRecord {
    file: File,
    path: PathBuf,
}

impl ForwardRecord {
    /// Takes the place of the one that forwards; `Ok(Err(other))` where there is one.
    pub fn take(folder: &Path) -> Result<Result<Self, Option<Forwarded>>, JournalError> {
        let path = folder.join(NAME);
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(JournalError::io(&path))?;
        // Whoever only looks holds it for a moment.
        for _ in 0..LOOKS {
            match file.try_lock() {
                Ok(()) => return Ok(Ok(Self { file, path })),
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(10)),
                Err(TryLockError::Error(error)) => return Err(JournalError::io(&path)(error)),
            }
        }
        Ok(Err(content(&path)))
    }

    /// Says what is forwarded where from now on.
    pub fn write(&mut self, forwarded: &Forwarded) -> Result<(), JournalError> {
        let mut write = || {
            let text = serde_json::to_string(forwarded)?;
            self.file.set_len(0)?;
            self.file.rewind()?;
            self.file.write_all(text.as_bytes())
        };
        write().map_err(JournalError::io(&self.path))
    }
}

impl Drop for ForwardRecord {
    fn drop(&mut self) {
        // What stays is told apart by its lock.
        drop(fs::remove_file(&self.path));
    }
}

const NAME: &str = "forward.json";

/// How often a lock that another process holds is tried.
const LOOKS: u32 = 10;

/// The one that forwards now, if any does.
pub fn forwarded(folder: &Path) -> Option<Forwarded> {
    let path = folder.join(NAME);
    let file = File::open(&path).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => content(&path),
        Ok(()) | Err(TryLockError::Error(_)) => None,
    }
}

fn content(path: &Path) -> Option<Forwarded> {
    serde_json::from_str(&fs::read_to_string(path).ok()?).ok()
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
    fn what_a_killed_process_left_is_no_record() {
        let folder = tempfile::tempdir().unwrap();
        let told = Forwarded { pid: std::process::id(), ports: Ports::ON_THE_LEADER };
        fs::write(folder.path().join(NAME), serde_json::to_string(&told).unwrap()).unwrap();
        assert_eq!(forwarded(folder.path()), None);
        assert!(ForwardRecord::take(folder.path()).unwrap().is_ok());
    }
}
