//! The answer first: the regions, whether they can talk, and what stands
//! between the user and a running cluster, or how far the cluster is.
//!
//! ```text
//! ╭ Regions ─────────────────────────╮╭ Can they talk? ───────────────╮
//! │ ★ us-west-2  us.yaml  0/3  √18   ││            us-west-2  eu-west-1│
//! ╰──────────────────────────────────╯╰────────────────────────────────╯
//! ╭ Cluster ── once something was launched ────────────────────────────╮
//! ╭ Between you and a running cluster ─────────────────────────────────╮
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
    check::{Finding, Subject},
    config::RegionConfig,
    engine::ClusterPhase,
    tui::{
        Ui,
        action::{Action, Effect, Motion, Screen},
        model::{Model, Tone},
        screens::overview::progress::progress,
        text,
        theme::Theme,
        ui::matches,
        widgets::{
            chrome::counts,
            matrix::Matrix,
            panel,
            selection::Selection,
            table::{Column, MARKER, Table},
        },
    },
};

mod progress;
mod verdict;

/// What the user has done here. The list of troubles is the pane in use first.
#[derive(Debug, Default)]
pub struct State {
    pub(in crate::tui) filter: String,
    troubles: Selection,
    regions: Selection,
    pane: Pane,
}

/// Draws the screen.
pub fn view(model: &Model, state: &mut State, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let rows = u16::try_from(model.project.regions.len()).unwrap_or(u16::MAX).saturating_add(3);
    let progress_rows = if model.state.phase == ClusterPhase::Planned { 0 } else { 7 };
    let [top, middle, bottom] = Layout::vertical([
        Constraint::Length(rows.min(area.height / 2)),
        Constraint::Length(progress_rows),
        Constraint::Min(3),
    ])
    .areas(area);
    upper(model, state, top, buf, theme);
    if middle.height > 0 {
        progress(model, middle, buf, theme);
    }
    troubles(model, state, bottom, buf, theme);
}

fn upper(model: &Model, state: &mut State, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let regions = RegionColumns::new(model);
    let narrow = regions.width(false);
    let room = usize::from(area.width).saturating_sub(narrow + 4);
    let matrix = Matrix::new(model, room);
    let taken = u16::try_from(matrix.width() + 3).unwrap_or(u16::MAX).max(20);
    let [left, right] =
        Layout::horizontal([Constraint::Fill(1), Constraint::Length(taken)]).areas(area);
    regions_table(model, state, &regions, left, buf, theme);
    let title = Line::from(vec![
        Span::styled("Can they talk?", theme.strong),
        Span::styled(" row to column", theme.dim),
    ]);
    let inner = panel::pane(title, false, right, buf, theme);
    matrix.render(
        Rect { x: inner.x + 1, width: inner.width.saturating_sub(1), ..inner },
        buf,
        theme,
    );
}

/// The widths of the table of regions.
struct RegionColumns {
    region: usize,
    config: usize,
    checks: usize,
    vpc: usize,
}

impl RegionColumns {
    fn new(model: &Model) -> Self {
        let configs = &model.project.regions;
        let longest = |of: &dyn Fn(&RegionConfig) -> usize| configs.iter().map(of).max();
        let checks = |config: &RegionConfig| {
            let spans = counts(&model.summary_of(&config.region), &Theme::colours());
            spans.iter().map(Span::width).sum()
        };
        Self {
            region: longest(&|config| config.region.as_str().len() + 2).unwrap_or(0),
            config: longest(&|config| file_name(config).chars().count()).unwrap_or(0).max(6),
            checks: longest(&checks).unwrap_or(0).max(8),
            vpc: longest(&|config| vpc_of(model, config).len()).unwrap_or(0),
        }
    }

    /// With the border; `full`: with what goes first where it is narrow.
    fn width(&self, full: bool) -> usize {
        let narrow = 2 + MARKER + self.region + 1 + 6 + 1 + self.checks;
        if full { narrow + 2 + self.config + self.vpc } else { narrow }
    }

