//! Reads what nodes send without taking more of it into memory than a stated
//! number of bytes: lines one by one, the last part of a stream, or all lines of
//! a command that answers a question.

use std::collections::VecDeque;

use tokio::{
    io::{AsyncRead, AsyncReadExt},
    sync::mpsc,
};

use super::{Printed, RemoteError, Result, Session, lines::LineSplitter};

/// How much is read at once, in bytes.
const CHUNK: usize = 32 * 1024;

/// The lines of a stream. Holds those of one chunk, each cut at
/// `MAX_LINE`.
pub struct Lines<R> {
    stream: Option<R>,
    splitter: LineSplitter,
    ready: VecDeque<String>,
    chunk: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    /// Reads `stream`; without one there are no lines.
    pub fn of(stream: Option<R>) -> Self {
        let (splitter, ready) = (LineSplitter::default(), VecDeque::new());
        Self { stream, splitter, ready, chunk: vec![0; CHUNK] }
    }

    /// The next line that has its ending; none once the stream has ended or failed.
    pub async fn next(&mut self) -> Option<String> {
        loop {
            if let Some(line) = self.ready.pop_front() {
                return Some(line);
            }
            match self.stream.as_mut()?.read(&mut self.chunk).await {
                Ok(length @ 1..) => self.ready.extend(self.splitter.push(&self.chunk[..length])),
                _ => self.stream = None,
            }
        }
    }

    /// What the stream ended with, where that has no ending.
    pub fn rest(&mut self) -> Option<String> {
        self.splitter.finish()
    }
}

/// The last bytes of what is pushed.
#[derive(Debug)]
pub struct Tail {
    most: usize,
    bytes: Vec<u8>,
}

impl Tail {
    /// Keeps `most` bytes.
    pub fn of(most: usize) -> Self {
        Self { most, bytes: Vec::new() }
    }

    /// Adds `bytes`.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        let surplus = self.bytes.len().saturating_sub(self.most);
        self.bytes.drain(..surplus);
    }

    /// Reads `stream` to its end; what arrived before it failed still counts.
    pub async fn read(&mut self, stream: Option<impl AsyncRead + Unpin>) {
        let (Some(mut stream), mut chunk) = (stream, [0; 1024]) else { return };
        while let Ok(length @ 1..) = stream.read(&mut chunk).await {
            self.push(&chunk[..length]);
        }
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// The bytes as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// What a command answered.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// The lines of its standard output.
    pub lines: Vec<String>,
    /// Whether there were more than fit: the command was ended then.
    pub cut: bool,
}

/// Runs `command` and keeps what it prints on its standard output, `most` bytes
/// of it, line endings not counted.
pub async fn answer(session: &dyn Session, command: &str, most: usize) -> Result<Answer> {
    let (sender, mut receiver) = mpsc::channel(64);
    let gather = async {
        let (mut lines, mut left) = (Vec::new(), most);
        while let Some(line) = receiver.recv().await {
            let Printed::Out(line) = line else { continue };
            // An empty line takes memory as well.
            match left.checked_sub(line.len().max(1)) {
                Some(less) => left = less,
                None => return Answer { lines, cut: true },
            }
            lines.push(line);
        }
        Answer { lines, cut: false }
    };
    // Dropped where the answer is complete first: that ends the command.
    let run = async {
        match session.exec(command, sender).await {
            Ok(_) => std::future::pending().await,
            Err(error) => error,
        }
    };
    tokio::select! {
        biased;
        answer = gather => Ok(answer),
        error = run => Err::<Answer, RemoteError>(error),
    }
}

#[cfg(test)]
mod tests {
    use super::{Lines, Tail};
    use crate::remote::lines::MAX_LINE;

    #[tokio::test]
    async fn lines_come_one_by_one_and_are_cut() {
        let text = format!("one\n\n{}\nrest", "x".repeat(3 * MAX_LINE));
        let mut lines = Lines::of(Some(text.as_bytes()));
        assert_eq!(lines.next().await.as_deref(), Some("one"));
        assert_eq!(lines.next().await.as_deref(), Some(""));
        let long = lines.next().await.unwrap_or_default();
        assert!(long.len() < MAX_LINE + 40 && long.ends_with("more bytes)"), "{}", long.len());
        assert_eq!((lines.next().await, lines.next().await), (None, None));
        assert_eq!(lines.rest().as_deref(), Some("rest"));
    }

    #[tokio::test]
    async fn a_tail_is_what_came_last() {
        let mut tail = Tail::of(5);
        tail.read(Some("a flood of words".as_bytes())).await;
        assert_eq!(tail.text(), "words");
        tail.push(b"!");
        assert_eq!(tail.text(), "ords!");
        tail.clear();
        assert_eq!(tail.text(), "");
    }
}
