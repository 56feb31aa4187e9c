//! Measured connectivity: what the nodes measured of their links once all services
//! ran, regions × regions, each cell with its cause.
//!
//! ```text
//! ╭ Measured connectivity ── row to column · 9 of 9 nodes reported · ✓52 ✗2 ──╮
//! │                 us-west-2   eu-west-1   ap-southeast-2                    │
//! │ us-west-2       ✓ 14        ✓ 6         ✓ 6                               │
//! │ eu-west-1       ✗ redis     ✓ 8         ✓ 6                               │
//! ╰────────────────────────────────────────────────────────────────────────────╯
//! ╭ eu-west-1 → us-west-2 ─────────────────────────────────────────────────────╮
//! │ ✗ redis  eu-west-1/worker-1 → us-west-2/head                               │
//! │          no answer within 5 s; likeliest a security group                  │
//! ╰────────────────────────────────────────────────────────────────────────────╯
//! ```

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    text::{Line, Span},
};

use super::Pane;
use crate::{
    engine::{Health, Probe},
    tui::{
        Ui,
        action::{Action, Effect, Motion, Screen},
        model::{Model, Tone},
        text,
        theme::Theme,
        ui::matches,
        widgets::{fields::Fields, panel, selection::Scroll},
    },
};

mod grid;
mod links;

use links::{Link, Links, about};

/// What the user has done here.
#[derive(Debug, Default)]
pub struct State {
    pub(in crate::tui) filter: String,
    /// The selected cell.
    cell: (usize, usize),
    /// The first cell in sight.
    first: (usize, usize),
    pane: Pane,
    scroll: Scroll,
}

/// Draws the screen.
pub fn view(model: &Model, state: &mut State, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let links = Links::of(model);
    let title = title(&links, theme);
    if links.verified.0 == 0 {
        let inner = panel::pane(title, true, area, buf, theme);
        let text = nothing_yet(model, inner.width.into(), theme);
        return panel::lines(text.iter(), inner, buf);
    }
    let rows = u16::try_from(links.regions.len() + 3).unwrap_or(u16::MAX);
    let rows = rows.min(area.height.saturating_sub(8)).max(5);
    let [above, below] =
        Layout::vertical([Constraint::Length(rows), Constraint::Fill(1)]).areas(area);
    let last = links.regions.len().saturating_sub(1);
    state.cell = (state.cell.0.min(last), state.cell.1.min(last));
    let focused = state.pane == Pane::First;
    let inner = panel::pane(title, focused, above, buf, theme);
    grid::render(&links, state.cell, &mut state.first, focused, (above, inner), buf, theme);
    details(&links, state, below, buf, theme);
}

fn title(links: &Links<'_>, theme: &Theme) -> Line<'static> {
    let (reported, all) = links.verified;
    let (hold, failed) = links.count();
    let mut title = Line::styled("Measured connectivity", theme.strong);
    let looked = format!(" row to column · {reported} of {all} nodes reported");
    title.push_span(Span::styled(looked, theme.dim));
    if hold > 0 {
        title.push_span(Span::styled(format!(" ✓{hold}"), theme.good));
    }
    if failed > 0 {
        title.push_span(Span::styled(format!(" ✗{failed}"), theme.bad));
    }
    title
}

/// The text before any node has reported its links.
fn nothing_yet(model: &Model, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let why = match model.state.readiness().health {
        Health::Planned | Health::Terminated => "Nothing runs yet: u launches.",
        Health::Ready => {
            "The cluster is ready, but no step of this recipe reported a link: one that prints \
             `muster-check` lines would, as the built-in recipe's last step does."
        }
        _ => "No node is that far yet: 4 shows the steps.",
    };
    let what = "Once its services run, each node looks whether it reaches the others as Quokka \
                will: Redis and Ray on the leader, Arrow Flight everywhere. What the checks \
                before a launch expect, this has seen.";
    let mut fields = Fields::new(width.saturating_sub(4), theme);
    fields.text(why, theme.text);
    fields.text("", theme.text);
    fields.text(what, theme.dim);
    let lines = fields.lines().into_iter();
    lines
        .map(|mut line| {
            line.spans.insert(0, Span::raw("  "));
            line
        })
        .collect()
}

fn details(links: &Links<'_>, state: &mut State, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let (from, to) = state.cell;
    let title = match (links.regions.get(from), links.regions.get(to)) {
        (Some(from), Some(to)) if from != to => format!("{from} → {to}"),
        (Some(region), _) => format!("within {region}"),
        _ => String::new(),
    };
    let focused = state.pane == Pane::Second;
    let inner = panel::pane(Line::styled(title, theme.strong), focused, area, buf, theme);
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    let wanted = |link: &&Link<'_>| {
        let filter = state.filter.as_str();
        let to = link.check.to.as_ref().map_or("", |to| to.as_str());
        matches(
            filter,
            &[link.from.name.as_str(), to, link.check.probe.as_str(), &link.check.detail],
        )
    };
    let shown: Vec<_> = links.cell(from, to).iter().filter(wanted).collect();
    let text = in_full(&shown, inner.width.into(), theme);
    let window = state.scroll.window(text.len(), inner.height.into());
    panel::position(&window, text.len(), area, buf, theme);
    panel::lines(text[window].iter(), inner, buf);
}

