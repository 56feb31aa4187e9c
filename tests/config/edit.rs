//! Edits of configs: only the target changes.

mod refused;
mod styles;
mod written;

use std::path::Path;

use muster::config::{
    Location,
    edit::{Edit, EditError, Target, Value, apply},
};

use super::source;

const FILE: &str = "us.yaml";

fn text(value: &str) -> Value {
    Value::Text(value.into())
}

fn list(items: &[&str]) -> Value {
    Value::List(items.iter().map(|item| (*item).to_owned()).collect())
}

fn edit(target: Target, value: Value) -> Edit {
    Edit { file: Path::new(FILE).into(), target, value, why: "the test wants it".into() }
}

/// `key` of the node type `node_type`.
fn of_type(node_type: &str, key: &'static str, value: Value) -> Edit {
    edit(Target::NodeConfig { node_type: node_type.into(), key }, value)
}

/// A key at the top.
fn top(key: &'static str, value: Value) -> Edit {
    edit(Target::Top { key }, value)
}

/// Returns an edit of the first occurrence of `what` in `yaml`.
fn at(yaml: &str, what: &str, value: Value) -> Edit {
    edit(Target::At(place(yaml, what)), value)
}

fn place(yaml: &str, what: &str) -> Location {
    let (line, text) = (1..).zip(yaml.lines()).find(|(_, line)| line.contains(what)).unwrap();
    let before = text.split(what).next().unwrap();
    let count = |text: &str| u32::try_from(text.chars().count()).unwrap();
    Location { file: Path::new(FILE).into(), line, column: count(before) + 1, width: count(what) }
}

fn applied(yaml: &str, edits: &[Edit]) -> Result<String, EditError> {
    apply(&source(FILE, yaml), edits)
}

/// Returns a config whose only node type `t` has this `node_config`.
fn config(node_config: &str) -> String {
    format!("available_node_types:\n  t:\n    node_config:{node_config}\n")
}
