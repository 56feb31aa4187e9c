//! Frames: panes with a title, and dialogs in the middle.

use std::ops::Range;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::{Block, BorderType, Clear, Widget},
};

use crate::tui::theme::Theme;

/// Draws a pane and answers what is inside.
pub fn pane(title: Line<'_>, focused: bool, area: Rect, buf: &mut Buffer, theme: &Theme) -> Rect {
    let border = if focused { theme.accent } else { theme.dim };
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(border)
        .title(spaced(title));
    let inner = block.inner(area);
    block.render(area, buf);
    inner
}

/// Writes which rows are in sight into the lower border, where not all are.
pub fn position(window: &Range<usize>, len: usize, area: Rect, buf: &mut Buffer, theme: &Theme) {
    if window.len() >= len || area.height == 0 {
        return;
    }
    let text = format!(" {}–{} of {len} ", window.start + 1, window.end);
    let columns = u16::try_from(text.chars().count()).unwrap_or(u16::MAX);
    if columns + 2 < area.width {
        let x = area.right() - columns - 2;
        buf.set_span(x, area.bottom() - 1, &Span::styled(text, theme.dim), columns);
    }
}

/// Draws a dialog of at most `width` × `height` in the middle and answers what is inside.
pub fn dialog(
    title: Line<'_>,
    (width, height): (u16, u16),
    area: Rect,
    buf: &mut Buffer,
    theme: &Theme,
) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    let area = Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    };
    Clear.render(area, buf);
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(theme.accent)
        .title(spaced(title));
    let inner = block.inner(area);
    block.render(area, buf);
    // Air on both sides: a dialog is read, not scanned.
    Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner }
}

fn spaced(mut title: Line<'_>) -> Line<'_> {
    if title.width() == 0 {
        return title;
    }
    title.spans.insert(0, Span::raw(" "));
    title.push_span(Span::raw(" "));
    title
}

/// Draws the lines that are in sight.
pub fn lines<'a>(lines: impl Iterator<Item = &'a Line<'a>>, area: Rect, buf: &mut Buffer) {
    for (y, line) in (area.top()..area.bottom()).zip(lines) {
        buf.set_line(area.x, y, line, area.width);
    }
}
