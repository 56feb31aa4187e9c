//! On the way out: what muster still waits for.

use ratatui::{buffer::Buffer, layout::Rect, text::Line};

use crate::tui::{
    model::Model,
    text,
    theme::Theme,
    widgets::{selection::Scroll, sheet::Sheet},
};

/// Draws the dialog.
pub fn view(model: &Model, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let width = area.width.min(72);
    let room = usize::from(width) - 6;
    let mut lines = vec![Line::raw("Finishing what must not be cut off:")];
    for busy in &model.busy {
        let text = text::clean(busy);
        lines.push(Line::styled(format!("▶ {}", text::fit(&text, room)), theme.busy));
    }
    let foot =
        vec![Line::styled("q leaves now: `muster up` then resolves what was begun", theme.dim)];
    let sheet = Sheet { title: "Leaving", width, lines, foot };
    sheet.render(&mut Scroll::default(), area, buf, theme);
}
