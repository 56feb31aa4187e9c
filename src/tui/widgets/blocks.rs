//! The words of a report, laid out for a dialog.

use ratatui::text::{Line, Span};

use crate::{
    report::{Block, Tone},
    tui::{text, theme::Theme},
};

/// Renders `blocks` as lines, none wider than `room`.
pub fn lines(blocks: &[Block], room: usize, theme: &Theme) -> Vec<Line<'static>> {
    blocks.iter().flat_map(|one| of(one, room, theme)).collect()
}

fn of(block: &Block, room: usize, theme: &Theme) -> Vec<Line<'static>> {
    let wrapped = |text: &str, room| text::wrap(&text::clean(text), room);
    match block {
        Block::Gap => vec![Line::default()],
        Block::Heading(text) => {
            let lines = wrapped(text, room).into_iter();
            lines.map(|line| Line::styled(line, theme.strong)).collect()
        }
        Block::Text(text) => wrapped(text, room).into_iter().map(Line::raw).collect(),
        Block::Marked(tone, mark, text) => {
            let indent = text::width(mark);
            let lines = wrapped(text, room.saturating_sub(indent + 1)).into_iter();
            let style = style(*tone, theme);
            lines
                .enumerate()
                .map(|(index, line)| {
                    let mark = if index == 0 { (*mark).to_owned() } else { " ".repeat(indent) };
                    Line::from(vec![Span::styled(format!("{mark} "), style), Span::raw(line)])
                })
                .collect()
        }
        Block::Rows(titles, rows) => table(titles.as_deref(), rows, room, theme),
    }
}

fn style(tone: Tone, theme: &Theme) -> ratatui::style::Style {
    match tone {
        Tone::Good => theme.good,
        Tone::Bad => theme.bad,
        Tone::Care => theme.warn,
        Tone::Strong => theme.strong,
        Tone::Dim => theme.dim,
    }
}

/// Columns as wide as what is in them; the last ones go where there is no room.
fn table(
    titles: Option<&[&'static str]>,
    rows: &[Vec<String>],
    room: usize,
    theme: &Theme,
) -> Vec<Line<'static>> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| text::width(cell));
        let title = titles.and_then(|titles| titles.get(column)).map(|title| title.len());
        cells.chain(title).max().unwrap_or(0)
    };
    let mut left = room;
    let widths: Vec<_> = (0..columns)
        .map(width)
        .take_while(|width| {
            let fits = width + 2 <= left;
            left = left.saturating_sub(width + 2);
            fits
        })
        .collect();
    let line = |cells: &[&str]| -> String {
        let cells = cells.iter().zip(&widths);
        let cells = cells.map(|(cell, width)| format!("  {cell:<width$}"));
        cells.collect::<Vec<_>>().concat()
    };
    let titles = titles.map(|titles| Line::styled(line(titles), theme.dim));
    let rows = rows.iter().map(|row| {
        let cells: Vec<_> = row.iter().map(|cell| text::clean(cell)).collect();
        Line::raw(line(&cells.iter().map(AsRef::as_ref).collect::<Vec<_>>()))
    });
    titles.into_iter().chain(rows).collect()
}
