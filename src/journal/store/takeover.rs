//! A reader that becomes the writer once the other process has ended, however
//! that ended: its lock went with it.

use super::{
    super::{JournalError, JournalFile},
    JOURNAL, Place, ReadOnly, Store, current,
    lock::lock,
};

/// What came of asking for the lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TakeOver {
    /// The other process has it.
    Held,
    /// It is this process's now.
    Taken,
    /// The other process began a cluster since this one opened, so this one
    /// follows and writes nothing. Reports it.
    Another(String),
}

impl Store {
    /// Takes the lock over if its holder has ended; from then on this process
    /// writes. Read what the holder wrote last ([`Store::read_further`])
    /// before anything is appended.
    pub fn take_over(&mut self) -> Result<TakeOver, JournalError> {
        let (Place::Disk { folder, journal, lock: held }, Some(ReadOnly::Waits(_))) =
            (&mut self.place, &self.read_only)
        else {
            return Ok(TakeOver::Held);
        };
        let Some(project) = folder.parent() else { return Ok(TakeOver::Held) };
        let path = folder.join(JOURNAL);
        let there = current(project)?.filter(|_| !path.exists());
        if let Some(other) = there {
            let why = format!("{other} was started meanwhile; restart muster to see it");
            self.read_only = Some(ReadOnly::Never(why.clone()));
            return Ok(TakeOver::Another(why));
        }
        let (Some(file), _) = lock(project)? else { return Ok(TakeOver::Held) };
        if path.exists() {
            *journal = Some(JournalFile::open(&path)?.0);
        }
        *held = Some(file);
        self.read_only = None;
        Ok(TakeOver::Taken)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that can't set up should fail")]

    use super::{super::tests::created, *};

    #[test]
    fn who_only_read_writes_once_the_writer_has_ended() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = Store::open(folder.path(), "p").unwrap();
        let id = first.cluster().clone();
        first.append(&created(&id, 1), true).unwrap();
        let mut second = Store::open(folder.path(), "p").unwrap();
        assert_eq!(second.take_over().unwrap(), TakeOver::Held);
        first.append(&created(&id, 2), true).unwrap();
        drop(first);
        assert_eq!(second.take_over().unwrap(), TakeOver::Taken);
        assert!(second.read_only().is_none());
        assert_eq!(second.read_further().unwrap().len(), 1);
        second.append(&created(&id, 3), true).unwrap();
        assert!(
            Store::open(folder.path(), "p").unwrap().read_only().is_some(),
            "it holds the lock"
        );
        drop(second);
        assert_eq!(Store::open(folder.path(), "p").unwrap().take_records().len(), 3);
    }

    #[test]
    fn a_cluster_that_the_writer_began_meanwhile_is_not_taken_for_the_own() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = Store::open(folder.path(), "p").unwrap();
        let mut second = Store::open(folder.path(), "p").unwrap();
        let id = first.cluster().clone();
        assert_eq!(second.take_over().unwrap(), TakeOver::Held);
        first.append(&created(&id, 1), true).unwrap();
        let taken = second.take_over().unwrap();
        assert_eq!(taken, TakeOver::Another(second.read_only().unwrap().into()));
        drop(first);
        assert_eq!(second.take_over().unwrap(), TakeOver::Held, "reported once");
        assert!(second.read_only().unwrap().contains(id.as_str()));
        assert!(Store::open(folder.path(), "p").unwrap().read_only().is_none(), "nobody holds it");
    }
}
