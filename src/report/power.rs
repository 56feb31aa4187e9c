//! What `stop` and `start` are about to do, shown before they do it.

use super::{Paint, Tone, table::table};
use crate::{
    cloud::Instance,
    config::Project,
    engine::{RunState, StartPlan, StopPlan},
    model::{Failure, InstanceId, Region},
};

/// The ids of what was found.
pub fn ids(found: &[(Region, Instance)]) -> Vec<&InstanceId> {
    found.iter().map(|(_, instance)| &instance.id).collect()
}

/// The same with why it is left as it is.
pub fn ids_and_why(found: &[(Region, Instance, String)]) -> Vec<(&InstanceId, &str)> {
    found.iter().map(|(_, instance, why)| (&instance.id, why.as_str())).collect()
}

/// What `stop` would stop, what that costs from then on, and what it would leave.
pub fn stop_plan(state: &RunState, plan: &StopPlan, paint: Paint) -> Vec<String> {
    let mut lines = Vec::new();
    if plan.stop.is_empty() {
        lines.push(match plan.stopped.len() {
            0 => "No machine of the cluster runs: there is nothing to stop.".to_owned(),
            count => format!("Nothing to stop: {count} machines are stopped already."),
        });
    } else {
        let what = paint.paint(Tone::Strong, format!("muster stop stops {}", plan.stop.len()));
        lines.extend([format!("{what} machines:"), String::new()]);
        lines.extend(machines(state, &plan.stop));
        lines.extend([
            String::new(),
            "What runs on them ends, queries included, and what is on instance-store disks is lost.".into(),
            "Their volumes stay, with all that is installed, and go on being billed by the month,".into(),
            "as do Elastic IP addresses. Their public addresses are given up; private ones stay.".into(),
            "`muster start` starts them again, `muster down` ends it all.".into(),
        ]);
    }
    lines.extend(stay(state, "these go on, and are billed", &plan.stay, paint));
    lines.extend(unknown(&plan.unknown, paint));
    lines
}

/// What `start` would start, and what then runs again.
pub fn start_plan(
    project: &Project,
    state: &RunState,
    plan: &StartPlan,
    paint: Paint,
) -> Vec<String> {
    let mut lines = Vec::new();
    if plan.start.is_empty() {
        lines.push(match plan.running.len() {
            0 if !plan.stay.is_empty() => "No machine can be started.".to_owned(),
            0 => "No machine of the cluster is known: `muster up` launches one.".to_owned(),
            count => format!("Nothing to start: {count} machines run; what is not ready goes on."),
        });
    } else {
        let what = paint.paint(Tone::Strong, format!("muster start starts {}", plan.start.len()));
        lines.extend([format!("{what} machines, billed from then on:"), String::new()]);
        lines.extend(machines(state, &plan.start));
        let steps: Vec<_> = project.recipe.again_on_start().collect();
        let again = match &steps[..] {
            [] => "No step of the recipe is marked `again: start`: nothing runs again.".to_owned(),
            steps => format!("Then these steps run again: {}.", steps.join(", ")),
        };
        lines.extend([String::new(), again, "They get other public addresses.".into()]);
    }
    lines.extend(stay(state, "these stay stopped, and their volumes billed", &plan.stay, paint));
    lines.extend(unknown(&plan.unknown, paint));
    lines
}

/// What `up --restart` runs again, and on how many nodes.
pub fn restart_plan(project: &Project, state: &RunState, paint: Paint) -> Vec<String> {
    let nodes = state.nodes.values().filter(|node| node.is_up()).count();
    let steps: Vec<_> = project.recipe.again_on_start().collect();
    let mark = paint.paint(Tone::Care, "!");
    vec![
        String::new(),
        format!("{mark} On {nodes} nodes these steps run again: {}.", steps.join(", ")),
        "  What runs on the cluster now is lost, queries included.".into(),
    ]
}

/// Machines that are left as they are, each with the reason.
fn stay(
    state: &RunState,
    what: &str,
    found: &[(Region, Instance, String)],
    paint: Paint,
) -> Vec<String> {
    if found.is_empty() {
        return Vec::new();
    }
    let mark = paint.paint(Tone::Care, "!");
    let with_why = |(region, found, why): &(Region, Instance, String)| {
        [row(state, region, found), vec![why.clone()]].concat()
    };
    let rows: Vec<_> = found.iter().map(with_why).collect();
    let heading = [String::new(), format!("{mark} {what}:"), String::new()];
    heading.into_iter().chain(indented(&rows)).collect()
}

fn machines(state: &RunState, found: &[(Region, Instance)]) -> Vec<String> {
    let rows: Vec<_> = found.iter().map(|(region, found)| row(state, region, found)).collect();
    indented(&rows)
}

fn row(state: &RunState, region: &Region, found: &Instance) -> Vec<String> {
    let node = state.node_of(&found.id).map(|node| node.name.to_string());
    let name = node.unwrap_or_else(|| format!("{region}, not on record"));
    let (id, kind) = (found.id.to_string(), found.instance_type.to_string());
    vec![name, id, kind, found.state.as_str().to_owned()]
}

fn indented(rows: &[Vec<String>]) -> Vec<String> {
    table(rows).into_iter().map(|line| format!("  {line}")).collect()
}

fn unknown(unknown: &[(Region, Failure)], paint: Paint) -> Vec<String> {
    let line = |(region, failure): &(Region, Failure)| {
        let mark = paint.paint(Tone::Care, "?");
        [String::new(), format!("{mark} {region} could not be asked: {failure}")]
    };
    unknown.iter().flat_map(line).collect()
}
