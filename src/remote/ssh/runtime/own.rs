//! The user's own folder: `muster-UID` in `$XDG_RUNTIME_DIR`, `$TMPDIR` or
//! `/tmp`, owned by the user and closed to everybody else.
//!
//! `/tmp` is shared: whatever stands there under that name may be another
//! user's, a link or open to all. It is then refused, never repaired: what is
//! inside may have been put there by somebody else.

use std::{
    env,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use rustix::{
    fd::OwnedFd,
    fs::{CWD, FileType, Mode, OFlags, mkdirat, openat},
    io::{self, Errno},
    process::geteuid,
};

use crate::model::Failure;

/// The longest base folder, in bytes. A socket's path is limited to 104 bytes
/// on some systems, of which ssh takes 17 while it binds; `muster-UID`, the
/// process's folder and the socket's name take 31.
const LONGEST_BASE: usize = 50;

/// The folder, opened and verified.
#[derive(Debug)]
pub(super) struct OwnFolder {
    path: PathBuf,
    dir: OwnedFd,
}

impl OwnFolder {
    /// Opens the folder, and creates it where it is missing.
    pub(super) fn open() -> Result<Self, Failure> {
        let variables = ["XDG_RUNTIME_DIR", "TMPDIR"];
        let named = variables.iter().filter_map(env::var_os).map(PathBuf::from);
        Self::below(&base(named, Path::new("/tmp")))
    }

    /// The same in `base`.
    pub(super) fn below(base: &Path) -> Result<Self, Failure> {
        if !is_safe(base) {
            let shown = base.display();
            return Err(refused(&format!("others can replace files in {shown}"), base));
        }
        let path = base.join(format!("muster-{}", geteuid().as_raw()));
        match mkdirat(CWD, &path, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(super::cannot_create(base, &error.into())),
        }
        let shown = path.display();
        let dir = open_private(&path).map_err(|error| match error {
            Errno::LOOP | Errno::NOTDIR => refused(&format!("{shown} is not a folder"), base),
            Errno::PERM | Errno::ACCESS => {
                let why = format!("{shown} belongs to another user or is open to others");
                refused(&why, base)
            }
            other => super::cannot_create(&path, &other.into()),
        })?;
        Ok(Self { path, dir })
    }

    /// Its path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The open folder.
    pub(super) fn dir(&self) -> &OwnedFd {
        &self.dir
    }
}

/// Opens a folder that is this user's and closed to others; follows no link at its end.
pub(super) fn open_private(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let dir = openat(CWD, path, flags, Mode::empty())?;
    if super::is_ours(&dir, FileType::Directory)? { Ok(dir) } else { Err(Errno::PERM) }
}

/// The first folder of `named` that can hold the sockets, else `last`.
fn base(named: impl Iterator<Item = PathBuf>, last: &Path) -> PathBuf {
    // ssh hands the config's path to a jump host's ssh without quotes.
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    let usable = |path: &PathBuf| {
        path.is_absolute()
            && path
                .to_str()
                .is_some_and(|text| text.len() <= LONGEST_BASE && text.chars().all(plain))
            && is_safe(path)
            && owner(path).is_some_and(|uid| uid == 0 || uid == geteuid().as_raw())
    };
    named.into_iter().find(usable).unwrap_or_else(|| last.to_owned())
}

fn owner(path: &Path) -> Option<u32> {
    Some(path.metadata().ok()?.uid())
}

/// Whether nobody else can rename or remove what this user has in `base`.
fn is_safe(base: &Path) -> bool {
    let mode = base.metadata().map(|metadata| (metadata.is_dir(), metadata.mode()));
    mode.is_ok_and(|(is_dir, mode)| is_dir && (mode & 0o022 == 0 || mode & 0o1000 != 0))
}

fn refused(why: &str, base: &Path) -> Failure {
    let shown = base.display();
    Failure::new(format!("no private folder for ssh's sockets in {shown}: {why}"))
        .hint("remove it, or set XDG_RUNTIME_DIR to a folder that only you can write to")
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

    use super::{OwnFolder, base};

    fn folder(mode: u32) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).expect("its mode");
        folder
    }

    #[test]
    fn a_base_that_others_can_change_is_passed_over() {
        let (shared, sticky) = (folder(0o777), folder(0o1777));
        let named = [PathBuf::from("relative"), shared.path().into(), sticky.path().into()];
        let last = PathBuf::from("/last");
        assert_eq!(base(named.clone().into_iter(), &last), sticky.path());
        assert_eq!(base(named.into_iter().take(2), &last), last);
        let failure = OwnFolder::below(shared.path()).expect_err("shared");
        assert!(failure.message.contains("others can replace files"), "{failure}");
    }

    #[test]
    fn what_others_put_in_its_place_is_refused() {
        let name = format!("muster-{}", rustix::process::geteuid().as_raw());
        let open = folder(0o700);
        fs::create_dir(open.path().join(&name)).expect("a folder");
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(open.path().join(&name), mode).expect("its mode");
        let failure = OwnFolder::below(open.path()).expect_err("open to others");
        assert!(failure.message.contains("open to others"), "{failure}");

        let (linked, target) = (folder(0o700), folder(0o700));
        std::os::unix::fs::symlink(target.path(), linked.path().join(&name)).expect("a link");
        let failure = OwnFolder::below(linked.path()).expect_err("a link");
        assert!(failure.message.contains("is not a folder"), "{failure}");

        let file = folder(0o700);
        fs::write(file.path().join(&name), "").expect("a file");
        let failure = OwnFolder::below(file.path()).expect_err("a file");
        assert!(failure.message.contains("is not a folder"), "{failure}");
    }

    #[test]
    fn another_users_folder_is_refused() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let place = folder(0o1777);
        let path = place.path().join("muster-0");
        fs::create_dir(&path).expect("a folder");
        std::os::unix::fs::chown(&path, Some(12345), None).expect("another owner");
        let failure = OwnFolder::below(place.path()).expect_err("another user's");
        assert!(failure.message.contains("belongs to another user"), "{failure}");
    }
}
