//! What is wrong with a config, where, why and what to do.

use serde::Serialize;

use super::{Location, Source, text};

pub mod ids;
mod render;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The project can't be used.
    Error,
    /// It can, but the user should know.
    Warning,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// How bad.
    pub severity: Severity,
    /// Stable id: `config.unknown-key`. All are in [`ids::ALL`].
    pub id: &'static str,
    /// Where; none where no place can be named (a file that can't be read).
    pub location: Option<Location>,
    /// The source line, for showing; what sounds secret in it is starred out.
    pub source_line: Option<String>,
    /// The key path: `available_node_types.ray.worker.default.node_config.ImageId`.
    pub key_path: Option<String>,
    /// What is wrong, one sentence.
    pub message: String,
    /// What to do, the nearest valid key included.
    pub help: Option<String>,
}

impl Diagnostic {
    /// Something that makes the project unusable.
    pub(super) fn error(id: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, id, message.into())
    }

    /// Something that the user should know.
    pub(super) fn warning(id: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, id, message.into())
    }

    fn new(severity: Severity, id: &'static str, message: String) -> Self {
        Self {
            severity,
            id,
            location: None,
            source_line: None,
            key_path: None,
            message,
            help: None,
        }
    }

    /// The same, with its place.
    pub(super) fn at(mut self, location: Location) -> Self {
        self.location = Some(location);
        self
    }

    /// The same, with the key that it is about.
    pub(super) fn key(mut self, path: impl Into<String>) -> Self {
        self.key_path = Some(path.into());
        self
    }

    /// The same, with what to do.
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Whether it is `other` but for the way to the key, as where an alias leads
    /// to one place twice.
    fn is_same_as(&self, other: &Self) -> bool {
        let place = (self.id, &self.location) == (other.id, &other.location);
        place && (self.message == other.message || self.without_way() == other.without_way())
    }

    /// The message and the help, without the way to the key.
    fn without_way(&self) -> (String, Option<&str>) {
        let way = self.key_path.as_deref().and_then(|path| path.rsplit_once('.'));
        let message = way.map(|(way, _)| self.message.replacen(way, "", 1));
        (message.unwrap_or_else(|| self.message.clone()), self.help.as_deref())
    }

    /// Whether the project can't be used because of it.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// As `rustc` shows it, without colour and without a line break at the end:
    ///
    /// ```text
    /// error[config.unknown-key]: there is no key `regoin`
    ///   --> us.yaml:4:3
    ///    |
    ///  4 |   regoin: us-west-2
    ///    |   ^^^^^^
    ///    = key: provider.regoin
    ///    = help: did you mean `region`?
    /// ```
    pub fn render(&self) -> String {
        render::render(self)
    }
}

/// Longest line that is shown, in bytes: of a longer one every diagnostic
/// would hold it all.
const MAX_LINE: usize = 4 * 1024;

/// Gives each its source line and puts them in the order in which the files
/// are read, the ones without a place first. What an alias brings to several
/// places is reported once.
pub(super) fn complete(diagnostics: &mut Vec<Diagnostic>, sources: &[Source]) {
    let file = |location: &Location| sources.iter().position(|s| s.path == location.file);
    diagnostics.sort_by_cached_key(|diagnostic| {
        let location = diagnostic.location.as_ref();
        let place = location.map(|location| (file(location), location.line, location.column));
        (place, diagnostic.id)
    });
    diagnostics.dedup_by(|b, a| a.location.is_some() && a.is_same_as(b));
    let mut lines = Lines::default();
    for diagnostic in diagnostics.iter_mut() {
        let Some(location) = &diagnostic.location else { continue };
        let line = lines.line(sources, location).filter(|line| line.len() <= MAX_LINE);
        diagnostic.source_line = line.map(text::redacted);
    }
}

/// Reads lines of files, each file from its start to its end once where they
/// are asked for in order.
#[derive(Default)]
struct Lines<'a> {
    /// The file that is being read.
    source: Option<&'a Source>,
    rest: Option<std::str::Lines<'a>>,
    /// The line that was read last, and its number, from 1.
    last: Option<&'a str>,
    number: u32,
}

impl<'a> Lines<'a> {
    fn line(&mut self, sources: &'a [Source], location: &Location) -> Option<&'a str> {
        let is_read = self.source.is_some_and(|source| source.path == location.file);
        if !is_read || self.number > location.line {
            let source = sources.iter().find(|source| source.path == location.file);
            let rest = source.map(|source| source.text.lines());
            *self = Self { source, rest, last: None, number: 0 };
        }
        let ahead = (location.line - self.number) as usize;
        if let (Some(rest), Some(before)) = (&mut self.rest, ahead.checked_sub(1)) {
            self.last = rest.nth(before);
            self.number = location.line;
        }
        self.last
    }
}
