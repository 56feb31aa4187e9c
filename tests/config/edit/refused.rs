//! What is not edited, and why.

use std::path::Path;

use super::{FILE, applied, at, config, list, of_type, text, top};
use muster::config::edit::Edit;

/// What is said, and what to do.
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
fn what_would_change_more_than_is_aimed_at() {
    let said = refused(SHARED, &[of_type("head", "ImageId", text("new"))]);
    assert!(
        said.starts_with("us.yaml:3:55: `available_node_types.head.node_config.ImageId`"),
        "{said}"
    );
    assert!(
        said.contains("`available_node_types.worker.node_config.ImageId` would change"),
        "{said}"
    );
    let said = refused(SHARED, &[at(SHARED, "quokka", text("new"))]);
    assert!(said.starts_with("us.yaml:1:21: `cluster_name` is "), "{said}");
}

#[test]
fn edits_that_contradict_each_other() {
    let yaml = config(" {KeyName: old}");
    let edits = ["a", "b"].map(|name| of_type("t", "KeyName", text(name)));
    let said = refused(&yaml, &edits);
    assert!(
        said.contains("different values for `available_node_types.t.node_config.KeyName`"),
        "{said}"
    );
    let shared = ["head", "worker"].map(|name| of_type(name, "ImageId", text(name)));
    let said = refused(SHARED, &shared);
    assert!(said.contains("can't be changed together"), "{said}");
}

#[test]
fn what_is_not_there() {
    let yaml = config(" {KeyName: old}");
    let said = refused(&yaml, &[of_type("gone", "KeyName", text("a"))]);
    assert!(said.contains("`available_node_types.gone.node_config` is not there"), "{said}");
    let mut moved = at(&yaml, "old", text("new"));
    if let muster::config::edit::Target::At(location) = &mut moved.target {
        location.column += 1;
    }
    assert!(refused(&yaml, &[moved]).starts_with("us.yaml:3:29: no value begins here"));
    let empty = config("\n      KeyName:");
    let said = refused(&empty, &[at(&empty, "KeyName", text("new"))]);
    assert!(said.contains("no value begins here"), "{said}");
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
        let said = refused(&config(node_config), &[of_type("t", "KeyName", text("new"))]);
        assert!(said.contains(why), "{said}");
        assert!(said.ends_with("; change it by hand"), "{said}");
    }
    let nested = config("\n      SubnetIds: [a, [b]]");
    let said = refused(&nested, &[of_type("t", "SubnetIds", list(&["a", "b"]))]);
    assert!(said.contains("not laid out"), "{said}");
    let said = refused(&nested, &[of_type("t", "SubnetIds", list(&[]))]);
    assert!(said.contains("an empty list"), "{said}");
}

#[test]
fn a_file_that_can_not_be_read() {
    let table = [
        ("a:\n\tb: c\n", "us.yaml:2:"),
        ("a: 1\na: 2\n", "given twice"),
        ("", "the file is empty"),
        ("- a\n", "no map"),
    ];
    for (yaml, why) in table {
        let said = refused(yaml, &[top("key_name", text("new"))]);
        assert!(said.contains(why), "{said}");
    }
}

#[test]
fn an_edit_of_another_file() {
    let mut other = top("key_name", text("new"));
    other.file = Path::new("eu.yaml").into();
    let said = refused("name: a\n", &[other]);
    assert!(said.contains(&format!("an edit of `eu.yaml` was meant for `{FILE}`")), "{said}");
}
