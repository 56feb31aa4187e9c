//! Where reports go: a stream, whether it takes colour, and whether anybody
//! still reads it.

use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
};

use serde::Serialize;

use super::{Line, Screen, Span, Text, line};
use crate::model::{Failure, json_line, json_pretty};

/// A stream that reports are written to: the one place where text reaches the
/// user. It takes [`Text`], never bytes, and makes visible what a terminal would
/// act on.
///
/// When its reader goes away (`muster check | head`), what is written is
/// dropped from then on and the work goes on: a launch must not stop halfway
/// since nobody reads, and the exit code still reports the result.
pub struct Out {
    stream: Box<dyn Write + Send>,
    paint: Paint,
    terminal: bool,
    closed: bool,
    screen: Screen,
}

impl Out {
    /// Standard output, on the screen that standard error writes to as well.
    pub fn stdout(screen: Screen) -> Self {
        Self::on(Box::new(io::stdout()), io::stdout().is_terminal(), screen)
    }

    /// Standard error.
    pub fn stderr(screen: Screen) -> Self {
        Self::on(Box::new(io::stderr()), io::stderr().is_terminal(), screen)
    }

    /// Any stream that is no terminal.
    pub fn new(stream: Box<dyn Write + Send>, paint: Paint) -> Self {
        Self { stream, paint, terminal: false, closed: false, screen: Screen::default() }
    }

    /// Any stream, on `screen`.
    pub fn on(stream: Box<dyn Write + Send>, terminal: bool, screen: Screen) -> Self {
        Self { stream, paint: Paint::when(terminal), terminal, closed: false, screen }
    }

    /// How to colour what is written here.
    pub fn paint(&self) -> Paint {
        self.paint
    }

    /// Whether the reader has closed the stream.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Writes one or more lines and flushes them, so that a reader sees them as they happen.
    pub fn line(&mut self, text: impl Into<Text>) -> io::Result<()> {
        let lines = text.into();
        let lines = lines.lines().iter().map(|line| line.render(self.paint) + "\n");
        let rendered: String = lines.collect();
        self.write(&rendered)
    }

    /// Writes lines.
    pub fn lines<T: Clone + Into<Text>>(&mut self, lines: &[T]) -> io::Result<()> {
        lines.iter().try_for_each(|line| self.line(line.clone()))
    }

    /// Writes a question that is answered on the same line; the status line
    /// stays away until [`Self::answered`].
    pub fn prompt(&mut self, question: &str) -> io::Result<()> {
        let question = Line::from(question).render(self.paint);
        self.write(&question)?;
        self.screen.hold();
        Ok(())
    }

    /// Notes that a question was answered, by a line or, where `newline`, by less than one.
    pub fn answered(&mut self, newline: bool) -> io::Result<()> {
        self.screen.release();
        if newline { self.line("") } else { Ok(()) }
    }

    /// Writes a document that other programs read (a script, a config, a module),
    /// which may have line breaks of its own. It stays as it is, except on a terminal.
    pub fn document(&mut self, text: &str) -> io::Result<()> {
        if !self.terminal {
            return self.write(&format!("{text}\n"));
        }
        text.split('\n').try_for_each(|line| self.line(line))
    }

    /// Writes what went wrong and what to do about it.
    pub fn failure(&mut self, failure: &Failure) -> io::Result<()> {
        self.explain(self.paint.paint(Tone::Bad, "error"), failure)
    }

    /// Writes what is not as it should be, where the command goes on.
    pub fn warning(&mut self, failure: &Failure) -> io::Result<()> {
        self.explain(self.paint.paint(Tone::Care, "warning"), failure)
    }

    fn explain(&mut self, word: Span, failure: &Failure) -> io::Result<()> {
        let message = failure.to_string();
        let mut lines = message.split('\n');
        let first = format!(": {}", lines.next().unwrap_or_default());
        self.line(line![word, first])?;
        // Nothing below stands where a message of its own would begin.
        for more in lines {
            self.line(format!("  | {more}"))?;
        }
        match &failure.hint {
            Some(hint) => {
                self.line(line!["  ", self.paint.paint(Tone::Dim, "do:"), format!(" {hint}")])
            }
            None => Ok(()),
        }
    }

