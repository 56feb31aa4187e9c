//! The real binary in a pseudo-terminal: its screen, typed keys, and the state in
//! which it leaves the terminal.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a terminal that doesn't get where the test waits for it is a failed test"
)]

use std::{
    io::{Read, Write},
    num::NonZeroU16,
    sync::{
        Arc, Condvar, Mutex,
        mpsc::{self, Receiver},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use portable_pty::{
    Child, ChildKiller, CommandBuilder, MasterPty, PtySize, SlavePty, native_pty_system,
};
use vt100::{Parser, Screen};

use super::muster::{BINARY, Muster};

/// The total time that a test may wait for its screens.
const PATIENCE: Duration = Duration::from_secs(50);

/// A run of muster in a terminal. Dropping it ends the run.
pub struct Terminal {
    shown: Arc<Shown>,
    keyboard: Box<dyn Write + Send>,
    master: Box<dyn MasterPty + Send>,
    /// Kept open, so that the terminal outlives the run and can be inspected.
    _slave: Box<dyn SlavePty + Send>,
    pid: u32,
    killer: Box<dyn ChildKiller + Send + Sync>,
    exit_code: Receiver<u32>,
    modes_before: String,
    deadline: Instant,
    _reader: JoinHandle<()>,
}

struct Shown {
    parser: Mutex<Parser>,
    changed: Condvar,
}

impl Terminal {
    /// Starts `muster args…` in a terminal of this size.
    pub fn start(muster: &Muster, args: &[&str], columns: u16, rows: u16) -> Self {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let modes_before = modes(&*pair.master);
        let child = pair.slave.spawn_command(command(muster, args)).unwrap();
        let (pid, killer) = (child.process_id().unwrap(), child.clone_killer());
        let parser = Mutex::new(Parser::new(size_of(rows), size_of(columns), 0));
        let shown = Arc::new(Shown { parser, changed: Condvar::new() });
        let reader = read(pair.master.try_clone_reader().unwrap(), shown.clone());
        Self {
            shown,
            keyboard: pair.master.take_writer().unwrap(),
            master: pair.master,
            _slave: pair.slave,
            pid,
            killer,
            exit_code: wait(child),
            modes_before,
            deadline: Instant::now() + PATIENCE,
            _reader: reader,
        }
    }

    /// Types `keys`.
    pub fn keys(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Waits until the screen shows `text`.
    pub fn sees(&self, text: &str) {
        self.wait(&format!("the screen shows {text:?}"), |screen| screen.contents().contains(text));
    }

    /// Waits until the screen no longer shows `text`.
    pub fn lacks(&self, text: &str) {
        self.wait(&format!("the screen lacks {text:?}"), |screen| {
            !screen.contents().contains(text)
        });
    }

    /// Waits until the screen satisfies `wanted`.
    pub fn wait(&self, what: &str, wanted: impl Fn(&Screen) -> bool) {
        let mut parser = self.shown.parser.lock().unwrap();
        while !wanted(parser.screen()) {
            let left = self.deadline.saturating_duration_since(Instant::now());
            let contents = || parser.screen().contents();
            assert!(!left.is_zero(), "waited in vain until {what}; the screen:\n{}", contents());
            parser = self.shown.changed.wait_timeout(parser, left).unwrap().0;
        }
    }

    /// Returns the text on the screen.
    pub fn text(&self) -> String {
        self.shown.parser.lock().unwrap().screen().contents()
    }

    /// Sends `signal` (`TERM`) to the run.
    pub fn signal(&self, signal: &str) {
        let pid = self.pid.to_string();
        let sent = std::process::Command::new("kill").args(["-s", signal, &pid]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits until the run exits; returns its exit code.
    pub fn exit_code(&self) -> u32 {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let Ok(code) = self.exit_code.recv_timeout(left) else {
            panic!("muster does not end; the screen:\n{}", self.text());
        };
        code
    }

    /// Fails unless a dashboard has the terminal: then the modes that
    /// [`Self::assert_restored`] checks differ.
    pub fn assert_taken(&self) {
        self.wait("the alternate screen is shown", Screen::alternate_screen);
        self.wait("the cursor is hidden", Screen::hide_cursor);
        assert_ne!(modes(&*self.master), self.modes_before, "the line modes are the same");
    }

    /// Fails unless the terminal is as it was before the run: the normal
    /// screen, the cursor shown, no mouse and paste modes, the same line modes.
    pub fn assert_restored(&self) {
        self.wait("the alternate screen is left", |screen| !screen.alternate_screen());
        self.wait("the cursor is shown", |screen| !screen.hide_cursor());
        self.wait("no mode is left", |screen| {
            !screen.bracketed_paste()
                && !screen.application_cursor()
                && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
        });
        assert_eq!(modes(&*self.master), self.modes_before, "the line modes differ");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Fails if it has exited already.
        drop(self.killer.kill());
    }
}

fn size_of(cells: u16) -> NonZeroU16 {
    NonZeroU16::new(cells).unwrap()
}

/// Sends the exit code once the child exits.
fn wait(mut child: Box<dyn Child + Send + Sync>) -> Receiver<u32> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let status = child.wait().unwrap();
        // The receiver may be dropped.
        let _ = sender.send(status.exit_code());
    });
    receiver
}

fn command(muster: &Muster, args: &[&str]) -> CommandBuilder {
    let mut command = CommandBuilder::new(BINARY);
    command.args(args);
    command.env_clear();
    command.env("TERM", "xterm-256color");
    for (name, value) in muster.environment() {
        command.env(name, value);
    }
    command.cwd(muster.folder());
    command
}

/// Returns the terminal's line modes: raw or not, echo or not.
fn modes(master: &dyn MasterPty) -> String {
    let modes = master.get_termios().unwrap();
    let flags = (modes.input_flags, modes.output_flags, modes.local_flags);
    format!("{flags:?}")
}

fn read(mut stream: Box<dyn Read + Send>, shown: Arc<Shown>) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut buffer = [0; 8192];
        while let Ok(read @ 1..) = stream.read(&mut buffer) {
            shown.parser.lock().unwrap().process(&buffer[..read]);
            shown.changed.notify_all();
        }
    })
}
