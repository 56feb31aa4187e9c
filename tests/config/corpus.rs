//! Every case of the corpora, and every diagnostic id of the loader.

use std::{collections::BTreeSet, path::Path};

use muster::config::{Diagnostic, Recipe, ids};

use super::{configs, load_case, names_in, render, source, system};

#[test]
fn valid_cases_have_a_project_and_no_diagnostics() {
    for name in names_in(&configs("valid")) {
        let loaded = load_case(&configs("valid"), &name);
        assert_eq!(render(&loaded.diagnostics), "", "{}", name.display());
        assert!(loaded.project.is_some(), "{}", name.display());
    }
}

/// Ray's example configs load without errors; keys without effect are reported.
#[test]
fn ray_s_own_configs_load() {
    for name in names_in(&configs("ray")) {
        let loaded = load_case(&configs("ray"), &name);
        let reported = loaded.diagnostics.iter().map(|one| (one.id, one.key_path.as_deref()));
        let reported: Vec<_> = reported.collect();
        let expected = [
            (ids::WITHOUT_EFFECT, Some("upscaling_speed")),
            (ids::WITHOUT_EFFECT, Some("idle_timeout_minutes")),
            (ids::WITHOUT_EFFECT, Some("provider.cache_stopped_nodes")),
        ];
        assert_eq!(reported, expected, "{}", name.display());
        let project = loaded.project.unwrap();
        assert_eq!(project.regions[0].groups.len(), 1, "a head, and no workers by default");
    }
}

#[test]
fn invalid_cases_are_explained() {
    for (name, diagnostics) in invalid_cases() {
        let name = name.replace('/', "-");
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name, render(&diagnostics));
        });
    }
}

#[test]
fn every_error_names_the_place_and_what_to_do() {
    for (name, diagnostics) in invalid_cases() {
        assert!(!diagnostics.is_empty(), "{name} has nothing wrong");
        for diagnostic in diagnostics {
            let text = diagnostic.render();
            assert!(diagnostic.source_line.is_some() || diagnostic.location.is_none(), "{text}");
            let by_system = diagnostic.id == ids::FILE_UNREADABLE;
            assert!(diagnostic.help.is_some() || by_system, "{text}");
            assert!(text.lines().all(|line| line.chars().count() < 260), "{name}: {text}");
            assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{name}: {text}");
        }
    }
}

#[test]
fn a_project_comes_with_warnings_and_not_with_errors() {
    for name in names_in(&configs("invalid")).iter().filter(|name| *name != Path::new("recipes")) {
        let loaded = load_case(&configs("invalid"), name);
        let has_errors = loaded.diagnostics.iter().any(Diagnostic::is_error);
        assert_eq!(loaded.project.is_none(), has_errors, "{}", name.display());
    }
}

#[test]
fn every_id_has_a_case() {
    let system = system::cases().into_iter().map(|(_, loaded)| loaded.diagnostics);
    let cases = invalid_cases().into_iter().map(|(_, diagnostics)| diagnostics).chain(system);
    let seen: BTreeSet<&str> = cases.flatten().map(|diagnostic| diagnostic.id).collect();
    let all: BTreeSet<&str> = ids::ALL.iter().copied().collect();
    assert_eq!(seen, all);
    assert_eq!(all.len(), ids::ALL.len(), "an id is listed twice");
}

/// Returns the diagnostics of each invalid case, with its name.
fn invalid_cases() -> Vec<(String, Vec<Diagnostic>)> {
    let corpus = configs("invalid");
    let names = names_in(&corpus).into_iter().filter(|name| name != Path::new("recipes"));
    let configs = names.map(|name| {
        let loaded = load_case(&corpus, &name);
        (name.display().to_string(), loaded.diagnostics)
    });
    configs.chain(invalid_recipes()).collect()
}

fn invalid_recipes() -> impl Iterator<Item = (String, Vec<Diagnostic>)> {
    let folder = configs("invalid/recipes");
    names_in(&folder).into_iter().map(move |name| {
        let text = std::fs::read_to_string(folder.join(&name)).unwrap();
        let name = name.display().to_string();
        let wrong = Recipe::parse(&source(&name, &text)).unwrap_err();
        (format!("recipes/{name}"), wrong)
    })
}
