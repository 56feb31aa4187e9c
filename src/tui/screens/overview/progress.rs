//! How far the cluster is, and what to do next.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use crate::{
    engine::{ClusterPhase, NodeState, Phase},
    tui::{
        model::Model,
        text,
        theme::{Theme, phase_mark},
        widgets::{bar::bar, panel},
    },
};

/// Draws the pane.
pub fn progress(model: &Model, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let inner = panel::pane(title(model, theme), false, area, buf, theme);
    let width = usize::from(inner.width);
    let next = next(model);
    let room = usize::from(inner.height).saturating_sub(2);
    let mut lines = vec![summary(model, width, theme)];
    lines.extend(failures(model, room, width, theme));
    lines.resize(usize::from(inner.height).saturating_sub(1), Line::default());
    let next = text::fit(&next, width.saturating_sub(4)).into_owned();
    lines.push(Line::from(vec![Span::styled("  → ", theme.accent), Span::raw(next)]));
    panel::lines(lines.iter(), inner, buf);
}

fn title(model: &Model, theme: &Theme) -> Line<'static> {
    let (word, style) = match model.state.phase {
        ClusterPhase::Planned => ("planned", theme.dim),
        ClusterPhase::Rising => ("▶ rising", theme.busy),
        ClusterPhase::Ready => ("√ ready", theme.good),
        ClusterPhase::Degraded => ("✗ not complete", theme.bad),
        ClusterPhase::Falling => ("↓ being ended", theme.warn),
        ClusterPhase::Gone => ("- gone", theme.dim),
    };
    let name = model.state.cluster.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut title = Line::from(vec![
        Span::styled("Cluster ", theme.strong),
        Span::raw(name),
        Span::styled(" ── ", theme.dim),
        Span::styled(word, style),
    ]);
    let spent = model.spent();
    if spent.known > 0 {
        title.push_span(Span::styled(format!(" ── {spent} so far"), theme.dim));
    }
    title
}

fn summary(model: &Model, width: usize, theme: &Theme) -> Line<'static> {
    let (ready, all) = model.ready();
    let mut line = Line::raw("  ");
    line.spans.extend(bar(ready, all, (width / 4).clamp(10, 40), theme));
    line.push_span(Span::raw(format!("  {ready} of {all} ready")));
    for phase in [
        Phase::Launching,
        Phase::Booting,
        Phase::Connecting,
        Phase::Bootstrapping,
        Phase::Failed,
        Phase::Terminating,
        Phase::Terminated,
    ] {
        let count = model.state.nodes.values().filter(|node| node.phase == phase).count();
        if count > 0 {
            let text = format!(" · {} {count} {}", phase_mark(phase), phase.as_str());
            line.push_span(Span::styled(text, theme.phase(phase)));
        }
    }
    line
}

/// The failed nodes with their reasons; where not all fit, how many more.
fn failures(model: &Model, room: usize, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let failed: Vec<_> =
        model.state.nodes.values().filter(|node| node.phase == Phase::Failed).collect();
    let shown = if failed.len() > room { room.saturating_sub(1) } else { failed.len() };
    let mut lines: Vec<_> =
        failed.iter().take(shown).map(|node| failure(node, width, theme)).collect();
    if failed.len() > shown {
        lines.push(Line::styled(format!("    and {} more", failed.len() - shown), theme.dim));
    }
    lines
}

fn failure(node: &NodeState, width: usize, theme: &Theme) -> Line<'static> {
    let why = node.failure.as_ref().map(ToString::to_string).unwrap_or_default();
    let text = format!("  ✗ {}  {}", node.name, text::clean(&why));
    Line::styled(text::fit(&text, width).into_owned(), theme.bad)
}

fn next(model: &Model) -> String {
    match model.state.phase {
        ClusterPhase::Planned => "u launches".into(),
        ClusterPhase::Rising => "4 shows every node's steps, 5 what they print".into(),
        ClusterPhase::Ready => ready(model),
        ClusterPhase::Degraded if model.missing().next().is_some() => {
            "2 shows why; u launches what is missing and goes on with the rest".into()
        }
        ClusterPhase::Degraded => "4 shows where they stopped; t there tries a node again".into(),
        ClusterPhase::Falling => "every region is asked until each instance is gone".into(),
        ClusterPhase::Gone => "nothing runs and nothing is billed; u launches anew".into(),
    }
}

fn ready(model: &Model) -> String {
    let leader = model.state.nodes.values().find(|node| node.leader);
    let address = leader.and_then(|node| node.instance.as_ref()).and_then(|info| {
        let private = info.private_ip.map(|ip| ip.to_string());
        let public = info.public_ip.map(|ip| ip.to_string());
        let both = [public, private].into_iter().flatten().collect::<Vec<_>>().join(" / ");
        (!both.is_empty()).then_some(both)
    });
    match (leader, address) {
        (Some(node), Some(address)) => {
            format!("the leader is {} at {address}; D ends the cluster", node.name)
        }
        _ => "D ends the cluster".into(),
    }
}
