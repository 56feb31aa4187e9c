//! The findings: the verdict first, then each one to fix.

use jiff::Timestamp;
use serde::Serialize;

use super::{Line, Paint, Span, Tone, line};
use crate::{
    check::{self, Finding, Level, Summary},
    config::{Diagnostic, Project},
    model::{Failure, Region},
};

/// The one document that `muster check --format json` prints.
#[derive(Debug, Serialize)]
pub struct FindingsDocument<'a> {
    /// The form of this document.
    pub version: u32,
    /// The project's name; none where the configs could not be read.
    pub project: Option<&'a str>,
    /// Whether the world that was looked at is simulated.
    pub simulated: bool,
    /// When the look began.
    pub at: Option<Timestamp>,
    /// The regions, in the order given.
    pub regions: Vec<Region>,
    /// Findings of each level.
    pub summary: Summary,
    /// What the checks say.
    pub findings: &'a [Finding],
    /// What is wrong with the configs.
    pub diagnostics: &'a [Diagnostic],
    /// Why AWS could not be asked, where it could not.
    pub not_asked: Option<&'a Failure>,
    /// The process's exit code.
    pub exit_code: u8,
}

/// `findings` for people: the passes in short, then everything else with its
/// cause and what to do, then the sum.
pub fn findings(project: &Project, findings: &[Finding], paint: Paint) -> Vec<Line> {
    let mut lines = Vec::new();
    for (group, members) in by_group(findings) {
        lines.push(paint.paint(Tone::Strong, group).into());
        lines.extend(short_lines(&members, paint).into_iter().map(|line| line.indented(2)));
    }
    lines.push(Line::empty());
    let open = |finding: &&Finding| !matches!(finding.level, Level::Pass | Level::Skipped);
    lines.extend(each_in_full(project, findings.iter().filter(open), paint));
    lines.push(sum(&Summary::of(findings), paint));
    lines
}

/// Only what fails, in full: for `up`, which has no use for the rest.
pub fn failures(project: &Project, findings: &[Finding], paint: Paint) -> Vec<Line> {
    let failing = findings.iter().filter(|finding| finding.level == Level::Fail);
    each_in_full(project, failing, paint)
}

/// An empty line behind each.
fn each_in_full<'a>(
    project: &Project,
    findings: impl Iterator<Item = &'a Finding>,
    paint: Paint,
) -> Vec<Line> {
    let full = |finding| in_full(project, finding, paint).into_iter().chain([Line::empty()]);
    findings.flat_map(full).collect()
}

/// By group, the groups and the checks in them as in the table of checks.
fn by_group(findings: &[Finding]) -> Vec<(&'static str, Vec<&Finding>)> {
    let mut groups: Vec<(&'static str, Vec<&Finding>)> = Vec::new();
    for check in check::all() {
        let of_check = findings.iter().filter(|finding| finding.check == check.id);
        match groups.last_mut().filter(|(name, _)| *name == check.group) {
            Some((_, members)) => members.extend(of_check),
            None => groups.push((check.group, of_check.collect())),
        }
    }
    groups.retain(|(_, members)| !members.is_empty());
    groups
}

/// One line a finding, but one a check for those that pass.
fn short_lines(members: &[&Finding], paint: Paint) -> Vec<Line> {
    let mut lines = Vec::new();
    for of_check in members.chunk_by(|a, b| a.check == b.check) {
        let (passed, others): (Vec<&Finding>, Vec<&Finding>) =
            of_check.iter().partition(|finding| finding.level == Level::Pass);
        let row = |level, what: &str| {
            line![mark(level, paint), format!(" {:<19} {what}", of_check[0].check)]
        };
        let mut subjects: Vec<_> = passed.iter().map(|f| f.subject.to_string()).collect();
        subjects.dedup();
        lines.extend((!subjects.is_empty()).then(|| row(Level::Pass, &listed(&subjects))));
        let other = |f: &&Finding| row(f.level, &format!("{}: {}", f.subject, f.title));
        lines.extend(others.iter().map(other));
    }
    lines
}

fn listed(subjects: &[String]) -> String {
    const SHOWN: usize = 4;
    match subjects.len().saturating_sub(SHOWN) {
        0 => subjects.join(", "),
        more => format!("{} and {more} more", subjects[..SHOWN].join(", ")),
    }
}

fn in_full(project: &Project, finding: &Finding, paint: Paint) -> Vec<Line> {
    let Finding { check, level, subject, title, .. } = finding;
    let head = paint.paint(Tone::Strong, format!("{subject}: {title}"));
    let id = paint.paint(Tone::Dim, format!("({check})"));
    let mut lines = vec![line![mark(*level, paint), " ", head, " ", id]];
    lines.extend(finding.evidence.iter().map(|line| Line::from(line).indented(4)));
    let mut note = |name: &str, text: &str| {
        let name = paint.paint(Tone::Dim, format!("{name:<8}"));
        lines.push(line!["    ", name, format!(" {text}")]);
    };
    if let Some(impact) = &finding.impact {
        note("impact", impact);
    }
    if let Some(todo) = &finding.todo {
        note("do", todo);
    }
    if let Some(place) = &finding.location {
        let line = project.source_line(&place.file, place.line).unwrap_or_default();
        note("source", &format!("{place}  {}", line.trim()));
    }
    lines
}

fn mark(level: Level, paint: Paint) -> Span {
    let tone = match level {
        Level::Pass => Tone::Good,
        Level::Fail => Tone::Bad,
        Level::Warn | Level::Unknown => Tone::Care,
        Level::Skipped => Tone::Dim,
    };
    paint.paint(tone, level.mark())
}

/// `42 passed · 6 failed · 1 warning`, what there is none of left out.
fn sum(summary: &Summary, paint: Paint) -> Line {
    let counts = [
        (summary.fail, "failed", Tone::Bad),
        (summary.unknown, "unknown", Tone::Care),
        (summary.warn, "to know", Tone::Care),
        (summary.skipped, "not checked", Tone::Dim),
        (summary.pass, "passed", Tone::Good),
    ];
    let parts = counts.iter().filter(|(count, ..)| *count > 0);
    let mut line = Line::empty();
    for (index, (count, word, tone)) in parts.enumerate() {
        let part = paint.paint(*tone, format!("{count} {word}"));
        line = if index > 0 { line.then(" · ").then(part) } else { line.then(part) };
    }
    line
}
