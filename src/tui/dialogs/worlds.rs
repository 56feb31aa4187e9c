//! Another simulated world?

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    text::{Line, Span},
};

use crate::tui::{
    action::{Action, Effect},
    model::Model,
    text,
    theme::Theme,
    widgets::{
        panel,
        selection::Selection,
        table::{Column, MARKER, Table},
    },
};

/// Draws the dialog.
pub fn view(model: &Model, rows: &mut Selection, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let keys = names(model);
    let height = u16::try_from(keys.len()).unwrap_or(u16::MAX).saturating_add(7);
    let title = Line::styled("Simulated worlds", theme.strong);
    let inner = panel::dialog(title, (area.width.min(90), height), area, buf, theme);
    let [list, _, about, _] = Layout::vertical([
        Constraint::Fill(1),
        Constraint::Length(1),
        Constraint::Length(3),
        Constraint::Length(1),
    ])
    .areas(inner);
    let selected = rows.settle(&keys);
    let name = keys.iter().map(|key| key.len()).max().unwrap_or(0);
    let rest = usize::from(inner.width).saturating_sub(MARKER + name + 1);
    let columns = [Column::new("", name), Column::new("", rest)];
    let table = Table { columns: &columns, theme, titles: false, selected, focused: true };
    let window = rows.window(selected, keys.len(), table.height(list));
    table.render(window, list, buf, |index| {
        let this = model.scenario.as_deref() == Some(keys[index]);
        let mark = if this { "★ this one" } else { "" };
        vec![Span::styled(keys[index], theme.strong), Span::styled(mark, theme.accent)]
    });
    let text = selected.map(|index| model.scenarios[index].1.as_str()).unwrap_or_default();
    let lines: Vec<_> = text::wrap(text, about.width.into()).into_iter().map(Line::raw).collect();
    panel::lines(lines.iter(), about, buf);
    let foot = Line::styled("Enter goes there; this world ends · Esc stays", theme.dim);
    buf.set_line(inner.x, inner.bottom().saturating_sub(1), &foot, inner.width);
}

fn names(model: &Model) -> Vec<&str> {
    model.scenarios.iter().map(|(name, _)| name.as_str()).collect()
}

/// What a key does here.
pub fn update(rows: &mut Selection, model: &Model, action: Action) -> Vec<Effect> {
    let keys = names(model);
    match action {
        Action::Move(motion) => rows.go(motion, &keys),
        Action::Open => {
            let chosen = rows.settle(&keys).map(|index| keys[index].to_owned());
            return chosen.map(Effect::OpenScenario).into_iter().collect();
        }
        _ => {}
    }
    Vec::new()
}
