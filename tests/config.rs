//! The loader, from files to a project or to diagnostics.
//!
//! Each entry of `configs/valid` and `configs/invalid` is a case: a file is a region
//! config; a folder is a project if it has a `muster.yaml`, and otherwise all
//! its files are region configs. `configs/invalid/recipes` holds recipes,
//! `configs/ray` the example configs of Ray, and `configs/found` inputs that
//! random testing found.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod corpus;
mod edit;
mod keys;
mod nasty;
mod project;
mod random;
mod resolved;
mod several;
mod system;

use std::{
    fs,
    path::{Path, PathBuf},
};

use muster::config::{Diagnostic, LoadRequest, Loaded, Overrides, Source, load, load_sources};

fn configs(part: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/configs").join(part)
}

/// The names in a folder, sorted.
fn names_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<PathBuf> = entries.map(|entry| entry.unwrap().file_name().into()).collect();
    names.sort();
    names
}

fn load_files(folder: &Path, files: Vec<PathBuf>) -> Loaded {
    load(&LoadRequest { folder: folder.into(), files, overrides: Overrides::default() })
}

/// Loads a case: a file, or a folder.
fn load_case(corpus: &Path, name: &Path) -> Loaded {
    let path = corpus.join(name);
    if !path.is_dir() {
        return load_files(corpus, vec![name.into()]);
    }
    let files = if path.join("muster.yaml").exists() { Vec::new() } else { names_in(&path) };
    load_files(&path, files)
}

fn source(path: &str, text: &str) -> Source {
    Source { path: Path::new(path).into(), text: text.into() }
}

/// Loads a project of one region config from its text.
fn load_text(text: &str) -> Loaded {
    let recipe = Some(source("recipe.yaml", "steps: [{name: hello, run: echo hello}]"));
    let regions = vec![source("us.yaml", text)];
    load_sources(Path::new(""), None, regions, recipe, &Overrides::default())
}

fn render(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(Diagnostic::render).collect::<Vec<_>>().join("\n\n")
}