    /// Writes `value` as one JSON document, indented.
    pub fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        let text = json_pretty(value)?;
        self.write(&format!("{text}\n"))
    }

    /// Writes `value` as one line of JSON.
    pub fn json_line(&mut self, value: &impl Serialize) -> io::Result<()> {
        let text = json_line(value)?;
        self.write(&format!("{text}\n"))
    }

    /// Everything that is written passes here, clean by now and in one piece.
    fn write(&mut self, text: &str) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        let mut screen = self.screen.writing();
        let written = self.stream.write_all(text.as_bytes()).and_then(|()| self.stream.flush());
        screen.written();
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            result => result,
        }
    }
}

/// What a piece of text means; its colour follows from that. A mark or a word
/// next to it always carries the same meaning, so that nothing depends on colour alone.
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

    /// `text` as a piece of a line that is written in the colour of `tone`.
    pub fn paint(self, tone: Tone, text: impl Display) -> Span {
        Span::new(self.0.then_some(tone), text)
    }

    /// `clean` between the escape sequences of its colour.
    pub(super) fn escape(self, tone: Option<Tone>, clean: &str) -> String {
        let code = match tone.filter(|_| self.0) {
            None => return clean.to_owned(),
            Some(Tone::Good) => "32",
            Some(Tone::Bad) => "31",
            Some(Tone::Care) => "33",
            Some(Tone::Strong) => "1",
            Some(Tone::Dim) => "2",
        };
        format!("\x1b[{code}m{clean}\x1b[0m")
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that can't set up should fail")]

    use super::*;

    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_went_away_is_no_error() {
        let mut out = Out::new(Box::new(Closed), Paint::PLAIN);
        out.line("nobody reads this").unwrap();
        assert!(out.is_closed());
        out.json(&1).unwrap();
    }

    /// What is written where the reader stays.
    #[derive(Clone, Default)]
    struct Kept(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written(paint: bool, write: impl FnOnce(&mut Out) -> io::Result<()>) -> String {
        let kept = Kept::default();
        write(&mut Out::new(Box::new(kept.clone()), Paint(paint))).unwrap();
        let bytes = kept.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn colour_never_changes_the_text() {
        let mark = |paint| written(paint, |out| out.line(out.paint().paint(Tone::Bad, "✗")));
        assert_eq!(mark(false), "✗\n");
        assert_eq!(mark(true), "\x1b[31m✗\x1b[0m\n");
    }

    #[test]
    fn only_colours_reach_the_stream_as_escape_sequences() {
        let hostile = "x\x1b]0;owned\x07\x1b[2J\u{9b}2J\u{202e}\nerror: forged";
        let clean = r"x\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}2J\u{202e}\nerror: forged";
        assert_eq!(written(true, |out| out.line(hostile)), format!("{clean}\n"));
        let painted = written(true, |out| out.line(out.paint().paint(Tone::Good, hostile)));
        assert_eq!(painted, format!("\x1b[32m{clean}\x1b[0m\n"));
        assert_eq!(written(true, |out| out.prompt(hostile)), clean);
        let failure = Failure::new(hostile).hint(hostile);
        let lines = written(false, |out| out.failure(&failure));
        let first = r"error: x\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}2J\u{202e}";
        assert_eq!(lines, format!("{first}\n  | error: forged\n  do: {clean}\n"));
        let json = written(false, |out| out.json_line(&hostile));
        assert!(!json.trim_end().chars().any(crate::model::is_hidden), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), hostile);
    }

    #[test]
    fn a_document_is_exact_for_programs_and_clean_on_a_terminal() {
        let text = "a: \u{202e}\n\x1b[2Jb";
        assert_eq!(written(false, |out| out.document(text)), format!("{text}\n"));
        let kept = Kept::default();
        Out::on(Box::new(kept.clone()), true, Screen::default()).document(text).unwrap();
        let shown = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        assert_eq!(shown, "a: \\u{202e}\n\\u{1b}[2Jb\n");
    }
}
