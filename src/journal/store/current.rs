//! Which cluster a project has now, and what the next one will be called.

use std::path::Path;

use jiff::Timestamp;

use super::{
    super::{Contents, JournalError, JournalFile, fnv1a},
    JOURNAL, MANIFEST,
};
use crate::{
    journal::{Event, Stamped},
    model::ClusterId,
};

/// The project's cluster that is not known to be terminated; the latest where there
/// are several. What a journal holds never makes this fail.
pub(super) fn current(project: &Path) -> Result<Option<ClusterId>, JournalError> {
    let mut found: Option<((bool, Timestamp), ClusterId)> = None;
    for entry in std::fs::read_dir(project).map_err(JournalError::io(project))? {
        let folder = entry.map_err(JournalError::io(project))?.path();
        let Some(name) = folder.file_name().and_then(|name| name.to_str()) else { continue };
        if file_name(name) != name || !folder.join(JOURNAL).exists() {
            continue;
        }
        let Some(contents) = not_terminated(&folder)? else { continue };
        let first = contents.records.first();
        // One that can't be read at all gives way to one that can.
        let begun = match first {
            Some(record) => (true, record.at),
            None => (false, changed(&folder.join(JOURNAL))?),
        };
        if found.as_ref().is_none_or(|(latest, _)| begun > *latest) {
            found = Some((begun, id(name, first)));
        }
    }
    Ok(found.map(|(_, cluster)| cluster))
}

/// What the journal in `folder` holds, unless its cluster is terminated: by the
/// journal, or by the manifest where the end of the journal is lost.
fn not_terminated(folder: &Path) -> Result<Option<Contents>, JournalError> {
    let path = folder.join(JOURNAL);
    if JournalFile::is_terminated(&path)? {
        return Ok(None);
    }
    let contents = JournalFile::read(&path)?;
    let launched = contents.last_launch();
    let ended =
        terminated_by_manifest(folder).is_some_and(|ended| launched.is_none_or(|at| at <= ended));
    Ok(Some(contents).filter(|_| !ended))
}

/// When the cluster was last known to be terminated, by its manifest.
fn terminated_by_manifest(folder: &Path) -> Option<Timestamp> {
    #[derive(serde::Deserialize)]
    struct Manifest {
        phase: String,
        updated: Timestamp,
    }
    let text = std::fs::read(folder.join(MANIFEST)).ok()?;
    let manifest: Manifest = serde_json::from_slice(&text).ok()?;
    // Manifests of earlier versions have "gone".
    matches!(&*manifest.phase, "terminated" | "gone").then_some(manifest.updated)
}

/// The id of the cluster in folder `name`, whose first record is `first`: the
/// folder's name, unless the id could not be one.
fn id(name: &str, first: Option<&Stamped>) -> ClusterId {
    match first {
        Some(Stamped { event: Event::ClusterCreated { cluster, .. }, .. })
            if file_name(cluster.as_str()) == name =>
        {
            cluster.clone()
        }
        _ => ClusterId::new(name),
    }
}

/// When the file was last written.
fn changed(path: &Path) -> Result<Timestamp, JournalError> {
    let changed = std::fs::metadata(path).and_then(|file| file.modified());
    let changed = changed.map_err(JournalError::io(path))?;
    Ok(Timestamp::try_from(changed).unwrap_or(Timestamp::UNIX_EPOCH))
}

/// A new cluster's id. Random, so that two people's clusters of one name differ.
pub(super) fn fresh_id(name: &str) -> ClusterId {
    let short: String = file_name(name).chars().take(40).collect();
    let random = uuid::Uuid::new_v4().simple().to_string();
    ClusterId::new(format!("{short}-{}", &random[..6]))
}

/// `name` as one path component: anything unusual becomes `_`, and what
/// changed gets a hash, so that two names never share a folder.
pub(super) fn file_name(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let clean: String = name.chars().map(|c| if plain(c) { c } else { '_' }).take(80).collect();
    if clean == name && !clean.starts_with('.') && !clean.is_empty() {
        return clean;
    }
    format!("{}-{:016x}", clean.trim_start_matches('.'), fnv1a(name.as_bytes()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that can't set up should fail")]

    use super::*;

    #[test]
    fn the_folder_names_the_cluster_whatever_its_journal_holds() {
        let project = tempfile::tempdir().unwrap();
        let folder = project.path().join("p-123456");
        std::fs::create_dir(&folder).unwrap();
        for text in [&b""[..], b"\xff\xfe", b"{}\n", b"\0\n\n", b"{\"seq\":1"] {
            std::fs::write(folder.join(JOURNAL), text).unwrap();
            assert_eq!(current(project.path()).unwrap(), Some(ClusterId::new("p-123456")));
        }
    }

    /// A journal that can't be read, next to one that can, is not the current
    /// one; and a cluster is terminated by its manifest where its journal's end is lost.
    #[test]
    fn damaged_records_of_a_terminated_cluster_do_not_hide_the_current_one() {
        let project = tempfile::tempdir().unwrap();
        let write = |name: &str, file: &str, text: &str| {
            std::fs::create_dir_all(project.path().join(name)).unwrap();
            std::fs::write(project.path().join(name).join(file), text).unwrap();
        };
        let run = "\"event\":\"run-started\",\"version\":\"0\"";
        write("new", JOURNAL, &format!("{{\"seq\":1,\"at\":\"2026-03-01T00:00:00Z\",{run}}}\n"));
        write("old", JOURNAL, "\u{fffd}\n");
        assert_eq!(current(project.path()).unwrap(), Some(ClusterId::new("new")));
        write("old", JOURNAL, &format!("{{\"seq\":1,\"at\":\"2026-04-01T00:00:00Z\",{run}}}\n"));
        assert_eq!(current(project.path()).unwrap(), Some(ClusterId::new("old")));
        for phase in ["gone", "terminated"] {
            let manifest =
                format!("{{\"phase\":\"{phase}\",\"updated\":\"2026-05-01T00:00:00Z\"}}");
            write("old", MANIFEST, &manifest);
            assert_eq!(current(project.path()).unwrap(), Some(ClusterId::new("new")), "{phase}");
        }
    }

    #[test]
    fn names_that_differ_never_share_a_folder() {
        let names = ["a/b", "a_b", "a b", "..", ".", "", "ä", "a"];
        let mut folders: Vec<_> = names.iter().map(|name| file_name(name)).collect();
        folders.sort();
        folders.dedup();
        assert_eq!(folders.len(), names.len());
        assert!(folders.iter().all(|name| !name.contains('/') && !name.starts_with('.')));
    }
}
