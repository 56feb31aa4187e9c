//! Removes the folders that killed processes left in the user's own folder.
//!
//! Every step goes by an open folder, follows no link and never blocks. Only
//! what has the shape of muster's own folders is removed; anything else, and
//! whatever cannot be opened, locked or removed, stays.

use std::ffi::{CStr, CString};

use rustix::{
    fd::OwnedFd,
    fs::{AtFlags, Dir, FileType, FlockOperation, Mode, OFlags, flock, openat, statat, unlinkat},
    io,
};

use super::{LOCK, NAME_LENGTH, is_ours, own::OwnFolder};

/// The number of entries read in each folder: a sweep must not delay a launch.
const MOST: usize = 10_000;

/// Removes what no running process holds.
pub(super) fn sweep(own: &OwnFolder) {
    for name in names(own.dir()).into_iter().flatten().filter(|name| is_folder_name(name)) {
        // Another sweep may be faster.
        let _ = remove_stale(own.dir(), &name);
    }
}

fn names(dir: &OwnedFd) -> io::Result<Vec<CString>> {
    let entries = Dir::read_from(dir)?.take(MOST).map_while(Result::ok);
    let names = entries.map(|entry| entry.file_name().to_owned());
    Ok(names.filter(|name| !matches!(name.to_bytes(), b"." | b"..")).collect())
}

fn is_folder_name(name: &CStr) -> bool {
    let bytes = name.to_bytes();
    bytes.len() == NAME_LENGTH && bytes.iter().all(u8::is_ascii_alphanumeric)
}

fn remove_stale(own: &OwnedFd, name: &CStr) -> io::Result<()> {
    let plain = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = openat(own, name, plain | OFlags::DIRECTORY, Mode::empty())?;
    // Opening a FIFO would wait for a writer otherwise.
    let lock = openat(&folder, LOCK, plain | OFlags::NONBLOCK, Mode::empty())?;
    if !is_ours(&folder, FileType::Directory)? || !is_ours(&lock, FileType::RegularFile)? {
        return Ok(());
    }
    flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
    let files = names(&folder)?;
    if !files.iter().all(|file| has_muster_shape(&folder, file)) {
        return Ok(());
    }
    // The lock last: a sweep that is killed half-way can be repeated.
    let (locks, others): (Vec<_>, Vec<_>) =
        files.iter().partition(|file| file.to_bytes() == LOCK.as_bytes());
    for file in others.into_iter().chain(locks) {
        unlinkat(&folder, file.as_c_str(), AtFlags::empty())?;
    }
    unlinkat(own, name, AtFlags::REMOVEDIR)
}

/// Whether muster or its ssh makes such a file: the lock, the config, and
/// sockets whose names begin with their number.
fn has_muster_shape(folder: &OwnedFd, name: &CStr) -> bool {
    let Ok(stat) = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) else { return false };
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => matches!(name.to_bytes(), b"lock" | b"ssh_config"),
        FileType::Socket => name.to_bytes().first().is_some_and(u8::is_ascii_digit),
        _ => false,
    }
}
