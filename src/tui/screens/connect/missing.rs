//! What stands between the user and a cluster that can be handed over.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use crate::{
    engine::{ClusterPhase, NodeState},
    tui::{
        model::Model,
        screens::{overview::progress::without_leader, verify},
        text,
        theme::{Theme, phase_mark},
        widgets::{panel, selection::Scroll},
    },
};

/// Draws the screen as long as the cluster is not ready.
pub fn view(model: &Model, scroll: &mut Scroll, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let mut title = Line::styled("Connect", theme.strong);
    title.push_span(Span::styled(" ── not ready", theme.dim));
    let inner = panel::pane(title, true, area, buf, theme);
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    let lines = lines(model, inner.width.into(), theme);
    let window = scroll.window(lines.len(), inner.height.into());
    panel::position(&window, lines.len(), area, buf, theme);
    panel::lines(lines[window].iter(), inner, buf);
}

fn lines(model: &Model, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let mut say = |words: &str, style: Style| {
        let wrapped = text::wrap(&text::clean(words), width).into_iter();
        lines.extend(wrapped.map(|line| Line::styled(line, style)));
    };
    say(&first(model), theme.text);
    say("", theme.text);
    let failed = verify::failed(model);
    if failed > 0 {
        say(&format!("✗ links between nodes that fail: {failed}; 7 shows which"), theme.bad);
    }
    let fails = model.summary().fail;
    if fails > 0 {
        say(&format!("✗ checks that fail: {fails}; 3 shows which"), theme.bad);
    }
    for node in waited_for(model) {
        let failed = model.has_failed(node);
        let mark = if failed { "✗" } else { phase_mark(node.phase) };
        let style = if failed { theme.bad } else { theme.phase(node.phase) };
        let why = if failed { model.why(node) } else { node.phase.as_str().to_owned() };
        say(&format!("{mark} {}  {why}", node.name), style);
    }
    say("", theme.text);
    say(
        "Once every node is ready, this is where its addresses are, and a Python module to paste: \
         the leader, region_info, and context(), which makes a QuokkaContext.",
        theme.dim,
    );
    lines
}

fn first(model: &Model) -> String {
    if let Some(leader) = without_leader(model) {
        return leader;
    }
    let readiness = model.state.readiness();
    match model.state.phase {
        ClusterPhase::Planned => {
            format!("Nothing runs yet: u launches {}.", text::count(readiness.nodes, "node"))
        }
        ClusterPhase::Terminated => "The cluster is terminated: u launches the next one.".into(),
        ClusterPhase::Terminating => "The cluster is being ended.".into(),
        ClusterPhase::Stopping => "The machines are being stopped.".into(),
        ClusterPhase::Stopped => {
            "The machines are stopped: P starts them, with other public addresses.".into()
        }
        _ => format!("{readiness}. Waiting for:"),
    }
}

/// The nodes that are not ready, failed ones first; none before a launch.
fn waited_for(model: &Model) -> Vec<&NodeState> {
    if matches!(model.state.phase, ClusterPhase::Planned | ClusterPhase::Terminated) {
        return Vec::new();
    }
    let mut nodes = model.nodes_in_order();
    nodes.retain(|node| !node.is_ready());
    nodes.sort_by_key(|node| !model.has_failed(node));
    nodes
}
