//! A server process of a test: started, waited for, and ended with the test.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test's server that doesn't start is a failed test"
)]

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, ChildStderr, Command, Stdio},
    sync::mpsc::{self, Sender},
    thread::{self, JoinHandle},
    time::Duration,
};

/// A running server; it ends when dropped, and prints its log if the test fails.
pub struct Server {
    process: Child,
    url: String,
    log: Option<JoinHandle<String>>,
}

impl Server {
    /// Starts `command` and waits until it prints `mark` and its address to stderr.
    ///
    /// It is in the process group of the test, so that ending a hung test ends the server
    /// as well.
    pub fn start(mut command: Command, mark: &'static str) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let program = command.get_program().to_owned();
        let mut process = command.spawn().unwrap_or_else(|error| {
            panic!("cannot start {}: {error}; run ./scripts/test", program.display())
        });
        let (listens, heard) = mpsc::channel();
        let stderr = process.stderr.take().unwrap();
        let log = Some(thread::spawn(move || drain(stderr, mark, &listens)));
        // From here on, a panic ends the server.
        let mut server = Self { process, url: String::new(), log };
        let Ok(url) = heard.recv_timeout(Duration::from_mins(1)) else {
            panic!("{} does not listen:\n{}", program.display(), server.end());
        };
        server.url = url;
        server
    }

    /// Returns its URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Ends it and returns its log.
    fn end(&mut self) -> String {
        drop(self.process.kill());
        drop(self.process.wait());
        self.log.take().and_then(|log| log.join().ok()).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let log = self.end();
        if thread::panicking() {
            eprintln!("the server at {}:\n{log}", self.url);
        }
    }
}

/// Reads the log to its end, so that the server never blocks on a full pipe, and
/// sends the address after `mark`.
fn drain(stderr: ChildStderr, mark: &str, listens: &Sender<String>) -> String {
    let mut log = String::new();
    let mut lines = BufReader::new(stderr);
    while lines.read_line(&mut log).is_ok_and(|read| read > 0) {
        let line = log.lines().last().unwrap_or_default();
        if let Some((_, url)) = line.split_once(mark) {
            drop(listens.send(url.trim().to_owned()));
            break;
        }
    }
    // Not line by line, because tracebacks need not be valid UTF-8.
    let mut rest = Vec::new();
    drop(lines.read_to_end(&mut rest));
    log + &String::from_utf8_lossy(&rest)
}
