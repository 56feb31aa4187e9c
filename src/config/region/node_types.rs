//! `available_node_types` and `head_node_type` into node groups.

use std::collections::BTreeMap;

use super::legacy;
use crate::{
    config::{
        NodeGroup, NodeTemplate, Sourced,
        diagnostic::ids,
        keys, node_config,
        reader::{ConfigReader, Cursor},
        text,
    },
    model::NodeKind,
};

const TYPES: &str = "available_node_types";
/// What Ray takes where `max_workers` is absent.
const DEFAULT_MAX_WORKERS: u32 = 2;
/// The head type of Ray's AWS defaults, which pyquokka uses too.
const DEFAULT_HEAD: &str = "ray.head.default";

/// One entry of `available_node_types`.
pub(super) struct NodeType {
    pub name: Sourced<String>,
    pub min_workers: u32,
    pub resources: BTreeMap<String, f64>,
    pub template: Option<NodeTemplate>,
}

/// The groups of a config: one node of the head type, and `min_workers` of
/// every type, as `ray up` launches them. The head first, empty groups left out.
pub(super) fn read(place: &Cursor<'_>, reader: &mut ConfigReader) -> Option<Vec<NodeGroup>> {
    let Some(types_place) = place.get(TYPES) else {
        let (types, head) = legacy::read(place, reader);
        check_room(place, place, &types, reader);
        return groups(types, &head);
    };
    let types_place = reader.map(types_place)?;
    legacy::warn_about_legacy_keys(place, reader);
    let types: Vec<NodeType> = types_place
        .entries()
        .filter_map(|(entry, node_type)| {
            let name = Sourced::written(entry.key.clone(), entry.location.clone());
            read_type(name, node_type, reader)
        })
        .collect();
    check_room(place, &types_place, &types, reader);
    let head = head_type(place, &types_place, reader)?;
    groups(types, &head)
}

fn read_type(
    name: Sourced<String>,
    place: Cursor<'_>,
    reader: &mut ConfigReader,
) -> Option<NodeType> {
    let place = reader.map(place)?;
    let min_workers = place.get("min_workers").and_then(|count| reader.count(&count)).unwrap_or(0);
    check_own_maximum(&place, min_workers, reader);
    let why = "give the arguments of EC2's RunInstances, `InstanceType` at least";
    let node_config = reader.required(&place, "node_config", why);
    Some(read_type_of(name, min_workers, &place, node_config, reader))
}

/// A node type with its `resources` in `place`.
pub(super) fn read_type_of(
    name: Sourced<String>,
    min_workers: u32,
    place: &Cursor<'_>,
    node_config: Option<Cursor<'_>>,
    reader: &mut ConfigReader,
) -> NodeType {
    let template = node_config.and_then(|config| node_config::read(config, reader));
    NodeType { name, min_workers, resources: resources(place, reader), template }
}

fn check_own_maximum(place: &Cursor<'_>, min_workers: u32, reader: &mut ConfigReader) {
    let Some(max_place) = place.get("max_workers") else { return };
    let Some(max) = reader.count::<u32>(&max_place) else { return };
    if max < min_workers {
        let message = format!("`max_workers` is {max}, and `min_workers` is {min_workers}");
        let help = format!("raise it to {min_workers} at least");
        reader.report(max_place.error(ids::MAX_WORKERS, message).help(help));
    }
}

fn resources(place: &Cursor<'_>, reader: &mut ConfigReader) -> BTreeMap<String, f64> {
    let Some(map) = place.get("resources").and_then(|map| reader.map(map)) else {
        return BTreeMap::new();
    };
    map.entries()
        .filter_map(|(entry, amount)| Some((entry.key.clone(), reader.amount(&amount)?)))
        .collect()
}

/// `max_workers` must be above the sum of `min_workers`.
fn check_room(
    place: &Cursor<'_>,
    types_place: &Cursor<'_>,
    types: &[NodeType],
    reader: &mut ConfigReader,
) {
    let wanted: u64 = types.iter().map(|node_type| u64::from(node_type.min_workers)).sum();
    let (place, max) = match place.get("max_workers") {
        Some(place) => match reader.count::<u32>(&place) {
            Some(max) => (place, max),
            None => return,
        },
        None if wanted < u64::from(DEFAULT_MAX_WORKERS) => return,
        None => (types_place.clone(), DEFAULT_MAX_WORKERS),
    };
    // A head alone needs no room.
    if u64::from(max) > wanted || wanted == 0 {
        return;
    }
    let given = match place.path().as_str() {
        "max_workers" => format!("`max_workers` is {max}"),
        _ => format!("`max_workers` is not given, so that Ray takes {max},"),
    };
    let message = format!("{given} and the `min_workers` add up to {wanted}");
    let help = format!(
        "Quokka's clusters need `max_workers` above that sum, or Ray counts the cluster as full: \
         `max_workers: {}`",
        wanted + 1
    );
    reader.report(place.error(ids::MAX_WORKERS, message).help(help));
}

/// The name of the head's type, as Ray finds it.
fn head_type(place: &Cursor<'_>, types: &Cursor<'_>, reader: &mut ConfigReader) -> Option<String> {
    let names: Vec<&str> = types.node.entries().iter().map(|entry| entry.key.as_str()).collect();
    let Some(head_place) = place.get("head_node_type") else {
        return default_head(types, &names, reader);
    };
    let head = reader.text(&head_place)?.value;
    if names.contains(&head.as_str()) {
        return Some(head);
    }
    let message = format!("there is no node type `{}`", text::shown(&head));
    let help = keys::suggestion(&head, names.iter().copied())
        .unwrap_or_else(|| format!("the node types are {}", listed(&names)));
    reader.report(head_place.error(ids::HEAD_NODE_TYPE, message).help(help));
    None
}

/// Without `head_node_type` Ray takes its default name; an only type is meant anyway.
fn default_head(types: &Cursor<'_>, names: &[&str], reader: &mut ConfigReader) -> Option<String> {
    match names {
        [only] => return Some((*only).to_owned()),
        _ if names.contains(&DEFAULT_HEAD) => return Some(DEFAULT_HEAD.to_owned()),
        _ => {}
    }
    let message = "`head_node_type` is missing";
    let help = if names.is_empty() {
        "describe the head's type here, and name it in `head_node_type`".to_owned()
    } else {
        format!("say which is the head's: {}", listed(names))
    };
    reader.report(types.error(ids::HEAD_NODE_TYPE, message).help(help));
    None
}

fn listed(names: &[&str]) -> String {
    text::shown(&names.join(", "))
}

fn groups(types: Vec<NodeType>, head: &str) -> Option<Vec<NodeGroup>> {
    let complete = types.iter().all(|node_type| node_type.template.is_some());
    let mut groups = Vec::new();
    for node_type in types {
        if node_type.name.value == head {
            groups.insert(0, group(&node_type, NodeKind::Head, 1)?);
        }
        if node_type.min_workers > 0 {
            groups.push(group(&node_type, NodeKind::Worker, node_type.min_workers)?);
        }
    }
    complete.then_some(groups)
}

fn group(node_type: &NodeType, kind: NodeKind, count: u32) -> Option<NodeGroup> {
    Some(NodeGroup {
        config: 0,
        kind,
        node_type: node_type.name.clone(),
        count,
        resources: node_type.resources.clone(),
        template: node_type.template.clone()?,
    })
}
