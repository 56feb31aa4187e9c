//! Every finding, grouped, with one of them in full beside the list.
//!
//! ```text
//! ╭ Findings ── by check ─ ✓42 ✗6 ───╮╭ key.same-material ────────────╮
//! │ ▾ Key pair                ✓2 ✗1  ││ Evidence   us-west-2 ssh-rsa … │
//! │ ▌   ✗ key.exists      eu-west-1  ││ From       ap.yaml:31:20       │
//! ╰──────────────────────────────────╯╰────────────────────────────────╯
//! ```

use std::collections::BTreeSet;

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    text::{Line, Span},
};

use super::{Pane, finding};
use crate::{
    check::Finding,
    tui::{
        Ui,
        action::{Action, Effect, Motion},
        model::{Model, Tone},
        theme::Theme,
        widgets::{
            chrome::counts,
            panel,
            selection::{Scroll, Selection},
            table::{Column, MARKER, Table},
        },
    },
};

mod tree;

use tree::{Grouping, Row, Tree};

/// What the user has done here.
#[derive(Debug, Default)]
pub struct State {
    pub(in crate::tui) filter: String,
    grouping: Grouping,
    /// Groups that are not open or closed as they would be by themselves.
    toggled: BTreeSet<String>,
    rows: Selection,
    pane: Pane,
    scroll: Scroll,
    on_group: bool,
}

impl State {
    /// Whether findings are grouped by what they are about.
    pub fn by_subject(&self) -> bool {
        self.grouping == Grouping::Subject
    }

    /// The footer's word for Enter.
    pub fn open_hint(&self) -> &'static str {
        if self.on_group { "fold" } else { "details" }
    }

    /// Selects `finding` and opens its group.
    pub fn show(&mut self, finding: &Finding) {
        self.filter.clear();
        self.pane = Pane::First;
        self.rows.select(finding::key(finding));
        // Groups with trouble are open by themselves: one that the user closed is not.
        self.toggled.remove(&self.grouping.group_of(finding));
        self.scroll = Scroll::default();
    }

    fn tree<'m>(&self, model: &'m Model) -> Tree<'m> {
        Tree::new(model.findings(), self.grouping, &self.toggled, &self.filter)
    }
}

/// Draws the screen.
pub fn view(model: &Model, state: &mut State, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let list = (area.width * 2 / 5).clamp(36, 60);
    let [left, right] =
        Layout::horizontal([Constraint::Length(list), Constraint::Fill(1)]).areas(area);
    let tree = state.tree(model);
    let selected = state.rows.settle(&tree.keys());
    state.on_group = selected.is_some_and(|index| matches!(tree.rows[index], Row::Group(_)));
    rows(model, state, &tree, selected, left, buf, theme);
    details(model, state, &tree, selected, right, buf, theme);
}

fn rows(
    model: &Model,
    state: &mut State,
    tree: &Tree<'_>,
    selected: Option<usize>,
    area: Rect,
    buf: &mut Buffer,
    theme: &Theme,
) {
    let focused = state.pane == Pane::First;
    let inner = panel::pane(title(model, state, theme), focused, area, buf, theme);
    if tree.rows.is_empty() {
        let why = match &model.findings {
            None if model.refreshing.is_some() => "Reading all regions…",
            None => "Not looked yet: r reads all regions.",
            Some(_) => "Nothing with this text. Esc drops the filter.",
        };
        return panel::lines(
            std::iter::once(&Line::styled(format!("  {why}"), theme.dim)),
            inner,
            buf,
        );
    }
    let (columns, short) = columns(tree, state.grouping, inner.width.into());
    let table = Table { columns: &columns, theme, titles: false, selected, focused };
    let window = state.rows.window(selected, tree.rows.len(), table.height(inner));
    panel::position(&window, tree.rows.len(), area, buf, theme);
    table.render(window.clone(), inner, buf, |index| tree.cells(index, short, theme));
    for (y, index) in (inner.y..inner.bottom()).zip(window) {
        if let Row::Group(group) = &tree.rows[index] {
            let line = Line::from(counts(&group.summary, theme));
            let columns = u16::try_from(line.width()).unwrap_or(0).min(inner.width / 2);
            buf.set_line(inner.right() - columns - 1, y, &line, columns);
        }
    }
}

fn title(model: &Model, state: &State, theme: &Theme) -> Line<'static> {
    let grouping = match state.grouping {
        Grouping::Check => " by check",
        Grouping::Subject => " by region",
    };
    let mut title = Line::styled("Findings", theme.strong);
    title.push_span(Span::styled(grouping, theme.dim));
    title.spans.extend(counts(&model.summary(), theme));
    title
}

