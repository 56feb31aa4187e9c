//! The result of a check.

use serde::Serialize;

use crate::{
    config::Location,
    model::{Failure, Region},
};

/// The outcome of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// A launch or the running cluster would fail.
    Fail,
    /// Could not be found out; never a pass.
    Unknown,
    /// Works, but the user should know.
    Warn,
    /// Not checked, since something else has to be fixed first.
    Skipped,
    /// As it should be.
    Pass,
}

impl Level {
    /// The mark shown next to it; never the only difference is colour.
    pub fn mark(self) -> &'static str {
        match self {
            Self::Fail => "✗",
            Self::Unknown => "?",
            Self::Warn => "!",
            Self::Skipped => "-",
            Self::Pass => "✓",
        }
    }
}

/// What a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// This machine: the local key.
    Local,
    /// A region.
    Region(Region),
    /// Two regions; for a route, from the first to the second.
    Pair(Region, Region),
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Local => f.pad("this machine"),
            Self::Region(region) => region.fmt(f),
            Self::Pair(a, b) => f.pad(&format!("{a} ↔ {b}")),
        }
    }
}

/// One result of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Stable id: `key.exists`.
    pub check: &'static str,
    /// The outcome.
    pub level: Level,
    /// What it is about.
    pub subject: Subject,
    /// One short line, without the subject: `key pair quokka is missing`.
    pub title: String,
    /// What was seen, a line each.
    pub evidence: Vec<String>,
    /// What EC2 or the nodes would return: `RunInstances would fail with InvalidKeyPair.NotFound`.
    pub impact: Option<String>,
    /// What to do.
    pub todo: Option<String>,
    /// The config line it goes back to.
    pub location: Option<Location>,
}

impl Finding {
    pub(super) fn new(
        check: &'static str,
        level: Level,
        subject: Subject,
        title: impl Into<String>,
    ) -> Self {
        Self {
            check,
            level,
            subject,
            title: title.into(),
            evidence: Vec::new(),
            impact: None,
            todo: None,
            location: None,
        }
    }

    /// Whether the two differ only in the config line. A finding to
    /// correct in two files is reported for each.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        let file = |finding: &Self| finding.location.as_ref().map(|place| place.file.clone());
        let corrected = matches!(self.level, Level::Fail | Level::Warn);
        (self.check, self.level, &self.subject, &self.title, &self.evidence)
            == (other.check, other.level, &other.subject, &other.title, &other.evidence)
            && (!corrected || file(self) == file(other))
    }

    /// Adds a line of evidence.
    pub(super) fn seen(mut self, line: impl Into<String>) -> Self {
        self.evidence.push(line.into());
        self
    }

    /// Adds lines of evidence.
    pub(super) fn all_seen(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        self.evidence.extend(lines);
        self
    }

    /// Adds what was refused and the hint that came with it.
    pub(super) fn because(self, failure: &Failure) -> Self {
        let todo = failure.hint.clone().unwrap_or_else(|| "refresh".into());
        self.seen(failure.to_string()).todo(todo)
    }

    pub(super) fn impact(mut self, answer: impl Into<String>) -> Self {
        self.impact = Some(answer.into());
        self
    }

    pub(super) fn todo(mut self, todo: impl Into<String>) -> Self {
        self.todo = Some(todo.into());
        self
    }

    pub(super) fn at(mut self, location: Option<&Location>) -> Self {
        self.location = location.cloned();
        self
    }
}

/// How many findings of each level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// ✓
    pub pass: usize,
    /// !
    pub warn: usize,
    /// ✗
    pub fail: usize,
    /// ?
    pub unknown: usize,
    /// -
    pub skipped: usize,
}

impl Summary {
    /// Counts `findings`.
    pub fn of<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        let mut summary = Self::default();
        for finding in findings {
            match finding.level {
                Level::Pass => summary.pass += 1,
                Level::Warn => summary.warn += 1,
                Level::Fail => summary.fail += 1,
                Level::Unknown => summary.unknown += 1,
                Level::Skipped => summary.skipped += 1,
            }
        }
        summary
    }
}
