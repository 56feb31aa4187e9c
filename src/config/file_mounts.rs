//! `file_mounts` of a region config, with rsync's patterns.

use std::path::{Path, PathBuf};

use super::{
    Sourced, paths,
    reader::{ConfigReader, Cursor},
};
use crate::remote::Mount;

/// What is copied to every node of a region.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileMounts {
    /// The path there, and the file or folder here, resolved.
    pub files: Vec<(String, Sourced<PathBuf>)>,
    /// `rsync_exclude`.
    pub exclude: Vec<String>,
    /// `rsync_filter`.
    pub filter: Vec<String>,
}

impl FileMounts {
    /// Reads them from the top of a region config; local paths start from `folder`.
    pub(super) fn read(place: &Cursor<'_>, folder: &Path, reader: &mut ConfigReader) -> Self {
        let given = |key: &str| place.get(key).filter(|value| !value.node.is_off());
        let files = given("file_mounts").and_then(|map| reader.map(map));
        let entries = files.iter().flat_map(Cursor::entries);
        let files = entries.filter_map(|(entry, path)| {
            let path = reader.text(&path)?.map(|path| paths::resolve(folder, Path::new(&path)));
            Some((entry.key.clone(), path))
        });
        let files = files.collect();
        let texts = |key: &str, reader: &mut ConfigReader| -> Vec<String> {
            let list = given(key).map(|list| reader.texts(&list)).unwrap_or_default();
            list.into_iter().map(|text| text.value).collect()
        };
        let (exclude, filter) = (texts("rsync_exclude", reader), texts("rsync_filter", reader));
        Self { files, exclude, filter }
    }

    /// Each as it is copied.
    pub fn mounts(&self) -> Vec<Mount> {
        let mount = |(to, from): &(String, Sourced<PathBuf>)| Mount {
            from: from.value.clone(),
            to: to.clone(),
            exclude: self.exclude.clone(),
            filter: self.filter.clone(),
        };
        self.files.iter().map(mount).collect()
    }
}
