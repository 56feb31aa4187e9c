//! Whatever a config contains, the loader returns and does not panic.

use std::path::Path;

use muster::config::{Diagnostic, Overrides, Source, load_sources};

use super::{configs, load_text, render};

const NASTY: &[&str] = &[
    "",
    "~",
    "0",
    "-1",
    "99999999999999999999999999",
    ".inf",
    ".nan",
    "1.5",
    "yes",
    "2024-01-31",
    "\"\"",
    "\" \"",
    "\"\\0\\e[31m\\n\"",
    "'%s{}$(id)`id`'",
    "[]",
    "{}",
    "[[[[]]]]",
    "{a: {b: [1, {c: ~}]}}",
    "*nothing",
    "&self [*self]",
    "!!binary aGVsbG8=",
    "!!int twelve",
    "<<",
    "{<<: 1}",
    "{? [a] : b}",
    "{a: 1, a: 2}",
    "|\n  text",
    "東京🗼\u{301}",
    "\u{202e}abc",
    "---",
    "...",
    "\t",
    "%YAML 1.1",
    "'",
    "@",
    "}",
    "- - - -",
    "x: y: z",
];

/// Replaces the value after each colon or dash of `text`, one at a time.
fn mutations(text: &str) -> impl Iterator<Item = String> {
    let lines: Vec<&str> = text.lines().collect();
    let places = (0..lines.len()).filter_map(move |index| {
        let line = lines[index];
        let start = line.find(": ").map(|at| at + 2).or(line.find("- ").map(|at| at + 2));
        let start = start.or(line.ends_with(':').then_some(line.len()))?;
        let (before, after) = (lines[..index].join("\n"), lines[index + 1..].join("\n"));
        Some((before, line[..start].to_owned(), after))
    });
    places.flat_map(|(before, line, after)| {
        NASTY.iter().map(move |nasty| format!("{before}\n{line}{nasty}\n{after}"))
    })
}

#[test]
fn nasty_values_are_answered() {
    let text = std::fs::read_to_string(configs("valid/project/us.yaml")).unwrap();
    let mut count = 0;
    for mutated in mutations(&text) {
        let loaded = load_text(&mutated);
        let rendered = render(&loaded.diagnostics);
        assert!(loaded.project.is_some() || !rendered.is_empty(), "no diagnostic for:\n{mutated}");
        assert!(!rendered.chars().any(|c| c.is_control() && c != '\n'), "{rendered}");
        count += 1;
    }
    assert!(count > 1000, "only {count} mutations");
}

#[test]
fn a_config_cut_anywhere_is_answered() {
    let text = std::fs::read_to_string(configs("valid/project/us.yaml")).unwrap();
    for (end, _) in text.char_indices().step_by(5) {
        let loaded = load_text(&text[..end]);
        assert!(loaded.project.is_some() || !loaded.diagnostics.is_empty(), "cut at {end}");
    }
}

/// None of these takes more than a second, unless some code is quadratic.
#[test]
fn large_and_deep_files_are_answered() {
    let texts = [
        "- ".repeat(400_000),
        "[".repeat(400_000),
        "{a: ".repeat(200_000),
        "- |\n a\n".repeat(100_000),
        (0..100_000).map(|n| format!("k{n}: v")).collect::<Vec<_>>().join("\n"),
        format!("cluster_name: {}", "x".repeat(1_000_000)),
        format!("{}: a", "x".repeat(1_000_000)),
        format!("provider: {{{}: a}}", "x".repeat(900)),
        "a: 'b\n".repeat(100_000),
        "? ".repeat(400_000),
        "&a ".repeat(300_000),
    ];
    for text in texts {
        let loaded = load_text(&text);
        let head: String = text.chars().take(20).collect();
        assert!(!loaded.diagnostics.is_empty(), "no diagnostic for {head:?}");
    }
}

/// Returns the diagnostics of these files.
fn diagnostics_of(files: &[(&str, String)]) -> Vec<Diagnostic> {
    let source = |(name, text): &(&str, String)| Source {
        path: Path::new(name).into(),
        text: text.as_str().into(),
    };
    let sources = files.iter().map(source).collect();
    load_sources(Path::new(""), None, sources, None, &Overrides::default()).diagnostics
}

/// Returns a config of one region with `count` unknown keys that resemble no known
/// key.
fn unknown_keys(region: &str, count: usize) -> String {
    let keys: Vec<String> = (0..count).map(|n| format!("{n:x>60}: 1\n")).collect();
    let keys = keys.concat();
    format!("cluster_name: c\nprovider: {{type: aws, region: {region}}}\n{keys}")
}

#[test]
fn files_read_in_parallel_are_reported_in_order() {
    let names = ["us.yaml", "eu.yaml", "ap.yaml", "ca.yaml", "sa.yaml"];
    let regions = ["us-west-2", "eu-west-1", "ap-south-1", "ca-central-1", "sa-east-1"];
    let texts = regions.iter().map(|region| unknown_keys(region, 1_500));
    let files: Vec<_> = names.into_iter().zip(texts).collect();
    let found = diagnostics_of(&files);
    let places: Vec<_> = found.iter().map(|one| one.location.clone().unwrap()).collect();
    let place = |at: &muster::config::Location| {
        (names.iter().position(|name| *at.file == *Path::new(name)), at.line, at.column)
    };
    assert!(places.iter().map(place).is_sorted());
    // Plus one for the missing node types, in each.
    assert_eq!(found.len(), names.len() * 1_501);
    assert!(found.iter().all(|one| one.source_line.is_some()));
}

#[test]
fn of_thousands_of_mistakes_the_first_are_reported() {
    let files = [
        ("us.yaml", unknown_keys("us-west-2", 7_000)),
        ("eu.yaml", unknown_keys("eu-west-1", 4_000)),
    ];
    let found = diagnostics_of(&files);
    assert_eq!(found.len(), 10_001);
    let of = |name: &str| {
        let in_it = |one: &&Diagnostic| {
            one.location.as_ref().is_some_and(|at| *at.file == *Path::new(name))
        };
        found.iter().filter(in_it).count()
    };
    // One warning of each file is about the missing node types.
    assert_eq!((of("us.yaml"), of("eu.yaml")), (7_001, 2_999));
    assert_eq!(found[0].message, "1002 more mistakes are not shown");
    let twice = "a: 1\n".repeat(20_000);
    let found = diagnostics_of(&[("us.yaml", twice)]);
    assert_eq!(found.len(), 10_000);
    assert_eq!(found[9_999].message, "this file has more than 10000 mistakes");
}
