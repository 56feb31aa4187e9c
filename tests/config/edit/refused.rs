//! What is not edited, and why.

use std::path::Path;

use super::{FILE, applied, at, config, list, of_type, text, top};
use muster::config::edit::Edit;

/// Returns the error of edits that are refused, with what to do.
fn refused(yaml: &str, edits: &[Edit]) -> String {
    let error = applied(yaml, edits).unwrap_err();
    assert!(!error.help.is_empty());
    format!("{error}; {}", error.help)
}

const SHARED: &str = "cluster_name: &name quokka
available_node_types:
  head: {node_config: &node {KeyName: *name, ImageId: ami}}
  worker: {node_config: *node}
";

#[test]
fn edits_that_would_change_more_than_their_target() {
    let message = refused(SHARED, &[of_type("head", "ImageId", text("new"))]);
    assert!(
        message.starts_with("us.yaml:3:55: `available_node_types.head.node_config.ImageId`"),
        "{message}"
    );
    assert!(
        message.contains("`available_node_types.worker.node_config.ImageId` would change"),
        "{message}"
    );
    let message = refused(SHARED, &[at(SHARED, "quokka", text("new"))]);
    assert!(message.starts_with("us.yaml:1:21: `cluster_name` is "), "{message}");
}

#[test]
fn edits_that_contradict_each_other() {
    let yaml = config(" {KeyName: old}");
    let edits = ["a", "b"].map(|name| of_type("t", "KeyName", text(name)));
    let message = refused(&yaml, &edits);
    assert!(
        message.contains("different values for `available_node_types.t.node_config.KeyName`"),
        "{message}"
    );
    let shared = ["head", "worker"].map(|name| of_type(name, "ImageId", text(name)));
    let message = refused(SHARED, &shared);
    assert!(message.contains("can't be changed together"), "{message}");
}

#[test]
fn a_missing_target() {
    let yaml = config(" {KeyName: old}");
    let message = refused(&yaml, &[of_type("absent", "KeyName", text("a"))]);
    assert!(
        message.contains("`available_node_types.absent.node_config` is not there"),
        "{message}"
    );
    let mut moved = at(&yaml, "old", text("new"));
    if let muster::config::edit::Target::At(location) = &mut moved.target {
        location.column += 1;
    }
    assert!(refused(&yaml, &[moved]).starts_with("us.yaml:3:29: no value begins here"));
    let empty = config("\n      KeyName:");
    let message = refused(&empty, &[at(&empty, "KeyName", text("new"))]);
    assert!(message.contains("no value begins here"), "{message}");
}

#[test]
fn what_is_written_too_freely() {
    let table = [
        ("\n      KeyName: |-\n        old", "block of lines"),
        ("\n      KeyName: {a: b}", "is a map"),
        ("\n      KeyName:\n        - a", "a list over several lines"),
        ("\n      KeyName: &k", "an anchor or a tag"),
    ];
    for (node_config, why) in table {
        let message = refused(&config(node_config), &[of_type("t", "KeyName", text("new"))]);
        assert!(message.contains(why), "{message}");
        assert!(message.ends_with("; change it by hand"), "{message}");
    }
    let nested = config("\n      SubnetIds: [a, [b]]");
    let message = refused(&nested, &[of_type("t", "SubnetIds", list(&["a", "b"]))]);
    assert!(message.contains("not laid out"), "{message}");
    let message = refused(&nested, &[of_type("t", "SubnetIds", list(&[]))]);
    assert!(message.contains("an empty list"), "{message}");
}

#[test]
fn an_unreadable_file() {
    let table = [
        ("a:\n\tb: c\n", "us.yaml:2:"),
        ("a: 1\na: 2\n", "given twice"),
        ("", "the file is empty"),
        ("- a\n", "no map"),
    ];
    for (yaml, why) in table {
        let message = refused(yaml, &[top("key_name", text("new"))]);
        assert!(message.contains(why), "{message}");
    }
}

#[test]
fn an_edit_of_another_file() {
    let mut other = top("key_name", text("new"));
    other.file = Path::new("eu.yaml").into();
    let message = refused("name: a\n", &[other]);
    assert!(message.contains(&format!("an edit of `eu.yaml` was meant for `{FILE}`")), "{message}");
}
