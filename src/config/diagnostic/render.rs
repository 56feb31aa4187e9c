//! A diagnostic as text, in the manner of `rustc`.

use std::fmt::Write;

use unicode_width::UnicodeWidthChar;

use super::{Diagnostic, Severity};
use crate::{
    config::{Location, text},
    model::{is_hidden, visible},
};

/// Columns of a source line that are shown at most.
const MAX_COLUMNS: usize = 160;
/// Columns kept before the underline where a line has to be cut.
const BEFORE: usize = 60;
const TAB: usize = 4;

pub(super) fn render(diagnostic: &Diagnostic) -> String {
    let word = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    // A value in a message must not begin a line of its own.
    let message = visible(&diagnostic.message);
    let mut out = format!("{word}[{}]: {message}", diagnostic.id);
    let gutter = diagnostic.location.as_ref().map_or(1, |l| l.line.to_string().len());
    if let Some(location) = &diagnostic.location {
        push_place(&mut out, location, diagnostic.source_line.as_deref(), gutter);
    }
    let notes = [("key", &diagnostic.key_path), ("help", &diagnostic.help)];
    for (name, note) in notes {
        if let Some(note) = note {
            _ = write!(out, "\n {:gutter$} = {name}: {}", "", visible(note));
        }
    }
    out
}

fn push_place(out: &mut String, location: &Location, line: Option<&str>, gutter: usize) {
    _ = write!(out, "\n {:gutter$}--> {}", "", visible(&location.to_string()));
    let Some(line) = line else { return };
    let excerpt = Excerpt::new(line, location);
    _ = write!(out, "\n {:gutter$} |", "");
    _ = write!(out, "\n {} | {}", location.line, excerpt.text);
    let (indent, marks) = (" ".repeat(excerpt.indent), "^".repeat(excerpt.width));
    _ = write!(out, "\n {:gutter$} | {indent}{marks}", "");
}

/// The part of a line that is shown, and where its underline goes, in columns
/// of a terminal.
struct Excerpt {
    text: String,
    indent: usize,
    width: usize,
}

impl Excerpt {
    fn new(line: &str, location: &Location) -> Self {
        let start = (location.column as usize).saturating_sub(1);
        let end = start.saturating_add(location.width as usize);
        let skipped = if columns(line.chars()) > MAX_COLUMNS { skip_to(line, start) } else { 0 };
        let mut excerpt = Self {
            text: if skipped > 0 { "…".into() } else { String::new() },
            indent: 0,
            width: 0,
        };
        let mut used = usize::from(skipped > 0);
        excerpt.indent = used;
        for (position, c) in line.chars().enumerate().skip(skipped) {
            if used >= MAX_COLUMNS {
                excerpt.text.push('…');
                break;
            }
            used += excerpt.push(c);
            if position < start {
                excerpt.indent = used;
            } else if position < end {
                excerpt.width = used - excerpt.indent;
            }
        }
        excerpt.width = excerpt.width.max(1);
        excerpt
    }

    /// Adds a character as it is shown; how many columns that takes.
    fn push(&mut self, c: char) -> usize {
        match c {
            '\t' => self.text.push_str(&" ".repeat(TAB)),
            c if is_hidden(c) => self.text.push('\u{fffd}'),
            c => self.text.push(c),
        }
        column_width(c)
    }
}

/// How many characters to leave out, so that the one at `start` is seen.
fn skip_to(line: &str, start: usize) -> usize {
    let before: Vec<char> = line.chars().take(start).collect();
    let mut kept = 0;
    let shown = before.iter().rev().take_while(|c| {
        kept += column_width(**c);
        kept <= BEFORE
    });
    before.len() - shown.count()
}

fn columns(text: impl Iterator<Item = char>) -> usize {
    text.map(column_width).sum()
}

fn column_width(c: char) -> usize {
    match c {
        '\t' => TAB,
        c if text::is_stray(c) => 1,
        c => c.width().unwrap_or(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn at(line: &str, column: u32, width: u32) -> String {
        let location = Location { file: Path::new("a.yaml").into(), line: 7, column, width };
        let mut diagnostic = Diagnostic::error("config.x", "it is wrong").at(location).key("a.b");
        diagnostic.source_line = Some(line.to_owned());
        diagnostic.render()
    }

    #[test]
    fn the_underline_is_below_what_it_means() {
        let expected = "error[config.x]: it is wrong\n  --> a.yaml:7:4\n   |\n 7 | a: bcd\n   |    ^^^\n   \
                        = key: a.b";
        assert_eq!(at("a: bcd", 4, 3), expected);
    }

    #[test]
    fn tabs_and_wide_characters_take_their_columns() {
        assert!(at("\tk: 東京x", 5, 3).contains(" |     k: 東京x\n   |        ^^^^^\n"));
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let line = format!("{}HERE{}", "a".repeat(500), "b".repeat(500));
        let text = at(&line, 501, 4);
        let shown: Vec<&str> = text.lines().skip(3).take(2).collect();
        let column = shown[0].chars().take_while(|c| *c != 'H').count();
        assert_eq!(shown[1].chars().take_while(|c| *c != '^').count(), column);
        assert!(shown[0].chars().count() < 180, "{text}");
    }

    #[test]
    fn an_underline_past_the_end_of_the_line_still_shows() {
        assert!(at("a:", 3, 1).contains("\n   |   ^\n"));
        assert!(at("", 9, 4).contains("\n   | ^\n"));
    }
}
