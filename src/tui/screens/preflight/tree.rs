//! The findings as a tree of groups, flattened to the rows that are open.

use std::collections::BTreeSet;

use ratatui::text::{Line, Span};

use crate::{
    check::{self, Finding, Level, Subject, Summary},
    tui::{text, theme::Theme, ui::matches},
};

use super::finding;

/// What findings are grouped by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Grouping {
    /// By what is checked.
    #[default]
    Check,
    /// By what it is checked of.
    Subject,
}

impl Grouping {
    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::Check => Self::Subject,
            Self::Subject => Self::Check,
        }
    }

    /// The name of the group that `finding` is in.
    pub fn group_of(self, finding: &Finding) -> String {
        match (self, &finding.subject) {
            (Self::Check, _) => {
                check::info(finding.check).map_or(finding.check, |info| info.group).to_owned()
            }
            (Self::Subject, Subject::Pair(..)) => "Between regions".into(),
            (Self::Subject, Subject::Local) => "This machine".into(),
            (Self::Subject, Subject::Region(region)) => region.to_string(),
        }
    }
}

/// A group and whether its findings are shown.
#[derive(Debug)]
pub struct Group<'m> {
    /// Its name.
    pub name: String,
    /// Its findings, the worst first.
    pub findings: Vec<&'m Finding>,
    /// How many of each level.
    pub summary: Summary,
    /// Whether they are shown.
    pub open: bool,
}

/// A row of the list.
#[derive(Debug)]
pub enum Row<'m> {
    /// A group's head.
    Group(Group<'m>),
    /// A finding below it.
    Finding(&'m Finding),
}

impl Row<'_> {
    fn key(&self) -> String {
        match self {
            Self::Group(group) => group_key(&group.name),
            Self::Finding(finding) => finding::key(finding),
        }
    }
}

/// The key of a group's row.
pub fn group_key(name: &str) -> String {
    format!("group {name}")
}

/// All rows.
#[derive(Debug)]
pub struct Tree<'m> {
    grouping: Grouping,
    /// From top to bottom.
    pub rows: Vec<Row<'m>>,
}

impl<'m> Tree<'m> {
    /// Groups `findings` in the order in which their groups first occur. A
    /// group is open when something in it is not as it should be or a filter
    /// looks into it, unless toggled.
    pub fn new(
        findings: &'m [Finding],
        grouping: Grouping,
        toggled: &BTreeSet<String>,
        filter: &str,
    ) -> Self {
        let mut rows = Vec::new();
        for mut group in groups(findings, grouping, filter) {
            let Summary { fail, unknown, warn, .. } = group.summary;
            let by_itself = fail + unknown + warn > 0 || !filter.is_empty();
            group.open = by_itself != toggled.contains(&group.name);
            let below = if group.open { group.findings.clone() } else { Vec::new() };
            rows.push(Row::Group(group));
            rows.extend(below.into_iter().map(Row::Finding));
        }
        Self { grouping, rows }
    }

    /// The rows' keys.
    pub fn keys(&self) -> Vec<String> {
        self.rows.iter().map(Row::key).collect()
    }

    /// The widest id and the widest subject.
    pub fn widths(&self, grouping: Grouping) -> (usize, usize) {
        self.rows.iter().fold((0, 0), |(id, subject), row| match row {
            Row::Group(group) => (id.max(group.name.len() + 2), subject),
            Row::Finding(finding) => (
                id.max(finding.check.len() + 4),
                subject.max(text::width(&shown_subject(finding, grouping, false))),
            ),
        })
    }

    /// The cells of a row: the mark and the id, then the subject.
    pub fn cells(&self, index: usize, short: bool, theme: &Theme) -> Vec<Span<'static>> {
        match &self.rows[index] {
            Row::Group(group) => {
                let mark = if group.open { "▾" } else { "▸" };
                vec![Span::styled(format!("{mark} {}", group.name), theme.strong)]
            }
            Row::Finding(finding) => vec![
                Span::styled(
                    format!("  {} {}", finding.level.mark(), finding.check),
                    theme.level(finding.level),
                ),
                Span::raw(shown_subject(finding, self.grouping, short)),
            ],
        }
    }
}

/// What a finding is about, where its group does not say it already.
fn shown_subject(finding: &Finding, grouping: Grouping, short: bool) -> String {
    match (grouping, &finding.subject) {
        (Grouping::Subject, Subject::Region(_) | Subject::Local) => String::new(),
        (_, subject) if short => text::short_subject(subject),
        (_, subject) => subject.to_string(),
    }
}

fn groups<'m>(findings: &'m [Finding], grouping: Grouping, filter: &str) -> Vec<Group<'m>> {
    let mut groups: Vec<Group<'m>> = Vec::new();
    for finding in findings {
        let subject = finding.subject.to_string();
        if !matches(filter, &[finding.check, &finding.title, &subject]) {
            continue;
        }
        let name = grouping.group_of(finding);
        match groups.iter_mut().find(|group| group.name == name) {
            Some(group) => group.findings.push(finding),
            None => groups.push(Group {
                name,
                findings: vec![finding],
                summary: Summary::default(),
                open: false,
            }),
        }
    }
    for group in &mut groups {
        group.summary = Summary::of(group.findings.iter().copied());
    }
    groups
}

impl Group<'_> {
    /// The details pane of the group itself: a line for each finding.
    pub fn overview(&self, width: usize, theme: &Theme) -> Vec<Line<'static>> {
        let line = |finding: &&Finding| {
            let text = format!("{} {}", finding.subject, text::clean(&finding.title));
            let text = text::fit(&text, width.saturating_sub(2)).into_owned();
            let style = theme.level(finding.level);
            let words = if finding.level == Level::Pass { theme.dim } else { theme.text };
            Line::from(vec![
                Span::styled(format!("{} ", finding.level.mark()), style),
                Span::styled(text, words),
            ])
        };
        self.findings.iter().map(line).collect()
    }
}
