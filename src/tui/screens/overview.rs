//! Blocking issues first: the regions, their expected connectivity, and what keeps
//! the cluster from running, or its progress.
//!
//! ```text
//! ╭ Regions ─────────────────────────╮╭ Expected connectivity ────────╮
//! │ ★ us-west-2  us.yaml  0/3  ✓18   ││            us-west-2  eu-west-1│
//! ╰──────────────────────────────────╯╰────────────────────────────────╯
//! ╭ Cluster ── once something was launched ────────────────────────────╮
//! ╭ Blocking issues ──────────────────────────────────────────────────╮
//! │ ✗ eu-west-1   key pair quokka is missing    RunInstances would …   │
//! ╰────────────────────────────────────────────────────────────────────╯
//! ```

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    text::{Line, Span},
};

use super::{Pane, finding};
use crate::{
    check::Finding,
    engine::ClusterPhase,
    tui::{
        Ui,
        action::{Action, Effect, Motion, Screen},
        finding_fix::FindingFix,
        lifecycle,
        model::{Model, Tone},
        screens::overview::progress::progress,
        text,
        theme::Theme,
        ui::matches,
        widgets::{
            matrix::Matrix,
            panel,
            selection::Selection,
            table::{Column, MARKER, Table},
        },
    },
};

pub(super) mod progress;
mod regions;
mod verdict;

/// Height from which the selected finding is shown in full below the list.
const DETAILS: usize = 12;

/// Lines from which on the cluster's way and the list of troubles both fit.
const BOTH: u16 = 12;

/// What the user has done here. The list of troubles is the pane in use first.
#[derive(Debug, Default)]
pub struct State {
    pub(in crate::tui) filter: String,
    troubles: Selection,
    regions: Selection,
    pane: Pane,
}

impl State {
    /// Whether the keys go to the table of regions.
    pub fn on_regions(&self) -> bool {
        self.pane == Pane::Second
    }
}

/// Draws the screen.
pub fn view(model: &Model, state: &mut State, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let rows = u16::try_from(model.project.regions.len()).unwrap_or(u16::MAX).saturating_add(3);
    let [top, rest] =
        Layout::vertical([Constraint::Length(rows.min(area.height * 2 / 3)), Constraint::Min(3)])
            .areas(area);
    upper(model, state, top, buf, theme);
    let launched = model.state.phase != ClusterPhase::Planned;
    // Where there is no room for both, the tab still counts what the checks say.
    let untroubled = model.troubles().is_empty() && model.findings.is_some();
    if launched && (untroubled || rest.height < BOTH) {
        return progress(model, rest, buf, theme);
    }
    let below = if launched { (rest.height / 2).max(7) } else { 0 };
    let [middle, bottom] =
        Layout::vertical([Constraint::Length(below), Constraint::Min(3)]).areas(rest);
    if launched {
        progress(model, middle, buf, theme);
    }
    lower(model, state, bottom, buf, theme);
}

/// The list of troubles, and the selected one in full where there is room.
fn lower(model: &Model, state: &mut State, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let rows = model.troubles().len() + 2;
    let spare = usize::from(area.height).saturating_sub(rows);
    if rows == 2 || spare < DETAILS {
        return troubles(model, state, true, area, buf, theme);
    }
    let rows = u16::try_from(rows).unwrap_or(u16::MAX);
    let [list, below] =
        Layout::vertical([Constraint::Length(rows), Constraint::Fill(1)]).areas(area);
    troubles(model, state, false, list, buf, theme);
    let Some(finding) = selected(state, model) else { return };
    let title = Line::styled(finding.check, theme.strong);
    let inner = panel::pane(title, false, below, buf, theme);
    let inner = Rect { x: inner.x + 2, width: inner.width.saturating_sub(4), ..inner };
    let lines = finding::details(finding, model, inner.width.into(), theme);
    panel::lines(lines.iter(), inner, buf);
}

