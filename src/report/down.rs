//! What `down` is about to do, shown before it does it; and what is left of a
//! termination or a stop at its end.

use std::collections::BTreeSet;

use super::{Line, Paint, Tone, line, table::table};
use crate::{
    cloud::{Instance, InstanceState, tags},
    engine::{DownPlan, Unfinished, UnresolvedLaunch},
    model::{ClusterId, InstanceId, Region, count},
};

/// What `down` would terminate, and what it would leave; `cluster` is none
/// where neither the record nor the user names one.
pub fn down_plan(
    project: &str,
    cluster: Option<&ClusterId>,
    plan: &DownPlan,
    paint: Paint,
) -> Vec<Line> {
    let mut lines = match cluster.map(|id| paint.paint(Tone::Strong, id)) {
        None => vec![line![
            "No cluster of project ",
            paint.paint(Tone::Strong, project),
            " is known here: there is nothing to end.",
        ]],
        Some(id) if plan.is_empty() && plan.unrecorded.is_empty() => {
            vec![line!["No instance carries the id ", id, "."]]
        }
        Some(id) if plan.is_empty() => vec![line!["No instance of ", id, " is on record here."]],
        Some(id) => {
            vec![line!["muster down terminates these instances of ", id], Line::empty()]
        }
    };
    lines.extend(instances(&plan.terminate));
    lines.extend(launches(plan, paint));
    let care = paint.paint(Tone::Care, "!");
    if !plan.unrecorded.is_empty() {
        let heading = " these carry the cluster's id and are on no record here; they are \
                       terminated only if confirmed separately";
        lines.extend([Line::empty(), line![care.clone(), heading], Line::empty()]);
        lines.extend(instances(&plan.unrecorded));
    }
    if !plan.foreign.is_empty() {
        let heading = " these share a name with the cluster, and are left alone";
        lines.extend([Line::empty(), line![care, heading], Line::empty()]);
        lines.extend(instances(&plan.foreign));
        lines.extend(others(plan));
    }
    for (region, failure) in &plan.unknown {
        let mark = paint.paint(Tone::Care, "?");
        let what = format!(" {region} could not be asked: {failure}");
        lines.extend([Line::empty(), line![mark, what]]);
    }
    lines
}

/// Launches whose instances would be terminated or stopped as well.
fn launches(plan: &DownPlan, paint: Paint) -> Vec<Line> {
    let marked = |what: String| line![paint.paint(Tone::Care, "!"), format!(" {what}")];
    let mut lines: Vec<_> = plan.unresolved.iter().map(|one| marked(one.to_string())).collect();
    if plan.launching {
        lines.push(marked("what is launched until the termination begins".to_owned()));
    }
    if !lines.is_empty() {
        lines.insert(0, Line::empty());
        lines.push("  what these launches create is terminated, too".into());
    }
    lines
}

/// How what belongs to other clusters of muster's is ended.
fn others(plan: &DownPlan) -> Vec<Line> {
    let ids = plan.foreign.iter().filter_map(|(_, instance)| instance.tags.get(tags::CLUSTER));
    let ids: BTreeSet<_> = ids.collect();
    let way = |id| format!("  `muster down --cluster {id}` terminates those of {id}").into();
    ids.into_iter().map(way).collect()
}

fn instances(found: &[(Region, Instance)]) -> Vec<Line> {
    let row = |(region, instance): &(Region, Instance)| {
        let name = instance.tags.get(tags::NAME).cloned().unwrap_or_default();
        let state = instance.state.as_str().to_owned();
        let (id, kind) = (instance.id.to_string(), instance.instance_type.to_string());
        vec![region.to_string(), id, kind, state, name]
    };
    let rows: Vec<_> = found.iter().map(row).collect();
    table(&rows).into_iter().map(|line| Line::from(line).indented(2)).collect()
}

/// What a termination or a stop left, a line each. `done`: `terminated` or `stopped`.
pub fn unfinished(left: &Unfinished, done: &str) -> Vec<String> {
    let mut lines = Vec::new();
    if !left.instances.is_empty() {
        let number = count(left.instances.len(), "instance");
        lines.push(format!("{number} not {done}: {}", names(&left.instances)));
    }
    lines.extend(left.unresolved.iter().map(UnresolvedLaunch::to_string));
    if !left.unrecorded.is_empty() {
        let number = count(left.unrecorded.len(), "instance");
        lines.push(format!(
            "{number} with the cluster's id that nobody confirmed, left as they are: {}",
            names(&left.unrecorded)
        ));
    }
    let unknown = left.unknown.iter();
    lines.extend(unknown.map(|(region, failure)| format!("{region} not read: {failure}")));
    lines
}

fn names(found: &[(Region, InstanceId, InstanceState)]) -> String {
    let name = |(region, id, state): &(Region, InstanceId, InstanceState)| {
        format!("{id} ({region}, {})", state.as_str())
    };
    found.iter().map(name).collect::<Vec<_>>().join(", ")
}
