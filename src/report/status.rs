//! The cluster as it is.

use std::path::PathBuf;

use serde::Serialize;

use super::{Line, Paint, Tone, line, table::table};
use crate::{
    config::Project,
    engine::{Health, InstanceInfo, ListedLaunch, NodeState, Phase, Readiness, RunState},
    model::{ClusterId, Failure, NodeName, Region},
};

/// The report of `muster status`.
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
    /// Regions that could not be asked: their state is the journal's.
    pub unknown: Vec<(Region, Failure)>,
    /// Clusters of the same project that this machine has no journal of.
    pub others: Vec<(ClusterId, usize)>,
    /// Launches whose outcome is not known: what they created may be billed.
    pub unresolved: Vec<ListedLaunch>,
    /// The cluster's health, and its nodes by what they need.
    pub readiness: Readiness,
    /// The leader, where its instance is stopped or terminated and nobody
    /// stopped or ended the cluster.
    pub lost_leader: Option<NodeName>,
    /// What the process ends with.
    pub exit_code: u8,
}

/// `document` for people.
pub fn status(project: &Project, document: &StatusDocument<'_>, paint: Paint) -> Vec<Line> {
    let state = document.state;
    let mut lines = match &state.cluster {
        Some(cluster) => vec![headline(cluster, document, paint), Line::empty()],
        None => vec![line![
            "No cluster of project ",
            paint.paint(Tone::Strong, document.project),
            " is known here; `muster up` launches one.",
        ]],
    };
    if state.cluster.is_some() {
        lines.extend(nodes(project, state, paint));
        lines.extend(lost_leader(state, paint));
        lines.extend(document.unresolved.iter().flat_map(|one| unresolved(one, paint)));
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

fn headline(cluster: &ClusterId, document: &StatusDocument<'_>, paint: Paint) -> Line {
    let state = document.state;
    let readiness = document.readiness;
    let tone = match readiness.health {
        Health::Planned | Health::Terminated => Tone::Dim,
        Health::Ready => Tone::Good,
        Health::Degraded | Health::NoLeader => Tone::Bad,
        Health::Launching | Health::Stopping | Health::Stopped | Health::Terminating => Tone::Care,
    };
    let mut counts = vec![billed(document)];
    counts.extend(number(state.stopping().count(), "stopping"));
    counts.extend(number(state.stopped().count(), "stopped: their volumes are billed"));
    line![
        paint.paint(Tone::Strong, cluster),
        " · ",
        paint.paint(tone, readiness.health.as_str()),
        format!(" · {readiness} · {}", counts.join(" · ")),
    ]
}

fn number(count: usize, what: &str) -> Option<String> {
    (count > 0).then(|| format!("{count} {what}"))
}

/// `6 instances billed`; `3 to 6` where a launch has no known outcome.
fn billed(document: &StatusDocument<'_>) -> String {
    let listed: usize = document.unresolved.iter().map(|one| one.listed.len()).sum();
    let missing: usize = document.unresolved.iter().map(ListedLaunch::missing).sum();
    let billed = document.state.billed().count() + listed;
    match missing {
        0 => format!("{billed} instances billed"),
        missing => format!("{billed} to {} instances billed", billed + missing),
    }
}

/// The message for a cluster whose leader is terminated, and what to do.
fn lost_leader(state: &RunState, paint: Paint) -> Vec<Line> {
    let Some(leader) = state.lost_leader() else { return Vec::new() };
    let hint = if leader.is_stopped {
        "`muster start` starts it, and runs again what it led"
    } else {
        "`muster up` launches another leader, and every node joins it again"
    };
    let (mark, todo) = (paint.paint(Tone::Bad, "✗"), paint.paint(Tone::Dim, "do"));
    vec![Line::empty(), line![mark, format!(" {leader}")], line!["    ", todo, format!(" {hint}")]]
}

fn unresolved(one: &ListedLaunch, paint: Paint) -> [Line; 3] {
    let (mark, todo) = (paint.paint(Tone::Care, "!"), paint.paint(Tone::Dim, "do"));
    let ListedLaunch { launch, listed } = one;
    let listed = format!("EC2 lists {} of {} instances", listed.len(), launch.count);
    let hint = "`muster up` resolves it, `muster down` terminates what it created";
    let what = format!(" {launch}: {listed}");
    [Line::empty(), line![mark, what], line!["    ", todo, format!(" {hint}")]]
}

/// By region as given, then what the configs don't name any more.
fn in_order<'a>(project: &Project, state: &'a RunState) -> Vec<&'a NodeState> {
    let mut nodes: Vec<_> = state.nodes.values().collect();
    nodes.sort_by_key(|node| (project.order_of(&node.group), index(node)));
    nodes
}

fn index(node: &NodeState) -> u32 {
    node.name.short().rsplit('-').next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

fn nodes(project: &Project, state: &RunState, paint: Paint) -> Vec<Line> {
    let heading =
        ["", "node", "phase", "instance", "state", "type", "zone", "private", "public", "host key"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    rows.extend(in_order(project, state).into_iter().map(|node| row(node, state)));
    let mut lines = table(&rows).into_iter();
    let heading = lines.next().map(|heading| paint.paint(Tone::Dim, heading).into());
    heading.into_iter().chain(lines.map(Line::from)).collect()
}

fn row(node: &NodeState, state: &RunState) -> Vec<String> {
    let mark = match node.leader {
        _ if node.phase == Phase::Failed || state.is_lost(node) => "✗",
        true => "★",
        false => "",
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
        info.and_then(|info| info.host_key.as_ref()).map_or_else(dash, |key| key.word().to_owned()),
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
