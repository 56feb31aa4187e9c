//! New files into their folder: all or none, and never over what is there.

use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use tempfile::NamedTempFile;

use super::{Plan, Planned};
use crate::{
    config::{edit, text},
    model::Failure,
};

/// Writes the files of `plan` below `folder`, which relative paths start from;
/// answers where the old text of one that was there is kept.
///
/// `muster.yaml` comes last, so that a kill in between leaves no
/// project with regions missing; the same once more goes on. A file that is
/// there and is just so is taken as written; any other ends it, and what was
/// written is taken away again.
pub fn create(plan: &Plan, folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let (old, new): (Vec<_>, Vec<_>) = plan.files.iter().partition(|file| file.replaces());
    let mut made = Made::default();
    let staged = new.iter().map(|file| {
        let path = folder.join(&file.path);
        made.folder(&path).and_then(|()| stage(&path, &file.text)).map_err(|e| failed(file, &e))
    });
    let staged = staged.collect::<Result<Vec<_>, _>>()?;
    let pending = old.iter().map(|file| pending(file, folder)).collect::<Result<Vec<_>, _>>()?;
    for (file, staged) in new.iter().zip(staged) {
        let path = folder.join(&file.path);
        match staged.persist_noclobber(&path) {
            Ok(_) => made.0.push(path),
            Err(_) if holds(&path, &file.text) => {}
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(present(&[&file.path]));
            }
            Err(error) => return Err(failed(file, &error.error)),
        }
    }
    let backups = edit::write(&pending, Timestamp::now(), "init")?;
    made.0.clear();
    Ok(backups)
}

/// The files of `plan` that are there already and hold something else.
pub fn in_the_way<'a>(plan: &'a Plan, folder: &Path) -> Vec<&'a Path> {
    let new = plan.files.iter().filter(|file| !file.replaces());
    let other = new.filter(|file| {
        let path = folder.join(&file.path);
        fs::symlink_metadata(&path).is_ok() && !holds(&path, &file.text)
    });
    other.map(|file| &*file.path).collect()
}

/// Files are there that would have to be written over.
pub fn present(paths: &[&Path]) -> Failure {
    let names: Vec<_> = paths.iter().map(|path| text::shown(&path.to_string_lossy())).collect();
    let (are, them) = if names.len() == 1 { ("is", "it") } else { ("are", "them") };
    let message = format!("`{}` {are} there already: nothing is written over", names.join("`, `"));
    Failure::new(message).hint(format!("move {them} away, or write elsewhere: -o DIR"))
}

/// What was made on the way, taken away again unless all is done.
#[derive(Default)]
struct Made(Vec<PathBuf>);

impl Made {
    /// Makes the folder of `path`.
    fn folder(&mut self, path: &Path) -> io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("/"));
        let missing = folder.ancestors().take_while(|folder| !folder.exists());
        let mut missing: Vec<_> = missing.map(Path::to_owned).collect();
        missing.reverse();
        fs::create_dir_all(folder)?;
        self.0.extend(missing);
        Ok(())
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        for path in self.0.iter().rev() {
            // What somebody else put into a folder keeps it.
            let _ = if path.is_dir() { fs::remove_dir(path) } else { fs::remove_file(path) };
        }
    }
}

fn stage(path: &Path, text: &str) -> io::Result<NamedTempFile> {
    use std::os::unix::fs::PermissionsExt;
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut builder = tempfile::Builder::new();
    // As any new file: the user's own mask applies.
    builder.prefix(".muster-").permissions(fs::Permissions::from_mode(0o666));
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    Ok(file)
}

fn pending(file: &Planned, folder: &Path) -> Result<edit::Pending, Failure> {
    let real = fs::canonicalize(folder.join(&file.path)).map_err(|error| failed(file, &error))?;
    let old = file.from.as_ref().map_or_else(String::new, |source| source.text.to_string());
    Ok(edit::Pending { shown: file.path.clone(), real, old, new: file.text.clone() })
}

fn holds(path: &Path, text: &str) -> bool {
    fs::read(path).is_ok_and(|bytes| bytes == text.as_bytes())
}

fn failed(file: &Planned, error: &io::Error) -> Failure {
    let name = text::shown(&file.path.to_string_lossy());
    let failure = Failure::new(format!("`{name}` can't be written: {error}; nothing was written"));
    failure.hint("check who may write to its folder, and the disk's space")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that can't go on should fail")]

    use super::*;

    fn plan(names: &[&str]) -> Plan {
        let file = |name: &&str| Planned {
            path: Path::new(name).into(),
            text: format!("{name}\n"),
            from: None,
            region: None,
            left: Vec::new(),
        };
        Plan { files: names.iter().map(file).collect() }
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_is_in_the_way_of_the_last_file_leaves_none() {
        let folder = tempfile::tempdir().unwrap();
        let plan = plan(&["new/a.yaml", "b.yaml", "muster.yaml"]);
        fs::write(folder.path().join("muster.yaml"), "theirs").unwrap();
        let failure = create(&plan, folder.path()).unwrap_err();
        assert!(failure.message.contains("`muster.yaml` is there already"), "{failure}");
        assert_eq!(names(folder.path()), ["muster.yaml"]);
        assert_eq!(fs::read_to_string(folder.path().join("muster.yaml")).unwrap(), "theirs");
        assert_eq!(in_the_way(&plan, folder.path()), [Path::new("muster.yaml")]);
    }

    #[test]
    fn what_was_cut_off_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let plan = plan(&["a.yaml", "b.yaml", "muster.yaml"]);
        fs::write(folder.path().join("a.yaml"), "a.yaml\n").unwrap();
        assert!(in_the_way(&plan, folder.path()).is_empty());
        create(&plan, folder.path()).unwrap();
        assert_eq!(names(folder.path()), ["a.yaml", "b.yaml", "muster.yaml"]);
    }
}
