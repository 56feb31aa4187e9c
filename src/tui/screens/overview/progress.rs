//! How far the cluster is, node by node, and what to do next.

use jiff::Timestamp;
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use crate::{
    engine::{ClusterPhase, Health, NodeState, Phase},
    tui::{
        as_of,
        model::{Model, Work},
        text,
        theme::{Theme, phase_mark},
        widgets::{bar::bar, panel, table::cut},
    },
};

/// Draws the pane.
pub fn progress(model: &Model, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let inner = panel::pane(title(model, theme), false, area, buf, theme);
    let (width, height) = (usize::from(inner.width), usize::from(inner.height));
    let next: Vec<_> = text::wrap(&next(model), width.saturating_sub(4))
        .into_iter()
        .zip(["  → "].into_iter().chain(std::iter::repeat("    ")))
        .map(|(text, mark)| Line::from(vec![Span::styled(mark, theme.accent), Span::raw(text)]))
        .collect();
    let mut lines = vec![summary(model, width, theme)];
    let room = height.saturating_sub(1 + next.len());
    lines.extend(nodes(model, room, width, theme));
    lines.extend(next);
    panel::lines(lines.iter(), inner, buf);
}

fn title(model: &Model, theme: &Theme) -> Line<'static> {
    let health = model.state.readiness().health;
    let (mark, style) = match health {
        _ if model.is_interrupted() => ("!", theme.warn),
        Health::Planned => ("·", theme.dim),
        Health::Launching => ("▶", theme.busy),
        // What could not be read since is not known to be so.
        Health::Ready if as_of::is_stale(model) => ("?", theme.unknown),
        Health::Ready => ("✓", theme.good),
        Health::Degraded | Health::NoLeader => ("✗", theme.bad),
        Health::Stopping | Health::Terminating => ("↓", theme.warn),
        Health::Stopped => ("=", theme.warn),
        Health::Terminated => ("-", theme.dim),
    };
    let word = if model.is_interrupted() { "interrupted" } else { health.as_str() };
    let name = model.state.cluster.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut title = Line::from(vec![
        Span::styled("Cluster ", theme.strong),
        Span::raw(name),
        Span::styled(" ── ", theme.dim),
        Span::styled(format!("{mark} {word}"), style),
    ]);
    title.spans.extend(as_of::span(model, theme));
    let spent = model.spent();
    if spent.known > 0 {
        title.push_span(Span::styled(format!(" ── {spent} so far"), theme.dim));
    }
    title
}

fn summary(model: &Model, width: usize, theme: &Theme) -> Line<'static> {
    let readiness = model.state.readiness();
    let (ready, all) = (readiness.ready, readiness.nodes);
    let mut line = Line::raw("  ");
    line.spans.extend(bar(ready, all, (width / 8).clamp(8, 40), theme));
    line.push_span(Span::raw(format!("  {ready} of {all} ready")));
    if readiness.lost > 0 {
        let text = format!(" · ✗ {} lost", readiness.lost);
        line.push_span(Span::styled(text, theme.bad));
    }
    for phase in [
        Phase::Failed,
        Phase::Launching,
        Phase::Booting,
        Phase::Connecting,
        Phase::Bootstrapping,
        Phase::Stopping,
        Phase::Stopped,
        Phase::Terminating,
        Phase::Terminated,
    ] {
        let nodes = model.state.nodes.values();
        let count = nodes.filter(|node| node.phase == phase && !model.state.is_lost(node)).count();
        if count > 0 {
            let mark = if phase == Phase::Failed { "✗ " } else { "" };
            let text = format!(" · {mark}{count} {}", phase.as_str());
            line.push_span(Span::styled(text, theme.phase(phase)));
        }
    }
    line
}

/// The nodes: the failed ones with their reasons, then those under way, the
/// slowest first, then those that are ready. Where not all fit, how many more.
fn nodes(model: &Model, room: usize, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut nodes = model.nodes_in_order();
    let is_over = |node: &NodeState| matches!(node.phase, Phase::Planned | Phase::Terminated);
    nodes.retain(|node| model.has_failed(node) || !is_over(node));
    nodes.sort_by_key(|node| match node.phase {
        _ if model.has_failed(node) => (0, None),
        Phase::Ready | Phase::Stopped => (2, None),
        _ => (1, doing(node).1),
    });
    let shown = if nodes.len() > room { room.saturating_sub(1) } else { nodes.len() };
    let names = nodes.iter().map(|node| node.name.as_str().len()).max().unwrap_or(0);
    let mut lines: Vec<_> =
        nodes.iter().take(shown).map(|node| cut(line(node, names, model, theme), width)).collect();
    if nodes.len() > shown {
        lines.push(Line::styled(format!("    and {} more", nodes.len() - shown), theme.dim));
    }
    lines
}

