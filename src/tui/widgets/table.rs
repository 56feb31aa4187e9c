//! Rows of cells under titles. Only the rows in sight are built.

use std::{borrow::Cow, ops::Range};

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use crate::tui::{text, theme::Theme};

/// Columns taken by the mark of the selected row.
pub const MARKER: usize = 2;

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column<'a> {
    /// Its title.
    pub title: Cow<'a, str>,
    /// Its width, one column of space behind it not counted.
    pub width: usize,
    /// Whether its cells stand at the right, as numbers do.
    pub right: bool,
}

impl<'a> Column<'a> {
    /// A column whose cells stand at the left.
    pub fn new(title: impl Into<Cow<'a, str>>, width: usize) -> Self {
        Self { title: title.into(), width, right: false }
    }

    /// A column whose cells stand at the right.
    pub fn right(title: impl Into<Cow<'a, str>>, width: usize) -> Self {
        Self { right: true, ..Self::new(title, width) }
    }
}

/// A table, as it is drawn once.
pub struct Table<'a> {
    /// Its columns.
    pub columns: &'a [Column<'a>],
    /// Looks.
    pub theme: &'a Theme,
    /// Whether it has a line of titles.
    pub titles: bool,
    /// The selected row, if any can be.
    pub selected: Option<usize>,
    /// Whether it is the pane in use.
    pub focused: bool,
}

impl Table<'_> {
    /// Rows that fit into `area`.
    pub fn height(&self, area: Rect) -> usize {
        usize::from(area.height.saturating_sub(u16::from(self.titles)))
    }

    /// Draws the rows of `window`; `row` makes the cells of one.
    pub fn render<'r, C: Into<Line<'r>>>(
        &self,
        window: Range<usize>,
        area: Rect,
        buf: &mut Buffer,
        mut row: impl FnMut(usize) -> Vec<C>,
    ) {
        let mut y = area.top();
        if self.titles {
            let titles =
                self.columns.iter().map(|c| Span::styled(c.title.as_ref(), self.theme.dim));
            self.line(titles, Rect { y, height: 1, ..area }, buf);
            y += 1;
        }
        for (y, index) in (y..area.bottom()).zip(window) {
            let line = Rect { y, height: 1, ..area };
            self.line(row(index), line, buf);
            if self.selected == Some(index) {
                self.mark(line, buf);
            }
        }
    }

    fn line<'r, C: Into<Line<'r>>>(
        &self,
        cells: impl IntoIterator<Item = C>,
        area: Rect,
        buf: &mut Buffer,
    ) {
        let mut x = usize::from(area.x) + MARKER;
        for (column, cell) in self.columns.iter().zip(cells) {
            let room = usize::from(area.right()).saturating_sub(x).min(column.width);
            let cell = cut(cell.into(), room);
            let pad = if column.right { room.saturating_sub(cell.width()) } else { 0 };
            put(buf, x + pad, area.y, &cell, room);
            x += column.width + 1;
        }
    }

    /// The selected row has a mark, and in the pane in use it is a bar.
    fn mark(&self, line: Rect, buf: &mut Buffer) {
        buf.set_span(line.x, line.y, &Span::styled("▌", self.theme.accent), line.width);
        if self.focused {
            let bar = Rect { x: line.x + 1, width: line.width.saturating_sub(1), ..line };
            buf.set_style(bar, self.theme.selected);
        }
    }
}

fn put(buf: &mut Buffer, x: usize, y: u16, line: &Line<'_>, room: usize) {
    if let (Ok(x), Ok(room)) = (u16::try_from(x), u16::try_from(room))
        && x < buf.area.right()
    {
        buf.set_line(x, y, line, room);
    }
}

/// `line`, cut to `columns` with an ellipsis where it is longer.
pub fn cut(mut line: Line<'_>, columns: usize) -> Line<'_> {
    let mut left = columns;
    for (index, span) in line.spans.iter_mut().enumerate() {
        let width = span.width();
        if width > left {
            span.content = text::fit(&span.content, left).into_owned().into();
            line.spans.truncate(index + 1);
            break;
        }
        left -= width;
    }
    line
}

/// Gives the columns up to two more columns of air each where `width` allows it.
pub fn spread(columns: &mut [Column<'_>], width: usize) {
    let used = MARKER + columns.iter().map(|column| column.width + 1).sum::<usize>();
    let gaps = columns.len().saturating_sub(1).max(1);
    let air = (width.saturating_sub(used) / gaps).min(2);
    for column in columns.iter_mut().take(gaps) {
        column.width += air;
    }
}

/// The columns, by their places, that fit into `width`: those of higher `rank`
/// (lower number) first, shown in their own order.
pub fn that_fit(widths: &[(usize, u8)], width: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..widths.len()).collect();
    order.sort_by_key(|column| widths[*column].1);
    let mut left = width.saturating_sub(MARKER);
    let mut fitting: Vec<usize> = order
        .into_iter()
        .take_while(|column| {
            let needed = widths[*column].0 + 1;
            let fits = needed <= left + 1;
            left = left.saturating_sub(needed);
            fits
        })
        .collect();
    fitting.sort_unstable();
    fitting
}

#[cfg(test)]
mod tests {
    use super::that_fit;

    #[test]
    fn the_least_important_columns_go_first() {
        let widths = [(10, 0), (5, 2), (20, 1)];
        assert_eq!(that_fit(&widths, 100), [0, 1, 2]);
        assert_eq!(that_fit(&widths, 35), [0, 2]);
        assert_eq!(that_fit(&widths, 12), [0]);
    }
}
