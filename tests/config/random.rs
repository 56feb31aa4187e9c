//! Whatever a config holds, the loader returns a project or diagnostics, never
//! panics, and ends in bounded time.
//!
//! This is the fuzz target of the loader on stable Rust: proptest builds the
//! inputs from the corpora and shrinks failures. `MUSTER_FUZZ_SECONDS` sets the
//! duration per target (default: one second); .ci/run sets a minute. Failing inputs
//! go to `configs/found`, which is loaded first in every run.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use muster::config::Loaded;
use proptest::{
    prelude::*,
    sample::{Index, select},
    test_runner::{Config, TestRunner},
};
use serde_yaml::Value;

use super::{configs, load_text, names_in, render};

/// Runs `property` on `inputs` until the time is up.
fn for_a_while<S: Strategy>(inputs: &S, property: impl Fn(S::Value)) {
    let seconds = std::env::var("MUSTER_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    let end = Instant::now() + Duration::from_secs(seconds.unwrap_or(1));
    let config = Config { cases: 64, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let mut rounds = 0;
    while rounds == 0 || Instant::now() < end {
        let outcome = runner.run(inputs, |input| {
            property(input);
            Ok(())
        });
        if let Err(failure) = outcome {
            panic!("{failure}");
        }
        rounds += 1;
    }
}

/// Asserts what every result must satisfy.
fn is_an_answer(text: &str, loaded: &Loaded) {
    let rendered = render(&loaded.diagnostics);
    assert!(loaded.project.is_some() || !rendered.is_empty(), "no diagnostic for:\n{text}");
    assert!(!rendered.chars().any(|c| c.is_control() && c != '\n'), "{rendered}");
    let as_json = serde_json::to_string(&loaded.diagnostics).unwrap();
    assert!(as_json.starts_with('['));
    if let Some(project) = &loaded.project {
        assert!(!project.planned_nodes().is_empty());
    }
}

/// The region configs that are valid.
fn valid_texts() -> Vec<String> {
    let mut files: Vec<PathBuf> =
        names_in(&configs("valid")).into_iter().map(|name| configs("valid").join(name)).collect();
    files.push(configs("valid/project/us.yaml"));
    files.push(configs("valid/project/eu.yaml"));
    files
        .into_iter()
        .filter(|file| file.is_file())
        .map(|f| fs::read_to_string(f).unwrap())
        .collect()
}

/// Any text of both corpora, broken ones too.
fn all_texts() -> Vec<String> {
    let invalid = configs("invalid");
    let files = names_in(&invalid).into_iter().map(|name| invalid.join(name));
    let texts = files.filter(|file| file.is_file()).map(|file| fs::read(file).unwrap());
    let texts = texts.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    texts.chain(valid_texts()).collect()
}

fn any_yaml() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        select(vec!["", " ", "ami-1", "sg-1", "m5.large", "yes", "0o17", "<<", "*a", "2030-01-31"])
            .prop_map(Value::from),
    ];
    scalar.prop_recursive(4, 40, 6, |inner| {
        let keys = prop_oneof![
            "[a-z_]{0,12}".prop_map(String::from),
            select(vec!["InstanceType", "region", "Ebs", "Tags", "GroupName", "min_workers"])
                .prop_map(String::from),
        ];
        let pair = (keys.prop_map(Value::from), inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..6).prop_map(Value::Sequence),
            prop::collection::vec(pair, 0..6)
                .prop_map(|pairs| Value::Mapping(pairs.into_iter().collect())),
        ]
    })
}

/// Replaces the value with index `at` in a tree; counts `at` down along the way.
fn replace(tree: &mut Value, at: &mut usize, new: &Value) -> bool {
    if *at == 0 {
        *tree = new.clone();
        return true;
    }
    *at -= 1;
    match tree {
        Value::Mapping(map) => map.iter_mut().any(|(_, value)| replace(value, at, new)),
        Value::Sequence(items) => items.iter_mut().any(|item| replace(item, at, new)),
        _ => false,
    }
}

