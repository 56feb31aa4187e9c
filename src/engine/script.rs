//! What a step runs on a node: its text and its environment.

use std::collections::BTreeMap;

use crate::{
    config::{Action, Commands, ConfigCommands, Project, RayStart, Step},
    model::{NodeKind, NodeName},
    remote::Script,
};

use super::{NodeState, Phase, RunState, operator, shared::Shared};

/// The text that `step` runs on `node`; `None` where the node's config lists
/// nothing for it.
pub(super) fn text(shared: &Shared, node: &NodeName, step: &Step) -> Option<String> {
    match &step.action {
        Action::Run(text) => Some(text.clone()),
        Action::Operator(_) => operator::text(shared, step),
        Action::Config(which) => {
            let state = shared.state();
            let node = state.nodes.get(node)?;
            let project = shared.project();
            let commands = &project.config_of(&node.group)?.commands;
            let list = commands_for(commands, *which, node);
            let path = if *which == ConfigCommands::StartRayCommands { OWN_RAY } else { "" };
            let text = list.iter().map(|command| as_ray_runs_it(path, command)).collect();
            (!list.is_empty()).then_some(text)
        }
    }
}

fn commands_for<'a>(
    commands: &'a Commands,
    which: ConfigCommands,
    node: &NodeState,
) -> Vec<&'a str> {
    let head = node.group.kind == NodeKind::Head;
    let lists: &[&'a Vec<String>] = match which {
        ConfigCommands::InitializationCommands => &[&commands.initialization],
        ConfigCommands::SetupCommands if head => &[&commands.setup, &commands.head_setup],
        ConfigCommands::SetupCommands => &[&commands.setup, &commands.worker_setup],
        ConfigCommands::StartRayCommands if node.leader => &[&commands.head_start_ray],
        ConfigCommands::StartRayCommands => &[&commands.worker_start_ray],
    };
    lists.iter().flat_map(|list| list.iter().map(String::as_str)).collect()
}

/// Where the config's setup brings no Ray, the one of the recipe's environment starts.
const OWN_RAY: &str = "PATH=$PATH:$HOME/.muster/venv/bin\n";

/// Runs it as `ray up` does: each command in an interactive login shell of its own, so
/// that what one writes to `.bashrc` is there for the next. The detour over
/// descriptor 3 hides bash's warning about the missing terminal, and nothing else.
fn as_ray_runs_it(before: &str, command: &str) -> String {
    let shown = quote(&format!("+ {command}"));
    let command = quote(&format!("exec 2>&3 3>&-\n{before}{command}"));
    format!("printf '%s\\n' {shown}\nbash --login -i -c {command} 3>&2 2>/dev/null || exit $?\n")
}

/// One word for a POSIX shell.
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// What names the try number `attempt` of `step` on a node and in its log.
pub(super) fn key(step: &Step, attempt: u32) -> String {
    format!("{}.{attempt}", step.name)
}

/// The try number `attempt` of `step` on `node`.
pub(super) fn script(
    shared: &Shared,
    node: &NodeName,
    step: &Step,
    text: &str,
    attempt: u32,
) -> Script {
    Script {
        key: key(step, attempt),
        text: text.to_owned(),
        env: environment(shared, node, step),
        timeout: step.timeout,
    }
}

/// What every step finds in its environment; docs/quokka.md lists it. `RAY_…`
/// are Ray's own names.
fn environment(shared: &Shared, name: &NodeName, step: &Step) -> BTreeMap<String, String> {
    let state = shared.state();
    let private = |node: &NodeState| {
        node.instance.as_ref().and_then(|info| info.private_ip).map(|ip| ip.to_string())
    };
    let public = |node: &NodeState| {
        node.instance.as_ref().and_then(|info| info.public_ip).map(|ip| ip.to_string())
    };
    let mut env = of_project(&shared.project());
    env.insert("MUSTER_CLUSTER".into(), shared.cluster.to_string());
    env.insert("MUSTER_NODE".into(), name.to_string());
    if let Some(node) = state.nodes.get(name) {
        env.insert("MUSTER_REGION".into(), node.group.region.to_string());
        env.extend(private(node).map(|ip| ("MUSTER_PRIVATE_IP".into(), ip)));
        env.extend(public(node).map(|ip| ("MUSTER_PUBLIC_IP".into(), ip)));
        env.extend(resources(&shared.project(), node));
    }
    if let Some(leader) = state.nodes.values().find(|node| node.leader) {
        env.insert("MUSTER_LEADER".into(), leader.name.to_string());
        env.extend(private(leader).map(|ip| ("MUSTER_LEADER_IP".into(), ip)));
        env.extend(private(leader).map(|ip| ("RAY_HEAD_IP".into(), ip)));
        env.extend(public(leader).map(|ip| ("MUSTER_LEADER_PUBLIC_IP".into(), ip)));
    }
    // Only once all are there, and not a thousand lines for every step of a thousand nodes.
    if !step.after.is_empty() {
        env.insert("MUSTER_NODES".into(), answering(&state));
    }
    env
}

/// The nodes that can be expected to answer, each with its private address: a
/// failed one is its own failure.
fn answering(state: &RunState) -> String {
    let nodes = state.nodes.values();
    let answering = nodes.filter(|node| node.is_live() && node.phase != Phase::Failed);
    let line = |node: &NodeState| {
        let ip = node.instance.as_ref()?.private_ip?;
        Some(format!("{} {ip}\n", node.name))
    };
    answering.filter_map(line).collect()
}

/// The variables of the project, the same for all nodes.
fn of_project(project: &Project) -> BTreeMap<String, String> {
    let requirements: Vec<_> = project.requirements.iter().map(|text| text.as_str()).collect();
    let ray = match *project.quokka.ray {
        RayStart::BuiltIn => "built-in",
        RayStart::Config => "config",
    };
    BTreeMap::from([
        ("MUSTER_SPILL_DIR".into(), project.spill_dir.display().to_string()),
        ("MUSTER_PYTHON".into(), project.quokka.python.to_string()),
        ("MUSTER_CONSTRAINTS".into(), project.quokka.constraints()),
        ("MUSTER_VERSIONS".into(), project.quokka.overridden().join("\n")),
        ("MUSTER_REQUIREMENTS".into(), requirements.join("\n")),
        ("MUSTER_RAY".into(), ray.into()),
    ])
}

/// The node type's `resources`, as Ray's launcher hands them to `ray start`:
/// by this name and as JSON, from which it takes CPU, GPU, memory and
/// `object_store_memory` apart by itself.
fn resources(project: &Project, node: &NodeState) -> Option<(String, String)> {
    let region = project.region(&node.group.region)?;
    let group = region.group(&node.group)?;
    let amounts = group.resources.iter().map(|(name, amount)| (name.clone(), number(*amount)));
    let map: serde_json::Map<_, _> = amounts.collect();
    let json = serde_json::Value::Object(map).to_string();
    (!group.resources.is_empty()).then(|| ("RAY_OVERRIDE_RESOURCES".into(), json))
}

/// Ray wants whole numbers without a point: `4`, not `4.0`.
fn number(amount: f64) -> serde_json::Value {
    #[expect(clippy::cast_possible_truncation, reason = "checked: it has no fraction")]
    let whole = amount as i64;
    #[expect(clippy::cast_precision_loss, clippy::float_cmp, reason = "exactly equal is meant")]
    let is_whole = whole as f64 == amount;
    if is_whole { whole.into() } else { amount.into() }
}
