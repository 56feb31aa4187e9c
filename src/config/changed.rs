//! Whether files differ from what was read of them: cheap to ask every second.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Source, read};

/// The files as they were read last.
#[derive(Debug, Default)]
pub(super) struct LastRead {
    /// Which reading this is.
    number: u64,
    sources: Vec<Source>,
    seen: BTreeMap<Arc<Path>, (Stamp, bool)>,
}

/// Which files differ from what was read of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Which reading they differ from.
    pub reading: u64,
    /// The files, as the user named them.
    pub files: Vec<Arc<Path>>,
}

/// Detects an unchanged file without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    file: u64,
    bytes: u64,
    changed: (i64, i64),
}

impl LastRead {
    /// Takes over what was read now.
    pub(super) fn replace(&mut self, sources: &[Source]) {
        self.number += 1;
        self.sources = sources.to_vec();
        self.seen.clear();
    }

    /// Compares each file's text, where its stamp is not the one seen last. A
    /// file that can't be read any more differs.
    pub(super) fn changed(&mut self, folder: &Path) -> Changed {
        let seen = &mut self.seen;
        let differs = |source: &&Source| {
            let Ok(stamp) = stamp(&folder.join(&source.path)) else { return true };
            match seen.get(&source.path) {
                Some((before, differs)) if *before == stamp => *differs,
                _ => {
                    let differs = is_other(folder, source);
                    seen.insert(source.path.clone(), (stamp, differs));
                    differs
                }
            }
        };
        let files = self.sources.iter().filter(differs);
        Changed { reading: self.number, files: files.map(|source| source.path.clone()).collect() }
    }
}

fn stamp(path: &PathBuf) -> std::io::Result<Stamp> {
    let file = fs::metadata(path)?;
    let changed = (file.ctime(), file.ctime_nsec());
    Ok(Stamp { file: file.ino(), bytes: file.len(), changed })
}

fn is_other(folder: &Path, source: &Source) -> bool {
    read::read(folder, &source.path).map_or(true, |now| now.text != source.text)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn what_is_written_again_as_it_was_has_not_changed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("us.yaml");
        fs::write(&file, "a: 1\r\n").unwrap();
        let mut last = LastRead::default();
        last.replace(&[read::read(folder.path(), Path::new("us.yaml")).unwrap()]);
        let changed = |last: &mut LastRead| last.changed(folder.path()).files.len();
        assert_eq!(changed(&mut last), 0);
        fs::write(&file, "a: 1\n").unwrap();
        assert_eq!(changed(&mut last), 0, "the same text");
        fs::write(&file, "a: 2\n").unwrap();
        assert_eq!((changed(&mut last), changed(&mut last)), (1, 1));
        fs::write(&file, "a: 1\n").unwrap();
        assert_eq!(changed(&mut last), 0, "taken back");
        fs::remove_file(&file).unwrap();
        assert_eq!(changed(&mut last), 1);
    }
}
