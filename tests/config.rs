//! The loader, from files to a project and to what is said where one is wrong.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use muster::config::{LoadRequest, Loaded, Overrides, load};

fn configs(part: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/configs").join(part)
}

fn rendered(loaded: &Loaded) -> String {
    let texts: Vec<String> =
        loaded.diagnostics.iter().map(muster::config::Diagnostic::render).collect();
    texts.join("\n\n")
}

#[test]
fn a_project_with_everything_is_loaded() {
    let request = LoadRequest { folder: configs("valid/project"), ..LoadRequest::default() };
    let loaded = load(&request);
    assert_eq!(rendered(&loaded), "");
    let project = loaded.project.unwrap();
    insta::assert_debug_snapshot!(project.planned_nodes());
}

#[test]
fn a_minimal_config_is_loaded() {
    let files = vec!["minimal.yaml".into()];
    let request = LoadRequest { folder: configs("valid"), files, overrides: Overrides::default() };
    let loaded = load(&request);
    assert_eq!(rendered(&loaded), "");
    assert_eq!(loaded.project.unwrap().name.value, "quokka");
}
