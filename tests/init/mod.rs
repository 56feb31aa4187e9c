//! `muster init`: one config becomes many, and first configs from scratch.

mod first;
mod killed;
mod many;
#[cfg(feature = "aws")]
mod moto;

use std::path::Path;

use crate::support::muster::{Muster, Ran};

const US: &str = include_str!("../../assets/demo/us.yaml");

/// A folder with one region's config.
fn folder() -> Muster {
    let muster = Muster::new();
    muster.file("us.yaml", US);
    muster
}

/// Runs `muster init` in the folder.
fn init(muster: &Muster, args: &[&str]) -> Ran {
    let all: Vec<_> = ["init"].iter().chain(args).copied().collect();
    let ran = muster.run(&all);
    ran.assert_is_calm();
    ran
}

/// The names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

fn read(muster: &Muster, name: &str) -> String {
    std::fs::read_to_string(muster.folder().join(name)).unwrap_or_default()
}
