//! Draws the dashboard. Changes nothing but how far lists are scrolled.

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    text::Line,
};

use super::{
    Ui, ascii, dialogs,
    model::Model,
    screens, text,
    widgets::{chrome, tabs},
};
use crate::model::is_hidden;

/// The smallest terminal that all screens are made for.
const SMALLEST: (u16, u16) = (80, 24);

/// The most characters of one cell: more combining marks than any script needs
/// would run over the lines above.
const MARKS: usize = 8;

/// Draws everything into `buf`.
pub fn view(model: &Model, ui: &mut Ui, area: Rect, buf: &mut Buffer) {
    ui.hidden = area.width < SMALLEST.0 || area.height < SMALLEST.1;
    if ui.hidden {
        too_small(model, area, buf);
    } else {
        draw(model, ui, area, buf);
    }
    clean(buf);
    if ui.theme.ascii {
        ascii::flatten(buf);
    }
}

/// Takes out of every cell what a terminal would act on, whatever screen drew
/// it: ratatui keeps marks that have no width with the character before them,
/// however many there are.
fn clean(buf: &mut Buffer) {
    for cell in &mut buf.content {
        let symbol = cell.symbol();
        if symbol.chars().any(is_hidden) || symbol.chars().nth(MARKS).is_some() {
            let shown = symbol.chars().filter(|c| !is_hidden(*c)).take(MARKS);
            let shown: String = shown.collect();
            cell.set_symbol(if shown.is_empty() { " " } else { &shown });
        }
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

/// Which keys act here is in [`Ui::contexts`].
fn too_small(model: &Model, area: Rect, buf: &mut Buffer) {
    let (width, height) = SMALLEST;
    let mut lines = [
        format!("muster needs {width}×{height}; this is {}×{}", area.width, area.height),
        "Enlarge the terminal. Until then only q acts: it quits.".to_owned(),
    ];
    if model.ending {
        let what = model.busy.first().map_or("the engine to end", String::as_str);
        lines[1] = format!("Waiting for {}; q leaves at once.", text::clean(what));
    }
    let wrapped = lines.iter().flat_map(|line| text::wrap(line, area.width.into()));
    for (row, line) in area.rows().zip(wrapped) {
        buf.set_line(row.x, row.y, &Line::raw(line), row.width);
    }
}
