//! What `stop`, `start` and `up --restart` are about to do, shown before they do it.

use super::{Block, Tone};
use crate::{
    cloud::Instance,
    config::Project,
    engine::{FoundNode, RunState, StartPlan, StopPlan, UnresolvedLaunch},
    model::{InstanceId, Region, count},
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
pub fn stop_plan(state: &RunState, plan: &StopPlan) -> Vec<Block> {
    let mut blocks = Vec::new();
    if plan.is_empty() {
        blocks.push(Block::text(nothing_to_stop(plan)));
    } else {
        let what = match plan.stop.len() {
            0 => "What is being launched would be stopped.".to_owned(),
            number => format!("{} would be stopped.", count(number, "machine")),
        };
        blocks.extend([Block::Heading(what), Block::Gap]);
        if !plan.stop.is_empty() {
            blocks.extend([rows(state, &plan.stop), Block::Gap]);
        }
        blocks.extend(launches(&plan.unresolved, plan.launching));
        blocks.extend([
            Block::care(
                "What runs on them ends, queries included, and what is on instance-store disks \
                 is lost.",
            ),
            Block::text(
                "Their volumes stay, with all that is installed, and go on being billed by the \
                 month, as do Elastic IP addresses. Their public addresses are given up; private \
                 ones stay.",
            ),
            Block::text("`muster start` starts them again, `muster down` terminates the cluster."),
        ]);
        if !plan.stopping.is_empty() {
            let number = count(plan.stopping.len(), "machine");
            blocks.push(Block::text(format!("{number} stopping already: waited for.")));
        }
    }
    blocks.extend(stay(state, "These go on, and are billed:", &plan.stay));
    blocks.extend(Block::unknown(&plan.unknown));
    blocks
}

fn nothing_to_stop(plan: &StopPlan) -> String {
    match (plan.stopping.len(), plan.stopped.len()) {
        (0, 0) if plan.stay.is_empty() && plan.unknown.is_empty() => {
            "No machine of the cluster runs: there is nothing to stop.".to_owned()
        }
        (0, 0) => "No machine is known that can be stopped.".to_owned(),
        (0, stopped) => format!("Nothing to stop: {} stopped already.", machines_are(stopped)),
        (stopping, stopped) => {
            format!("Nothing more to stop: {} stopping, {stopped} stopped.", machines_are(stopping))
        }
    }
}

/// Launches whose instances are stopped as well.
fn launches(unresolved: &[UnresolvedLaunch], launching: bool) -> Vec<Block> {
    let unresolved = unresolved.iter();
    let mut blocks: Vec<_> = unresolved
        .map(|launch| Block::care(format!("{launch}: what it creates is stopped, too.")))
        .collect();
    if launching {
        blocks.push(Block::care("What is launched until the stop begins is stopped, too."));
    }
    blocks
}

/// What `start` would start, and what then runs again.
pub fn start_plan(project: &Project, state: &RunState, plan: &StartPlan) -> Vec<Block> {
    let mut blocks = Vec::new();
    if plan.start.is_empty() {
        blocks.push(Block::text(match plan.running.len() {
            0 if !plan.stay.is_empty() => "No machine can be started.".to_owned(),
            0 => "No machine of the cluster is known: `muster up` launches one.".to_owned(),
            count => {
                format!(
                    "Nothing to start: {} running; what is not ready goes on.",
                    machines_are(count)
                )
            }
        }));
    } else {
        let count = count(plan.start.len(), "machine");
        blocks.extend([
            Block::Heading(format!("{count} would be started, and billed from then on.")),
            Block::Gap,
            rows(state, &plan.start),
            Block::Gap,
            Block::text(again(project)),
            Block::text("They get other public addresses."),
        ]);
    }
    if !plan.take_over.is_empty() {
        let what = "The record of these nodes is lost; their instances are taken over";
        blocks.push(Block::care(format!("{what}: {}.", found_nodes(&plan.take_over))));
    }
    if !plan.unplaced.is_empty() {
        let ids: Vec<_> = ids(&plan.unplaced).iter().map(ToString::to_string).collect();
        let what = "These run with the cluster's id, are on no record, and no node of the configs \
                    has them; `muster down` terminates them";
        blocks.push(Block::care(format!("{what}: {}.", ids.join(", "))));
    }
    blocks.extend(stay(state, "These stay stopped, and their volumes billed:", &plan.stay));
    for launch in &plan.unresolved {
        blocks.push(Block::care(format!("{launch}: `muster up` resolves it.")));
    }
    blocks.extend(Block::unknown(&plan.unknown));
    blocks
}

/// Nodes on no record with their instances: `eu-west-1/head (i-1), …`.
pub(super) fn found_nodes(found: &[FoundNode]) -> String {
    let named = found.iter().map(|one| {
        let (node, id) = one.names();
        format!("{node} ({id})")
    });
    named.collect::<Vec<_>>().join(", ")
}

fn again(project: &Project) -> String {
    let steps: Vec<_> = project.recipe.again_on_start().collect();
    match &steps[..] {
        [] => "No step of the recipe is marked `again: start`: nothing runs again.".to_owned(),
        steps => format!("Then these steps run again: {}.", steps.join(", ")),
    }
}

/// What `up --restart` runs again, and on how many nodes.
pub fn restart_plan(project: &Project, state: &RunState) -> Vec<Block> {
    let nodes = count(state.nodes.values().filter(|node| node.is_up()).count(), "node");
    let steps: Vec<_> = project.recipe.again_on_start().collect();
    vec![
        Block::text(format!("On {nodes} these steps run again: {}.", steps.join(", "))),
        Block::care("What runs on the cluster now is lost, queries included."),
    ]
}

/// Machines that are left as they are, each with the reason.
fn stay(state: &RunState, what: &str, found: &[(Region, Instance, String)]) -> Vec<Block> {
    if found.is_empty() {
        return Vec::new();
    }
    let with_why = |(region, found, why): &(Region, Instance, String)| {
        let name = name(state, region, found);
        Block::Marked(Tone::Dim, "  ·", format!("{name} ({}): {why}", found.id))
    };
    let heading = [Block::Gap, Block::care(what)];
    heading.into_iter().chain(found.iter().map(with_why)).collect()
}

fn machines_are(number: usize) -> String {
    format!("{} {}", count(number, "machine"), if number == 1 { "is" } else { "are" })
}

fn rows(state: &RunState, found: &[(Region, Instance)]) -> Block {
    // A region's head first, then its workers as they are numbered.
    let mut found: Vec<_> = found.iter().collect();
    let place = |(region, one): &(Region, Instance)| {
        let of_state = state.regions.iter().position(|known| known == region);
        let node = state.node_of(&one.id).map(|node| (node.group.kind, node.name.to_string()));
        let node = node.map(|(kind, name)| (kind, name.len(), name));
        (of_state.unwrap_or(usize::MAX), node.is_none(), node)
    };
    found.sort_by_cached_key(|found| place(found));
    Block::Rows(None, found.iter().map(|(region, found)| row(state, region, found)).collect())
}

fn row(state: &RunState, region: &Region, found: &Instance) -> Vec<String> {
    let name = name(state, region, found);
    let (id, kind) = (found.id.to_string(), found.instance_type.to_string());
    vec![name, id, kind, found.state.as_str().to_owned()]
}

fn name(state: &RunState, region: &Region, found: &Instance) -> String {
    let node = state.node_of(&found.id).map(|node| node.name.to_string());
    node.unwrap_or_else(|| format!("{region}, not on record"))
}
