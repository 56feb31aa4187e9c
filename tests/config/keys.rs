//! Every key of the tables is used in a config of the corpora.

use std::collections::BTreeSet;

use serde_yaml::Value;

use super::{configs, names_in};

/// A key path as the tables spell it, and what muster does with it.
struct Row {
    path: String,
    what: String,
}

/// Returns the rows of one section of `docs/config.md`, which is generated from the tables.
fn rows(section: &str) -> Vec<Row> {
    let text = muster::config::keys_markdown();
    let (_, rest) = text.split_once(&format!("\n## {section}\n")).unwrap();
    let table = rest.split("\n## ").next().unwrap();
    let rows = table.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.split(" | ");
        let path = cells.next()?.trim_end_matches('`').to_owned();
        Some(Row { path, what: cells.next()?.trim_matches('*').to_owned() })
    });
    rows.collect()
}

/// Collects every key path in a value, without lists.
fn paths(value: &Value, above: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Mapping(map) => {
            for (key, value) in map {
                let key = key.as_str().unwrap_or_default();
                let path = if above.is_empty() { key.to_owned() } else { format!("{above}.{key}") };
                paths(value, &path, found);
                found.insert(path);
            }
        }
        Value::Sequence(items) => items.iter().for_each(|item| paths(item, above, found)),
        _ => {}
    }
}

/// The key paths of all files of a corpus, those in its folders included.
fn paths_in(corpus: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    // The built-in recipe has keys that few others need.
    let mut folders = vec![configs(corpus), configs("../../assets/recipe")];
    while let Some(folder) = folders.pop() {
        for path in names_in(&folder).into_iter().map(|name| folder.join(name)) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = String::from_utf8(std::fs::read(&path).unwrap()).unwrap_or_default();
            let Ok(mut value) = serde_yaml::from_str::<Value>(&text) else { continue };
            if value.apply_merge().is_ok() {
                paths(&value, "", &mut found);
            }
        }
    }
    found
}

fn matches(pattern: &str, path: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else { return pattern == path };
    // A name can contain dots: `ray.head.default`.
    path.strip_prefix(before).is_some_and(|rest| {
        rest.match_indices('.').any(|(at, _)| rest[at..] == *after) || after.is_empty()
    })
}

#[test]
fn every_key_stands_in_a_config() {
    let (valid, invalid) = (paths_in("valid"), paths_in("invalid"));
    let sections = [
        ("A region's config", ""),
        ("`node_config`", "available_node_types.*.node_config."),
        ("muster.yaml", ""),
        ("A recipe", ""),
    ];
    let mut missing = Vec::new();
    for (section, above) in sections {
        for row in rows(section) {
            let pattern = format!("{above}{}", row.path);
            let stands =
                |paths: &BTreeSet<String>| paths.iter().any(|path| matches(&pattern, path));
            let found = match row.what.as_str() {
                "used" | "kept" | "passed on" | "not yet" => stands(&valid) || stands_legacy(&row),
                "no effect" => stands(&valid) || stands(&invalid),
                _ => stands(&invalid),
            };
            if !found {
                missing.push(format!("{pattern} ({})", row.what));
            }
        }
    }
    assert!(missing.is_empty(), "in no config of the corpora:\n{}", missing.join("\n"));
}

/// These are valid but have a diagnostic all the same.
fn stands_legacy(row: &Row) -> bool {
    let legacy = ["head_node", "worker_nodes", "min_workers"];
    legacy.contains(&row.path.as_str()) && paths_in("invalid").contains(&row.path)
}
