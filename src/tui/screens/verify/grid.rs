//! The matrix: a word where something fails, a count where all holds.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use super::links::{Link, Links};
use crate::{
    model::Region,
    tui::{text, theme::Theme, widgets::panel},
};

/// Columns that a cell takes at least: `✗ ray-client`.
const CELL: usize = 12;
/// The same where names are short: `✗ 12`.
const NARROW: usize = 6;

/// Draws the matrix with the selected cell in sight.
pub fn render(
    links: &Links<'_>,
    selected: (usize, usize),
    first: &mut (usize, usize),
    focused: bool,
    (outer, area): (Rect, Rect),
    buf: &mut Buffer,
    theme: &Theme,
) {
    let names = Names::of(&links.regions, area.width.into());
    let rows = usize::from(area.height.saturating_sub(1)).max(1);
    let columns = names.columns(area.width.into()).max(1);
    let all = links.regions.len();
    *first =
        (in_sight(first.0, selected.0, rows, all), in_sight(first.1, selected.1, columns, all));
    let shown = first.1..all.min(first.1 + columns);
    let mut title = Line::raw(" ".repeat(names.label));
    for to in shown.clone() {
        title.push_span(Span::styled(format!("{:<1$} ", names.all[to], names.cell), theme.dim));
    }
    buf.set_line(area.x, area.y, &title, area.width);
    let window = first.0..all.min(first.0 + rows);
    for (y, from) in (area.y + 1..area.bottom()).zip(window.clone()) {
        let mut row =
            Line::styled(format!(" {:<1$}", names.all[from], names.label - 1), theme.text);
        for to in shown.clone() {
            let (text, style) = cell(links.cell(from, to), names.short, theme);
            let style = if (from, to) == selected { chosen(style, focused, theme) } else { style };
            let (open, close) = if (from, to) == selected { ("[", "]") } else { ("", "") };
            let text = format!("{open}{}{close}", text::fit(&text, names.cell - 2));
            row.push_span(Span::styled(format!("{text:<0$}", names.cell), style));
            row.push_span(Span::raw(" "));
        }
        buf.set_line(area.x, y, &row, area.width);
    }
    panel::position(&window, all, outer, buf, theme);
}

fn chosen(style: Style, focused: bool, theme: &Theme) -> Style {
    if focused { style.patch(theme.selected) } else { style.patch(theme.strong) }
}

fn in_sight(first: usize, selected: usize, room: usize, all: usize) -> usize {
    let first = first.min(selected).max((selected + 1).saturating_sub(room));
    first.min(all.saturating_sub(room))
}

/// `✓ 6`, `✗ flight`, `✗ flight +1`; a number where there is little room.
fn cell(links: &[Link<'_>], short: bool, theme: &Theme) -> (String, Style) {
    let mut failing: Vec<_> =
        links.iter().filter(|link| !link.check.ok).map(|link| link.check.probe).collect();
    let count = failing.len();
    failing.sort_unstable();
    failing.dedup();
    match failing.as_slice() {
        [] if links.is_empty() => ("·".into(), theme.dim),
        [] if short => ("✓".into(), theme.good),
        [] => (format!("✓ {}", links.len()), theme.good),
        _ if short => (format!("✗ {count}"), theme.bad),
        [one] => (format!("✗ {}", one.as_str()), theme.bad),
        [one, rest @ ..] => (format!("✗ {} +{}", one.as_str(), rest.len()), theme.bad),
    }
}

/// The regions' names as there is room for them.
struct Names {
    all: Vec<String>,
    label: usize,
    cell: usize,
    short: bool,
}

impl Names {
    fn of(regions: &[Region], width: usize) -> Self {
        let full = Self::new(regions.iter().map(ToString::to_string).collect(), CELL, false);
        if full.label + (full.cell + 1) * regions.len() <= width {
            return full;
        }
        let short: Vec<_> = regions.iter().map(text::short_region).collect();
        let words = Self::new(short.clone(), CELL, false);
        if words.label + (words.cell + 1) * regions.len() <= width {
            return words;
        }
        Self::new(short, NARROW, true)
    }

    fn new(all: Vec<String>, least: usize, short: bool) -> Self {
        let longest = all.iter().map(|name| text::width(name)).max().unwrap_or(0);
        Self { all, label: longest + 3, cell: longest.max(least), short }
    }

    fn columns(&self, width: usize) -> usize {
        width.saturating_sub(self.label) / (self.cell + 1)
    }
}
