//! One problem of a line: a diagnostic of the loader or a finding of a check.

use crate::{
    check::{Finding, Level},
    config::{Diagnostic, Location},
    tui::{finding_fix::FindingFix, model::Model, screens::finding},
};

/// What is marked in a line.
pub struct Mark<'m> {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// How many characters.
    pub width: u32,
    /// How bad.
    pub level: Level,
    /// The finding, if it comes from a check.
    pub finding: Option<&'m Finding>,
    /// The diagnostic, if the loader did.
    diagnostic: Option<&'m Diagnostic>,
}

impl<'m> Mark<'m> {
    /// Returns the mark of a diagnostic.
    pub fn of_diagnostic(diagnostic: &'m Diagnostic) -> Self {
        let level = if diagnostic.is_error() { Level::Fail } else { Level::Warn };
        let mark = Self::at(diagnostic.location.as_ref(), level);
        Self { diagnostic: Some(diagnostic), ..mark }
    }

    /// What a check found.
    pub fn of_finding(finding: &'m Finding) -> Self {
        Self { finding: Some(finding), ..Self::at(finding.location.as_ref(), finding.level) }
    }

    /// The same on another line.
    pub fn on(self, line: u32) -> Self {
        Self { line, ..self }
    }

    fn at(location: Option<&Location>, level: Level) -> Self {
        let (line, column, width) =
            location.map_or((1, 1, 0), |place| (place.line, place.column, place.width));
        Self { line, column, width, level, finding: None, diagnostic: None }
    }

    /// `✗ error config.unknown-key: there is no key …`: the severity by sign and word.
    pub fn heading(&self) -> String {
        let sign = self.level.mark();
        match (self.diagnostic, self.finding) {
            (Some(diagnostic), _) => {
                let word = if diagnostic.is_error() { "error" } else { "warning" };
                format!("{sign} {word} {}: {}", diagnostic.id, diagnostic.message)
            }
            (None, Some(found)) => {
                let word = match found.level {
                    Level::Fail => "fails",
                    Level::Warn => "warns",
                    Level::Unknown => "not known",
                    Level::Skipped => "skipped",
                    Level::Pass => "passes",
                };
                format!("{sign} {word} {} · {}: {}", found.check, found.subject, found.title)
            }
            (None, None) => String::new(),
        }
    }

    /// What to do, and the impact.
    pub fn help(&self, model: &Model) -> Vec<String> {
        if let Some(diagnostic) = self.diagnostic {
            return diagnostic.help.iter().map(|help| format!("help: {help}")).collect();
        }
        let Some(found) = self.finding else { return Vec::new() };
        let impact = found.impact.iter().map(|impact| format!("impact: {impact}"));
        let fix = FindingFix::of(found, model).filter(|fix| !fix.is_by_hand());
        impact.chain(fix.map(|fix| format!("f: {}", fix.short()))).collect()
    }

    /// The same as text, for the clipboard.
    pub fn as_text(&self) -> String {
        match (self.diagnostic, self.finding) {
            (Some(diagnostic), _) => diagnostic.render() + "\n",
            (None, Some(found)) => finding::as_text(found),
            (None, None) => String::new(),
        }
    }
}