/// The check's id, then the subject, by its short name where the full one does
/// not fit; a group of one subject does not repeat it.
fn columns(tree: &Tree<'_>, grouping: Grouping, width: usize) -> (Vec<Column<'static>>, bool) {
    let room = width.saturating_sub(MARKER + 1);
    let (id, subject) = tree.widths(grouping);
    let short = id + 1 + subject > room;
    let id = id.min(room);
    (vec![Column::new("", id), Column::new("", room.saturating_sub(id + 1))], short)
}

fn details(
    model: &Model,
    state: &mut State,
    tree: &Tree<'_>,
    selected: Option<usize>,
    area: Rect,
    buf: &mut Buffer,
    theme: &Theme,
) {
    let row = selected.map(|index| &tree.rows[index]);
    let title = match row {
        Some(Row::Finding(finding)) => finding.check.to_owned(),
        Some(Row::Group(group)) => group.name.clone(),
        None => String::new(),
    };
    let focused = state.pane == Pane::Second;
    let inner = panel::pane(Line::styled(title, theme.strong), focused, area, buf, theme);
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    let lines = match row {
        Some(Row::Finding(finding)) => finding::details(finding, model, inner.width.into(), theme),
        Some(Row::Group(group)) => group.overview(inner.width.into(), theme),
        None => Vec::new(),
    };
    let window = state.scroll.window(lines.len(), inner.height.into());
    panel::position(&window, lines.len(), area, buf, theme);
    panel::lines(lines[window].iter(), inner, buf);
}

/// What a key does here.
pub fn update(ui: &mut Ui, model: &Model, action: Action) -> Vec<Effect> {
    let state = &mut ui.preflight;
    if state.pane.go(action, &mut ui.screen) {
        return Vec::new();
    }
    match action {
        Action::Move(motion) if state.pane == Pane::Second => state.scroll.go(motion),
        Action::Move(motion) => go(state, model, motion),
        Action::Open => open(state, model),
        Action::Group => {
            state.grouping = state.grouping.other();
            state.toggled.clear();
        }
        Action::Copy => return copy(ui, model),
        Action::Fix => return fix(ui, model),
        _ => {}
    }
    Vec::new()
}

fn go(state: &mut State, model: &Model, motion: Motion) {
    let tree = state.tree(model);
    let keys = tree.keys();
    let selected = state.rows.settle(&keys).map(|index| &tree.rows[index]);
    match (motion, selected) {
        (Motion::Left, Some(Row::Group(group))) if group.open => toggle(state, &group.name),
        (Motion::Right, Some(Row::Group(group))) if !group.open => toggle(state, &group.name),
        (Motion::Left, Some(Row::Finding(finding))) => {
            state.rows.select(tree::group_key(&state.grouping.group_of(finding)));
        }
        _ => state.rows.go(motion, &keys),
    }
    state.scroll = Scroll::default();
}

fn open(state: &mut State, model: &Model) {
    let tree = state.tree(model);
    match state.rows.settle(&tree.keys()).map(|index| &tree.rows[index]) {
        Some(Row::Group(group)) => toggle(state, &group.name),
        Some(Row::Finding(_)) => state.pane = Pane::Second,
        None => {}
    }
}

fn toggle(state: &mut State, group: &str) {
    if !state.toggled.remove(group) {
        state.toggled.insert(group.to_owned());
    }
}

/// Fixes the selected finding, or all of the selected group.
fn fix(ui: &mut Ui, model: &Model) -> Vec<Effect> {
    let state = &mut ui.preflight;
    let tree = state.tree(model);
    let grouping = state.grouping;
    let chosen: Vec<&Finding> = match state.rows.settle(&tree.keys()).map(|index| &tree.rows[index])
    {
        Some(Row::Finding(finding)) => vec![finding],
        Some(Row::Group(group)) => {
            let of_group = |one: &&Finding| grouping.group_of(one) == group.name;
            model.findings().iter().filter(of_group).collect()
        }
        None => Vec::new(),
    };
    finding::fix(ui, model, &chosen)
}

fn copy(ui: &mut Ui, model: &Model) -> Vec<Effect> {
    let tree = ui.preflight.tree(model);
    let selected = ui.preflight.rows.settle(&tree.keys()).map(|index| &tree.rows[index]);
    let Some(Row::Finding(finding)) = selected else { return Vec::new() };
    let text = finding::as_text(finding);
    ui.say(Tone::Plain, "copied the finding");
    vec![Effect::Copy(text)]
}
