//! The private folder of one process, for sockets and ssh's config.
//!
//! Its path is short, since a socket's is limited to 104 bytes on some systems,
//! of which ssh takes 17 while it binds; and plain, since ssh hands the
//! config's path to a jump host's ssh without quotes.

use std::{
    env,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use tempfile::TempDir;

use crate::model::Failure;

const PREFIX: &str = "muster-";

/// Holds a lock in the folder, so that the next process can tell a living
/// one's from one that a killed process left behind.
const LOCK: &str = "lock";

/// The folder; removed on drop.
#[derive(Debug)]
pub struct Runtime {
    folder: TempDir,
    next_socket: AtomicU32,
    _lock: File,
}

impl Runtime {
    /// Makes the folder, and removes those of processes that are gone.
    pub fn new() -> Result<Self, Failure> {
        let parent = parent();
        sweep(&parent);
        Self::in_folder(&parent).map_err(|error| {
            let shown = parent.display();
            Failure::new(format!("can't make a folder for ssh's sockets in {shown}: {error}"))
                .hint("make XDG_RUNTIME_DIR or /tmp a folder that you can write to")
        })
    }

    fn in_folder(parent: &Path) -> io::Result<Self> {
        // Made with mode 0700.
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
        // Locked before it has the name that a sweep looks for.
        let unnamed = folder.path().join("new");
        let lock = File::create(&unnamed)?;
        lock.lock()?;
        fs::rename(unnamed, folder.path().join(LOCK))?;
        Ok(Self { folder, next_socket: AtomicU32::new(0), _lock: lock })
    }

    /// The folder's path.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A path for a socket, each time another one.
    pub fn socket(&self) -> PathBuf {
        self.path().join(self.next_socket.fetch_add(1, Ordering::Relaxed).to_string())
    }
}

fn parent() -> PathBuf {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    let usable = |path: &PathBuf| {
        path.is_absolute()
            && path.is_dir()
            && path.to_str().is_some_and(|text| text.len() <= 60 && text.chars().all(plain))
    };
    let candidates = ["XDG_RUNTIME_DIR", "TMPDIR"];
    let mut folders = candidates.iter().filter_map(env::var_os).map(PathBuf::from);
    folders.find(usable).unwrap_or_else(|| PathBuf::from("/tmp"))
}

/// Whatever can't be opened, locked or removed is another's, and stays.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    let named = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX))
    };
    for folder in entries.flatten().map(|entry| entry.path()).filter(named) {
        let Ok(lock) = File::open(folder.join(LOCK)) else { continue };
        if lock.try_lock().is_ok() {
            drop(fs::remove_dir_all(&folder));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, io};

    use super::{LOCK, Runtime, sweep};

    #[test]
    fn a_sweep_takes_only_what_nobody_holds() -> io::Result<()> {
        let parent = tempfile::tempdir()?;
        let held = Runtime::in_folder(parent.path())?;
        let left = parent.path().join("muster-left");
        let other = parent.path().join("muster-other");
        for folder in [&left, &other] {
            fs::create_dir(folder)?;
        }
        fs::write(left.join(LOCK), "")?;
        fs::write(left.join("0"), "")?;
        sweep(parent.path());
        assert!(held.path().exists() && other.exists());
        assert!(!left.exists());
        Ok(())
    }

    #[test]
    fn sockets_have_short_paths_of_their_own() -> Result<(), crate::model::Failure> {
        let runtime = Runtime::new()?;
        let (one, two) = (runtime.socket(), runtime.socket());
        assert_ne!(one, two);
        assert!(one.as_os_str().len() < 104 - 17, "{}", one.display());
        Ok(())
    }
}