fn size(tree: &Value) -> usize {
    1 + match tree {
        Value::Mapping(map) => map.values().map(size).sum::<usize>(),
        Value::Sequence(items) => items.iter().map(size).sum(),
        _ => 0,
    }
}

#[test]
fn any_value_at_any_place_is_answered() {
    let trees: Vec<Value> = valid_texts()
        .iter()
        .map(|text| {
            let mut tree: Value = serde_yaml::from_str(text).unwrap();
            tree.apply_merge().unwrap();
            tree
        })
        .collect();
    let inputs = (select(trees), any::<Index>(), any_yaml());
    for_a_while(&inputs, |(mut tree, place, value)| {
        let mut at = place.index(size(&tree));
        assert!(replace(&mut tree, &mut at, &value));
        let text = serde_yaml::to_string(&tree).unwrap();
        is_an_answer(&text, &load_text(&text));
    });
}

/// One change of a text.
#[derive(Clone, Debug)]
enum Change {
    Insert(Index, String),
    Remove(Index, Index),
    /// Inserts a part of another text.
    Splice(Index, usize, Index, Index),
    /// Repeats a part.
    Repeat(Index, Index, usize),
}

fn any_change() -> impl Strategy<Value = Change> {
    let pieces = vec![
        ":",
        "\n",
        "- ",
        "  ",
        "\t",
        "[",
        "]",
        "{",
        "}",
        "&a ",
        "*a",
        "<<: ",
        "? ",
        "|",
        ">-",
        "#",
        "'",
        "\"",
        "!!int ",
        "---\n",
        "%YAML 1.1\n",
        "\r\n",
        "\u{feff}",
        "\0",
        "\u{202e}",
        "~",
    ];
    let piece = prop_oneof![select(pieces).prop_map(String::from), any::<String>()];
    let index = any::<Index>;
    prop_oneof![
        (index(), piece).prop_map(|(at, piece)| Change::Insert(at, piece)),
        (index(), index()).prop_map(|(from, to)| Change::Remove(from, to)),
        (index(), any::<usize>(), index(), index())
            .prop_map(|(at, other, from, to)| Change::Splice(at, other, from, to)),
        (index(), index(), 2..20_usize).prop_map(|(from, to, n)| Change::Repeat(from, to, n)),
    ]
}

fn change(text: &[char], change: &Change, others: &[String]) -> Vec<char> {
    let at = |index: &Index, text: &[char]| index.index(text.len() + 1);
    let range = |a: &Index, b: &Index, text: &[char]| {
        let (a, b) = (at(a, text), at(b, text));
        a.min(b)..a.max(b)
    };
    match change {
        Change::Insert(index, piece) => {
            let at = at(index, text);
            [&text[..at], &piece.chars().collect::<Vec<_>>(), &text[at..]].concat()
        }
        Change::Remove(from, to) => {
            let range = range(from, to, text);
            [&text[..range.start], &text[range.end..]].concat()
        }
        Change::Splice(index, other, from, to) => {
            let other: Vec<char> = others[other % others.len()].chars().collect();
            let at = at(index, text);
            [&text[..at], &other[range(from, to, &other)], &text[at..]].concat()
        }
        Change::Repeat(from, to, times) => {
            let range = range(from, to, text);
            [&text[..range.end], &text[range.clone()].repeat(times - 1), &text[range.end..]]
                .concat()
        }
    }
}

#[test]
fn any_text_is_answered() {
    let texts = all_texts();
    let inputs = (select(texts.clone()), prop::collection::vec(any_change(), 1..8));
    for_a_while(&inputs, |(text, changes)| {
        let mut text: Vec<char> = text.chars().collect();
        for one in &changes {
            text = change(&text, one, &texts);
            text.truncate(100_000);
        }
        let text: String = text.into_iter().collect();
        is_an_answer(&text, &load_text(&text));
    });
}

#[test]
fn what_was_found_is_answered() {
    for name in names_in(&configs("found")) {
        let text = fs::read(configs("found").join(name)).unwrap();
        let text = String::from_utf8_lossy(&text);
        is_an_answer(&text, &load_text(&text));
    }
}
