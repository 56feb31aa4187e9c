//! Comments that muster writes behind lines and takes away again, and keys
//! that become comments.

use std::ops::Range;

use super::{Note, draft::Draft, splice::Splice};
use crate::config::yaml::written::{Id, NodeStyle, Pair};

/// How the comments begin, so that they are known again.
const MARK: &str = "# muster: ";

/// What writes `note` behind its line.
pub(super) fn note(draft: &Draft<'_>, note: &Note) -> Option<Splice> {
    let before = (note.line as usize).checked_sub(1)?;
    let start: usize = draft.text.split_inclusive('\n').take(before).map(str::len).sum();
    let end = draft.line(start).end;
    Some(Splice::insert(end, format!("  {MARK}{}", note.text)))
}

/// What takes away the comment that muster wrote behind the line of `pair`,
/// whose value is another one now.
pub(super) fn settled(draft: &Draft<'_>, pair: &Pair) -> Option<Splice> {
    let line = draft.line(pair.span.start);
    let value = draft.tree.node(pair.value).span.end;
    // What is written in lines of its own may hold anything.
    let from = if line.contains(&value) || value == line.end { value } else { pair.span.end };
    let rest = draft.text.get(from.max(pair.span.end)..line.end)?;
    let before = &rest[..rest.find(MARK)?];
    let start = line.end - rest.len() + before.trim_end().len();
    Some(Splice { range: start..line.end, text: String::new() })
}

/// What makes a comment of a key with all that it holds. `None` where it
/// shares its lines with others.
pub(super) fn out(draft: &Draft<'_>, map: Id, pair: &Pair) -> Option<Vec<Splice>> {
    match &draft.tree.node(map).style {
        NodeStyle::Map { flow: true, entries } => {
            let range = between_commas(draft, entries, pair)?;
            Some(vec![Splice { range, text: String::new() }])
        }
        NodeStyle::Map { flow: false, .. } => lines(draft, pair),
        _ => None,
    }
}

fn lines(draft: &Draft<'_>, pair: &Pair) -> Option<Vec<Splice>> {
    let end = end_of(draft, pair);
    let first = draft.line(pair.span.start);
    let is_blank = |range: Range<usize>| draft.text.get(range).is_some_and(|t| t.trim().is_empty());
    let behind = draft.text.get(end..draft.line(end).end)?.trim_start();
    if !is_blank(first.start..pair.span.start) || !(behind.is_empty() || behind.starts_with('#')) {
        return None;
    }
    let indent = pair.span.start - first.start;
    let mut splices = Vec::new();
    let mut start = first.start;
    while start <= end {
        let line = draft.line(start);
        let text = draft.text.get(line.clone())?;
        let own = text.len() - text.trim_start().len();
        if !text.trim().is_empty() {
            splices.push(Splice::insert(line.start + indent.min(own), "# ".into()));
        }
        start = line.end + 1;
    }
    Some(splices)
}

/// The end of what is written of a pair.
fn end_of(draft: &Draft<'_>, pair: &Pair) -> usize {
    let value = &draft.tree.node(pair.value).span;
    let end = value.end.max(pair.span.end);
    let written = draft.text.get(pair.span.start..end).unwrap_or_default();
    pair.span.start + written.trim_end().len()
}

/// An entry between braces, with the comma that is left over without it.
fn between_commas(draft: &Draft<'_>, entries: &[Pair], pair: &Pair) -> Option<Range<usize>> {
    let index = entries.iter().position(|one| one.span == pair.span)?;
    if let Some(next) = entries.get(index + 1) {
        return Some(pair.span.start..next.span.start);
    }
    let before = entries.get(index.checked_sub(1)?)?;
    Some(end_of(draft, before)..end_of(draft, pair))
}
