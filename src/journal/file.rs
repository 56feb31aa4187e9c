//! One journal file: replayed once, then appended to.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use crate::engine::Stamped;

/// How much of a journal's end is read to find its last record.
const TAIL: u64 = 64 * 1024;

/// Why a journal can't be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file or its folder can't be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line in the middle is not a record of this version of muster.
    #[error(
        "{}:{line}: not a record that this muster understands ({reason}); \
         its cluster's instances are still found by their tag muster:cluster",
        path.display()
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What the parser said.
        reason: String,
    },
}

impl JournalError {
    pub(super) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}

/// An open journal.
#[derive(Debug)]
pub struct JournalFile {
    path: PathBuf,
    file: File,
}

impl JournalFile {
    /// Makes a new, empty journal; fails where one is already.
    pub fn create(path: &Path) -> Result<Self, JournalError> {
        let open = || {
            let file = OpenOptions::new().create_new(true).append(true).open(path)?;
            // The file's name has to survive a crash as well as its content.
            if let Some(folder) = path.parent() {
                File::open(folder)?.sync_all()?;
            }
            Ok(file)
        };
        let file = open().map_err(JournalError::io(path))?;
        Ok(Self { path: path.to_owned(), file })
    }

    /// Opens a journal to write on, cutting off a last record that a crash left unfinished.
    pub fn open(path: &Path) -> Result<(Self, Vec<Stamped>), JournalError> {
        let open = || OpenOptions::new().read(true).append(true).open(path);
        let mut file = open().map_err(JournalError::io(path))?;
        let (records, whole) = replay(path, &mut file)?;
        file.set_len(whole).map_err(JournalError::io(path))?;
        file.seek(SeekFrom::End(0)).map_err(JournalError::io(path))?;
        Ok((Self { path: path.to_owned(), file }, records))
    }

    /// Reads a journal that another process may be writing.
    pub fn read(path: &Path) -> Result<Vec<Stamped>, JournalError> {
        let mut file = File::open(path).map_err(JournalError::io(path))?;
        replay(path, &mut file).map(|(records, _)| records)
    }

    /// The first and the last whole record, without reading what is between:
    /// what is needed to know which cluster it is and whether it is gone. A
    /// line that is no record is `None`.
    pub fn ends(path: &Path) -> Result<(Option<Stamped>, Option<Stamped>), JournalError> {
        let ends = || {
            let file = File::open(path)?;
            let mut first = String::new();
            BufReader::new(&file).read_line(&mut first)?;
            Ok((first, last_line(file)?))
        };
        let (first, last) = ends().map_err(JournalError::io(path))?;
        let record = |line: &str| serde_json::from_str(line).ok();
        Ok((record(&first), record(&last)))
    }

    /// Appends one record; `sync` waits until the disk has it.
    pub fn append(&mut self, record: &Stamped, sync: bool) -> Result<(), JournalError> {
        let mut line = serde_json::to_vec(record)
            .map_err(|error| JournalError::io(&self.path)(error.into()))?;
        line.push(b'\n');
        let mut write = || {
            // One write a record, so that a kill leaves whole ones.
            self.file.write_all(&line)?;
            if sync { self.file.sync_data() } else { Ok(()) }
        };
        write().map_err(JournalError::io(&self.path))
    }
}

fn last_line(mut file: File) -> std::io::Result<String> {
    let start = file.metadata()?.len().saturating_sub(TAIL);
    file.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let whole = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at);
    let last = tail[..whole].rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    Ok(String::from_utf8_lossy(last).into_owned())
}

/// The records, and how many bytes hold whole ones.
fn replay(path: &Path, file: &mut File) -> Result<(Vec<Stamped>, u64), JournalError> {
    let mut text = Vec::new();
    file.read_to_end(&mut text).map_err(JournalError::io(path))?;
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let mut records = Vec::new();
    for (index, line) in text[..whole].split(|byte| *byte == b'\n').enumerate() {
        if line.is_empty() {
            continue;
        }
        let record = serde_json::from_slice(line).map_err(|error| JournalError::Corrupt {
            path: path.to_owned(),
            line: index + 1,
            reason: error.to_string(),
        })?;
        records.push(record);
    }
    Ok((records, whole as u64))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that can't set up should fail")]

    use super::*;
    use crate::engine::Event;

    fn record(seq: u64) -> Stamped {
        Stamped {
            seq,
            at: jiff::Timestamp::UNIX_EPOCH,
            event: Event::RunStarted { version: "0".into() },
        }
    }

    #[test]
    fn cut_after_any_byte_the_whole_records_are_kept_and_writing_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let mut journal = JournalFile::create(&path).unwrap();
        for seq in 1..=3 {
            journal.append(&record(seq), true).unwrap();
        }
        let all = std::fs::read(&path).unwrap();
        for cut in 0..=all.len() {
            let whole = all[..cut].split(|byte| *byte == b'\n').count() - 1;
            std::fs::write(&path, &all[..cut]).unwrap();
            let (mut journal, records) = JournalFile::open(&path).unwrap();
            assert_eq!(records.len(), whole, "cut after byte {cut}");
            journal.append(&record(9), false).unwrap();
            let again = JournalFile::read(&path).unwrap();
            assert_eq!(again.len(), whole + 1);
            assert_eq!(again.last().unwrap().seq, 9);
        }
    }

    #[test]
    fn the_ends_are_those_of_the_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let mut journal = JournalFile::create(&path).unwrap();
        assert_eq!(JournalFile::ends(&path).unwrap(), (None, None));
        for seq in 1..=2_000 {
            journal.append(&record(seq), false).unwrap();
            if [1, 2, 2_000].contains(&seq) {
                let ends = JournalFile::ends(&path).unwrap();
                assert_eq!(ends, (Some(record(1)), Some(record(seq))));
            }
        }
    }

    #[test]
    fn a_bad_record_in_the_middle_is_named_by_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let mut journal = JournalFile::create(&path).unwrap();
        journal.append(&record(1), true).unwrap();
        std::fs::write(&path, [std::fs::read(&path).unwrap(), b"{}\n".to_vec()].concat()).unwrap();
        let error = JournalFile::read(&path).unwrap_err().to_string();
        assert!(error.contains("journal.jsonl:2:"), "{error}");
    }
}
