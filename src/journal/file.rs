//! One journal file: replayed once, then appended to.

use std::{
    fs::{File, OpenOptions},
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use super::{
    contents::{Contents, Tail},
    disk::{Disk, append_all},
    line::encode,
};
use crate::journal::Stamped;

/// How much of a journal's end is read to find out whether its cluster is terminated.
const TAIL: u64 = 64 * 1024;

/// Why a journal can't be used. What is in it is never the reason.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file or its folder can't be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
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
    disk: Box<dyn Disk>,
    /// How many bytes are whole records and lines of others.
    whole: u64,
    /// Whether there may be more bytes, which have to go before the next record.
    torn: bool,
    /// What has to stand between the last byte and the next record.
    lead: &'static [u8],
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
        Ok(Self::on(path, Box::new(file)))
    }

    /// A new, empty journal on `disk`.
    pub fn on(path: &Path, disk: Box<dyn Disk>) -> Self {
        Self { path: path.to_owned(), disk, whole: 0, torn: false, lead: b"" }
    }

    /// Opens a journal to append to it. A last record that a crash left
    /// unfinished is cut off before the first one is appended; what is no
    /// record stays where it is.
    pub fn open(path: &Path) -> Result<(Self, Contents), JournalError> {
        let open = || {
            let mut file = OpenOptions::new().read(true).append(true).open(path)?;
            let mut text = Vec::new();
            file.read_to_end(&mut text)?;
            Ok((file, text))
        };
        let (file, text) = open().map_err(JournalError::io(path))?;
        tracing::debug!(path = %path.display(), bytes = text.len(), "journal opened");
        let contents = Contents::of(&text);
        let mut journal = Self::on(path, Box::new(file));
        journal.whole = contents.whole;
        match contents.tail {
            Tail::Nothing => {}
            Tail::HalfARecord => journal.torn = true,
            Tail::Other => (journal.whole, journal.lead) = (text.len() as u64, b"\n"),
        }
        Ok((journal, contents))
    }

    /// Reads a journal that another process may be writing.
    pub fn read(path: &Path) -> Result<Contents, JournalError> {
        let text = std::fs::read(path).map_err(JournalError::io(path))?;
        Ok(Contents::of(&text))
    }

    /// The records behind the first `from` bytes, and how many bytes hold whole
    /// lines now. Where the file has become shorter, there are none.
    pub fn read_from(path: &Path, from: u64) -> Result<(Vec<Stamped>, u64), JournalError> {
        let text = read_behind(path, from).map_err(JournalError::io(path))?;
        let Some(text) = text else { return Ok((Vec::new(), from)) };
        let contents = Contents::of(&text);
        Ok((contents.records, from + contents.whole))
    }

    /// Whether the journal ends with its cluster terminated: nothing was launched or
    /// adopted since. Reads the end of the file, and all of it where that does
    /// not settle it.
    pub fn is_terminated(path: &Path) -> Result<bool, JournalError> {
        let end = || {
            let length = File::open(path)?.metadata()?.len();
            read_behind(path, length.saturating_sub(TAIL))
        };
        let tail = end().map_err(JournalError::io(path))?.unwrap_or_default();
        match Contents::of(&tail).is_terminated() {
            Some(ended) => Ok(ended),
            None => Ok(Self::read(path)?.is_terminated().unwrap_or(false)),
        }
    }

    /// Appends one record; `sync` waits until the disk has it. Where that
    /// fails, the file is cut back to what it was.
    pub fn append(&mut self, record: &Stamped, sync: bool) -> Result<(), JournalError> {
        let line = encode(record).map_err(std::io::Error::from);
        let span = tracing::debug_span!("journal", seq = record.seq, sync);
        let appended = span.in_scope(|| line.and_then(|line| self.append_line(&line, sync)));
        appended.map_err(JournalError::io(&self.path))
    }

    fn append_line(&mut self, line: &[u8], sync: bool) -> std::io::Result<()> {
        if self.torn {
            self.disk.cut(self.whole)?;
            self.torn = false;
        }
        // One write a record, so that a kill leaves whole ones.
        let bytes = [self.lead, line].concat();
        let appended = append_all(&mut *self.disk, &bytes);
        let appended = appended.and_then(|()| if sync { self.disk.sync() } else { Ok(()) });
        match appended {
            Ok(()) => {
                self.whole += bytes.len() as u64;
                self.lead = b"";
            }
            Err(_) => self.torn = self.disk.cut(self.whole).is_err(),
        }
        appended
    }
}

