//! Errors of the file system.

use std::{fs, iter, os::unix::fs::symlink, path::Path, process::Command};

use muster::config::Loaded;

use super::{configs, load_files, names_in, render};

/// Returns each error case that can't be checked in, by name.
pub(super) fn cases() -> Vec<(&'static str, Loaded)> {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::create_dir(at.join("folder.yaml")).unwrap();
    fs::write(at.join("large.yaml"), vec![b'#'; 17 * 1024 * 1024]).unwrap();
    let keys = (0..10_100).map(|n| format!("k{n}: v"));
    let many: Vec<String> = iter::once("cluster_name: many".into()).chain(keys).collect();
    fs::write(at.join("many.yaml"), many.join("\n")).unwrap();
    symlink("loop.yaml", at.join("loop.yaml")).unwrap();
    assert!(Command::new("mkfifo").arg(at.join("pipe.yaml")).status().unwrap().success());
    let one = |name: &str| load_files(at, vec![name.into()]);
    vec![
        ("missing", one("missing.yaml")),
        ("below-a-file", one("large.yaml/us.yaml")),
        ("folder", one("folder.yaml")),
        ("pipe", one("pipe.yaml")),
        ("device", one("/dev/zero")),
        ("large", one("large.yaml")),
        ("loop", one("loop.yaml")),
        ("many", last_of(one("many.yaml"))),
        ("no-files", load_files(at, Vec::new())),
        ("several-projects", several_projects()),
    ]
}

/// Keeps the first and the last diagnostic: nobody reads ten thousand.
fn last_of(mut loaded: Loaded) -> Loaded {
    assert_eq!(loaded.diagnostics.len(), 10_001);
    loaded.diagnostics.truncate(1);
    loaded
}

fn several_projects() -> Loaded {
    let files = vec!["project/muster.yaml".into(), "other/muster.yml".into()];
    let folder = tempfile::tempdir().unwrap();
    for (name, from) in [("project", "valid/project"), ("other", "valid/project")] {
        copy(&configs(from), &folder.path().join(name));
    }
    let other = folder.path().join("other");
    fs::rename(other.join("muster.yaml"), other.join("muster.yml")).unwrap();
    load_files(folder.path(), files)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for name in names_in(from) {
        fs::copy(from.join(&name), to.join(&name)).unwrap();
    }
}

#[test]
fn an_unreadable_file_is_explained_at_once() {
    let texts: Vec<String> = cases()
        .iter()
        .map(|(name, loaded)| format!("# {name}\n{}", render(&loaded.diagnostics)))
        .collect();
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("system", texts.join("\n\n"));
    });
}
