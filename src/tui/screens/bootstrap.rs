//! Nodes × steps with their times, and the end of the selected node's log.
//!
//! ```text
//! ╭ Nodes × steps ───────────────────────────╮╭ eu-west-1/worker-2 · packages ╮
//! │ node                 boot ssh packages   ││ 14:05:04 E: Could not get lock │
//! │ ★ us-west-2/head     21s  1s  18s        ││ ✗ exit 100 · try 2 of 3        │
//! ╰──────────────────────────────────────────╯╰────────────────────────────────╯
//! ```

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    text::{Line, Span},
};

use super::instances;
use crate::{
    config::Step,
    engine::{Command, NodeState, Phase, StepOutcome, host_of},
    tui::{
        Ui,
        action::{Action, Effect, ExternalProgram, Motion, Screen},
        model::{Model, Tone},
        theme::Theme,
        ui::matches,
        widgets::{panel, selection::Selection},
    },
};

mod cells;
mod grid;
mod tail;

use grid::Grid;

/// Columns that the log needs to stand beside the grid.
const LOG: usize = 50;

/// What the user has done here.
#[derive(Debug, Default)]
pub struct State {
    pub(in crate::tui) filter: String,
    rows: Selection,
    /// The chosen step; none: the one that the selected node is at.
    step: Option<String>,
    first_step: usize,
}

/// Draws the screen.
pub fn view(model: &Model, state: &mut State, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let nodes = shown(model, &state.filter);
    let keys: Vec<_> = nodes.iter().map(|node| node.name.as_str()).collect();
    let selected = state.rows.settle(&keys);
    let steps = &steps(model);
    let natural = Grid::new(&nodes, steps, usize::MAX).width() + 2;
    let beside = usize::from(area.width) >= natural + LOG;
    let grid_width = u16::try_from(natural).unwrap_or(u16::MAX);
    let layout = if beside {
        Layout::horizontal([Constraint::Length(grid_width), Constraint::Fill(1)])
    } else {
        let rows = u16::try_from(nodes.len() + 3).unwrap_or(u16::MAX);
        Layout::vertical([
            Constraint::Length(rows.clamp(5, area.height.saturating_sub(7).max(5))),
            Constraint::Fill(1),
        ])
    };
    let [left, right] = layout.areas(area);
    let inner = panel::pane(title(model, state, theme), true, left, buf, theme);
    let grid = Grid::new(&nodes, steps, inner.width.into());
    let node = selected.map(|index| nodes[index]);
    let step = chosen(state, steps, node);
    grid.render(model, state, (&nodes, selected, step), (left, inner), buf, theme);
    tail::view(model, node, right, buf, theme);
}

/// The steps that are shown: one that all nodes so far had nothing to do for
/// only takes the room of others.
fn steps(model: &Model) -> Vec<&Step> {
    let mut steps: Vec<_> = model.project.recipe.steps.iter().collect();
    steps.retain(|step| {
        let nodes = model.state.nodes.values();
        let mut outcomes =
            nodes.filter_map(|node| Some(node.steps.get(&step.name)?.outcome.as_ref()));
        let first = outcomes.next();
        let is_skipped = |outcome| matches!(outcome, Some(&StepOutcome::Skipped));
        !first.is_some_and(is_skipped) || !outcomes.all(is_skipped)
    });
    steps
}

/// The place in `steps` of the one that the user chose, else of the last one
/// that `node` came to: what runs is in sight although not all steps are.
fn chosen(state: &State, steps: &[&Step], node: Option<&NodeState>) -> usize {
    let by_user = state.step.as_ref();
    let by_user = by_user.and_then(|name| steps.iter().position(|step| step.name == *name));
    let begun = |node: &NodeState| {
        steps.iter().rposition(|step| node.steps.contains_key(&step.name)).unwrap_or_default()
    };
    by_user.unwrap_or_else(|| node.map(begun).unwrap_or_default())
}

fn chosen_step<'m>(ui: &Ui, model: &'m Model) -> Option<&'m Step> {
    let steps = steps(model);
    steps.get(chosen(&ui.bootstrap, &steps, selected(ui, model))).copied()
}

fn title(model: &Model, state: &State, theme: &Theme) -> Line<'static> {
    let (ready, all) = model.ready();
    let mut title = Line::styled("Nodes × steps", theme.strong);
    title.push_span(Span::styled(format!(" {ready} of {all} ready"), theme.dim));
    let spent = model.spent();
    if spent.known > 0 {
        title.push_span(Span::styled(format!(" · {spent} so far"), theme.dim));
    }
    if !state.filter.is_empty() {
        title.push_span(Span::styled(format!(" · with “{}”", state.filter), theme.dim));
    }
    title
}

fn shown<'m>(model: &'m Model, filter: &str) -> Vec<&'m NodeState> {
    let mut nodes = model.nodes_in_order();
    nodes.retain(|node| matches(filter, &[node.name.as_str(), node.phase.as_str()]));
    nodes
}