/// `None` where the file is shorter than `from`.
fn read_behind(path: &Path, from: u64) -> std::io::Result<Option<Vec<u8>>> {
    let mut file = File::open(path)?;
    if file.metadata()?.len() < from {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(from))?;
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that can't set up should fail")]

    use std::{
        io::ErrorKind,
        sync::{Arc, Mutex},
    };

    use super::*;
    use crate::{journal::Event, journal::FORMAT};

    fn record(seq: u64) -> Stamped {
        let event = Event::RunStarted { version: "0".into(), format: FORMAT };
        Stamped { seq, at: jiff::Timestamp::UNIX_EPOCH, event }
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
            let (mut journal, contents) = JournalFile::open(&path).unwrap();
            assert_eq!(contents.records.len(), whole, "cut after byte {cut}");
            assert_eq!(contents.unreadable, [], "cut after byte {cut}");
            journal.append(&record(9), false).unwrap();
            let again = JournalFile::read(&path).unwrap().records;
            assert_eq!(again.len(), whole + 1);
            assert_eq!(again.last().unwrap().seq, 9);
        }
    }

    #[test]
    fn a_bad_record_in_the_middle_is_named_by_line_and_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let mut journal = JournalFile::create(&path).unwrap();
        journal.append(&record(1), true).unwrap();
        let before = [&std::fs::read(&path).unwrap()[..], b"{}\n\xff\0 torn"].concat();
        std::fs::write(&path, &before).unwrap();
        let (mut journal, contents) = JournalFile::open(&path).unwrap();
        let lines: Vec<_> = contents.unreadable.iter().map(|(line, _)| *line).collect();
        assert_eq!((contents.records.len(), &lines[..]), (1, &[2, 3][..]));
        journal.append(&record(2), true).unwrap();
        let after = std::fs::read(&path).unwrap();
        assert!(after.starts_with(&before), "what is no record is never overwritten");
        let contents = JournalFile::read(&path).unwrap();
        assert_eq!((contents.records.len(), contents.unreadable.len()), (2, 2));
    }

    #[test]
    fn a_terminated_cluster_is_found_behind_what_is_unreadable_and_before_a_later_fix() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let mut journal = JournalFile::create(&path).unwrap();
        let ended = Stamped { event: Event::ClusterGone, ..record(2) };
        let intended = Event::AdoptIntended { regions: vec![], instances: vec![] };
        let intended = Stamped { event: intended, ..record(3) };
        assert!(!JournalFile::is_terminated(&path).unwrap());
        journal.append(&intended, false).unwrap();
        assert!(!JournalFile::is_terminated(&path).unwrap());
        journal.append(&ended, false).unwrap();
        for seq in 3..2_000 {
            journal.append(&record(seq), false).unwrap();
        }
        let text = [std::fs::read(&path).unwrap(), b"\xff\n{\"half".to_vec()].concat();
        std::fs::write(&path, text).unwrap();
        assert!(JournalFile::is_terminated(&path).unwrap());
        JournalFile::open(&path).unwrap().0.append(&intended, false).unwrap();
        assert!(!JournalFile::is_terminated(&path).unwrap());
    }

    /// A disk with room for so many bytes, which may also refuse to be cut.
    #[derive(Clone, Debug, Default)]
    struct Small(Arc<Mutex<(Vec<u8>, usize, bool)>>);

    impl Disk for Small {
        fn append(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let (held, room, _) = &mut *self.0.lock().unwrap();
            let fits = bytes.len().min(*room - held.len());
            held.extend(&bytes[..fits]);
            if fits == 0 { Err(ErrorKind::StorageFull.into()) } else { Ok(fits) }
        }

        fn cut(&mut self, len: u64) -> std::io::Result<()> {
            let (held, _, stuck) = &mut *self.0.lock().unwrap();
            if *stuck {
                return Err(ErrorKind::StorageFull.into());
            }
            held.truncate(usize::try_from(len).unwrap());
            Ok(())
        }

        fn sync(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_record_that_found_no_room_is_cut_back_before_the_next_one() {
        let line = encode(&record(1)).unwrap().len();
        for (room, stuck) in (0..2 * line).flat_map(|room| [(room, false), (room, true)]) {
            let disk = Small::default();
            *disk.0.lock().unwrap() = (Vec::new(), room, stuck);
            let mut journal = JournalFile::on(Path::new("j"), Box::new(disk.clone()));
            let fitted = [1, 2].map(|seq| journal.append(&record(seq), true).is_ok());
            assert_eq!(fitted, [room >= line, false], "{room} bytes");
            if !stuck {
                let whole = if room >= line { line } else { 0 };
                assert_eq!(disk.0.lock().unwrap().0.len(), whole, "{room} bytes");
            }
            (disk.0.lock().unwrap().1, disk.0.lock().unwrap().2) = (10 * line, false);
            journal.append(&record(3), true).unwrap();
            let contents = Contents::of(&disk.0.lock().unwrap().0);
            let seqs: Vec<_> = contents.records.iter().map(|record| record.seq).collect();
            assert_eq!(seqs, if room >= line { vec![1, 3] } else { vec![3] }, "{room} bytes");
            assert_eq!(contents.unreadable, []);
        }
    }
}
