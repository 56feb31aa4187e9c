//! The private folder of one process, for sockets and ssh's config.
//!
//! It is a folder of the user's own one ([`OwnFolder`]): nobody else can put
//! anything there, so that no name in it has to be guessed or defended.

mod own;
mod sweep;

use std::{
    fs::Permissions,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use rustix::{
    fd::OwnedFd,
    fs::{FileType, FlockOperation, Mode, OFlags, flock, fstat, openat, renameat},
    io,
};
use tempfile::TempDir;

use self::own::OwnFolder;
use crate::model::Failure;

/// Held locked in the folder, so that the next process can distinguish
/// the folder of a running process from one that a killed process left.
const LOCK: &str = "lock";

/// Letters and digits in a process's folder name.
const NAME_LENGTH: usize = 6;

/// The folder; removed on drop.
#[derive(Debug)]
pub struct Runtime {
    folder: TempDir,
    dir: OwnedFd,
    next_socket: AtomicU32,
    _lock: OwnedFd,
}

impl Runtime {
    /// Creates the folder, and removes the folders that killed processes left.
    pub fn new() -> Result<Self, Failure> {
        Self::in_folder(&OwnFolder::open()?)
    }

    fn in_folder(own: &OwnFolder) -> Result<Self, Failure> {
        sweep::sweep(own);
        Self::create(own).map_err(|error| cannot_create(own.path(), &error.into()))
    }

    fn create(own: &OwnFolder) -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("").rand_bytes(NAME_LENGTH).permissions(Permissions::from_mode(0o700));
        let folder = builder.tempdir_in(own.path()).map_err(|error| errno(&error))?;
        let dir = own::open_private(folder.path())?;
        // Locked before it has the name that a sweep searches for.
        let lock = create_file(&dir, "new")?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
        renameat(&dir, "new", &dir, LOCK)?;
        Ok(Self { folder, dir, next_socket: AtomicU32::new(0), _lock: lock })
    }

    /// The folder's path.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A path for a socket, each time another one.
    pub fn socket(&self) -> PathBuf {
        self.path().join(self.next_socket.fetch_add(1, Ordering::Relaxed).to_string())
    }

    /// Writes a new file that only this user can read, and returns its path.
    pub fn write(&self, name: &str, text: &str) -> std::io::Result<PathBuf> {
        let mut file = std::fs::File::from(create_file(&self.dir, name)?);
        file.write_all(text.as_bytes())?;
        Ok(self.path().join(name))
    }
}

/// Creates `name` with mode 0600 and verifies that it has it: some file
/// systems ignore modes.
fn create_file(dir: &OwnedFd, name: &str) -> io::Result<OwnedFd> {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = openat(dir, name, flags, Mode::RUSR | Mode::WUSR)?;
    if is_ours(&file, FileType::RegularFile)? { Ok(file) } else { Err(io::Errno::PERM) }
}

/// Whether `file` is of this type and user, and closed to everybody else.
fn is_ours(file: &OwnedFd, file_type: FileType) -> io::Result<bool> {
    let stat = fstat(file)?;
    Ok(FileType::from_raw_mode(stat.st_mode) == file_type
        && stat.st_uid == rustix::process::geteuid().as_raw()
        && Mode::from_raw_mode(stat.st_mode).intersection(Mode::RWXG | Mode::RWXO).is_empty())
}

fn errno(error: &std::io::Error) -> io::Errno {
    io::Errno::from_io_error(error).unwrap_or(io::Errno::IO)
}

fn cannot_create(folder: &Path, error: &std::io::Error) -> Failure {
    let shown = folder.display();
    Failure::new(format!("cannot create a private folder for ssh's sockets in {shown}: {error}"))
        .hint("set XDG_RUNTIME_DIR to a folder that only you can write to")
}

#[cfg(test)]
mod tests;