fn line(node: &NodeState, names: usize, model: &Model, theme: &Theme) -> Line<'static> {
    let failed = model.has_failed(node);
    let disconnected = model.disconnected(node);
    let (mark, style) = match &disconnected {
        _ if failed => ("✗", theme.bad),
        Some(_) => ("!", theme.warn),
        None => (phase_mark(node.phase), theme.phase(node.phase)),
    };
    let what = match node.phase {
        _ if failed => model.why(node),
        Phase::Ready => ready_after(node),
        _ => {
            let (what, since) = doing(node);
            let since = since.map(|at| text::between(at, model.now())).unwrap_or_default();
            let lost = disconnected.map(|lost| format!(", connection lost for {lost}"));
            format!("{what} {since}{}", lost.unwrap_or_default())
        }
    };
    Line::from(vec![
        Span::styled(format!("  {mark} {:names$}  ", node.name), style),
        Span::styled(text::clean(&what).into_owned(), style),
    ])
}

fn ready_after(node: &NodeState) -> String {
    let (begun, ready) = (node.begun(), node.since.get(&Phase::Ready));
    let took = begun.zip(ready).map(|(from, to)| format!(" after {}", text::between(from, *to)));
    format!("ready{}", took.unwrap_or_default())
}

/// The step that runs, else the phase; and since when.
fn doing(node: &NodeState) -> (&str, Option<Timestamp>) {
    let running = node.steps.iter().find(|(_, step)| step.outcome.is_none());
    match running {
        Some((name, step)) if node.phase == Phase::Bootstrapping => (name, Some(step.started)),
        _ => (node.phase.as_str(), node.since.get(&node.phase).copied()),
    }
}

fn next(model: &Model) -> String {
    if let Some(leader) = without_leader(model) {
        return leader;
    }
    match model.state.phase {
        ClusterPhase::Planned => "u launches".into(),
        ClusterPhase::Launching if model.is_interrupted() => {
            "nobody works on it now: u goes on where it stopped".into()
        }
        ClusterPhase::Terminating if model.is_interrupted() => {
            "no muster works on it: D terminates the rest".into()
        }
        ClusterPhase::Stopping if model.is_interrupted() => {
            "nobody works on it now: p goes on with the stop, P starts the machines again".into()
        }
        ClusterPhase::Stopping => "every region is asked until each machine is stopped".into(),
        ClusterPhase::Stopped => {
            "only volumes are billed; P starts the instances, D terminates the cluster".into()
        }
        ClusterPhase::Degraded if model.state.halted().next().is_some() => {
            "P starts what is stopped and goes on with the rest".into()
        }
        ClusterPhase::Launching => "4 shows every node's steps, 5 what they print".into(),
        ClusterPhase::Ready => ready(model),
        ClusterPhase::Degraded if model.missing().next().is_some() => {
            "2 shows why; u launches what is missing and goes on with the rest".into()
        }
        ClusterPhase::Degraded => "4 shows where they stopped; t there tries a node again".into(),
        ClusterPhase::Terminating => {
            "reading every region until each instance is terminated".into()
        }
        ClusterPhase::Terminated => {
            "nothing runs and nothing is billed; u launches a new cluster".into()
        }
    }
}

/// Why a cluster without its leader does not work, and the key that repairs it.
pub fn without_leader(model: &Model) -> Option<String> {
    let leader = model.state.lost_leader().filter(|_| model.work == Work::None)?;
    let key = if leader.is_stopped {
        "P starts it, and runs again what it led"
    } else {
        "u launches another leader, and every node joins it again"
    };
    Some(format!("{leader}. {key}."))
}

fn ready(model: &Model) -> String {
    let leader = model.state.nodes.values().find(|node| node.leader);
    let info = leader.and_then(|node| node.instance.as_ref());
    let address = |ip: Option<String>, what: &str| ip.map(|ip| format!("{ip} ({what})"));
    let addresses = info.map(|info| {
        let public = address(info.public_ip.map(|ip| ip.to_string()), "public");
        let private = address(info.private_ip.map(|ip| ip.to_string()), "private");
        [public, private].into_iter().flatten().collect::<Vec<_>>().join(", ")
    });
    match (leader, addresses) {
        (Some(node), Some(addresses)) if !addresses.is_empty() => {
            format!(
                "{} leads: {addresses}. 8 connects Python, p stops the instances, D terminates them.",
                node.name
            )
        }
        _ => "8 connects Python, p stops the instances, D terminates them".into(),
    }
}
