//! The screen that standard output and standard error share: when something
//! was last written to it, and a status line below everything else.

use std::{
    io::{self, IsTerminal, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use unicode_width::UnicodeWidthChar;

use crate::model::visible;

/// Removes the status line, from anywhere on it.
const ERASE: &str = "\r\x1b[K";

/// A screen; clones are the same one.
#[derive(Clone)]
pub struct Screen(Arc<Mutex<State>>);

struct State {
    written: Instant,
    /// Where the status line goes, if anywhere.
    terminal: Option<Box<dyn Write + Send>>,
    shown: bool,
    /// A question is open: nothing may be written behind it.
    held: bool,
}

impl Default for Screen {
    /// One without a status line.
    fn default() -> Self {
        Self::new(None)
    }
}

impl Screen {
    /// The screen of standard error, if that is a terminal.
    pub fn stderr() -> Self {
        let terminal = io::stderr().is_terminal();
        Self::new(terminal.then(|| Box::new(io::stderr()) as Box<dyn Write + Send>))
    }

    /// A screen whose status line goes to `terminal`.
    pub fn new(terminal: Option<Box<dyn Write + Send>>) -> Self {
        let (written, shown, held) = (Instant::now(), false, false);
        Self(Arc::new(Mutex::new(State { written, terminal, shown, held })))
    }

    /// Whether there is a place for a status line.
    pub fn has_status(&self) -> bool {
        self.lock().terminal.is_some()
    }

    /// For how long nothing has been written; nothing while a question is open.
    pub fn quiet_for(&self) -> Duration {
        let state = self.lock();
        if state.held { Duration::ZERO } else { state.written.elapsed() }
    }

    /// Shows `text` in place of the last status line, cut to `columns`; none: takes it away.
    pub fn status(&self, text: Option<&str>, columns: u16) {
        let mut state = self.lock();
        state.erase();
        let Some(text) = text.filter(|_| !state.held) else { return };
        let text = cut(&visible(text), usize::from(columns).saturating_sub(1));
        let Some(terminal) = &mut state.terminal else { return };
        // A terminal that can't be written to shows nothing else either.
        let _ = terminal.write_all(text.as_bytes()).and_then(|()| terminal.flush());
        state.shown = true;
    }

    /// Takes the status line away before something is written.
    pub(super) fn writing(&self) -> Writing<'_> {
        let mut state = self.lock();
        state.erase();
        Writing(state)
    }

    pub(super) fn hold(&self) {
        self.lock().held = true;
    }

    pub(super) fn release(&self) {
        let mut state = self.lock();
        state.held = false;
        state.written = Instant::now();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn erase(&mut self) {
        if std::mem::take(&mut self.shown)
            && let Some(terminal) = &mut self.terminal
        {
            let _ = terminal.write_all(ERASE.as_bytes()).and_then(|()| terminal.flush());
        }
    }
}

/// The screen while something is written: nobody else writes to it.
pub(super) struct Writing<'a>(MutexGuard<'a, State>);

impl Writing<'_> {
    pub(super) fn written(&mut self) {
        self.0.written = Instant::now();
    }
}

/// The start of `text`, at most `columns` wide.
fn cut(text: &str, columns: usize) -> String {
    let mut used = 0;
    let fits = |c: &char| {
        used += c.width().unwrap_or(0);
        used <= columns
    };
    text.chars().take_while(fits).collect()
}
