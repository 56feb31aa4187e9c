//! The terminal as the dashboard wants it, and back as it was: on every way
//! out, a panic of the dashboard itself included.
//!
//! ratatui's own hook restores the terminal on *any* thread's panic. Here a
//! panic in a task is a failed unit of work and the dashboard goes on, since
//! machines may be running: its message is kept and printed on the way out.

use std::{
    fs::File,
    io::{self, BufWriter, IsTerminal, Stdout, Write},
    os::fd::{AsFd, BorrowedFd},
    panic::PanicHookInfo,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, ThreadId},
};

use crossterm::{
    cursor, event, execute,
    style::Print,
    terminal::{
        Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
        enable_raw_mode,
    },
};
use ratatui::{Terminal, backend::CrosstermBackend};
use rustix::termios::{self, OptionalActions, QueueSelector, Termios};

use super::keyboard::Keyboard;
use crate::model::visible;

/// What the dashboard draws on.
pub type Backend = CrosstermBackend<BufWriter<Stdout>>;

/// Holds the terminal in raw mode and on the alternate screen; gives it back
/// when dropped. The mouse stays the terminal's own, so that it can select.
pub struct Guard {
    terminal: Terminal<Backend>,
    keyboard: Keyboard,
    shared: Arc<Shared>,
}

/// What the panic hook and the guard both know.
struct Shared {
    entered: AtomicBool,
    thread: ThreadId,
    panics: Mutex<Vec<String>>,
    /// The line modes before muster, if they could be read.
    modes: Option<Termios>,
}

impl Guard {
    /// Takes the terminal. Call it on the thread that runs the dashboard.
    pub fn enter() -> io::Result<Self> {
        let shared = Arc::new(Shared {
            entered: AtomicBool::new(false),
            thread: thread::current().id(),
            panics: Mutex::default(),
            modes: modes().ok(),
        });
        watch_panics(Arc::clone(&shared));
        let terminal = Terminal::new(CrosstermBackend::new(BufWriter::new(io::stdout())))?;
        let guard = Self { terminal, keyboard: Keyboard::new(), shared };
        // The guard exists before the first change, so that a half-taken
        // terminal is given back too.
        guard.shared.entered.store(true, Ordering::Release);
        take()?;
        Ok(guard)
    }

    /// The terminal to draw on, the source of keys, and the handle that suspends it.
    pub fn split(&mut self) -> (&mut Terminal<Backend>, &mut Keyboard, TerminalHandle) {
        (&mut self.terminal, &mut self.keyboard, TerminalHandle(Arc::clone(&self.shared)))
    }

    /// Restores the terminal and prints the messages of panicked tasks.
    pub fn leave(&mut self) -> io::Result<()> {
        if !self.shared.entered.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        let restored = restore();
        for panic in self.shared.panics().drain(..) {
            eprintln!("muster: a task panicked: {}", visible(&panic));
        }
        restored
    }
}

/// Suspends the dashboard for another program, and writes to the clipboard.
pub struct TerminalHandle(Arc<Shared>);

impl TerminalHandle {
    /// Restores the terminal as it was before muster. Messages of tasks that
    /// panic are still kept: they do not belong on the screen of another program.
    pub fn suspend(&self) -> io::Result<()> {
        restore()
    }

    /// Takes the terminal again, in whatever state the other program left it: one that
    /// was killed has put nothing back. What was typed to it and not read is not
    /// for the dashboard.
    pub fn resume(&self) -> io::Result<()> {
        on_terminal(|terminal| Ok(termios::tcflush(terminal, QueueSelector::IFlush)?))?;
        if let Some(modes) = &self.0.modes {
            // crossterm keeps what it finds now as what to go back to.
            set_modes(modes)?;
        }
        execute!(io::stdout(), Print(PLAIN), event::DisableMouseCapture)?;
        take()?;
        execute!(io::stdout(), Clear(ClearType::All))
    }

    /// Puts `text` on the clipboard of the terminal that the user sits at, also
    /// through SSH (OSC 52); terminals that don't know it ignore it.
    pub fn copy(&self, text: &str) -> io::Result<()> {
        let mut out = io::stdout();
        out.write_all(clipboard_sequence(text).as_bytes())?;
        out.flush()
    }
}

/// Cursor keys and keypad as usual, no colours.
const PLAIN: &str = "\u{1b}[?1l\u{1b}>\u{1b}[m";

/// The line modes of the terminal: of standard input, as crossterm has it, else
/// of the controlling terminal.
fn modes() -> io::Result<Termios> {
    on_terminal(|terminal| Ok(termios::tcgetattr(terminal)?))
}

fn set_modes(modes: &Termios) -> io::Result<()> {
    on_terminal(|terminal| Ok(termios::tcsetattr(terminal, OptionalActions::Now, modes)?))
}

fn on_terminal<T>(work: impl FnOnce(BorrowedFd<'_>) -> io::Result<T>) -> io::Result<T> {
    let input = io::stdin();
    if input.is_terminal() {
        return work(input.as_fd());
    }
    work(File::open("/dev/tty")?.as_fd())
}

impl Drop for Guard {
    fn drop(&mut self) {
        // A failure on the way out can no longer be reported.
        let _ = self.leave();
    }
}

impl Shared {
    fn panics(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.panics.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the panic is the dashboard's own: on its thread, and not in a
    /// task that happens to run there.
    fn is_ours(&self) -> bool {
        thread::current().id() == self.thread && tokio::task::try_id().is_none()
    }
}

fn watch_panics(shared: Arc<Shared>) {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !shared.entered.load(Ordering::Acquire) {
            before(info);
        } else if shared.is_ours() {
            shared.entered.store(false, Ordering::Release);
            let _ = restore();
            before(info);
        } else {
            shared.panics().push(describe(info));
        }
    }));
}

fn describe(info: &PanicHookInfo<'_>) -> String {
    let message = info.payload_as_str().unwrap_or("no message");
    let place = info.location().map(|place| format!(" at {place}")).unwrap_or_default();
    format!("{message}{place}")
}

fn take() -> io::Result<()> {
    enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen, cursor::Hide, event::EnableBracketedPaste)
}

fn restore() -> io::Result<()> {
    let raw = disable_raw_mode();
    let screen =
        execute!(io::stdout(), event::DisableBracketedPaste, LeaveAlternateScreen, cursor::Show);
    raw.and(screen)
}

fn clipboard_sequence(text: &str) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    format!("\u{1b}]52;c;{}\u{7}", STANDARD.encode(text))
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_of_the_text_reaches_the_terminal_as_it_is() {
        let sequence = super::clipboard_sequence("i-0123\u{1b}[2J");
        assert_eq!(sequence, "\u{1b}]52;c;aS0wMTIzG1sySg==\u{7}");
    }
}
