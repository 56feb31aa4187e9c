//! The lock of a project: one process at a time writes.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    path::Path,
};

use super::{super::JournalError, make_private};

/// The lock, or who has it. A lock ends with its process, however that ends.
pub(super) fn lock(project: &Path) -> Result<(Option<File>, Option<String>), JournalError> {
    make_private(project)?;
    let path = project.join("lock");
    let open =
        || OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
    let mut file = open().map_err(JournalError::io(&path))?;
    match file.try_lock() {
        Ok(()) => {
            let mut note = || {
                file.set_len(0)?;
                file.rewind()?;
                write!(file, "{}", std::process::id())
            };
            // Only for the message of others: a full disk must not keep `down` from running.
            let _ = note();
            Ok((Some(file), None))
        }
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // Only for the message: an unreadable pid changes nothing.
            let _ = file.read_to_string(&mut holder);
            let holder = holder.trim();
            let process = if holder.is_empty() { "" } else { ", process " };
            Ok((None, Some(format!("another muster{process}{holder}"))))
        }
        Err(TryLockError::Error(error)) => Err(JournalError::io(&path)(error)),
    }
}
