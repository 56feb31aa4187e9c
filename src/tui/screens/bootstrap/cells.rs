//! One row of the grid: a cell for each phase and step.

use jiff::Timestamp;
use ratatui::text::Span;

use crate::{
    config::Step,
    engine::{NodeState, Phase, StepOutcome, StepState},
    tui::{model::Model, text, theme::Theme},
};

/// The cells of `node`, called `name`, those of `steps` among them.
pub fn row(
    node: &NodeState,
    name: &str,
    steps: &[&Step],
    model: &Model,
    theme: &Theme,
) -> Vec<Span<'static>> {
    let now = model.now();
    let (mark, style) = mark(node, model, theme);
    let mut row = vec![
        Span::styled(format!("{mark} {name}"), style),
        phase(node, Phase::Booting, now, theme),
        connection(node, model, theme),
    ];
    // A step of a stopped node does not run, whatever it reported last.
    let stopped = node.since.get(&node.phase).filter(|_| node.phase != Phase::Bootstrapping);
    row.extend(steps.iter().map(|definition| step(node, definition, stopped, now, theme)));
    row.push(total(node, now, theme));
    row
}

fn mark(node: &NodeState, model: &Model, theme: &Theme) -> (&'static str, ratatui::style::Style) {
    match (node.phase, node.leader) {
        _ if model.has_failed(node) => ("✗", theme.bad),
        _ if model.disconnected(node).is_some() => ("!", theme.warn),
        (Phase::Terminated, _) => ("-", theme.dim),
        (_, true) => ("★", theme.accent),
        (Phase::Ready, _) => ("✓", theme.good),
        _ => (" ", theme.text),
    }
}

/// How long a phase took or takes. It ended when the next phase began.
fn phase(node: &NodeState, phase: Phase, now: Timestamp, theme: &Theme) -> Span<'static> {
    let Some(start) = node.since.get(&phase) else { return Span::styled("·", theme.dim) };
    let later = node.since.iter().filter(|(other, at)| **other > phase && *at >= start);
    let end = later.min_by_key(|(_, at)| **at);
    match end {
        None if node.phase == phase => {
            Span::styled(format!("▶{}", text::between(*start, now)), theme.busy)
        }
        None => Span::styled("·", theme.dim),
        Some((Phase::Failed, end)) => {
            Span::styled(format!("✗{}", text::between(*start, *end)), theme.bad)
        }
        Some((_, end)) => Span::raw(text::between(*start, *end)),
    }
}

/// How long the first connection took, or for how long there is none.
fn connection(node: &NodeState, model: &Model, theme: &Theme) -> Span<'static> {
    match model.disconnected(node) {
        Some(lost) => Span::styled(format!("!{lost}"), theme.warn),
        None => phase(node, Phase::Connecting, model.now(), theme),
    }
}

fn step(
    node: &NodeState,
    step: &Step,
    stopped: Option<&Timestamp>,
    now: Timestamp,
    theme: &Theme,
) -> Span<'static> {
    if !step.on.includes(node.leader) {
        return Span::styled("-", theme.dim);
    }
    match node.steps.get(&step.name) {
        None => Span::styled("·", theme.dim),
        Some(state) if state.outcome == Some(StepOutcome::Voided) => Span::styled("·", theme.dim),
        Some(state) => match stopped {
            Some(at) if state.outcome.is_none() => {
                Span::styled(format!("?{}", text::between(state.started, *at)), theme.unknown)
            }
            _ => ran(state, now, theme),
        },
    }
}

fn ran(state: &StepState, now: Timestamp, theme: &Theme) -> Span<'static> {
    let took = text::between(state.started, state.ended.unwrap_or(now));
    match &state.outcome {
        None => Span::styled(format!("▶{took}"), theme.busy),
        Some(StepOutcome::Succeeded) => Span::raw(took),
        Some(StepOutcome::Skipped | StepOutcome::Voided) => Span::styled("-", theme.dim),
        Some(StepOutcome::Blocked { .. }) => Span::styled("! waits", theme.warn),
        Some(StepOutcome::Lost { .. }) => Span::styled(format!("?{took}"), theme.unknown),
        Some(StepOutcome::Failed { .. } | StepOutcome::TimedOut { .. }) => {
            Span::styled(format!("✗{took}"), theme.bad)
        }
    }
}

/// From the launch or the last start until ready, or until now.
fn total(node: &NodeState, now: Timestamp, theme: &Theme) -> Span<'static> {
    let Some(start) = node.begun() else { return Span::styled("·", theme.dim) };
    let settled = node.phase.is_settled().then(|| node.since.get(&node.phase)).flatten();
    let took = text::between(start, settled.copied().unwrap_or(now));
    let style = if settled.is_some() { theme.strong } else { theme.dim };
    Span::styled(took, style)
}
