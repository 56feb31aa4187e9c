//! What `up` is about to do, shown before it does it.

use std::path::Path;

use super::{Line, Paint, Tone, line, table::table};
use crate::{
    cloud::Market,
    config::{NodeGroup, Project, RegionConfig},
    engine::{NodeState, RunState},
    model::{ClusterId, Price, count},
    survey::Survey,
};

/// What `up` would launch: per node group what, where and for how much; then
/// the sum. `state` tells which nodes are there already.
pub fn launch_plan(
    project: &Project,
    survey: &Survey,
    state: &RunState,
    cluster: &ClusterId,
    paint: Paint,
) -> Vec<Line> {
    let heading = ["region", "nodes", "type", "where", "billed"].map(str::to_owned).to_vec();
    let mut rows = vec![heading];
    let mut prices = Vec::new();
    for region in &project.regions {
        for group in &region.groups {
            let missing = missing(region, group, state);
            let price = price(region, group, survey, missing);
            prices.extend((missing > 0).then_some(price));
            rows.push(row(region, group, missing, price));
        }
    }
    let mut lines = vec![line!["muster up launches ", paint.paint(Tone::Strong, cluster)]];
    lines.push(Line::empty());
    lines.extend(table(&rows).into_iter().map(|line| Line::from(line).indented(2)));
    lines.push(Line::empty());
    lines.push(summary(project, state, Price::sum(prices.into_iter())).into());
    lines
}

fn missing(region: &RegionConfig, group: &NodeGroup, state: &RunState) -> u32 {
    let key = region.key_of(group);
    let live = state.nodes.values().filter(|node| node.group == key && node.is_live()).count();
    group.count.saturating_sub(u32::try_from(live).unwrap_or(u32::MAX))
}

fn row(region: &RegionConfig, group: &NodeGroup, missing: u32, price: Option<f64>) -> Vec<String> {
    let there = group.count - missing;
    let there = if there > 0 { format!(", {there} there already") } else { String::new() };
    let subnets: Vec<_> = group.template.subnets.iter().map(|id| id.to_string()).collect();
    let place = match (&subnets[..], &region.config_of(group).zones[..]) {
        ([], []) => "a default subnet".to_owned(),
        ([], zones) => zones.iter().map(|zone| zone.to_string()).collect::<Vec<_>>().join(" or "),
        (subnets, _) => subnets.join(" or "),
    };
    let billed = match (price, &group.template.market) {
        (None, _) => "price unknown".to_owned(),
        (Some(usd), Market::Spot(_)) => format!("${usd:.2}/h on demand, spot at most that"),
        (Some(usd), Market::OnDemand | Market::Other(_)) => format!("${usd:.2}/h"),
    };
    vec![
        region.title_of(region.config_of(group)),
        format!("{}{there}", count(missing, group.kind.as_str())),
        group.template.instance_type.to_string(),
        place,
        billed,
    ]
}

fn summary(project: &Project, state: &RunState, price: Price) -> String {
    let planned = project.planned_nodes().len();
    let live = state.nodes.values().filter(|node| node.is_live()).count();
    let missing = planned.saturating_sub(live);
    if missing == 0 {
        return "Nothing to launch; what is not ready goes on.".into();
    }
    let price = match price.known {
        0 => price.to_string(),
        _ => format!("{price} an hour"),
    };
    let (nodes, regions) = (count(missing, "node"), count(project.regions.len(), "region"));
    format!(
        "{nodes} to launch in {regions}, leader {}; {price}, billed until `muster down`.",
        *project.leader,
    )
}

/// The price of `count` nodes of a group, an hour.
fn price(region: &RegionConfig, group: &NodeGroup, survey: &Survey, count: u32) -> Option<f64> {
    let of_one = survey.usd_per_hour(&region.region, &group.template.instance_type)?;
    Some(of_one * f64::from(count))
}

/// What came of it, and how to go on.
pub fn launched(state: &RunState, folder: Option<&Path>) -> Vec<String> {
    let (ready, failed) = state.count();
    let leader = state.nodes.values().find(|node| node.leader);
    let address = leader.and_then(|node| node.instance.as_ref()?.public_ip);
    let address = address.map(|ip| format!(", the leader is at {ip}")).unwrap_or_default();
    let mut lines =
        vec![String::new(), format!("{ready} of {} nodes are ready{address}", ready + failed)];
    if let Some(folder) = folder {
        lines.push(format!("manifest  {}", folder.join("manifest.json").display()));
    }
    if state.halted().next().is_some() {
        lines.push("`muster start` starts what is stopped, and tries again what failed".into());
    } else if failed > 0 {
        lines.push("`muster up` tries again what failed, `muster status` shows why".into());
        // A node that never ran a step has no log.
        let ran = |node: &&NodeState| node.failure.is_some() && !node.steps.is_empty();
        if let Some(node) = state.nodes.values().find(ran) {
            lines.push(format!("`muster logs -n {}` shows what its steps printed", node.name));
        }
    } else if ready > 0 {
        lines.push("`muster export -o cluster.py` hands it to Python".into());
    }
    lines
}
