//! What a step runs on a node: its text and its environment.

use std::collections::BTreeMap;

use crate::{
    config::{Action, Commands, ConfigCommands, Step},
    model::{NodeKind, NodeName},
    remote::Script,
};

use super::{NodeState, shared::Shared};

/// The text that `step` runs on `node`; `None` where the node's config lists
/// nothing for it.
pub(super) fn text(shared: &Shared, node: &NodeName, step: &Step) -> Option<String> {
    match &step.action {
        Action::Run(text) => Some(text.clone()),
        Action::Config(which) => {
            let state = shared.state();
            let node = state.nodes.get(node)?;
            let project = shared.project();
            let commands = &project.region(&node.group.region)?.commands;
            let list = commands_for(commands, *which, node);
            (!list.is_empty()).then(|| list.into_iter().map(as_ray_runs_it).collect())
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

/// As `ray up` does: each command in an interactive login shell of its own, so
/// that what one writes to `.bashrc` is there for the next. The detour over
/// descriptor 3 hides what bash says about having no terminal, and nothing else.
fn as_ray_runs_it(command: &str) -> String {
    let shown = quote(&format!("+ {command}"));
    let command = quote(&format!("exec 2>&3 3>&-\n{command}"));
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
        env: environment(shared, node),
        timeout: step.timeout,
    }
}

/// What every step finds in its environment. `RAY_HEAD_IP` is Ray's own name.
fn environment(shared: &Shared, name: &NodeName) -> BTreeMap<String, String> {
    let state = shared.state();
    let private = |node: &NodeState| {
        node.instance.as_ref().and_then(|info| info.private_ip).map(|ip| ip.to_string())
    };
    let mut env = BTreeMap::from([
        ("MUSTER_CLUSTER".into(), shared.cluster.to_string()),
        ("MUSTER_NODE".into(), name.to_string()),
        ("MUSTER_SPILL_DIR".into(), shared.project().spill_dir.display().to_string()),
    ]);
    if let Some(node) = state.nodes.get(name) {
        env.insert("MUSTER_REGION".into(), node.group.region.to_string());
        env.extend(private(node).map(|ip| ("MUSTER_PRIVATE_IP".into(), ip)));
    }
    if let Some(ip) = state.nodes.values().find(|node| node.leader).and_then(private) {
        env.insert("MUSTER_LEADER_IP".into(), ip.clone());
        env.insert("RAY_HEAD_IP".into(), ip);
    }
    env
}