fn upper(model: &Model, state: &mut State, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let narrow = regions::width(model);
    let room = usize::from(area.width).saturating_sub(narrow + 4);
    let matrix = Matrix::new(model, room);
    let taken = u16::try_from(matrix.width() + 3).unwrap_or(u16::MAX).max(20);
    let [left, right] =
        Layout::horizontal([Constraint::Fill(1), Constraint::Length(taken)]).areas(area);
    let focused = state.pane == Pane::Second;
    regions::view(model, &mut state.regions, focused, left, buf, theme);
    let title = Line::from(vec![
        Span::styled("Expected connectivity", theme.strong),
        Span::styled(" row to column", theme.dim),
    ]);
    let inner = panel::pane(title, false, right, buf, theme);
    matrix.render(
        Rect { x: inner.x + 1, width: inner.width.saturating_sub(1), ..inner },
        buf,
        theme,
    );
}

/// The list; `alone`: nothing below it shows the selected one in full.
fn troubles(
    model: &Model,
    state: &mut State,
    alone: bool,
    area: Rect,
    buf: &mut Buffer,
    theme: &Theme,
) {
    let troubles = shown_troubles(model, &state.filter);
    let focused = state.pane == Pane::First;
    let title = verdict::title(model, troubles.len(), &state.filter, theme);
    let inner = panel::pane(title, focused, area, buf, theme);
    if troubles.is_empty() {
        let lines = verdict::nothing_to_list(model, &state.filter, inner.width.into(), theme);
        return panel::lines(lines.iter(), inner, buf);
    }
    let banner = verdict::banner(model, inner.width.into(), theme);
    let above = u16::try_from(banner.len()).unwrap_or(u16::MAX).min(inner.height / 2);
    let [top, inner] =
        Layout::vertical([Constraint::Length(above), Constraint::Fill(1)]).areas(inner);
    panel::lines(banner.iter(), top, buf);
    let keys: Vec<_> = troubles.iter().map(|finding| finding::key(finding)).collect();
    let selected = state.troubles.settle(&keys);
    let (columns, beside) = trouble_columns(&troubles, inner.width.into());
    // Without room next to the title, the line below shows the fix of the selected one.
    let below = u16::from(alone && !beside && inner.height > 3);
    let [list, line] =
        Layout::vertical([Constraint::Min(1), Constraint::Length(below)]).areas(inner);
    let table = Table { columns: &columns, theme, titles: false, selected, focused };
    let window = state.troubles.window(selected, keys.len(), table.height(list));
    panel::position(&window, keys.len(), area, buf, theme);
    let short = columns[1].title == "short";
    table.render(window, list, buf, |index| trouble_row(troubles[index], model, short, theme));
    if let Some(finding) = selected.map(|index| troubles[index]) {
        let impact = finding.impact.clone().unwrap_or_default();
        let hint = fix_text(finding, model).unwrap_or(impact);
        let hint = text::clean(&hint);
        let text = text::fit(&hint, usize::from(line.width).saturating_sub(4));
        let line_shown = Line::styled(format!("  → {text}"), theme.dim);
        panel::lines(std::iter::once(&line_shown), line, buf);
    }
}

fn trouble_columns(troubles: &[&Finding], width: usize) -> (Vec<Column<'static>>, bool) {
    let longest = |of: &dyn Fn(&Finding) -> usize| {
        troubles.iter().map(|finding| of(finding)).max().unwrap_or(0)
    };
    let title = longest(&|finding| text::width(&finding.title));
    let full = longest(&|finding| text::width(&finding.subject.to_string()));
    let short = longest(&|finding| text::width(&text::short_subject(&finding.subject)));
    let room = width.saturating_sub(MARKER + 2);
    let roomy = room >= full + title + 32;
    let subject = if roomy { full } else { short };
    let rest = room.saturating_sub(subject + title + 2);
    let impact = longest(&|finding| finding.impact.as_deref().map_or(0, text::width));
    let beside = rest >= impact.min(48);
    let title = if beside { title } else { room.saturating_sub(subject + 1) };
    let mut columns = vec![
        Column::new("", 1),
        Column::new(if roomy { "full" } else { "short" }, subject),
        Column::new("", title),
    ];
    if beside {
        columns.push(Column::new("", rest));
    }
    (columns, beside)
}

