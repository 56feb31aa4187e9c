//! Writes edited texts into their files: the old ones are kept next to them, each new one is
//! renamed into place whole. Several files change together or not at all.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{MetadataExt, chown},
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::Timestamp;
use tempfile::NamedTempFile;

use crate::{
    config::{Source, read::normalized, text},
    model::Failure,
};

/// A file that is about to change.
#[derive(Debug)]
pub(in crate::config) struct Pending {
    /// As the user named it.
    pub shown: Arc<Path>,
    /// Where it really is, links followed.
    pub real: PathBuf,
    /// Its bytes as they were read.
    pub old: String,
    /// Its bytes to come.
    pub new: String,
}

/// What a file holds now, which must be what was loaded as `source`: where it
/// really is, and its text with its own line ends.
pub(in crate::config) fn current(
    folder: &Path,
    source: &Source,
) -> Result<(PathBuf, String), Failure> {
    let fails = |error| failed(&source.path, "can't be read", &error);
    let real = fs::canonicalize(folder.join(&source.path)).map_err(fails)?;
    let text = fs::read_to_string(&real).map_err(fails)?;
    if normalized(&text) != *source.text {
        return Err(changed(&source.path));
    }
    Ok((real, text))
}

/// Writes them all; the files that hold the old texts, in the same order. They
/// are named after what is done: `fix`.
pub(in crate::config) fn write(
    pending: &[Pending],
    at: Timestamp,
    doing: &str,
) -> Result<Vec<PathBuf>, Failure> {
    if let Some(twice) = named_twice(pending) {
        return Err(twice);
    }
    let mut backups = Backups::default();
    let mut staged = Vec::new();
    for file in pending {
        let stage = stage(file, (at, doing), &mut backups);
        staged.push(stage.map_err(|error| failed(&file.shown, "can't be written", &error))?);
    }
    for file in pending {
        let now = fs::read(&file.real);
        if now.ok().as_deref() != Some(file.old.as_bytes()) {
            return Err(changed(&file.shown));
        }
    }
    for (index, (file, temporary)) in pending.iter().zip(staged).enumerate() {
        if let Err(error) = temporary.persist(&file.real) {
            let replaced = &pending[..index];
            let stuck: Vec<&Pending> =
                replaced.iter().filter(|file| restore(file).is_err()).collect();
            let failure = failed(&file.shown, "can't be replaced", &error.error);
            return Err(if stuck.is_empty() {
                failure
            } else {
                half_done(&stuck, &backups.keep())
            });
        }
    }
    for folder in pending.iter().filter_map(|file| file.real.parent()) {
        // The new names survive a crash; where the system can't, they mostly do anyway.
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
    Ok(backups.keep())
}

/// Of two new texts of one file, the one would be lost.
fn named_twice(pending: &[Pending]) -> Option<Failure> {
    let (first, second) = pending.iter().enumerate().find_map(|(index, file)| {
        let same = pending[..index].iter().find(|other| other.real == file.real);
        same.map(|other| (other, file))
    })?;
    let (first, second) = (shown(&first.shown), shown(&second.shown));
    let message = format!("`{first}` and `{second}` are one file; nothing was changed");
    Some(Failure::new(message).hint("name it once"))
}

/// Copies of the old files, taken away again unless they are kept.
#[derive(Default)]
struct Backups(Vec<PathBuf>);

impl Backups {
    fn keep(&mut self) -> Vec<PathBuf> {
        std::mem::take(&mut self.0)
    }
}

impl Drop for Backups {
    fn drop(&mut self) {
        for path in &self.0 {
            // It holds what the file itself still holds.
            let _ = fs::remove_file(path);
        }
    }
}

/// Writes the old text next to the file, and the new one into a file that has no name yet.
fn stage(
    file: &Pending,
    when: (Timestamp, &str),
    backups: &mut Backups,
) -> io::Result<NamedTempFile> {
    // A rename asks the folder alone; a file that may not be written must stay.
    OpenOptions::new().write(true).open(&file.real)?;
    let kept = fs::metadata(&file.real)?;
    let (path, mut backup) = create_backup(&file.real, when)?;
    backups.0.push(path);
    fill(&mut backup, &file.old, kept.permissions())?;
    let folder = file.real.parent().unwrap_or(Path::new("/"));
    let mut temporary = tempfile::Builder::new().prefix(".muster-").tempfile_in(folder)?;
    fill(temporary.as_file_mut(), &file.new, kept.permissions())?;
    // Only root may give files away, and only root has others' to keep.
    let _ = chown(temporary.path(), Some(kept.uid()), Some(kept.gid()));
    Ok(temporary)
}

fn fill(file: &mut File, text: &str, permissions: Permissions) -> io::Result<()> {
    // First, so that nobody reads what the file itself would not let them.
    file.set_permissions(permissions)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// A new file `us.yaml.before-fix-20260131T101500Z`, or such a one with a number.
fn create_backup(real: &Path, (at, doing): (Timestamp, &str)) -> io::Result<(PathBuf, File)> {
    let mut name = real.as_os_str().to_owned();
    name.push(format!(".before-{doing}-{}", at.strftime("%Y%m%dT%H%M%SZ")));
    let mut number = 1;
    loop {
        let mut path = name.clone();
        if number > 1 {
            path.push(format!("-{number}"));
        }
        match open_new(Path::new(&path)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 1000 => {
                number += 1;
            }
            opened => return opened.map(|file| (path.into(), file)),
        }
    }
}

fn open_new(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Files were replaced, the next one could not be, and they can't be put back.
fn half_done(stuck: &[&Pending], kept: &[PathBuf]) -> Failure {
    let stuck: Vec<String> = stuck.iter().map(|file| shown(&file.shown)).collect();
    let kept: Vec<String> = kept.iter().map(|path| path.display().to_string()).collect();
    let message = format!("only `{}` could be changed, and not be put back", stuck.join("`, `"));
    Failure::new(message).hint(format!("the old texts are in `{}`", kept.join("`, `")))
}

/// Puts the old text back.
fn restore(file: &Pending) -> io::Result<()> {
    let folder = file.real.parent().unwrap_or(Path::new("/"));
    let mut temporary = tempfile::Builder::new().prefix(".muster-").tempfile_in(folder)?;
    fill(temporary.as_file_mut(), &file.old, fs::metadata(&file.real)?.permissions())?;
    temporary.persist(&file.real)?;
    Ok(())
}

/// Somebody else edited the file meanwhile.
pub(in crate::config) fn changed(path: &Path) -> Failure {
    let message = format!("`{}` was changed since muster read it: it is left alone", shown(path));
    Failure::new(message).hint("load the project again and check what is left to do")
}

fn failed(path: &Path, what: &str, error: &io::Error) -> Failure {
    let message = format!("`{}` {what}: {error}; nothing was changed", shown(path));
    Failure::new(message).hint("check who may write the file and its folder, and the disk's space")
}

fn shown(path: &Path) -> String {
    text::shown(&path.to_string_lossy())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that can't go on should fail")]

    use super::*;

    fn pending(real: PathBuf) -> Pending {
        let shown = Path::new("us.yaml").into();
        Pending { shown, real, old: "old".into(), new: "new".into() }
    }

    #[test]
    fn what_was_replaced_gets_its_old_text_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = pending(folder.path().join("us.yaml"));
        fs::write(&file.real, "new").unwrap();
        restore(&file).unwrap();
        assert_eq!(fs::read_to_string(&file.real).unwrap(), "old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn one_file_under_two_names_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().join("us.yaml");
        fs::write(&real, "old").unwrap();
        let both = [pending(real.clone()), pending(real.clone())];
        let failure = write(&both, Timestamp::UNIX_EPOCH, "fix").unwrap_err();
        assert!(failure.message.contains("are one file"), "{failure}");
        assert_eq!(fs::read_to_string(&real).unwrap(), "old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
