//! A file with its marks.

use std::{borrow::Cow, path::Path, sync::Arc};

use super::marks::Mark;
use crate::{
    check::{Level, Summary},
    config::{self, Source},
    tui::{model::Model, ui::matches},
};

/// Stands for the file of what names no place.
pub const NOWHERE: &str = "without a place";

/// A file, or what stands for one.
pub struct Document<'m> {
    /// As the user named it.
    pub path: Arc<Path>,
    /// The name in the list.
    pub name: String,
    lines: Vec<&'m str>,
    marks: Vec<Mark<'m>>,
}

/// All files in the order in which they are read; before them what names no
/// place, if there is such.
pub fn all(model: &Model) -> Vec<Document<'_>> {
    let sources = &model.configs.sources;
    let files = sources.iter().map(|source| document(source, model));
    nowhere(model).into_iter().chain(files).collect()
}

fn document<'m>(source: &'m Source, model: &'m Model) -> Document<'m> {
    let diagnostics = model.configs.diagnostics.iter();
    let diagnostics =
        diagnostics.filter(|one| one.location.as_ref().is_some_and(|at| at.file == source.path));
    let mut marks: Vec<_> = diagnostics.map(Mark::of_diagnostic).collect();
    // Findings are of the project that is planned: where the file has changed
    // since, their lines may be others by now.
    let planned = model.project.sources.iter();
    if planned.clone().any(|one| one.path == source.path && one.text == source.text) {
        let shown = [Level::Fail, Level::Unknown, Level::Warn];
        let found = model.findings().iter().filter(|one| {
            shown.contains(&one.level)
                && one.location.as_ref().is_some_and(|at| at.file == source.path)
        });
        marks.extend(found.map(Mark::of_finding));
    }
    marks.sort_by_key(|mark| (mark.line, mark.column, mark.level));
    let name = name(source, &model.configs.sources);
    Document { path: source.path.clone(), name, lines: source.text.lines().collect(), marks }
}

/// The file's own name, where no other file has the same.
fn name(source: &Source, all: &[Source]) -> String {
    let last = |source: &Source| source.path.file_name().map(ToOwned::to_owned);
    let alike = all.iter().filter(|other| last(other) == last(source)).count();
    let short = last(source).filter(|_| alike == 1);
    short.as_deref().unwrap_or(source.path.as_os_str()).to_string_lossy().into_owned()
}

fn nowhere(model: &Model) -> Option<Document<'_>> {
    let diagnostics = model.configs.diagnostics.iter().filter(|one| one.location.is_none());
    let lines: Vec<&str> = diagnostics.clone().map(|_| "").collect();
    let marks: Vec<_> =
        (1..).zip(diagnostics).map(|(line, one)| Mark::of_diagnostic(one).on(line)).collect();
    let path = Path::new(NOWHERE).into();
    (!marks.is_empty()).then(|| Document { path, name: NOWHERE.into(), lines, marks })
}

impl<'m> Document<'m> {
    /// Its key in the list.
    pub fn key(&self) -> String {
        self.path.to_string_lossy().into_owned()
    }

    /// Whether there is no file behind it.
    pub fn is_nowhere(&self) -> bool {
        self.path.as_os_str() == NOWHERE
    }

    /// What it is for.
    pub fn about(&self, model: &Model) -> Option<String> {
        let config = model.project.configs().find(|one| one.source.path == self.path)?;
        let region = model.project.region(&config.region)?;
        Some(region.title_of(config))
    }

    /// The text of a line (from 1), secrets starred out.
    pub fn line(&self, line: u32) -> Cow<'m, str> {
        let text = line.checked_sub(1).and_then(|index| self.lines.get(index as usize));
        text.map(|text| config::redacted(text).into()).unwrap_or_default()
    }

    /// How many marks of each level.
    pub fn summary(&self) -> Summary {
        let count = |level| self.marks.iter().filter(|mark| mark.level == level).count();
        Summary {
            fail: count(Level::Fail),
            warn: count(Level::Warn),
            unknown: count(Level::Unknown),
            ..Summary::default()
        }
    }

    /// The marks of a line.
    pub fn marks_at(&self, line: u32) -> impl Iterator<Item = &Mark<'m>> {
        let start = self.marks.partition_point(|mark| mark.line < line);
        self.marks[start..].iter().take_while(move |mark| mark.line == line)
    }

    /// The lines that have marks.
    pub fn marked_lines(&self) -> Vec<u32> {
        let mut lines: Vec<_> = self.marks.iter().map(|mark| mark.line).collect();
        lines.dedup();
        lines
    }

    /// Returns the lines that contain `filter`, in the line or in its messages.
    pub fn shown(&self, filter: &str) -> Vec<u32> {
        // A mark may stand behind the last line, where something is missing.
        let marked = self.marks.last().map_or(0, |mark| mark.line);
        let last = u32::try_from(self.lines.len()).unwrap_or(u32::MAX).max(marked);
        let wanted = |line: &u32| {
            let own = matches(filter, &[&self.line(*line)]);
            own || self.marks_at(*line).any(|mark| matches(filter, &[&mark.heading()]))
        };
        if filter.is_empty() { (1..=last).collect() } else { (1..=last).filter(wanted).collect() }
    }
}
