//! What `up` is about to do, shown before it does it.

use std::path::Path;

use super::{Block, Line, Paint, Tone, block_lines, lifecycle::found_nodes, line, table::table};
use crate::{
    cloud::Market,
    config::{NodeGroup, Project, RegionConfig},
    engine::{NodeState, RunState, UpPlan},
    model::{ClusterId, Price, count},
    survey::Survey,
};

/// What `up` would launch: per node group what, where and for how much; then
/// the sum, and what is not launched since it runs already.
pub fn launch_plan(
    project: &Project,
    survey: &Survey,
    plan: &UpPlan,
    cluster: &ClusterId,
    paint: Paint,
) -> Vec<Line> {
    let heading = ["region", "nodes", "type", "where", "billed"].map(str::to_owned).to_vec();
    let mut rows = vec![heading];
    let mut prices = Vec::new();
    for region in &project.regions {
        for group in &region.groups {
            let number = plan.launches_of(&region.key_of(group));
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            let is_refused = plan.refused.iter().any(|(refused, _)| *refused == *region.region);
            let price = price(region, group, survey, number);
            prices.extend((number > 0).then_some(price));
            rows.push(row(region, group, (number, is_refused), price));
        }
    }
    let mut lines = vec![line!["muster up launches ", paint.paint(Tone::Strong, cluster)]];
    lines.push(Line::empty());
    lines.extend(table(&rows).into_iter().map(|line| Line::from(line).indented(2)));
    lines.push(Line::empty());
    lines.extend(block_lines(&found(plan), paint));
    lines.push(summary(project, plan, Price::sum(prices.into_iter())).into());
    lines
}

/// What is resolved, taken over or left before anything is launched.
fn found(plan: &UpPlan) -> Vec<Block> {
    let mut all = Vec::new();
    if !plan.take_over.is_empty() {
        let nodes = found_nodes(&plan.take_over);
        all.push(Block::care(format!("already running, will be taken over: {nodes}")));
    }
    for launch in &plan.unresolved {
        let what = "resolved by its token first; what it has not launched is launched by it";
        all.push(Block::care(format!("{launch}: {what}")));
    }
    all.extend(plan.refused.iter().flat_map(|(_, failure)| Block::refusal(failure)));
    all.extend(Block::unknown(&plan.unknown));
    all
}

fn row(
    region: &RegionConfig,
    group: &NodeGroup,
    (number, is_refused): (u32, bool),
    price: Option<f64>,
) -> Vec<String> {
    let exist = group.count.saturating_sub(number);
    let exist = match exist {
        0 => String::new(),
        _ if is_refused => ", see below".to_owned(),
        exist => format!(", {exist} already running"),
    };
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
        format!("{}{exist}", count(number, group.kind.as_str())),
        group.template.instance_type.to_string(),
        place,
        billed,
    ]
}

fn summary(project: &Project, plan: &UpPlan, price: Price) -> String {
    let unresolved: usize = plan.unresolved.iter().map(|launch| launch.count).sum();
    let number = plan.launch.values().map(Vec::len).sum::<usize>() + unresolved;
    if number == 0 && !plan.refused.is_empty() {
        return "Nothing is launched.".into();
    }
    if number == 0 {
        return "Nothing to launch; what is not ready goes on.".into();
    }
    let price = match price.known {
        0 => price.to_string(),
        _ => format!("{price} an hour"),
    };
    let (nodes, regions) = (count(number, "node"), count(project.regions.len(), "region"));
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
