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
    engine::{Command, NodeState, Phase, host_of},
    tui::{
        Ui,
        action::{Action, Effect, Errand, Motion, Screen},
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
    step: Option<usize>,
    first_step: usize,
}

/// Draws the screen.
pub fn view(model: &Model, state: &mut State, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let nodes = shown(model, &state.filter);
    let keys: Vec<_> = nodes.iter().map(|node| node.name.as_str()).collect();
    let selected = state.rows.settle(&keys);
    let steps = &model.project.recipe.steps;
    let natural = Grid::new(&nodes, steps, usize::MAX).width(steps) + 2;
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

/// The step that the user chose, else the last one that `node` came to: what
/// runs is in sight although not all steps are.
fn chosen(state: &State, steps: &[Step], node: Option<&NodeState>) -> usize {
    let begun = |node: &NodeState| {
        steps.iter().rposition(|step| node.steps.contains_key(&step.name)).unwrap_or_default()
    };
    let step = state.step.unwrap_or_else(|| node.map(begun).unwrap_or_default());
    step.min(steps.len().saturating_sub(1))
}

fn chosen_step<'m>(ui: &Ui, model: &'m Model) -> Option<&'m Step> {
    let steps = &model.project.recipe.steps;
    steps.get(chosen(&ui.bootstrap, steps, selected(ui, model)))
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
    selected(ui, model).is_some_and(|node| node.phase == Phase::Failed && is_live(node))
}

/// Whether the selected step has run on the selected node, which is idle now.
pub fn can_retry_step(ui: &Ui, model: &Model) -> bool {
    let (Some(node), Some(step)) = (selected(ui, model), chosen_step(ui, model)) else {
        return false;
    };
    let idle = matches!(node.phase, Phase::Ready | Phase::Failed) && is_live(node);
    idle && node.steps.contains_key(&step.name)
}

fn is_live(node: &NodeState) -> bool {
    node.instance.as_ref().is_some_and(|info| info.state.is_live())
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
    let steps = &model.project.recipe.steps;
    let step = chosen(&ui.bootstrap, steps, selected(ui, model));
    let state = &mut ui.bootstrap;
    match motion {
        Motion::Left => state.step = Some(step.saturating_sub(1)),
        Motion::Right => state.step = Some((step + 1).min(steps.len().saturating_sub(1))),
        _ => {
            let nodes = shown(model, &state.filter);
            let keys: Vec<_> = nodes.iter().map(|node| node.name.as_str()).collect();
            state.rows.go(motion, &keys);
        }
    }
}

/// Whether the selected node has a machine to log in to.
pub fn can_log_in(ui: &Ui, model: &Model) -> bool {
    selected(ui, model).is_some_and(is_live)
}

/// Opens a shell on the selected node.
pub fn log_in(ui: &mut Ui, model: &Model) -> Vec<Effect> {
    let Some(node) = selected(ui, model) else { return Vec::new() };
    if model.simulated {
        ui.say(Tone::Plain, "simulated nodes have no sshd to log in to");
        return Vec::new();
    }
    if !is_live(node) {
        ui.say(Tone::Plain, format!("{} has no machine to log in to", node.name));
        return Vec::new();
    }
    match host_of(&model.project, node) {
        Ok(host) => vec![Effect::Lend(Errand::Ssh(host))],
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
