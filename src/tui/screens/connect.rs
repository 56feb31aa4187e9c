//! The hand-over: what a Python session needs of the cluster, and the commands
//! that lead to it. Before it is ready, what is missing.
//!
//! ```text
//! ╭ Connect ── ✓ ready · 9 nodes · $0.84 so far ───────────────────────────────╮
//! │▌ Python      the module below: y copies it                                 │
//! │  Ray         ray://203.0.113.10:10001                                      │
//! │  ssh         muster ssh us-west-2/head                                     │
//! ╰────────────────────────────────────────────────────────────────────────────╯
//! ╭ Paste into Python ─────────────────────────────────────────────────────────╮
//! │ from … import context                                                      │
//! ╰────────────────────────────────────────────────────────────────────────────╯
//! ```

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    text::{Line, Span},
};

use super::Pane;
use crate::{
    handover::Handover,
    tui::{
        Ui,
        action::{Action, Effect},
        as_of,
        model::{Model, Tone},
        text,
        theme::Theme,
        ui::matches,
        widgets::{
            panel,
            selection::{Scroll, Selection},
            table::{Column, MARKER, Table},
        },
    },
};

mod facts;
mod missing;

use facts::Fact;

/// Columns of a fact's name.
const NAME: usize = 11;
/// From this width on the module stands beside the facts.
const WIDE: u16 = 150;

/// What the user has done here.
#[derive(Debug, Default)]
pub struct State {
    pub(in crate::tui) filter: String,
    rows: Selection,
    pane: Pane,
    scroll: Scroll,
}

/// The cluster, ready to be handed over; or why it is not.
fn handover(model: &Model) -> Option<Handover> {
    Handover::of(&model.project, &model.state, model.forwarded, false).ok()
}

/// Draws the screen.
pub fn view(model: &Model, state: &mut State, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let Some(handover) = handover(model) else {
        return missing::view(model, &mut state.scroll, area, buf, theme);
    };
    let facts = shown(&handover, model, &state.filter);
    let rows = u16::try_from(facts.len() + 2).unwrap_or(u16::MAX);
    let layout = if area.width >= WIDE {
        Layout::horizontal([Constraint::Percentage(50), Constraint::Fill(1)])
    } else {
        let rows = rows.min(area.height.saturating_sub(6)).max(4);
        Layout::vertical([Constraint::Length(rows), Constraint::Fill(1)])
    };
    let [first, second] = layout.areas(area);
    list(model, state, &facts, first, buf, theme);
    module(&handover, state, second, buf, theme);
}

fn shown(handover: &Handover, model: &Model, filter: &str) -> Vec<Fact> {
    let mut facts = facts::all(handover, model);
    facts.retain(|fact| matches(filter, &[fact.name, &fact.value]));
    facts
}

fn list(
    model: &Model,
    state: &mut State,
    facts: &[Fact],
    area: Rect,
    buf: &mut Buffer,
    theme: &Theme,
) {
    let focused = state.pane == Pane::First;
    let inner = panel::pane(title(model, theme), focused, area, buf, theme);
    let keys: Vec<_> = facts.iter().map(|fact| fact.name).collect();
    let selected = state.rows.settle(&keys);
    let room = usize::from(inner.width).saturating_sub(MARKER + NAME + 1);
    let columns = [Column::new("", NAME), Column::new("", room)];
    let table = Table { columns: &columns, theme, titles: false, selected, focused };
    let window = state.rows.window(selected, facts.len(), table.height(inner));
    panel::position(&window, facts.len(), area, buf, theme);
    table.render(window, inner, buf, |index| {
        let fact = &facts[index];
        let style = if fact.is_command { theme.accent } else { theme.text };
        vec![Span::styled(fact.name, theme.dim), Span::styled(text::clean(&fact.value), style)]
    });
}

fn title(model: &Model, theme: &Theme) -> Line<'static> {
    let (ready, _) = model.ready();
    let nodes = text::count(ready, "node");
    let ready = if as_of::is_stale(model) {
        Span::styled("? ready", theme.unknown)
    } else {
        Span::styled("✓ ready", theme.good)
    };
    let mut title = Line::from(vec![
        Span::styled("Connect", theme.strong),
        Span::styled(" ── ", theme.dim),
        ready,
    ]);
    title.spans.extend(as_of::span(model, theme));
    title.push_span(Span::styled(format!(" · {nodes}"), theme.dim));
    let spent = model.spent();
    if spent.known > 0 {
        title.push_span(Span::styled(format!(" · {spent} so far"), theme.dim));
    }
    title
}

fn module(handover: &Handover, state: &mut State, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let focused = state.pane == Pane::Second;
    let mut title = Line::styled("Paste into Python", theme.strong);
    title.push_span(Span::styled(" y copies all of it", theme.dim));
    let inner = panel::pane(title, focused, area, buf, theme);
    let python = handover.python();
    let lines: Vec<_> = python.lines().collect();
    let window = state.scroll.window(lines.len(), inner.height.into());
    panel::position(&window, lines.len(), area, buf, theme);
    let room = usize::from(inner.width).saturating_sub(1);
    let drawn: Vec<_> = lines[window]
        .iter()
        .map(|line| {
            let style = if line.starts_with('#') { theme.dim } else { theme.text };
            Line::styled(format!(" {}", text::fit(&text::clean(line), room)), style)
        })
        .collect();
    panel::lines(drawn.iter(), inner, buf);
}

/// What a key does here.
pub fn update(ui: &mut Ui, model: &Model, action: Action) -> Vec<Effect> {
    let state = &mut ui.connect;
    if state.pane.go(action, &mut ui.screen) {
        return Vec::new();
    }
    match action {
        Action::Move(motion) => match handover(model).filter(|_| state.pane == Pane::First) {
            Some(handover) => {
                let facts = shown(&handover, model, &state.filter);
                let keys: Vec<_> = facts.iter().map(|fact| fact.name).collect();
                state.rows.go(motion, &keys);
            }
            None => state.scroll.go(motion),
        },
        Action::Copy => return copy(ui, model),
        _ => {}
    }
    Vec::new()
}

/// The selected value; in the module's pane and on its row all of the module.
fn copy(ui: &mut Ui, model: &Model) -> Vec<Effect> {
    let Some(handover) = handover(model) else {
        ui.say(Tone::Plain, "the cluster is not ready: there is nothing to paste yet");
        return Vec::new();
    };
    let facts = shown(&handover, model, &ui.connect.filter);
    let keys: Vec<_> = facts.iter().map(|fact| fact.name).collect();
    let selected = ui.connect.rows.settle(&keys).map(|index| &facts[index]);
    match selected {
        Some(fact) if ui.connect.pane == Pane::First && fact.name != facts::PYTHON => {
            ui.say(Tone::Plain, format!("copied {}", fact.copied));
            vec![Effect::Copy(fact.copied.clone())]
        }
        _ => {
            let python = handover.python();
            let lines = text::count(python.lines().count(), "line");
            ui.say(Tone::Plain, format!("copied the module, {lines}: paste it into Python"));
            vec![Effect::Copy(python)]
        }
    }
}