fn trouble_row<'f>(
    finding: &'f Finding,
    model: &Model,
    short: bool,
    theme: &Theme,
) -> Vec<Span<'f>> {
    let style = theme.level(finding.level);
    let subject =
        if short { text::short_subject(&finding.subject) } else { finding.subject.to_string() };
    let impact = finding.impact.clone().unwrap_or_default();
    let beside = fix_text(finding, model).unwrap_or(impact);
    vec![
        Span::styled(finding.level.mark(), style),
        Span::raw(subject),
        Span::styled(text::clean(&finding.title), theme.strong),
        Span::styled(text::clean(&beside).into_owned(), theme.dim),
    ]
}

/// Returns the fix in short; `None` where only the user can fix it, so that the impact is shown.
fn fix_text(finding: &Finding, model: &Model) -> Option<String> {
    if lifecycle::fixes(finding, model) {
        return Some("A: take over what `ray up` made".into());
    }
    FindingFix::of(finding, model).filter(|fix| !fix.is_by_hand()).map(|fix| fix.short())
}

fn shown_troubles<'m>(model: &'m Model, filter: &str) -> Vec<&'m Finding> {
    let mut troubles = model.troubles();
    troubles.retain(|finding| {
        matches(filter, &[finding.check, &finding.title, &finding.subject.to_string()])
    });
    troubles
}

/// What a key does here.
pub fn update(ui: &mut Ui, model: &Model, action: Action) -> Vec<Effect> {
    if ui.overview.pane.go(action, &mut ui.screen) {
        return Vec::new();
    }
    match action {
        Action::Move(motion) => go(&mut ui.overview, model, motion),
        Action::Open => open(ui, model),
        Action::Copy => return copy(ui, model),
        Action::Fix => return fix(ui, model),
        _ => {}
    }
    Vec::new()
}

fn go(state: &mut State, model: &Model, motion: Motion) {
    match state.pane {
        Pane::First => {
            let troubles = shown_troubles(model, &state.filter);
            let keys: Vec<_> = troubles.into_iter().map(finding::key).collect();
            state.troubles.go(motion, &keys);
        }
        Pane::Second => state.regions.go(motion, &regions::keys(model)),
    }
}

fn selected<'m>(state: &mut State, model: &'m Model) -> Option<&'m Finding> {
    let troubles = shown_troubles(model, &state.filter);
    let keys: Vec<_> = troubles.iter().map(|finding| finding::key(finding)).collect();
    state.troubles.settle(&keys).map(|index| troubles[index])
}

fn open(ui: &mut Ui, model: &Model) {
    match ui.overview.pane {
        Pane::First => {
            if let Some(finding) = selected(&mut ui.overview, model) {
                ui.preflight.show(finding);
                ui.screen = Screen::Preflight;
            }
        }
        Pane::Second => {
            let keys = regions::keys(model);
            if let Some(index) = ui.overview.regions.settle(&keys) {
                keys[index].clone_into(&mut ui.instances.filter);
                ui.screen = Screen::Instances;
            }
        }
    }
}

fn fix(ui: &mut Ui, model: &Model) -> Vec<Effect> {
    match selected(&mut ui.overview, model) {
        Some(finding) => finding::fix(ui, model, &[finding]),
        None => Vec::new(),
    }
}

fn copy(ui: &mut Ui, model: &Model) -> Vec<Effect> {
    let Some(finding) = selected(&mut ui.overview, model) else { return Vec::new() };
    ui.say(Tone::Plain, "copied the finding");
    vec![Effect::Copy(finding::as_text(finding))]
}
