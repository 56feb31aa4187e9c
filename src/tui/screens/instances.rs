//! Every machine: planned nodes, running ones, and those that no launch on
//! record made.

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    text::{Line, Span},
};

use super::Pane;
use crate::{
    engine::NodeState,
    model::NodeName,
    tui::{
        Ui,
        action::{Action, Effect, Screen},
        as_of,
        model::{Model, Tone},
        theme::Theme,
        widgets::{
            panel,
            selection::{Scroll, Selection},
            table::{Column, Table, spread, that_fit},
        },
    },
};

mod details;
mod rows;

use rows::{Field, Row};

/// What the user has done here.
#[derive(Debug, Default)]
pub struct State {
    pub(in crate::tui) filter: String,
    rows: Selection,
    sort: Field,
    reversed: bool,
    /// The columns that there was room for.
    columns: Vec<Field>,
    pane: Pane,
    scroll: Scroll,
}

/// Draws the screen.
pub fn view(model: &Model, state: &mut State, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let layout = if area.width >= 150 {
        Layout::horizontal([Constraint::Fill(1), Constraint::Length(48)])
    } else {
        Layout::vertical([Constraint::Fill(1), Constraint::Length((area.height / 3).max(8))])
    };
    let [list, below] = layout.areas(area);
    let rows = shown(model, state);
    let keys: Vec<_> = rows.iter().map(Row::key).collect();
    let selected = state.rows.settle(&keys);
    table(model, state, &rows, selected, list, buf, theme);
    let row = selected.map(|index| &rows[index]);
    detail_pane(model, state, row, below, buf, theme);
}

fn table(
    model: &Model,
    state: &mut State,
    rows: &[Row<'_>],
    selected: Option<usize>,
    area: Rect,
    buf: &mut Buffer,
    theme: &Theme,
) {
    let focused = state.pane == Pane::First;
    let inner = panel::pane(title(model, state, rows.len(), theme), focused, area, buf, theme);
    if rows.is_empty() {
        let line = Line::styled("  No machine with this text. Esc drops the filter.", theme.dim);
        return panel::lines(std::iter::once(&line), inner, buf);
    }
    let fields = fields_that_fit(model, rows, inner.width.into());
    state.columns = fields.iter().map(|(field, _)| *field).collect();
    let mut columns: Vec<_> = fields
        .iter()
        .map(|(field, width)| {
            let title = if *field == state.sort {
                format!("{}{}", field.title(), if state.reversed { "↓" } else { "↑" })
            } else {
                field.title().to_owned()
            };
            Column { title: title.into(), width: *width, right: field.is_number() }
        })
        .collect();
    spread(&mut columns, inner.width.into());
    // The last one takes what is left.
    let used: usize = columns.iter().map(|column| column.width + 1).sum::<usize>() + 1;
    if let Some(last) = columns.last_mut().filter(|column| !column.right) {
        last.width += usize::from(inner.width).saturating_sub(used);
    }
    let table = Table { columns: &columns, theme, titles: true, selected, focused };
    let window = state.rows.window(selected, rows.len(), table.height(inner));
    panel::position(&window, rows.len(), area, buf, theme);
    table.render(window, inner, buf, |index| {
        let row = &rows[index];
        fields
            .iter()
            .map(|(field, _)| Span::styled(field.of(row, model), field.style(row, theme)))
            .collect()
    });
}

fn title(model: &Model, state: &State, shown: usize, theme: &Theme) -> Line<'static> {
    let all = model.state.nodes.len() + model.state.strays.len();
    let mut title = Line::styled("Instances", theme.strong);
    let count = if shown == all { format!(" {all}") } else { format!(" {shown} of {all}") };
    title.push_span(Span::styled(count, theme.dim));
    title.spans.extend(as_of::span(model, theme));
    if model.state.instances().any(|info| info.adopted) {
        title.push_span(Span::styled(" · ◊ made by `ray up`", theme.dim));
    }
    if !state.filter.is_empty() {
        title.push_span(Span::styled(format!(" with “{}”", state.filter), theme.dim));
    }
    title
}

fn fields_that_fit(model: &Model, rows: &[Row<'_>], width: usize) -> Vec<(Field, usize)> {
    let of = |field: Field| {
        let cells = rows.iter().map(|row| field.of(row, model).chars().count());
        let longest = cells.max().unwrap_or(0).min(field.limit());
        longest.max(field.title().len() + 1)
    };
    let widths: Vec<_> = Field::ALL.map(|field| (of(field), field.rank())).to_vec();
    let fitting = that_fit(&widths, width).into_iter();
    fitting.map(|column| (Field::ALL[column], widths[column].0)).collect()
}

fn detail_pane(
    model: &Model,
    state: &mut State,
    row: Option<&Row<'_>>,
    area: Rect,
    buf: &mut Buffer,
    theme: &Theme,
) {
    let focused = state.pane == Pane::Second;
    let title = row.map(|row| row.key().to_owned()).unwrap_or_default();
    let inner = panel::pane(Line::styled(title, theme.strong), focused, area, buf, theme);
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    let lines = row.map(|row| details::lines(row, model, inner.width.into(), theme));
    let lines = lines.unwrap_or_default();
    let window = state.scroll.window(lines.len(), inner.height.into());
    panel::position(&window, lines.len(), area, buf, theme);
    panel::lines(lines[window].iter(), inner, buf);
}

fn shown<'m>(model: &'m Model, state: &State) -> Vec<Row<'m>> {
    rows::rows(model, &state.filter, state.sort, state.reversed)
}

/// The selected node, if it is one.
pub fn selected_node<'m>(state: &State, model: &'m Model) -> Option<&'m NodeState> {
    let rows = shown(model, state);
    let keys: Vec<_> = rows.iter().map(Row::key).collect();
    match rows[state.rows.clone().settle(&keys)?] {
        Row::Node(node) => Some(node),
        Row::Stray(_) => None,
    }
}

/// What a key does here.
pub fn update(ui: &mut Ui, model: &Model, action: Action) -> Vec<Effect> {
    let state = &mut ui.instances;
    if state.pane.go(action, &mut ui.screen) {
        return Vec::new();
    }
    match action {
        Action::Move(motion) if state.pane == Pane::Second => state.scroll.go(motion),
        Action::Move(motion) => {
            let rows = shown(model, state);
            let keys: Vec<_> = rows.iter().map(Row::key).collect();
            state.rows.go(motion, &keys);
            state.scroll = Scroll::default();
        }
        Action::Sort => state.sort = state.sort.next(&state.columns),
        Action::Reverse => state.reversed = !state.reversed,
        Action::Open => {
            let name: Option<NodeName> = selected_node(state, model).map(|node| node.name.clone());
            if let Some(name) = name {
                ui.logs.show(&name);
                ui.screen = Screen::Logs;
            }
        }
        Action::Copy => return copy(ui, model),
        Action::RetryNode => return super::bootstrap::retry_node(ui, model),
        Action::Shell => return super::bootstrap::log_in(ui, model),
        _ => {}
    }
    Vec::new()
}

fn copy(ui: &mut Ui, model: &Model) -> Vec<Effect> {
    let rows = shown(model, &ui.instances);
    let keys: Vec<_> = rows.iter().map(Row::key).collect();
    let id = ui.instances.rows.settle(&keys).and_then(|index| rows[index].info());
    let Some(id) = id.map(|info| info.id.to_string()) else {
        ui.say(Tone::Plain, "there is no instance yet");
        return Vec::new();
    };
    ui.say(Tone::Plain, format!("copied {id}"));
    vec![Effect::Copy(id)]
}
