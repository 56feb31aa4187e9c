//! How lines and what is wrong with them are drawn. Only those in sight are made.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use super::{Place, document::Document, marks::Mark};
use crate::{
    check::Level,
    tui::{model::Model, text, theme::Theme},
};

/// Columns before the text of a line: mark of the cursor, sign, number, bar.
const GUTTER: usize = 10;
/// Columns of source that stay in sight before a mark that is far to the right.
const BEFORE: usize = 16;

/// What lines are drawn of.
pub struct Page<'a> {
    /// The file.
    pub document: &'a Document<'a>,
    /// For the fixes of findings.
    pub model: &'a Model,
    /// Columns inside the pane.
    pub width: usize,
    /// Looks.
    pub theme: &'a Theme,
}

impl Page<'_> {
    /// Returns the first visible line, so that the line under the cursor is visible
    /// with all its messages.
    pub fn first(&self, shown: &[u32], place: Place, height: usize) -> u32 {
        let cursor = shown.partition_point(|line| *line < place.cursor);
        let first = shown.partition_point(|line| *line < place.first).min(cursor);
        let mut start = cursor;
        let mut rows = self.rows(place.cursor, true).len();
        while start > first {
            rows += self.rows(shown[start - 1], false).len();
            if rows > height {
                break;
            }
            start -= 1;
        }
        shown.get(start).copied().unwrap_or(1)
    }

    /// Draws the lines from `place.first` on.
    pub fn render(&self, shown: &[u32], place: Place, focused: bool, area: Rect, buf: &mut Buffer) {
        let start = shown.partition_point(|line| *line < place.first);
        let mut y = area.y;
        for line in &shown[start..] {
            let is_cursor = *line == place.cursor;
            for (index, row) in self.rows(*line, is_cursor).iter().enumerate() {
                if y >= area.bottom() {
                    return;
                }
                buf.set_line(area.x, y, row, area.width);
                if is_cursor && index == 0 && focused {
                    let bar =
                        Rect { x: area.x + 1, y, width: area.width.saturating_sub(1), height: 1 };
                    buf.set_style(bar, self.theme.selected);
                }
                y += 1;
            }
        }
    }

    /// A line and its messages; the one under the cursor with what to do.
    fn rows(&self, line: u32, is_cursor: bool) -> Vec<Line<'static>> {
        let marks: Vec<_> = self.document.marks_at(line).collect();
        let room = self.width.saturating_sub(GUTTER).max(8);
        let source = Shown::new(&self.document.line(line), marks.first().copied(), room);
        let mut rows = Vec::new();
        if !self.document.is_nowhere() {
            rows.push(self.source(line, &source, &marks, is_cursor));
        }
        for (index, mark) in marks.iter().enumerate() {
            let place = (mark.column, mark.width);
            let again = index > 0 && (marks[index - 1].column, marks[index - 1].width) == place;
            self.say(mark, &source, again, is_cursor, room, &mut rows);
        }
        rows
    }

    fn source(
        &self,
        line: u32,
        source: &Shown,
        marks: &[&Mark<'_>],
        is_cursor: bool,
    ) -> Line<'static> {
        let theme = self.theme;
        let worst = marks.iter().map(|mark| mark.level).min();
        let (sign, style) =
            worst.map_or((" ", theme.dim), |level| (level.mark(), theme.level(level)));
        let comment = source.text.trim_start().starts_with('#');
        Line::from(vec![
            Span::styled(if is_cursor { "▌" } else { " " }, theme.accent),
            Span::styled(sign, style),
            Span::styled(format!("{line:>5} │ "), theme.dim),
            Span::styled(source.text.clone(), if comment { theme.dim } else { theme.text }),
        ])
    }

    /// The underline and the message: behind it if there is room.
    fn say(
        &self,
        mark: &Mark<'_>,
        source: &Shown,
        again: bool,
        is_cursor: bool,
        room: usize,
        rows: &mut Vec<Line<'static>>,
    ) {
        let style = self.theme.level(mark.level);
        let heading = text::clean(&mark.heading()).into_owned();
        let (indent, carets) = source.under(mark, room);
        let caret_style = if mark.level == Level::Fail { self.theme.bad } else { style };
        let beside = indent + carets + 1 + text::width(&heading) <= room;
        let nowhere = self.document.is_nowhere();
        if !again && !nowhere {
            let mut spans =
                vec![Span::raw(" ".repeat(indent)), Span::styled("^".repeat(carets), caret_style)];
            if beside {
                spans.push(Span::styled(format!(" {heading}"), style));
            }
            rows.push(self.below(spans));
        }
        if again || nowhere || !beside {
            let indent = if beside { indent + carets + 1 } else { 2 };
            for line in text::wrap(&heading, room.saturating_sub(indent)) {
                rows.push(
                    self.below(vec![Span::raw(" ".repeat(indent)), Span::styled(line, style)]),
                );
            }
        }
        if is_cursor || nowhere {
            let indent = if beside && !nowhere { indent + carets + 3 } else { 4 };
            let indent = if room.saturating_sub(indent) < 24 { 4 } else { indent };
            for help in mark.help(self.model) {
                for line in text::wrap(&text::clean(&help), room.saturating_sub(indent)) {
                    let help = Span::styled(line, self.theme.accent);
                    rows.push(self.below(vec![Span::raw(" ".repeat(indent)), help]));
                }
            }
        }
    }

    /// A row that is no line of the file.
    fn below(&self, mut spans: Vec<Span<'static>>) -> Line<'static> {
        spans.insert(0, Span::styled("        │ ", self.theme.dim));
        Line::from(spans)
    }
}