/// What fails with its cause, then what holds, counted.
fn in_full(links: &[&Link<'_>], width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut fields = Fields::new(width, theme);
    if links.is_empty() {
        fields.text("No check between the two was reported.", theme.dim);
    }
    for (probe, alike) in failing(links) {
        let Some(first) = alike.first() else { continue };
        let names: Vec<_> = alike.iter().map(|link| link.from.name.as_str()).collect();
        let to = first.check.to.as_ref().map(|to| format!(" → {to}")).unwrap_or_default();
        fields.text(&format!("✗ {}: {}{to}", probe.as_str(), names.join(", ")), theme.bad);
        fields.field("Observed", &[&first.check.detail]);
        fields.field("Probe", &[about(probe)]);
    }
    let mut probes: Vec<Probe> = links.iter().map(|link| link.check.probe).collect();
    probes.sort_unstable();
    probes.dedup();
    for probe in probes {
        let of_probe = links.iter().filter(|link| link.check.probe == probe);
        let hold = of_probe.clone().filter(|link| link.check.ok).count();
        let all = of_probe.count();
        if hold > 0 {
            let text = format!("✓ {}: {hold} of {all} · {}", probe.as_str(), about(probe));
            fields.text(&text, theme.good);
        }
    }
    fields.lines()
}

/// What fails: of several nodes that saw the same of the same node, all together.
fn failing<'l, 'm>(links: &[&'l Link<'m>]) -> Vec<(Probe, Vec<&'l Link<'m>>)> {
    let mut groups: Vec<(Probe, Vec<&'l Link<'m>>)> = Vec::new();
    for link in links.iter().filter(|link| !link.check.ok) {
        let alike = |group: &&mut (Probe, Vec<&Link<'_>>)| {
            group.1.first().is_some_and(|first| {
                let (a, b) = (first.check, link.check);
                (a.probe, &a.to, &a.detail) == (b.probe, &b.to, &b.detail)
            })
        };
        match groups.iter_mut().find(alike) {
            Some((_, group)) => group.push(link),
            None => groups.push((link.check.probe, vec![link])),
        }
    }
    groups
}

/// `flight: eu-west-1/worker-1 → us-west-2/head`
fn summary(link: &Link<'_>) -> String {
    let (probe, from) = (link.check.probe.as_str(), &link.from.name);
    match &link.check.to {
        Some(to) => format!("{probe}: {from} → {to}"),
        None => format!("{probe}: {from}"),
    }
}

/// Links that fail, for the tab.
pub fn failed(model: &Model) -> usize {
    let checks = model.state.nodes.values().flat_map(|node| &node.verified);
    checks.filter(|check| !check.ok).count()
}

/// What a key does here.
pub fn update(ui: &mut Ui, model: &Model, action: Action) -> Vec<Effect> {
    let state = &mut ui.verify;
    if state.pane.go(action, &mut ui.screen) {
        return Vec::new();
    }
    match action {
        Action::Move(motion) if state.pane == Pane::Second => state.scroll.go(motion),
        Action::Move(motion) => go(state, model, motion),
        Action::NextError => to_failing(ui, model, true),
        Action::PreviousError => to_failing(ui, model, false),
        Action::Open if state.pane == Pane::Second => open_log(ui, model),
        Action::Open => state.pane = Pane::Second,
        Action::Copy => return copy(ui, model),
        _ => {}
    }
    Vec::new()
}

fn go(state: &mut State, model: &Model, motion: Motion) {
    let last = Links::of(model).regions.len().saturating_sub(1);
    let (row, column) = state.cell;
    state.cell = match motion {
        Motion::Up => (row.saturating_sub(1), column),
        Motion::Down => ((row + 1).min(last), column),
        Motion::Left => (row, column.saturating_sub(1)),
        Motion::Right => (row, (column + 1).min(last)),
        Motion::Top | Motion::PageUp => (0, column),
        Motion::Bottom | Motion::PageDown => (last, column),
    };
    state.scroll = Scroll::default();
}

fn to_failing(ui: &mut Ui, model: &Model, forward: bool) {
    let failing = Links::of(model).failing();
    let here = ui.verify.cell;
    let found = if forward {
        failing.iter().find(|cell| **cell > here).or(failing.first())
    } else {
        failing.iter().rev().find(|cell| **cell < here).or(failing.last())
    };
    match found {
        Some(cell) => (ui.verify.cell, ui.verify.scroll) = (*cell, Scroll::default()),
        None => ui.say(Tone::Good, "no link fails"),
    }
}

/// The log of the node that tried, where something failed.
fn open_log(ui: &mut Ui, model: &Model) {
    let links = Links::of(model);
    let cell = links.cell(ui.verify.cell.0, ui.verify.cell.1);
    let link = cell.iter().find(|link| !link.check.ok).or(cell.first());
    if let Some(link) = link {
        ui.logs.show(&link.from.name);
        ui.screen = Screen::Logs;
    }
}

fn copy(ui: &mut Ui, model: &Model) -> Vec<Effect> {
    let links = Links::of(model);
    let cell = links.cell(ui.verify.cell.0, ui.verify.cell.1);
    let line = |link: &Link<'_>| {
        let mark = if link.check.ok { "✓" } else { "✗" };
        format!("{mark} {}: {}\n", summary(link), text::clean(&link.check.detail))
    };
    let text: String = cell.iter().map(line).collect();
    if text.is_empty() {
        return Vec::new();
    }
    ui.say(Tone::Plain, format!("copied {}", text::count(cell.len(), "check")));
    vec![Effect::Copy(text)]
}
