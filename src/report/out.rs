//! Where reports go: a stream, whether it takes colour, and whether anybody
//! still reads it.

use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
};

use serde::Serialize;

use crate::model::Failure;

/// A stream that reports are written to.
///
/// When its reader goes away (`muster check | head`), what is written is
/// dropped from then on and the work goes on: a launch must not stop halfway
/// since nobody looks, and the exit code still says what happened.
pub struct Out {
    stream: Box<dyn Write + Send>,
    paint: Paint,
    closed: bool,
}

impl Out {
    /// Standard output.
    pub fn stdout() -> Self {
        Self::new(Box::new(io::stdout()), Paint::when(io::stdout().is_terminal()))
    }

    /// Standard error.
    pub fn stderr() -> Self {
        Self::new(Box::new(io::stderr()), Paint::when(io::stderr().is_terminal()))
    }

    /// Any stream.
    pub fn new(stream: Box<dyn Write + Send>, paint: Paint) -> Self {
        Self { stream, paint, closed: false }
    }

    /// How to colour what is written here.
    pub fn paint(&self) -> Paint {
        self.paint
    }

    /// Whether the reader has gone away.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Writes a line and flushes it, so that a reader sees it as it happens.
    pub fn line(&mut self, line: impl Display) -> io::Result<()> {
        self.attempt(|stream| {
            writeln!(stream, "{line}")?;
            stream.flush()
        })
    }

    /// Writes lines.
    pub fn lines(&mut self, lines: &[String]) -> io::Result<()> {
        lines.iter().try_for_each(|line| self.line(line))
    }

    /// Writes a question that is answered on the same line.
    pub fn prompt(&mut self, question: &str) -> io::Result<()> {
        self.attempt(|stream| {
            write!(stream, "{question}")?;
            stream.flush()
        })
    }

    /// Writes what went wrong and what to do about it.
    pub fn failure(&mut self, failure: &Failure) -> io::Result<()> {
        self.explain(&self.paint.paint(Tone::Bad, "error"), failure)
    }

    /// Writes what is not as it should be, where the command goes on.
    pub fn warning(&mut self, failure: &Failure) -> io::Result<()> {
        self.explain(&self.paint.paint(Tone::Care, "warning"), failure)
    }

    fn explain(&mut self, word: &str, failure: &Failure) -> io::Result<()> {
        self.line(format!("{word}: {failure}"))?;
        match &failure.hint {
            Some(hint) => self.line(format!("  {} {hint}", self.paint.paint(Tone::Dim, "do:"))),
            None => Ok(()),
        }
    }

    /// Writes `value` as one JSON document, indented.
    pub fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        let text = serde_json::to_string_pretty(value)?;
        self.line(text)
    }

    /// Writes `value` as one line of JSON.
    pub fn json_line(&mut self, value: &impl Serialize) -> io::Result<()> {
        let text = serde_json::to_string(value)?;
        self.line(text)
    }

    fn attempt(
        &mut self,
        write: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        match write(&mut *self.stream) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            result => result,
        }
    }
}

/// What a piece of text means; its colour follows from that. A mark or a word
/// beside it always says the same, so that nothing is told by colour alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Wrong.
    Bad,
    /// Worth knowing.
    Care,
    /// Names and headings.
    Strong,
    /// Less important.
    Dim,
}

/// Whether to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paint(bool);

impl Paint {
    /// No colours.
    pub const PLAIN: Self = Self(false);

    /// Colours if the stream is a terminal and `NO_COLOR` is not set to anything.
    pub fn when(terminal: bool) -> Self {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self(terminal && !no_color)
    }

    /// `text` in the colour of `tone`.
    pub fn paint(self, tone: Tone, text: impl Display) -> String {
        let code = match tone {
            Tone::Good => "32",
            Tone::Bad => "31",
            Tone::Care => "33",
            Tone::Strong => "1",
            Tone::Dim => "2",
        };
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that can't set up should fail")]

    use super::*;

    struct Gone;

    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_went_away_is_no_error() {
        let mut out = Out::new(Box::new(Gone), Paint::PLAIN);
        out.line("nobody reads this").unwrap();
        assert!(out.is_closed());
        out.json(&1).unwrap();
    }

    #[test]
    fn colour_never_changes_the_text() {
        assert_eq!(Paint(false).paint(Tone::Bad, "✗"), "✗");
        assert_eq!(Paint(true).paint(Tone::Bad, "✗"), "\x1b[31m✗\x1b[0m");
    }
}
