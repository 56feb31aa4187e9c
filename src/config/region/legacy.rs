//! Configs without `available_node_types`: the spelling of Ray 1, which Ray 2
//! turns into node types of two fixed names; and those that leave everything
//! to Ray's defaults.

use serde_json::json;

use super::node_types::{NodeType, read_type_of};
use crate::config::{
    NodeTemplate, Sourced,
    diagnostic::ids,
    reader::{ConfigReader, Cursor},
};

/// The names that Ray gives them.
const HEAD: &str = "ray-legacy-head-node-type";
const WORKER: &str = "ray-legacy-worker-node-type";
/// What stands for them in a config.
const HEAD_KEY: &str = "head_node";
const WORKERS_KEY: &str = "worker_nodes";
const MIN_WORKERS: &str = "min_workers";
/// The head's type in Ray's defaults.
const DEFAULT_HEAD: &str = "ray.head.default";
const DEFAULTS: &str = "Ray's default for AWS";

/// The keys that lead to the `node_config` of a node type.
pub(in crate::config) fn place_of(node_type: &str) -> Vec<&str> {
    match node_type {
        HEAD => vec![HEAD_KEY],
        WORKER => vec![WORKERS_KEY],
        other => vec!["available_node_types", other, "node_config"],
    }
}

/// The node types of a config that has no `available_node_types`, and the
/// head's name.
pub(super) fn read(place: &Cursor<'_>, reader: &mut ConfigReader) -> (Vec<NodeType>, String) {
    let given = |key: &str| place.get(key).filter(|value| !value.node.is_empty());
    let (head, workers) = (given(HEAD_KEY), given(WORKERS_KEY));
    match head.as_ref().or(workers.as_ref()) {
        Some(first) => warn_of_spelling(first, reader),
        None => warn_of_defaults(place, reader),
    }
    let min_workers = place.get(MIN_WORKERS).and_then(|count| reader.count(&count)).unwrap_or(0);
    let workers = workers.and_then(|workers| of_node(WORKER, workers, min_workers, reader));
    let head = match head {
        Some(head) => of_node(HEAD, head, 0, reader),
        None => Some(default_head(if workers.is_some() { HEAD } else { DEFAULT_HEAD })),
    };
    let name = head.as_ref().map_or(HEAD.into(), |head| head.name.value.clone());
    (head.into_iter().chain(workers).collect(), name)
}

/// What Ray reads past where there are `available_node_types`.
pub(super) fn warn_about_legacy_keys(place: &Cursor<'_>, reader: &mut ConfigReader) {
    for key in [HEAD_KEY, WORKERS_KEY, MIN_WORKERS] {
        let is_set = |value: &Cursor<'_>| !value.node.is_empty() && value.node.int() != Some(0);
        let Some(value) = place.get(key).filter(is_set) else { continue };
        let message = format!("`{key}` has no effect next to `available_node_types`");
        let help = "Ray 2 does not read it either: set it under `available_node_types`";
        reader.report(value.warning(ids::WITHOUT_EFFECT, message).help(help));
    }
}

fn of_node(
    name: &str,
    place: Cursor<'_>,
    min_workers: u32,
    reader: &mut ConfigReader,
) -> Option<NodeType> {
    let place = reader.map(place)?;
    let name = place.sourced(name.to_owned());
    Some(read_type_of(name, min_workers, &place, Some(place.clone()), reader))
}

fn warn_of_spelling(place: &Cursor<'_>, reader: &mut ConfigReader) {
    let message = format!("`{}` is the spelling of Ray 1", place.path());
    let help = format!(
        "it is read as Ray reads it, as the node types `{HEAD}` and `{WORKER}`: write them under \
         `available_node_types`, with what is here as their `node_config`"
    );
    reader.report(place.warning(ids::LEGACY, message).help(help));
}

fn warn_of_defaults(place: &Cursor<'_>, reader: &mut ConfigReader) {
    let message = "there are no `available_node_types`, so that Ray's defaults are taken";
    let help = "that is one m5.large as head and no workers: describe the node types that you want";
    let place = place.get("provider").unwrap_or_else(|| place.clone());
    let mut warning = place.warning(ids::DEFAULT_NODE_TYPES, message).help(help);
    warning.key_path = Some("available_node_types".into());
    reader.report(warning);
}

/// The head of Ray's `aws/defaults.yaml`. Its workers have a `min_workers` of zero.
fn default_head(name: &str) -> NodeType {
    let disk = json!([{"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 256}}]);
    let template = NodeTemplate {
        more: [("BlockDeviceMappings".to_owned(), disk)].into_iter().collect(),
        ..NodeTemplate::of_type(Sourced::default("m5.large".into(), DEFAULTS))
    };
    NodeType {
        name: Sourced::default(name.into(), DEFAULTS),
        min_workers: 0,
        resources: std::collections::BTreeMap::new(),
        template: Some(template),
    }
}
