//! Our tree against another reader: the same values, for configs that YAML 1.1
//! and 1.2 agree on. Ours is there for its positions alone.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that can't go on should fail")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_yaml::Value as Other;

use super::{Node, Resolved, Scalar, Value, parse};
use crate::config::Source;

#[test]
fn every_config_of_ours_holds_what_serde_yaml_reads() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["assets/demo", "assets/demo/mistakes", "assets/recipe", "tests/configs/valid"];
    let files = folders.iter().flat_map(|folder| fs::read_dir(root.join(folder)).unwrap());
    let mut compared = 0;
    let is_yaml = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "yaml");
    for path in files.map(|entry| entry.unwrap().path()).filter(is_yaml) {
        let text = fs::read_to_string(&path).unwrap();
        let mut other: Other = serde_yaml::from_str(&text).unwrap();
        other.apply_merge().unwrap();
        let source = Source { path: path.as_path().into(), text: text.into() };
        let mut diagnostics = Vec::new();
        let ours = parse(&source, &mut diagnostics).unwrap();
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        compare(&ours, &other);
        compared += 1;
    }
    assert!(compared >= 7, "{compared} files");
}

fn compare(ours: &Node, other: &Other) {
    match (&ours.value, other) {
        (Value::Map(entries), Other::Mapping(map)) => {
            assert_eq!(entries.len(), map.len(), "{}", ours.location);
            for entry in entries {
                compare(&entry.value, &map[entry.key.as_str()]);
            }
        }
        (Value::List(items), Other::Sequence(others)) => {
            assert_eq!(items.len(), others.len(), "{}", ours.location);
            items.iter().zip(others).for_each(|(item, other)| compare(item, other));
        }
        (Value::Scalar(scalar), other) => {
            assert!(same(scalar, other), "{}: {other:?}", ours.location);
        }
        (_, other) => panic!("{}: {} is {other:?}", ours.location, ours.describe()),
    }
}

fn same(ours: &Scalar, other: &Other) -> bool {
    match (&ours.resolved, other) {
        (Resolved::Null, Other::Null) => true,
        (Resolved::Bool(ours), Other::Bool(other)) => ours == other,
        (Resolved::Int(_) | Resolved::Float(_), Other::Number(other)) => {
            ours.text.parse::<f64>().ok() == other.as_f64()
        }
        (Resolved::Text | Resolved::Date, Other::String(other)) => ours.text == *other,
        _ => false,
    }
}
