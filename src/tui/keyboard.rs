//! The keys, read one at a time and only while somebody waits for one: so that
//! another program that has the terminal gets all that is typed to it.
//!
//! crossterm's own stream is not enough for that. Its thread may still be about
//! to read when the stream is dropped, and would take the other program's first
//! key. A wake-up that arrives together with a key makes crossterm forget that
//! key: it asks for changes of readiness only, where it isn't built to use
//! `poll` (its feature `use-dev-tty`).

use std::{io, sync::mpsc, thread, time::Duration};

use crossterm::event::{self, Event};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// How long crossterm may look for what it has read already; it looks at
/// nothing where it may not wait at all.
const MOMENT: Duration = Duration::from_millis(1);

/// Where the keys come from. There is one, since its thread may be waiting for
/// a key as long as the process lives.
pub struct Keyboard {
    wanted: mpsc::Sender<()>,
    read: UnboundedReceiver<io::Result<Event>>,
    /// Whether a key was requested from the thread and has not arrived.
    waiting: bool,
}

impl Keyboard {
    /// Reads nothing before the first [`Self::next`].
    pub fn new() -> Self {
        let (wanted, asked) = mpsc::channel();
        let (sender, read) = unbounded_channel();
        thread::spawn(move || while asked.recv().is_ok() && sender.send(event::read()).is_ok() {});
        Self { wanted, read, waiting: false }
    }

    /// The next key, or change of the terminal's size; `None` when the thread is
    /// closed. Dropping the future loses no key: the next call returns it.
    pub async fn next(&mut self) -> Option<io::Result<Event>> {
        if !self.waiting {
            self.wanted.send(()).ok()?;
            self.waiting = true;
        }
        let read = self.read.recv().await;
        self.waiting = false;
        read
    }

    /// Drops what crossterm has read and nobody asked for: typed ahead of a
    /// program that has had the terminal since.
    pub fn forget(&mut self) -> io::Result<()> {
        // Else the thread is the one that reads, and this would wait for it.
        while !self.waiting && event::poll(MOMENT)? {
            event::read()?;
        }
        Ok(())
    }
}
