//! Lines of a text report, built of spans. Text is cleaned and colours are
//! added where a line is written ([`super::Out`]), so that what looks like a
//! colour in a text is only text.

use std::fmt::{self, Display};

use super::{Paint, Tone};
use crate::model::visible;

/// A piece of a line: text, and what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    pub(super) tone: Option<Tone>,
    pub(super) text: String,
}

impl Span {
    pub(super) fn new(tone: Option<Tone>, text: impl Display) -> Self {
        Self { tone, text: text.to_string() }
    }
}

impl From<String> for Span {
    fn from(text: String) -> Self {
        Self { tone: None, text }
    }
}

impl From<&String> for Span {
    fn from(text: &String) -> Self {
        text.clone().into()
    }
}

impl From<&str> for Span {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

/// One line. No text in it can begin another one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line(Vec<Span>);

impl Line {
    /// A line of these pieces; see [`line!`](crate::report::line).
    pub fn of(spans: Vec<Span>) -> Self {
        Self(spans)
    }

    /// An empty line.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Adds a piece at the end.
    #[must_use]
    pub fn then(mut self, span: impl Into<Span>) -> Self {
        self.0.push(span.into());
        self
    }

    /// The same `columns` further to the right.
    #[must_use]
    pub fn indented(mut self, columns: usize) -> Self {
        self.0.insert(0, " ".repeat(columns).into());
        self
    }

    /// Renders the line for a stream, coloured if `paint` allows it.
    pub(super) fn render(&self, paint: Paint) -> String {
        let spans = self.0.iter();
        spans.map(|span| paint.escape(span.tone, &visible(&span.text))).collect()
    }
}

macro_rules! from_text {
    ($to:ty, $from:ty) => {
        impl From<$from> for $to {
            fn from(text: $from) -> Self {
                Self(vec![text.into()])
            }
        }
    };
}

from_text!(Line, Span);
from_text!(Line, String);
from_text!(Line, &String);
from_text!(Line, &str);
from_text!(Text, Line);
from_text!(Text, Span);
from_text!(Text, String);
from_text!(Text, &String);
from_text!(Text, &str);

impl From<&Line> for Text {
    fn from(line: &Line) -> Self {
        line.clone().into()
    }
}

/// Without colours.
impl Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Paint::PLAIN))
    }
}

impl PartialEq<&str> for Line {
    fn eq(&self, other: &&str) -> bool {
        self.render(Paint::PLAIN) == **other
    }
}

/// Builds a [`Line`] of pieces, each a text or a [`Span`].
#[macro_export]
macro_rules! line {
    ($($piece:expr),* $(,)?) => {
        $crate::report::Line::of(vec![$($crate::report::Span::from($piece)),*])
    };
}
pub use crate::line;

/// Some lines that belong together; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(Vec<Line>);

impl Text {
    /// These lines.
    pub fn of(lines: Vec<Line>) -> Self {
        Self(lines)
    }

    /// Adds lines below.
    #[must_use]
    pub fn below(mut self, lines: impl IntoIterator<Item = Line>) -> Self {
        self.0.extend(lines);
        self
    }

    /// These lines and then those of `other`.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.below(other.0)
    }

    pub(super) fn lines(&self) -> &[Line] {
        &self.0
    }
}

/// Without colours.
impl Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}
