//! Which nodes the user means.

use super::CliError;
use crate::{
    engine::{NodeState, RunState},
    model::Failure,
};

/// The one node that `text` names: its name, `leader`, its instance id, its
/// name as an ssh config has it, or a part that no other name has.
pub fn node<'a>(state: &'a RunState, text: &str) -> Result<&'a NodeState, CliError> {
    let mut all = state.nodes.values();
    if let Some(exact) = all.find(|node| is(node, text)) {
        return Ok(exact);
    }
    let found: Vec<_> = state.nodes.values().filter(|node| has(node, text)).collect();
    match found.as_slice() {
        [one] => Ok(one),
        [] => Err(CliError::usage(unknown(state, text))),
        several => {
            let failure = Failure::new(format!("{text} may be any of {} nodes", several.len()));
            Err(CliError::usage(failure.hint(format!("say which: {}", names(several)))))
        }
    }
}

/// The nodes that `texts` stand for, each once, in the order of their names:
/// `all`, `leader`, `members`, a region, or a node.
pub fn nodes<'a>(state: &'a RunState, texts: &[String]) -> Result<Vec<&'a NodeState>, CliError> {
    let mut picked = Vec::new();
    for text in texts {
        let stands_for = |node: &&NodeState| match text.as_str() {
            "all" => true,
            "leader" => node.leader,
            "members" => !node.leader,
            region => node.group.region.as_str() == region,
        };
        let found: Vec<_> = state.nodes.values().filter(stands_for).collect();
        let group = ["all", "leader", "members"].contains(&text.as_str());
        if found.is_empty() && !group {
            picked.push(node(state, text)?);
        }
        picked.extend(found);
    }
    picked.sort_by(|a, b| a.name.cmp(&b.name));
    picked.dedup_by(|a, b| a.name == b.name);
    Ok(picked)
}

/// The node's name as one word that means nothing else to ssh, scp and a shell.
pub fn alias(node: &NodeState) -> String {
    node.name.as_str().replace('/', "-")
}

fn is(node: &NodeState, text: &str) -> bool {
    let id = node.instance.as_ref().map(|info| info.id.as_str());
    node.name.as_str() == text
        || alias(node) == text
        || id == Some(text)
        || (node.leader && text == "leader")
}

fn has(node: &NodeState, text: &str) -> bool {
    !text.is_empty() && (node.name.as_str().contains(text) || alias(node).contains(text))
}

fn unknown(state: &RunState, text: &str) -> Failure {
    let failure = Failure::new(format!("there is no node {text}"));
    let mut near: Vec<_> = state.nodes.values().collect();
    let likeness = |node: &NodeState| strsim::jaro_winkler(node.name.as_str(), text);
    near.sort_by(|a, b| likeness(b).total_cmp(&likeness(a)));
    near.truncate(4);
    failure.hint(format!("the nearest are {}", names(&near)))
}

fn names(nodes: &[&NodeState]) -> String {
    let names: Vec<_> = nodes.iter().map(|node| node.name.as_str()).collect();
    names.join(", ")
}
