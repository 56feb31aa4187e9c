//! A bar of how far something is.

use ratatui::text::Span;

use crate::tui::theme::Theme;

/// A bar `columns` wide of which `done` of `all` is full.
pub fn bar(done: usize, all: usize, columns: usize, theme: &Theme) -> [Span<'static>; 2] {
    let full = (done * columns).checked_div(all).unwrap_or(0).min(columns);
    [
        Span::styled("█".repeat(full), theme.good),
        Span::styled("░".repeat(columns - full), theme.dim),
    ]
}
