//! All keys, out of the one table.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use crate::tui::{
    action::Screen,
    keymap::{self, Binding},
    text,
    theme::Theme,
    widgets::{selection::Scroll, sheet::Sheet},
};

/// Columns of the keys.
const KEYS: usize = 14;

/// Draws the dialog.
pub fn view(screen: Screen, scroll: &mut Scroll, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let width = area.width.min(78);
    let room = usize::from(width).saturating_sub(KEYS + 6);
    let mut lines = Vec::new();
    for (heading, rows) in keymap::sections(screen) {
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.push(Line::styled(heading, theme.strong));
        lines.extend(rows.into_iter().flat_map(|row| entry(row, room, theme)));
    }
    let foot = vec![Line::styled("↑↓ scroll  Esc or q close", theme.dim)];
    let sheet = Sheet { title: "Keys", width, lines, foot };
    sheet.render(scroll, area, buf, theme);
}

/// A row of the table; what it does goes on below itself where it is long.
fn entry(row: &Binding, room: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut keys = row.all_keys();
    let line = |text: String| {
        let keys = format!("  {:KEYS$}", std::mem::take(&mut keys));
        Line::from(vec![Span::styled(keys, theme.accent), Span::raw(text)])
    };
    text::wrap(row.help, room).into_iter().map(line).collect()
}
