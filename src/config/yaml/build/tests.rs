//! Where the nodes of a tree stand.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use super::*;

fn tree(text: &str) -> Node {
    let source = Source { path: Path::new("a.yaml").into(), text: text.into() };
    let mut diagnostics = Vec::new();
    let root = parse(&source, &mut diagnostics);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    root.unwrap()
}

/// The source text at `node`'s location.
fn written<'a>(text: &'a str, node: &Node) -> &'a str {
    let Location { line, column, width, .. } = node.location;
    let line = text.lines().nth(line as usize - 1).unwrap();
    let at = |n: u32| line.char_indices().nth(n as usize).map_or(line.len(), |(at, _)| at);
    &line[at(column - 1)..at(column - 1 + width)]
}

#[test]
fn a_scalar_stands_where_it_is_written() {
    let text = "plain: some text # not this\nquoted: \"a\\tb\"\nsingle: 'it''s'\n東京: 値\n\
                flow: {a: [x, y z]}\nanchored: &name value\ntagged: !!str 12\n\
                multi: first\n  second\nblock: |\n  text\n";
    let root = tree(text);
    let at = |key: &str| written(text, root.get(key).unwrap());
    assert_eq!(at("plain"), "some text");
    assert_eq!(at("quoted"), "\"a\\tb\"");
    assert_eq!(at("single"), "'it''s'");
    assert_eq!(at("東京"), "値");
    assert_eq!(at("anchored"), "value");
    assert_eq!(at("tagged"), "12");
    assert_eq!(at("multi"), "first");
    assert_eq!(at("block"), "text");
    let Value::List(items) = &root.get("flow").unwrap().get("a").unwrap().value else {
        unreachable!("a list")
    };
    assert_eq!(items.iter().map(|item| written(text, item)).collect::<Vec<_>>(), ["x", "y z"]);
}

/// A list, a map and nothing at all have no place of their own.
#[test]
fn what_has_no_place_stands_at_its_key() {
    let text = "list:\n  - a\nmap:\n  b: c\nnothing:\nempty: {}\nmaps:\n  - d: e\n    f: g\n";
    let root = tree(text);
    for key in ["list", "map", "nothing", "empty", "maps"] {
        assert_eq!(written(text, root.get(key).unwrap()), key);
    }
    let Value::List(maps) = &root.get("maps").unwrap().value else { unreachable!("a list") };
    assert_eq!(written(text, &maps[0]), "d");
}

#[test]
fn an_alias_stands_where_its_anchor_is() {
    let text = "a: &a {k: v}\nb: *a\nc: {<<: *a, own: 1}\nd: {<<: [{k: first}, *a]}\n";
    let root = tree(text);
    assert_eq!(root.get("b").unwrap().get("k").unwrap().location.line, 1);
    let merged = root.get("c").unwrap();
    let keys: Vec<&str> = merged.entries().iter().map(|entry| entry.key.as_str()).collect();
    assert_eq!(keys, ["own", "k"]);
    assert_eq!(merged.get("k").unwrap().location.line, 1);
    assert_eq!(root.get("d").unwrap().get("k").unwrap().text(), "first");
}

#[test]
fn quotes_and_block_styles_make_text() {
    let root = tree("a: '12'\nb: \"yes\"\nc: |\n  12\nd: 12\non: off\ne: ! 12\n");
    for key in ["a", "b", "c", "e"] {
        let Value::Scalar(scalar) = &root.get(key).unwrap().value else { unreachable!("a scalar") };
        assert_eq!(scalar.resolved, super::super::Resolved::Text, "{key}");
    }
    assert!(root.get("on").is_some(), "a key is never resolved");
    assert!(root.get("on").unwrap().is_off());
}
