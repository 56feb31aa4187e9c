//! A document as lines of YAML.

use granit_parser::ScalarStyle;

use super::{Document, tree::Tree};
use crate::config::{
    Origin,
    edit::quote::scalar,
    text,
    yaml::{Resolved, Scalar},
};

/// How far to the right origins go at most; longer lines have them behind.
const WIDEST: usize = 64;

/// A line of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// The line itself.
    pub text: String,
    /// Where its value comes from, or why there is none; empty: nothing to say.
    pub from: String,
}

/// The lines of `document`.
pub(super) fn lines(document: &Document) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Tree::Map(entries) = &document.tree {
        for (key, value) in entries {
            entry(key, value, "", 0, &mut lines);
        }
    }
    for open in &document.open {
        let text = format!("# {}: not given", open.key);
        lines.push(Line { text, from: open.why.clone() });
    }
    lines
}

/// The file of these lines.
pub(super) fn yaml(lines: &[Line]) -> String {
    let width = lines.iter().map(|line| line.text.chars().count());
    let width = width.filter(|width| *width <= WIDEST).max().unwrap_or_default();
    let mut yaml = String::new();
    for line in lines {
        yaml.push_str(&line.text);
        if !line.from.is_empty() {
            let gap = width.saturating_sub(line.text.chars().count());
            yaml.extend([" ".repeat(gap).as_str(), "  # ", &line.from]);
        }
        yaml.push('\n');
    }
    yaml
}

/// `key: value` at `indent`, behind `before`: nothing, or `- `.
fn entry(key: &str, value: &Tree, before: &str, indent: usize, lines: &mut Vec<Line>) {
    let key = scalar(key, ScalarStyle::Plain, false);
    let head = format!("{}{before}{key}:", " ".repeat(indent));
    below(head, value, indent + before.len() + 2, lines);
}

/// A value behind `head`, what it holds at `indent`.
fn below(head: String, value: &Tree, indent: usize, lines: &mut Vec<Line>) {
    let bare = |text: String| Line { text, from: String::new() };
    match value {
        Tree::Scalar(scalar, origin) => leaf(&head, scalar, origin, indent, lines),
        Tree::List(items) if items.is_empty() => lines.push(bare(format!("{head} []"))),
        Tree::Map(entries) if entries.is_empty() => lines.push(bare(format!("{head} {{}}"))),
        Tree::List(items) => {
            lines.push(bare(head));
            for one in items {
                item(one, indent, lines);
            }
        }
        Tree::Map(entries) => {
            lines.push(bare(head));
            for (key, value) in entries {
                entry(key, value, "", indent, lines);
            }
        }
    }
}

/// An item of a list.
fn item(value: &Tree, indent: usize, lines: &mut Vec<Line>) {
    let dash = format!("{}-", " ".repeat(indent));
    match value {
        Tree::Map(entries) if !entries.is_empty() => {
            for (index, (key, value)) in entries.iter().enumerate() {
                let (before, indent) = if index == 0 { ("- ", indent) } else { ("", indent + 2) };
                entry(key, value, before, indent, lines);
            }
        }
        other => below(dash, other, indent + 2, lines),
    }
}

fn leaf(head: &str, value: &Scalar, origin: &Origin, indent: usize, lines: &mut Vec<Line>) {
    let from = origin_text(origin);
    if value.resolved == Resolved::Text && is_block(&value.text) {
        let keep = if value.text.ends_with('\n') { "" } else { "-" };
        lines.push(Line { text: format!("{head} |{keep}"), from });
        lines.extend(value.text.lines().map(|line| {
            let gap = if line.is_empty() { 0 } else { indent };
            Line { text: format!("{}{line}", " ".repeat(gap)), from: String::new() }
        }));
        return;
    }
    let shown = match value.resolved {
        Resolved::Text => scalar(&value.text, ScalarStyle::Plain, false),
        Resolved::Null => "null".to_owned(),
        _ => value.text.clone(),
    };
    lines.push(Line { text: format!("{head} {shown}"), from });
}

/// Whether a text of several lines can be written as it is.
fn is_block(text: &str) -> bool {
    let is_plain = |c: char| c == '\n' || !(c.is_control() || text::is_stray(c) || c == '\u{feff}');
    text.trim_end().contains('\n')
        && !text.ends_with("\n\n")
        && text.chars().all(is_plain)
        && !text.contains(['\u{85}', '\u{2028}', '\u{2029}'])
        && !text.starts_with([' ', '\n'])
        && text.lines().all(|line| line.is_empty() || !line.trim().is_empty())
}

/// Where a value comes from, in words.
pub(super) fn origin_text(origin: &Origin) -> String {
    match origin {
        Origin::File(location) => text::shown(&location.to_string()),
        Origin::Flag(flag) => (*flag).to_owned(),
        Origin::Default(reason) => format!("default: {reason}"),
    }
}