fn selected<'m>(ui: &Ui, model: &'m Model) -> Option<&'m NodeState> {
    if ui.screen == Screen::Instances {
        return instances::selected_node(&ui.instances, model);
    }
    let nodes = shown(model, &ui.bootstrap.filter);
    let keys: Vec<_> = nodes.iter().map(|node| node.name.as_str()).collect();
    ui.bootstrap.rows.clone().settle(&keys).map(|index| nodes[index])
}

/// Whether the selected node has failed and has a machine to try again on.
pub fn can_retry_node(ui: &Ui, model: &Model) -> bool {
    selected(ui, model).is_some_and(|node| node.phase == Phase::Failed && node.is_up())
}

/// Whether the selected step has run on the selected node, which is idle now.
pub fn can_retry_step(ui: &Ui, model: &Model) -> bool {
    let (Some(node), Some(step)) = (selected(ui, model), chosen_step(ui, model)) else {
        return false;
    };
    let idle = matches!(node.phase, Phase::Ready | Phase::Failed) && node.is_up();
    idle && node.steps.contains_key(&step.name)
}

/// What a key does here.
pub fn update(ui: &mut Ui, model: &Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Move(motion) => go(ui, model, motion),
        Action::Back => ui.bootstrap.step = None,
        Action::NextPane => ui.screen = ui.screen.next(),
        Action::PreviousPane => ui.screen = ui.screen.previous(),
        Action::Open => {
            let name = selected(ui, model).map(|node| node.name.clone());
            if let Some(name) = name {
                ui.logs.show(&name);
                ui.screen = Screen::Logs;
            }
        }
        Action::RetryNode => return retry_node(ui, model),
        Action::Shell => return log_in(ui, model),
        Action::RetryStep => return retry_step(ui, model),
        _ => {}
    }
    Vec::new()
}

fn go(ui: &mut Ui, model: &Model, motion: Motion) {
    let steps = steps(model);
    let step = chosen(&ui.bootstrap, &steps, selected(ui, model));
    let state = &mut ui.bootstrap;
    let name = |place: usize| steps.get(place).map(|step| step.name.clone());
    match motion {
        Motion::Left => state.step = name(step.saturating_sub(1)),
        Motion::Right => state.step = name((step + 1).min(steps.len().saturating_sub(1))),
        _ => {
            let nodes = shown(model, &state.filter);
            let keys: Vec<_> = nodes.iter().map(|node| node.name.as_str()).collect();
            state.rows.go(motion, &keys);
        }
    }
}

/// Whether the selected node has a machine to log in to.
pub fn can_log_in(ui: &Ui, model: &Model) -> bool {
    selected(ui, model).is_some_and(NodeState::is_up)
}

/// Opens a shell on the selected node.
pub fn log_in(ui: &mut Ui, model: &Model) -> Vec<Effect> {
    let Some(node) = selected(ui, model) else { return Vec::new() };
    if model.simulated {
        ui.say(Tone::Plain, "simulated nodes have no sshd to log in to");
        return Vec::new();
    }
    if !node.is_up() {
        let why = if node.is_stopped() {
            "is stopped: P starts it"
        } else {
            "has no machine to log in to"
        };
        ui.say(Tone::Plain, format!("{} {why}", node.name));
        return Vec::new();
    }
    match host_of(&model.project, node) {
        Ok(host) => vec![Effect::RunExternal(ExternalProgram::Ssh(host))],
        Err(failure) => {
            let hint = failure.hint.as_ref().map(|hint| format!(" · {hint}")).unwrap_or_default();
            ui.say(Tone::Bad, format!("{failure}{hint}"));
            Vec::new()
        }
    }
}

/// Tries the selected node again, if it has failed.
pub fn retry_node(ui: &mut Ui, model: &Model) -> Vec<Effect> {
    let Some(node) = selected(ui, model) else { return Vec::new() };
    if !can_retry_node(ui, model) {
        let why =
            if model.has_failed(node) { "has no machine: u launches it" } else { "has not failed" };
        ui.say(Tone::Plain, format!("{} {why}", node.name));
        return Vec::new();
    }
    ui.say(Tone::Plain, format!("trying {} again", node.name));
    vec![Effect::Send(Command::RetryNode(node.name.clone()))]
}

fn retry_step(ui: &mut Ui, model: &Model) -> Vec<Effect> {
    let (Some(node), Some(step)) = (selected(ui, model), chosen_step(ui, model)) else {
        return Vec::new();
    };
    if !can_retry_step(ui, model) {
        let text = format!(
            "{} can't run on {} now: it has not run there yet, or the node is busy",
            step.name, node.name
        );
        ui.say(Tone::Plain, text);
        return Vec::new();
    }
    ui.say(Tone::Plain, format!("running {} on {} again", step.name, node.name));
    vec![Effect::Send(Command::RetryStep(node.name.clone(), step.name.clone()))]
}
