//! What an edit changes, as a unified diff in data: for text, for colours and
//! for the dashboard. What sounds secret is starred out in it.

use std::{
    fmt::{self, Display, Formatter},
    path::Path,
    sync::Arc,
};

use serde::Serialize;
use similar::{ChangeTag, DiffOp, TextDiff};

use crate::config::text;

/// Lines shown before and behind what changes.
const CONTEXT: usize = 3;

/// What becomes of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DiffKind {
    /// It stays.
    Context,
    /// It goes.
    Removed,
    /// It comes.
    Added,
}

impl DiffKind {
    /// Its mark in front of the line.
    pub fn mark(self) -> char {
        match self {
            Self::Context => ' ',
            Self::Removed => '-',
            Self::Added => '+',
        }
    }
}

/// A line of a diff.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DiffLine {
    /// What becomes of it.
    pub kind: DiffKind,
    /// Its number in the old text, from 1.
    pub old: Option<u32>,
    /// Its number in the new text, from 1.
    pub new: Option<u32>,
    /// Its text, without a line break.
    pub text: String,
    /// Whether it ends without a line break, as a file's last line may.
    pub unended: bool,
}

/// Lines that change, and those around them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hunk {
    /// `@@ -12,7 +12,7 @@`
    pub header: String,
    /// The lines.
    pub lines: Vec<DiffLine>,
}

/// What changes in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileDiff {
    /// The file, as the user named it.
    pub file: Arc<Path>,
    /// Why, in the order of the edits, each reason once.
    pub why: Vec<String>,
    /// The places in which it changes; empty: nowhere.
    pub hunks: Vec<Hunk>,
}

/// What changes from `old` to `new`.
pub fn diff(file: Arc<Path>, why: Vec<String>, old: &str, new: &str) -> FileDiff {
    let diff = TextDiff::from_lines(old, new);
    let groups = diff.grouped_ops(CONTEXT);
    let hunks = groups.iter().filter(|ops| !ops.is_empty()).map(|ops| hunk(&diff, ops));
    FileDiff { file, why, hunks: hunks.collect() }
}

fn hunk(diff: &TextDiff<'_, '_, '_, str>, ops: &[DiffOp]) -> Hunk {
    let lines = ops.iter().flat_map(|op| diff.iter_changes(op)).map(|change| {
        let kind = match change.tag() {
            ChangeTag::Equal => DiffKind::Context,
            ChangeTag::Delete => DiffKind::Removed,
            ChangeTag::Insert => DiffKind::Added,
        };
        let text = change.value();
        DiffLine {
            kind,
            old: change.old_index().map(number),
            new: change.new_index().map(number),
            text: shown(text),
            unended: !text.ends_with(['\n', '\r']),
        }
    });
    Hunk { header: header(ops), lines: lines.collect() }
}

/// A line as a terminal can be shown it.
fn shown(line: &str) -> String {
    let line = line.trim_end_matches(['\n', '\r']).trim_start_matches('\u{feff}');
    text::redacted(line).chars().map(|c| if text::is_stray(c) { '\u{fffd}' } else { c }).collect()
}

fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1)
}

fn header(ops: &[DiffOp]) -> String {
    let (Some(first), Some(last)) = (ops.first(), ops.last()) else { return String::new() };
    let old = first.old_range().start..last.old_range().end;
    let new = first.new_range().start..last.new_range().end;
    // A range of no lines is named by the line before it.
    let range = |range: std::ops::Range<usize>| match range.len() {
        0 => format!("{},0", range.start),
        1 => format!("{}", range.start + 1),
        count => format!("{},{count}", range.start + 1),
    };
    format!("@@ -{} +{} @@", range(old), range(new))
}

impl Display for FileDiff {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = self.file.display();
        writeln!(f, "--- {name}\n+++ {name}")?;
        for hunk in &self.hunks {
            writeln!(f, "{}", hunk.header)?;
            for line in &hunk.lines {
                writeln!(f, "{}{}", line.kind.mark(), line.text)?;
                if line.unended {
                    writeln!(f, "\\ No newline at end of file")?;
                }
            }
        }
        Ok(())
    }
}
