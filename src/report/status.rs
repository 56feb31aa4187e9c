//! The cluster as it is.

use std::path::PathBuf;

use serde::Serialize;

use super::{Line, Paint, Tone, line, table::table};
use crate::{
    config::Project,
    engine::{ClusterPhase, InstanceInfo, NodeState, Phase, RunState},
    model::{ClusterId, Failure, Region},
};

/// What `muster status` tells.
#[derive(Debug, Serialize)]
pub struct StatusDocument<'a> {
    /// The form of this document.
    pub version: u32,
    /// The project's name.
    pub project: &'a str,
    /// Whether the world is simulated.
    pub simulated: bool,
    /// The cluster, as the journal and EC2 have it.
    pub state: &'a RunState,
    /// Where the cluster's journal, manifest and logs are.
    pub folder: Option<PathBuf>,
    /// Regions that could not be asked: what is said of them is the journal's.
    pub unknown: Vec<(Region, Failure)>,
    /// Clusters of the same project that this machine has no journal of.
    pub others: Vec<(ClusterId, usize)>,
    /// What the process ends with.
    pub exit_code: u8,
}

/// `document` for people.
pub fn status(project: &Project, document: &StatusDocument<'_>, paint: Paint) -> Vec<Line> {
    let state = document.state;
    let mut lines = match &state.cluster {
        Some(cluster) => vec![headline(cluster, state, paint), Line::empty()],
        None => vec![line![
            "No cluster of project ",
            paint.paint(Tone::Strong, document.project),
            " is known here; `muster up` launches one.",
        ]],
    };
    if state.cluster.is_some() {
        lines.extend(nodes(project, state, paint));
        lines.extend(failures(state, paint));
        lines.extend(strays(state, paint));
    }
    for (region, failure) in &document.unknown {
        let mark = paint.paint(Tone::Care, "?");
        let what = format!(" {region} could not be asked: {failure}");
        lines.extend([Line::empty(), line![mark, what]]);
    }
    for (cluster, count) in &document.others {
        lines.extend(other(cluster, *count, paint));
    }
    if let Some(folder) = &document.folder {
        let files = paint.paint(Tone::Dim, "files");
        lines.extend([Line::empty(), line![files, format!(" {}", folder.display())]]);
    }
    lines
}

fn other(cluster: &ClusterId, count: usize, paint: Paint) -> [Line; 3] {
    let mark = paint.paint(Tone::Care, "!");
    let what =
        format!(" {count} instances carry the id of {cluster}, a cluster of this project that has");
    let todo = format!("  no journal here; `muster down --cluster {cluster}` terminates them");
    [Line::empty(), line![mark, what], todo.into()]
}

fn headline(cluster: &ClusterId, state: &RunState, paint: Paint) -> Line {
    let (word, tone) = match state.phase {
        ClusterPhase::Planned => ("planned", Tone::Dim),
        ClusterPhase::Rising => ("coming up", Tone::Care),
        ClusterPhase::Ready => ("ready", Tone::Good),
        ClusterPhase::Degraded => ("not complete", Tone::Bad),
        ClusterPhase::Stopping => ("being stopped", Tone::Care),
        ClusterPhase::Stopped => ("stopped", Tone::Care),
        ClusterPhase::Falling => ("going down", Tone::Care),
        ClusterPhase::Gone => ("gone", Tone::Dim),
    };
    let (ready, _) = state.count();
    let billed = state.billed().count();
    let stopped = match state.stopped().count() {
        0 => String::new(),
        count => format!(" · {count} stopped: their volumes are billed"),
    };
    let all = state.nodes.len();
    line![
        paint.paint(Tone::Strong, cluster),
        " · ",
        paint.paint(tone, word),
        format!(" · {ready} of {all} nodes ready · {billed} instances billed{stopped}"),
    ]
}

/// By region as given, then what the configs don't name any more.
fn in_order<'a>(project: &Project, state: &'a RunState) -> Vec<&'a NodeState> {
    let mut nodes: Vec<_> = state.nodes.values().collect();
    nodes.sort_by_key(|node| (project.order_of(&node.group), number(node)));
    nodes
}

fn number(node: &NodeState) -> u32 {
    node.name.short().rsplit('-').next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

fn nodes(project: &Project, state: &RunState, paint: Paint) -> Vec<Line> {
    let heading = ["", "node", "phase", "instance", "state", "type", "zone", "private", "public"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    rows.extend(in_order(project, state).into_iter().map(row));
    let mut lines = table(&rows).into_iter();
    let heading = lines.next().map(|heading| paint.paint(Tone::Dim, heading).into());
    heading.into_iter().chain(lines.map(Line::from)).collect()
}

fn row(node: &NodeState) -> Vec<String> {
    let mark = match (node.phase, node.leader) {
        (Phase::Failed, _) => "✗",
        (_, true) => "★",
        _ => "",
    };
    let info = node.instance.as_ref();
    let dash = || "-".to_owned();
    vec![
        mark.to_owned(),
        node.name.to_string(),
        node.phase.as_str().to_owned(),
        info.map_or_else(dash, |info| info.id.to_string()),
        info.map_or_else(dash, |info| info.state.as_str().to_owned()),
        node.instance_type.to_string(),
        info.and_then(|info| info.zone.as_ref()).map_or_else(dash, ToString::to_string),
        info.and_then(|info| info.private_ip).map_or_else(dash, |ip| ip.to_string()),
        info.and_then(|info| info.public_ip).map_or_else(dash, |ip| ip.to_string()),
    ]
}

fn failures(state: &RunState, paint: Paint) -> Vec<Line> {
    let mut lines = Vec::new();
    for node in state.nodes.values() {
        let Some(failure) = &node.failure else { continue };
        let mark = paint.paint(Tone::Bad, "✗");
        lines.extend([Line::empty(), line![mark, format!(" {}: {failure}", node.name)]]);
        let hint = |hint| line!["    ", paint.paint(Tone::Dim, "do"), format!(" {hint}")];
        lines.extend(failure.hint.as_ref().map(hint));
    }
    lines
}

fn strays(state: &RunState, paint: Paint) -> Vec<Line> {
    let alive = state.strays.values().filter(|info| info.state.is_live());
    let line = |info: &InstanceInfo| {
        let mark = paint.paint(Tone::Care, "!");
        let InstanceInfo { id, region, instance_type, state, .. } = info;
        let what = format!(" {id} in {region} ({instance_type}, {})", state.as_str());
        let what = format!("{what} carries the cluster's id, but no launch on record made it");
        [Line::empty(), line![mark, what]]
    };
    alive.flat_map(line).collect()
}