/// A source line as far as there is room for it.
struct Shown {
    text: String,
    /// Characters left out at the beginning.
    skipped: usize,
}

impl Shown {
    fn new(line: &str, mark: Option<&Mark<'_>>, room: usize) -> Self {
        let line: String = line.chars().map(tame).collect();
        let end = mark.map_or(0, |mark| (mark.column + mark.width) as usize);
        let skipped = match mark {
            Some(mark) if end > room => (mark.column as usize).saturating_sub(BEFORE),
            _ => 0,
        };
        let rest: String = line.chars().skip(skipped).collect();
        let text = if skipped > 0 { format!("…{}", skip_one(&rest)) } else { rest };
        Self { text: text::fit(&text, room).into_owned(), skipped }
    }

    /// Where the underline of `mark` begins and how long it is, in columns.
    fn under(&self, mark: &Mark<'_>, room: usize) -> (usize, usize) {
        let start = (mark.column as usize).saturating_sub(1 + self.skipped);
        let prefix: String = self.text.chars().take(start).collect();
        let missing = start.saturating_sub(prefix.chars().count());
        let indent = (text::width(&prefix) + missing).min(room.saturating_sub(1));
        let under: String = self.text.chars().skip(start).take(mark.width as usize).collect();
        let carets = text::width(&under).max(1).min(room - indent);
        (indent, carets)
    }
}

fn skip_one(text: &str) -> &str {
    let mut rest = text.chars();
    rest.next();
    rest.as_str()
}

/// One character for each, so that columns stay: nothing that a terminal acts on.
fn tame(symbol: char) -> char {
    match symbol {
        '\t' => ' ',
        _ if text::clean(symbol.encode_utf8(&mut [0; 4])).is_empty() => '\u{fffd}',
        _ => symbol,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::check::{Finding, Subject};
    use crate::config::Location;

    fn finding(column: u32, width: u32) -> Finding {
        let location = Location { file: Path::new("a").into(), line: 1, column, width };
        Finding {
            check: "key.exists",
            level: Level::Fail,
            subject: Subject::Local,
            title: String::new(),
            evidence: Vec::new(),
            impact: None,
            todo: None,
            location: Some(location),
        }
    }

    fn underlined(line: &str, column: u32, width: u32, room: usize) -> String {
        let finding = finding(column, width);
        let mark = Mark::of_finding(&finding);
        let shown = Shown::new(line, Some(&mark), room);
        let (indent, carets) = shown.under(&mark, room);
        assert!(text::width(&shown.text) <= room && indent + carets <= room);
        shown.text.chars().skip(indent).take(carets).collect()
    }

    #[test]
    fn the_underline_is_below_what_it_means() {
        assert_eq!(underlined("KeyName: quokka", 10, 6, 40), "quokka");
        let long = format!("{}quokka and more", "x".repeat(200));
        assert_eq!(underlined(&long, 201, 6, 40), "quokka");
        assert_eq!(underlined("\tk: v", 5, 1, 40), "v");
        assert_eq!(underlined("a\u{202e}b: v", 5, 1, 40), " ");
        // Behind the end of the line, or wider than there is room.
        assert_eq!(underlined("a:", 3, 1, 40), "");
        underlined(&long, 201, 600, 20);
        underlined(&long, 900, 3, 20);
        let wide = Shown::new("東京: x", None, 40);
        let finding = finding(5, 1);
        assert_eq!(wide.under(&Mark::of_finding(&finding), 40), (6, 1));
    }

    #[test]
    fn nothing_acts_on_the_terminal() {
        let shown = Shown::new("a: \u{1b}[31mred\u{7}", None, 40);
        assert_eq!(shown.text, "a: \u{fffd}[31mred\u{fffd}");
    }
}