    fn columns(&self, width: usize) -> Vec<Column<'static>> {
        let mut columns = vec![Column::new("  region", self.region), Column::new("nodes", 6)];
        if width >= self.width(true) {
            columns.insert(1, Column::new("config", self.config));
        }
        columns.push(Column::new("checks", self.checks));
        if width >= self.width(true) {
            columns.push(Column::new("VPC", self.vpc));
        }
        columns
    }
}

fn regions_table(
    model: &Model,
    state: &mut State,
    widths: &RegionColumns,
    area: Rect,
    buf: &mut Buffer,
    theme: &Theme,
) {
    let focused = state.pane == Pane::Second;
    let inner = panel::pane(Line::styled("Regions", theme.strong), focused, area, buf, theme);
    let keys = region_keys(model);
    let selected = state.regions.settle(&keys);
    let columns = widths.columns(area.width.into());
    let full = columns.len() == 5;
    let table = Table {
        columns: &columns,
        theme,
        titles: true,
        selected: selected.filter(|_| focused),
        focused,
    };
    let window = state.regions.window(selected, keys.len(), table.height(inner));
    panel::position(&window, keys.len(), area, buf, theme);
    let checks_at = usize::from(inner.x)
        + MARKER
        + widths.region
        + 1
        + 7
        + if full { widths.config + 1 } else { 0 };
    table.render(window.clone(), inner, buf, |index| {
        region_row(model, &model.project.regions[index], full, theme)
    });
    for (y, index) in (inner.y + 1..inner.bottom()).zip(window) {
        let region = &model.project.regions[index].region;
        checks(model, region, checks_at, y, inner, buf, theme);
    }
}

fn region_row<'m>(
    model: &'m Model,
    config: &'m RegionConfig,
    full: bool,
    theme: &Theme,
) -> Vec<Span<'m>> {
    let leads = *config.region == *model.project.leader;
    let mark = if leads { "★ " } else { "  " };
    let (ready, all) = model.ready_in(&config.region);
    let style = if all > 0 && ready == all { theme.good } else { theme.text };
    let name = if leads { theme.accent } else { theme.text };
    let mut row = vec![
        Span::styled(format!("{mark}{}", *config.region), name),
        Span::styled(format!("{ready}/{all}"), style),
        Span::raw(""),
    ];
    if full {
        row.insert(1, Span::raw(file_name(config)));
        row.push(Span::styled(vpc_of(model, config), theme.dim));
    }
    row
}

/// The counts of a region's findings: several styles in one cell.
fn checks(
    model: &Model,
    region: &crate::model::Region,
    x: usize,
    y: u16,
    inner: Rect,
    buf: &mut Buffer,
    theme: &Theme,
) {
    let spans = match &model.findings {
        Some(_) => counts(&model.summary_of(region), theme),
        None if model.looking => vec![Span::styled(" …", theme.dim)],
        None => Vec::new(),
    };
    let line = Line::from(spans);
    let Ok(x) = u16::try_from(x.saturating_sub(1)) else { return };
    buf.set_line(x, y, &line, inner.right().saturating_sub(x));
}

fn file_name(config: &RegionConfig) -> String {
    let name = config.source.path.file_name().unwrap_or(config.source.path.as_os_str());
    name.to_string_lossy().into_owned()
}

