//! What the nodes print: one node's log or all of them merged by time, followed
//! or frozen. Only the lines in sight are read.

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    text::{Line, Span},
};

use super::Pane;
use crate::{
    engine::LogLine,
    model::NodeName,
    tui::{
        Ui,
        action::{Action, Effect, Motion},
        model::{Model, Tone},
        text,
        theme::Theme,
        ui::matches,
        widgets::{
            panel,
            selection::Selection,
            table::{Column, Table},
        },
    },
};

mod lines;
mod window;

pub use lines::looks_like_error;
use lines::{Heads, shown};
use window::{LineKey, Reader};

/// From this width on the nodes stand beside the lines.
const WIDE: usize = 110;
/// The key of the merged view among the sources.
const ALL: &str = "";

/// What the user has done here.
#[derive(Debug, Default)]
pub struct State {
    pub(in crate::tui) filter: String,
    source: Selection,
    pane: Pane,
    /// The line under the cursor; none while the log is followed.
    frozen: Option<Frozen>,
    height: usize,
}

/// Where a frozen log stands.
#[derive(Clone, Debug)]
struct Frozen {
    cursor: LineKey,
    /// Lines shown above the cursor.
    above: usize,
}

impl State {
    /// Whether new lines don't move what is shown.
    pub fn is_frozen(&self) -> bool {
        self.frozen.is_some()
    }

    /// Follows `node`'s log.
    pub fn show(&mut self, node: &NodeName) {
        self.source.select(node.as_str());
        self.frozen = None;
        self.filter.clear();
    }
}

/// The nodes whose lines are shown, and which of these.
struct Sources<'m> {
    keys: Vec<&'m str>,
    chosen: usize,
    nodes: Vec<&'m NodeName>,
}

fn sources<'m>(model: &'m Model, state: &mut State) -> Sources<'m> {
    let nodes = model.nodes_in_order();
    let names = nodes.iter().map(|node| node.name.as_str());
    let keys: Vec<_> = std::iter::once(ALL).chain(names).collect();
    let chosen = state.source.settle(&keys).unwrap_or(0);
    let nodes = match chosen {
        0 => nodes.iter().map(|node| &node.name).collect(),
        one => vec![&nodes[one - 1].name],
    };
    Sources { keys, chosen, nodes }
}

/// Draws the screen.
pub fn view(model: &Model, state: &mut State, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let sources = sources(model, state);
    if usize::from(area.width) < WIDE {
        return lines(model, state, &sources, area, buf, theme);
    }
    let widest = sources.keys.iter().map(|key| key.len()).max().unwrap_or(0) + 6;
    let widest = u16::try_from(widest).unwrap_or(u16::MAX).min(area.width / 3).max(16);
    let [left, right] =
        Layout::horizontal([Constraint::Length(widest), Constraint::Fill(1)]).areas(area);
    list(state, &sources, left, buf, theme);
    lines(model, state, &sources, right, buf, theme);
}

fn list(state: &mut State, sources: &Sources<'_>, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let focused = state.pane == Pane::Second;
    let inner = panel::pane(Line::styled("Nodes", theme.strong), focused, area, buf, theme);
    let columns = [Column::new("", inner.width.into())];
    let selected = Some(sources.chosen);
    let table = Table { columns: &columns, theme, titles: false, selected, focused };
    let window = state.source.window(selected, sources.keys.len(), table.height(inner));
    panel::position(&window, sources.keys.len(), area, buf, theme);
    table.render(window, inner, buf, |index| vec![Span::raw(source_name(sources.keys[index]))]);
}

fn source_name(key: &str) -> &str {
    if key == ALL { "all nodes" } else { key }
}

