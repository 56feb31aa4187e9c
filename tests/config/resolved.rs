//! What `muster config` prints loads to the same project.

use std::{fs, path::Path};

use muster::{
    config::{LoadRequest, Loaded, Overrides, Project, load, resolved},
    sim::Scenario,
};

use super::{configs, load_case, names_in};

/// Renders a project without the sources of its values: this part must stay the same.
fn essence(project: &Project) -> Vec<String> {
    let debug = format!("{project:#?}");
    let mut lines = Vec::new();
    let mut rest = debug.lines();
    while let Some(line) = rest.next() {
        let text = line.trim_start();
        let indent = line.len() - text.len();
        let dropped = ["origin: ", "source: ", "sources: ", "folder: ", "location: "];
        if text.starts_with("name: ") && text.ends_with("/recipe.yaml\",") {
            // The recipe's name is its path, which differs between the two.
            lines.push(format!("{}name: \"recipe.yaml\",", " ".repeat(indent)));
        } else if !dropped.iter().any(|field| text.starts_with(field)) {
            lines.push(line.to_owned());
        } else if text.ends_with(['{', '(', '[']) {
            let is_end = |line: &str| line.len() - line.trim_start().len() <= indent;
            _ = rest.find(|line| is_end(line));
        }
    }
    lines
}

/// Writes the printed form of `loaded` and loads it again.
fn again(name: &str, loaded: &Loaded) -> Project {
    let project = loaded.project.as_ref().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let files = resolved::files(project);
    for (file, text) in &files {
        fs::write(folder.path().join(file), text).unwrap();
    }
    let request = LoadRequest { folder: folder.path().into(), ..LoadRequest::default() };
    let loaded = load(&request);
    let diagnostics: Vec<_> =
        loaded.diagnostics.iter().map(muster::config::Diagnostic::render).collect();
    let project = loaded.project;
    project.unwrap_or_else(|| panic!("{name}: {diagnostics:#?}\n{files:#?}"))
}

fn assert_same(name: &str, loaded: &Loaded) {
    let (before, after) =
        (essence(loaded.project.as_ref().unwrap()), essence(&again(name, loaded)));
    let differing = before.iter().zip(&after).find(|(a, b)| a != b);
    assert_eq!(differing, None, "{name}");
    assert_eq!(before.len(), after.len(), "{name}");
}

#[test]
fn every_valid_case_loads_to_the_same_project_again() {
    let cases = names_in(&configs("valid"));
    for name in &cases {
        assert_same(&name.display().to_string(), &load_case(&configs("valid"), name));
    }
    // Cases with only warnings are projects as well.
    for name in names_in(&configs("invalid")).iter().filter(|name| *name != Path::new("recipes")) {
        let loaded = load_case(&configs("invalid"), name);
        if loaded.project.is_some() {
            assert_same(&name.display().to_string(), &loaded);
        }
    }
    assert!(cases.len() > 2);
}

#[test]
fn every_scenario_loads_to_the_same_project_again() {
    for (name, _) in Scenario::names() {
        assert_same(name, &Scenario::built_in(name).unwrap().load_project());
    }
}

#[test]
fn flags_are_in_what_is_printed() {
    let overrides = Overrides {
        name: Some("other".into()),
        leader: Some("eu-west-1".into()),
        key_name: Some("quokka".into()),
        key_location: Some("/keys/other.pem".into()),
        requirements: vec!["polars==0.18.6".into()],
        spill_dir: Some("/spill".into()),
        operator_cidr: "203.0.113.7/32".parse().ok(),
        ..Overrides::default()
    };
    let scenario = Scenario::built_in("healthy").unwrap();
    let loaded = scenario.load_project_with(&overrides);
    assert_same("flags", &loaded);
    let project = loaded.project.unwrap();
    let text = &resolved::files(&project)[0].1;
    for (line, flag) in [
        ("name: other", "# --name"),
        ("leader: eu-west-1", "# --leader"),
        ("key_location: /keys/other.pem", "# --key-location"),
        ("- polars==0.18.6", "# --requirement"),
        ("spill_dir: /spill", "# --spill-dir"),
        ("operator_cidr: 203.0.113.7/32", "# --operator-cidr"),
    ] {
        let found = text.lines().find(|one| one.trim().starts_with(line));
        assert!(found.is_some_and(|one| one.ends_with(flag)), "{line}: {text}");
    }
}

#[test]
fn texts_that_yaml_would_misread_stay_texts() {
    let nasty = [
        "yes",
        "0777",
        "1:30",
        " x ",
        "a\nb\n",
        "a\n  b",
        "\n\na\n",
        "a\n\n",
        "# a",
        "a: b",
        "{",
        "東京",
        "a\tb",
        "~",
        "2024-01-31",
        "'",
        "\"\\",
    ];
    let commands: Vec<_> = nasty.iter().map(|text| serde_json::to_string(text).unwrap()).collect();
    let text = format!(
        "cluster_name: a\nprovider: {{type: aws, region: us-west-2}}\navailable_node_types:\n  \
         'yes':\n    resources: {{CPU: 2, \"0x10\": 1.5}}\n    node_config: {{InstanceType: m5.large, UserData: \"{}\"}}\n\
         setup_commands: [{}]\n",
        "#!/bin/sh\\necho 'a'  \\n\\tb\\n",
        commands.join(", ")
    );
    let loaded = super::load_text(&text);
    assert!(loaded.project.is_some(), "{:#?}", loaded.diagnostics);
    assert_same("nasty", &loaded);
}
