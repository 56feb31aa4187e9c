//! Draws the dashboard. Changes nothing but how far lists are scrolled.

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    text::Line,
};

use super::{
    Ui, ascii, dialogs,
    model::Model,
    screens,
    widgets::{chrome, tabs},
};

/// The smallest terminal that all screens are made for.
const SMALLEST: (u16, u16) = (80, 24);

/// Draws everything into `buf`.
pub fn view(model: &Model, ui: &mut Ui, area: Rect, buf: &mut Buffer) {
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        too_small(area, buf);
    } else {
        draw(model, ui, area, buf);
    }
    if ui.theme.ascii {
        ascii::flatten(buf);
    }
}

fn draw(model: &Model, ui: &mut Ui, area: Rect, buf: &mut Buffer) {
    let [header, tabs, body, status, footer] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Fill(1),
        Constraint::Length(1),
        Constraint::Length(1),
    ])
    .areas(area);
    chrome::header(model, header, buf, &ui.theme);
    tabs::tabs(model, ui.screen, tabs, buf, &ui.theme);
    screens::view(model, ui, body, buf);
    chrome::status(model, ui, status, buf);
    dialogs::view(model, ui, body, buf);
    chrome::footer(model, ui, footer, buf);
}

fn too_small(area: Rect, buf: &mut Buffer) {
    let (width, height) = SMALLEST;
    let text = format!("muster needs {width}×{height}; this is {}×{}", area.width, area.height);
    if area.height > 0 {
        buf.set_line(area.x, area.y, &Line::raw(text), area.width);
    }
}
