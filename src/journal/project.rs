//! What belongs to a project and not to one of its clusters: its id, and the
//! journals of all its clusters.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use super::{JournalError, JournalFile};
use crate::journal::Stamped;

const ID: &str = "project-id";
const JOURNAL: &str = "journal.jsonl";
/// The id of a project that is kept in memory alone.
const IN_MEMORY: &str = "in-memory";

/// The id of the project in `folder`, created where there is none. It is
/// random, so that projects of one name in one account differ.
pub fn project_id(folder: Option<&Path>) -> Result<String, JournalError> {
    let Some(folder) = folder else { return Ok(IN_MEMORY.into()) };
    let path = folder.join(ID);
    if let Some(id) = read(&path)? {
        return Ok(id);
    }
    let id = uuid::Uuid::new_v4().simple().to_string();
    match create(folder, &path, &id) {
        // Another process was first: one id is the project's.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            read(&path)?.map_or(Ok(id), Ok)
        }
        created => created.map(|()| id).map_err(JournalError::io(&path)),
    }
}

fn read(path: &Path) -> Result<Option<String>, JournalError> {
    match std::fs::read_to_string(path) {
        Ok(text) if !text.trim().is_empty() => Ok(Some(text.trim().to_owned())),
        Ok(_) => Err(JournalError::io(path)(std::io::Error::other("it is empty"))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(JournalError::io(path)(error)),
    }
}

/// Whole or not at all, and never over another one.
fn create(folder: &Path, path: &Path, id: &str) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    writeln!(file, "{id}")?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path)?;
    Ok(())
}

/// The records of the project's journals but for that of `cluster`, both
/// folders. A journal that can't be read is left out.
pub fn others(project: &Path, cluster: &Path) -> Vec<Vec<Stamped>> {
    let entries = std::fs::read_dir(project).into_iter().flatten().filter_map(Result::ok);
    let folders = entries.map(|entry| entry.path()).filter(|path| path != cluster);
    let journals: Vec<PathBuf> = folders.map(|folder| folder.join(JOURNAL)).collect();
    let read = journals.iter().filter_map(|path| JournalFile::read(path).ok());
    read.map(|contents| contents.records).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that can't set up should fail")]

    use super::*;

    #[test]
    fn a_project_keeps_its_id_and_two_projects_differ() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        let id = project_id(Some(&one)).unwrap();
        assert_eq!(project_id(Some(&one)).unwrap(), id);
        assert_ne!(project_id(Some(&other)).unwrap(), id);
        std::fs::write(one.join(ID), "").unwrap();
        assert!(project_id(Some(&one)).is_err(), "an empty file is not taken for an id");
    }
}