fn lines(
    model: &Model,
    state: &mut State,
    sources: &Sources<'_>,
    area: Rect,
    buf: &mut Buffer,
    theme: &Theme,
) {
    let focused = state.pane == Pane::First;
    let inner = panel::pane(
        title(state, sources, usize::from(area.width) < WIDE, theme),
        focused,
        area,
        buf,
        theme,
    );
    below(model, sources, area, buf, theme);
    state.height = inner.height.into();
    let filter = state.filter.clone();
    let wanted = |line: &LogLine| matches(&filter, &[&line.text, &line.step]);
    let reader = Reader { store: &model.logs, nodes: &sources.nodes, wanted: &wanted };
    let (keys, cursor) = in_sight(&reader, state);
    if keys.is_empty() {
        let why =
            if filter.is_empty() { "Nothing printed yet." } else { "No line with this text." };
        let line = Line::styled(format!("  {why}"), theme.dim);
        return panel::lines(std::iter::once(&line), inner, buf);
    }
    let heads = Heads::new(&sources.nodes, model, usize::from(area.width) < WIDE);
    let mut y = inner.y;
    for (index, key) in keys.iter().enumerate() {
        let Some(line) = reader.line(key) else { continue };
        let is_cursor = cursor == Some(index);
        let head = heads.of(&line, &key.node, model);
        let shown = shown(&line, head, is_cursor, inner.width.into(), theme);
        for text in shown {
            if y >= inner.bottom() {
                return;
            }
            buf.set_line(inner.x, y, &text, inner.width);
            if is_cursor {
                let bar =
                    Rect { x: inner.x + 1, y, width: inner.width.saturating_sub(1), height: 1 };
                buf.set_style(bar, theme.selected);
            }
            y += 1;
        }
    }
}

/// The keys of the lines in sight, and the cursor's place among them.
fn in_sight(reader: &Reader<'_>, state: &mut State) -> (Vec<LineKey>, Option<usize>) {
    let height = state.height;
    let Some(frozen) = &mut state.frozen else {
        return (reader.before(None, height), None);
    };
    frozen.above = frozen.above.min(height.saturating_sub(1));
    let mut keys = reader.before(Some(&frozen.cursor), frozen.above);
    let cursor = keys.len();
    keys.push(frozen.cursor.clone());
    keys.extend(reader.after(Some(&frozen.cursor), height - cursor.min(height - 1) - 1));
    (keys, Some(cursor))
}