fn vpc_of(model: &Model, config: &RegionConfig) -> String {
    let survey = model.survey.as_ref().and_then(|survey| survey.regions.get(&*config.region));
    let vpcs = survey.and_then(|region| region.vpcs.known());
    let cidrs = vpcs.into_iter().flatten().filter_map(|vpc| vpc.cidrs.first());
    cidrs.map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn troubles(model: &Model, state: &mut State, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let troubles = shown_troubles(model, &state.filter);
    let focused = state.pane == Pane::First;
    let title = verdict::title(model, troubles.len(), &state.filter, theme);
    let inner = panel::pane(title, focused, area, buf, theme);
    if troubles.is_empty() {
        let lines = verdict::nothing_to_list(model, &state.filter, inner.width.into(), theme);
        return panel::lines(lines.iter(), inner, buf);
    }
    let keys: Vec<_> = troubles.iter().map(|finding| finding::key(finding)).collect();
    let selected = state.troubles.settle(&keys);
    let (columns, beside) = trouble_columns(&troubles, inner.width.into());
    // Without room beside the title, the line below tells of the selected one.
    let below = u16::from(!beside && inner.height > 3);
    let [list, line] =
        Layout::vertical([Constraint::Min(1), Constraint::Length(below)]).areas(inner);
    let table = Table { columns: &columns, theme, titles: false, selected, focused };
    let window = state.troubles.window(selected, keys.len(), table.height(list));
    panel::position(&window, keys.len(), area, buf, theme);
    let short = columns[1].title == "short";
    table.render(window, list, buf, |index| trouble_row(troubles[index], short, theme));
    if let Some(finding) = selected.map(|index| troubles[index]) {
        let leads_to = finding.leads_to.as_deref().unwrap_or_default();
        let leads_to = text::clean(leads_to);
        let text = text::fit(&leads_to, usize::from(line.width).saturating_sub(4));
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
    let short = longest(&|finding| text::width(&short_subject(&finding.subject)));
    let room = width.saturating_sub(MARKER + 2);
    let roomy = room >= full + title + 32;
    let subject = if roomy { full } else { short };
    let rest = room.saturating_sub(subject + title + 2);
    let beside = rest >= 24;
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

fn trouble_row<'f>(finding: &'f Finding, short: bool, theme: &Theme) -> Vec<Span<'f>> {
    let style = theme.level(finding.level);
    let subject = if short { short_subject(&finding.subject) } else { finding.subject.to_string() };
    let leads_to = finding.leads_to.as_deref().unwrap_or_default();
    vec![
        Span::styled(finding.level.mark(), style),
        Span::raw(subject),
        Span::styled(text::clean(&finding.title), theme.strong),
        Span::styled(text::clean(leads_to), theme.dim),
    ]
}

fn short_subject(subject: &Subject) -> String {
    match subject {
        Subject::Local => "local".into(),
        Subject::Region(region) => text::short_region(region),
        Subject::Pair(a, b) => format!("{}↔{}", text::short_region(a), text::short_region(b)),
    }
}

fn shown_troubles<'m>(model: &'m Model, filter: &str) -> Vec<&'m Finding> {
    let mut troubles = model.troubles();
    troubles.retain(|finding| {
        matches(filter, &[finding.check, &finding.title, &finding.subject.to_string()])
    });
    troubles
}

fn region_keys(model: &Model) -> Vec<&str> {
    model.project.regions.iter().map(|config| config.region.as_str()).collect()
}

/// What a key does here.
pub fn update(ui: &mut Ui, model: &Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Move(motion) => go(&mut ui.overview, model, motion),
        Action::NextPane if ui.overview.pane == Pane::First => ui.overview.pane = Pane::Second,
        Action::NextPane => {
            ui.overview.pane = Pane::First;
            ui.screen = Screen::Instances;
        }
        Action::PreviousPane if ui.overview.pane == Pane::First => ui.screen = Screen::Logs,
        Action::PreviousPane | Action::Back => ui.overview.pane = Pane::First,
        Action::Open => open(ui, model),
        Action::Copy => return copy(ui, model),
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
        Pane::Second => state.regions.go(motion, &region_keys(model)),
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
            let keys = region_keys(model);
            if let Some(index) = ui.overview.regions.settle(&keys) {
                keys[index].clone_into(&mut ui.instances.filter);
                ui.screen = Screen::Instances;
            }
        }
    }
}

fn copy(ui: &mut Ui, model: &Model) -> Vec<Effect> {
    let Some(finding) = selected(&mut ui.overview, model) else { return Vec::new() };
    ui.say(Tone::Plain, "copied the finding");
    vec![Effect::Copy(finding::as_text(finding))]
}
