//! All keys, out of the one table.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use crate::tui::{
    action::Screen,
    keymap::{self, Binding},
    theme::Theme,
    widgets::{selection::Scroll, sheet::Sheet},
};

/// Columns of the keys.
const KEYS: usize = 14;

/// Draws the dialog.
pub fn view(screen: Screen, scroll: &mut Scroll, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let mut lines = Vec::new();
    for (heading, rows) in keymap::sections(screen) {
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.push(Line::styled(heading, theme.strong));
        lines.extend(rows.into_iter().map(|row| line(row, theme)));
    }
    let foot = vec![Line::styled("↑↓ scroll  Esc or q close", theme.dim)];
    let sheet = Sheet { title: "Keys", width: area.width.min(78), lines, foot };
    sheet.render(scroll, area, buf, theme);
}

fn line(row: &Binding, theme: &Theme) -> Line<'static> {
    Line::from(vec![
        Span::styled(format!("  {:KEYS$}", row.all_keys()), theme.accent),
        Span::raw(row.help),
    ])
}