fn title(state: &State, sources: &Sources<'_>, narrow: bool, theme: &Theme) -> Line<'static> {
    let name = source_name(sources.keys[sources.chosen]).to_owned();
    let mut title = Line::styled(name, theme.strong);
    if narrow {
        title.push_span(Span::styled(" (←→ other nodes)", theme.dim));
    }
    let (mode, style) = if state.is_frozen() {
        (" · frozen, z follows", theme.warn)
    } else {
        (" · following", theme.dim)
    };
    title.push_span(Span::styled(mode, style));
    if !state.filter.is_empty() {
        title.push_span(Span::styled(format!(" · with “{}”", state.filter), theme.accent));
    }
    title
}

/// Where the lines are that memory does not hold any more.
fn below(model: &Model, sources: &Sources<'_>, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let dropped = |node: &&NodeName| model.logs.with(node, crate::engine::NodeLog::not_in_memory);
    let earlier: u64 = sources.nodes.iter().map(dropped).sum();
    if earlier == 0 {
        return;
    }
    let file = sources.nodes.first().and_then(|node| model.logs.file_of(node));
    let file = match (sources.nodes.len(), file) {
        (1, Some(file)) => format!("are in {}", file.display()),
        (_, Some(_)) => "are in the nodes' log files".to_owned(),
        (_, None) => "are not kept".to_owned(),
    };
    let text = format!(
        " {} {file} ",
        text::count(usize::try_from(earlier).unwrap_or(usize::MAX), "earlier line")
    );
    let text = text::fit(&text, usize::from(area.width.saturating_sub(4))).into_owned();
    buf.set_span(area.x + 2, area.bottom() - 1, &Span::styled(text, theme.dim), area.width - 4);
}

/// What a key does here.
pub fn update(ui: &mut Ui, model: &Model, action: Action) -> Vec<Effect> {
    let state = &mut ui.logs;
    if action == Action::Back {
        state.frozen = None;
    }
    if state.pane.go(action, &mut ui.screen) {
        return Vec::new();
    }
    match action {
        Action::Move(Motion::Left) => source(state, model, Motion::Up),
        Action::Move(Motion::Right) => source(state, model, Motion::Down),
        Action::Move(motion) if state.pane == Pane::Second => source(state, model, motion),
        Action::Move(motion) => scroll(state, model, motion),
        Action::Freeze if state.is_frozen() => state.frozen = None,
        Action::Freeze => scroll(state, model, Motion::Up),
        Action::NextError => error(ui, model, true),
        Action::PreviousError => error(ui, model, false),
        Action::Copy => return copy(ui, model),
        _ => {}
    }
    Vec::new()
}

fn source(state: &mut State, model: &Model, motion: Motion) {
    let keys = sources(model, state).keys;
    state.source.go(motion, &keys);
    state.frozen = None;
}

/// Runs `read` on the lines that the filter lets through.
fn with_reader<T>(
    state: &mut State,
    model: &Model,
    only: impl Fn(&LogLine) -> bool,
    read: impl FnOnce(&Reader<'_>, &mut State) -> T,
) -> T {
    let sources = sources(model, state);
    let filter = state.filter.clone();
    let wanted = |line: &LogLine| matches(&filter, &[&line.text, &line.step]) && only(line);
    let reader = Reader { store: &model.logs, nodes: &sources.nodes, wanted: &wanted };
    read(&reader, state)
}

fn scroll(state: &mut State, model: &Model, motion: Motion) {
    with_reader(
        state,
        model,
        |_| true,
        |reader, state| {
            let page = state.height.max(2) - 1;
            let last = || reader.before(None, 1).pop();
            let cursor = state.frozen.as_ref().map(|frozen| frozen.cursor.clone());
            let Some(cursor) = cursor.or_else(last) else { return };
            let up = |lines: usize| reader.before(Some(&cursor), lines).into_iter().next();
            let down = |lines: usize| reader.after(Some(&cursor), lines).pop();
            let (to, moved) = match motion {
                Motion::Up if state.frozen.is_none() => (Some(cursor), -1),
                Motion::Up => (up(1), -1),
                Motion::PageUp => (up(page), -isize::try_from(page).unwrap_or(isize::MAX)),
                Motion::Down => (down(1), 1),
                Motion::PageDown => (down(page), isize::try_from(page).unwrap_or(isize::MAX)),
                Motion::Top => (reader.after(None, 1).pop(), isize::MIN),
                Motion::Bottom | Motion::Left | Motion::Right => (None, 0),
            };
            // The end of the log is where it is followed.
            if motion == Motion::Bottom || (to.is_none() && moved > 0) {
                state.frozen = None;
            } else if let Some(to) = to {
                freeze(state, to, moved);
            }
        },
    );
}

/// Puts the cursor on `to`, `moved` rows from where it was.
fn freeze(state: &mut State, to: LineKey, moved: isize) {
    let bottom = state.height.saturating_sub(1);
    let above = state.frozen.as_ref().map_or(state.height, |frozen| frozen.above);
    let above = above.saturating_add_signed(moved).min(bottom);
    state.frozen = Some(Frozen { cursor: to, above });
}

fn error(ui: &mut Ui, model: &Model, forward: bool) {
    let is_error = |line: &LogLine| looks_like_error(&line.text);
    let found = with_reader(&mut ui.logs, model, is_error, |reader, state| {
        let cursor = state.frozen.as_ref().map(|frozen| frozen.cursor.clone());
        match (forward, cursor) {
            (true, Some(cursor)) => reader.after(Some(&cursor), 1).pop(),
            // From the end there is nothing next: begin at the first one.
            (true, None) => reader.after(None, 1).pop(),
            (false, cursor) => reader.before(cursor.as_ref(), 1).pop(),
        }
    });
    match found {
        Some(key) => {
            let above = ui.logs.height / 2;
            ui.logs.frozen = Some(Frozen { cursor: key, above });
        }
        None if forward => {
            ui.say(Tone::Plain, "no further line that looks like an error; N looks above");
        }
        None => ui.say(Tone::Plain, "no earlier line that looks like an error"),
    }
}

fn copy(ui: &mut Ui, model: &Model) -> Vec<Effect> {
    let line = with_reader(
        &mut ui.logs,
        model,
        |_| true,
        |reader, state| {
            let cursor = state.frozen.as_ref().map(|frozen| frozen.cursor.clone());
            reader.line(&cursor.or_else(|| reader.before(None, 1).pop())?)
        },
    );
    let Some(line) = line else { return Vec::new() };
    ui.say(Tone::Plain, "copied the line");
    vec![Effect::Copy(text::clean(&line.text).into_owned())]
}
