//! Every scalar of every config that muster comes with, given every kind of
//! new value: nothing else may change, in the text or for another reader.
#![expect(clippy::unwrap_used, reason = "a test that can't go on should fail")]

use std::{fs, path::Path};

use serde_yaml::Value as Other;

use super::{Edit, Target, Value, apply, diff};
use crate::config::{
    Location, Source,
    yaml::{self, Node, Value as Held},
};

const NEW: [&str; 8] =
    ["ami-0123", "Off", "0777", "it's: \"a\" # b", "東京", ", ]}", " ", "two\nlines"];

fn files() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = [
        "assets/demo",
        "assets/demo/mistakes",
        "assets/recipe",
        "tests/configs/valid",
        "tests/configs/valid/project",
    ];
    let entries = folders.iter().flat_map(|folder| fs::read_dir(root.join(folder)).unwrap());
    let paths = entries.map(|entry| entry.unwrap().path());
    let yaml = paths.filter(|path| path.extension().is_some_and(|ending| ending == "yaml"));
    let read = |path: std::path::PathBuf| Source {
        text: fs::read_to_string(&path).unwrap().into(),
        path: path.into(),
    };
    yaml.map(read).collect()
}

/// Where the scalars are that have a place of their own.
fn places(node: &Node, places: &mut Vec<Location>) {
    match &node.value {
        Held::Scalar(_) => places.push(node.location.clone()),
        Held::List(items) => items.iter().for_each(|item| self::places(item, places)),
        Held::Map(entries) => {
            let own = |entry: &&yaml::Entry| {
                !matches!(entry.value.value, Held::Scalar(_))
                    || entry.value.location != entry.location
            };
            entries.iter().filter(own).for_each(|entry| self::places(&entry.value, places));
        }
    }
}

fn read(text: &str) -> Other {
    let mut value: Other = serde_yaml::from_str(text).unwrap();
    value.apply_merge().unwrap();
    value
}

/// The leaves of `b` that `a` holds otherwise; `None` where the trees are not
/// of one shape.
fn changed<'a>(a: &Other, b: &'a Other, leaves: &mut Vec<&'a Other>) -> Option<()> {
    match (a, b) {
        (Other::Mapping(a), Other::Mapping(b)) => {
            (a.len() == b.len()).then_some(())?;
            a.iter().try_for_each(|(key, a)| changed(a, b.get(key)?, leaves))
        }
        (Other::Sequence(a), Other::Sequence(b)) => {
            (a.len() == b.len()).then_some(())?;
            a.iter().zip(b).try_for_each(|(a, b)| changed(a, b, leaves))
        }
        _ => {
            leaves.extend((a != b).then_some(b));
            Some(())
        }
    }
}

/// The text in front of a place, and behind it.
fn around<'a>(text: &'a str, place: &Location) -> (&'a str, &'a str) {
    let start: usize = text.split_inclusive('\n').take(place.line as usize - 1).map(str::len).sum();
    let line = &text[start..];
    let at = |column: u32| {
        let mut characters = line.char_indices();
        characters.nth(column as usize).map_or(line.len(), |(at, _)| at)
    };
    (&text[..start + at(place.column - 1)], &line[at(place.column - 1 + place.width)..])
}

#[test]
fn a_new_value_changes_nothing_else() {
    let (mut done, mut by_hand) = (0, 0);
    for source in files() {
        let mut all = Vec::new();
        places(&yaml::parse(&source, &mut Vec::new()).unwrap(), &mut all);
        let old = read(&source.text);
        for (number, place) in all.iter().enumerate() {
            // Each place gets some of them, so that all together get each often.
            for new in [NEW[number % NEW.len()], NEW[(number + 3) % NEW.len()]] {
                let edit = Edit {
                    file: source.path.clone(),
                    target: Target::At(place.clone()),
                    value: Value::Text(new.into()),
                    why: String::new(),
                };
                let Ok(text) = apply(&source, &[edit]) else {
                    by_hand += 1;
                    continue;
                };
                check(&source, place, &old, &text, new);
                done += 1;
            }
        }
    }
    assert!(done > 300, "{done} changed");
    assert!(by_hand < done / 10, "{by_hand} of {done} left to the user");
}

fn check(source: &Source, place: &Location, old: &Other, text: &str, new: &str) {
    let (before, after) = around(&source.text, place);
    assert!(text.starts_with(before), "{place}: {text}");
    let over_lines = !text.ends_with(after);
    let value = read(text);
    let mut leaves = Vec::new();
    changed(old, &value, &mut leaves).unwrap();
    assert!(!leaves.is_empty(), "{place} is as before");
    assert!(leaves.iter().all(|leaf| leaf.as_str() == Some(new)), "{place}: {leaves:?}");
    let diff = diff(source.path.clone(), Vec::new(), &source.text, text);
    let changes = diff.hunks.iter().flat_map(|hunk| &hunk.lines);
    let changes: Vec<_> =
        changes.filter(|line| line.old != line.new && line.old.is_none()).collect();
    assert_eq!(changes.len(), 1, "{place}: {diff}");
    assert!(!over_lines || source.text.lines().count() > text.lines().count(), "{place}: {text}");
}
