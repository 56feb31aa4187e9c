//! The end of a node's log, and why it failed if it did.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use crate::{
    engine::{NodeState, StepOutcome, StepState},
    tui::{model::Model, screens::logs::looks_like_error, text, theme::Theme, widgets::panel},
};

/// Draws the pane.
pub fn view(model: &Model, node: Option<&NodeState>, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let title = node.map(|node| title(node, theme)).unwrap_or_default();
    let inner = panel::pane(title, false, area, buf, theme);
    let Some(node) = node else { return };
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    let height = usize::from(inner.height);
    let mut failure = failure(node, model, inner.width.into(), theme);
    failure.truncate(height.saturating_sub(1));
    let mut lines =
        log(model, node, height.saturating_sub(failure.len()), inner.width.into(), theme);
    lines.append(&mut failure);
    panel::lines(lines.iter(), inner, buf);
}

fn title(node: &NodeState, theme: &Theme) -> Line<'static> {
    let mut title = Line::styled(node.name.to_string(), theme.strong);
    let last = node.steps.iter().max_by_key(|(_, step)| step.started);
    let doing = match last {
        Some((name, step)) if step.ended.is_none() => format!(" · {name}"),
        _ => format!(" · {}", node.phase.as_str()),
    };
    title.push_span(Span::styled(doing, theme.phase(node.phase)));
    title
}

fn log(
    model: &Model,
    node: &NodeState,
    height: usize,
    width: usize,
    theme: &Theme,
) -> Vec<Line<'static>> {
    let read = |log: &crate::engine::NodeLog| -> Vec<Line<'static>> {
        let lines = log.lines();
        let first = lines.len().saturating_sub(height);
        lines
            .range(first..)
            .map(|line| {
                let at = text::time_of_day(line.at, &model.zone);
                let text = text::clean(&line.text);
                let style = if looks_like_error(&text) { theme.bad } else { theme.text };
                let text = text::fit(&text, width.saturating_sub(9)).into_owned();
                Line::from(vec![
                    Span::styled(format!("{at} "), theme.dim),
                    Span::styled(text, style),
                ])
            })
            .collect()
    };
    let lines = model.logs.with(&node.name, read);
    if lines.is_empty() && height > 0 {
        return vec![Line::styled("nothing printed yet", theme.dim)];
    }
    lines
}

/// Why the node failed: the step, its exit status and try, the failure, what to do.
fn failure(node: &NodeState, model: &Model, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let steps = node.steps.iter().filter(|(_, step)| {
        !matches!(
            step.outcome,
            None | Some(StepOutcome::Succeeded | StepOutcome::Skipped | StepOutcome::Voided)
        )
    });
    let mut texts = Vec::new();
    if let Some((name, step)) = steps.max_by_key(|(_, step)| step.started) {
        texts.push((outcome(name, step, model), theme.bad));
    }
    if let Some(failure) = &node.failure {
        texts.push((failure.to_string(), theme.bad));
        let hint = failure.hint.iter().map(|hint| (format!("→ {hint}"), theme.accent));
        texts.extend(hint);
    }
    let wrapped = texts.iter().flat_map(|(text, style)| {
        let lines = text::wrap(&text::clean(text), width);
        lines.into_iter().map(|line| Line::styled(line, *style))
    });
    wrapped.collect()
}

fn outcome(name: &str, step: &StepState, model: &Model) -> String {
    let how = match &step.outcome {
        Some(StepOutcome::Failed { status, .. }) => format!("exit {status}"),
        Some(StepOutcome::TimedOut { after_s, .. }) => format!("stopped after {after_s} s"),
        Some(StepOutcome::Lost { failure }) => format!("connection lost: {failure}"),
        Some(StepOutcome::Blocked { by }) => format!("not run, since {by} failed"),
        None | Some(StepOutcome::Succeeded | StepOutcome::Skipped | StepOutcome::Voided) => {
            return String::new();
        }
    };
    let recipe = model.project.recipe.steps.iter().find(|definition| definition.name == name);
    let tries = recipe.map_or(step.attempt, |definition| definition.retries + 1);
    let took = step.ended.map(|ended| format!(" after {}", text::between(step.started, ended)));
    format!(
        "✗ {name}: {how}{} · try {} of {}",
        took.unwrap_or_default(),
        step.attempt,
        tries.max(step.attempt)
    )
}
