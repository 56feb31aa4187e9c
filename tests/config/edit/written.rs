//! Edits in files: backed up, atomic, and never over other changes.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::Path,
};

use jiff::Timestamp;
use muster::config::{
    Files, LoadRequest, Overrides, Texts,
    edit::{Edit, Target, Value},
};
use tempfile::TempDir;

use crate::config::source;

const US: &str = "cluster_name: demo
provider: {type: aws, region: us-west-2}
available_node_types:
  head:
    node_config:
      InstanceType: m5.large
      KeyName: old # mine
";

fn eu() -> String {
    US.replace("us-west-2", "eu-west-1").replace('\n', "\r\n")
}

/// Returns a folder with two region configs, and their `Files`.
fn project() -> (TempDir, Files) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("us.yaml"), US).unwrap();
    fs::write(folder.path().join("eu.yaml"), eu()).unwrap();
    let files = files(folder.path());
    (folder, files)
}

fn files(folder: &Path) -> Files {
    let named = vec!["us.yaml".into(), "eu.yaml".into()];
    let request =
        LoadRequest { folder: folder.into(), files: named, overrides: Overrides::default() };
    let files = Files::real(request);
    assert!(files.load().project.is_some());
    files
}

fn key(file: &str, name: &str) -> Edit {
    Edit {
        file: Path::new(file).into(),
        target: Target::NodeConfig { node_type: "head".into(), key: "KeyName" },
        value: Value::Text(name.into()),
        why: "one key for all".into(),
    }
}

fn both(name: &str) -> [Edit; 2] {
    [key("us.yaml", name), key("eu.yaml", name)]
}

fn now() -> Timestamp {
    "2026-01-31T10:15:00Z".parse().unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Asserts that nothing is changed and nothing left behind.
fn assert_untouched(folder: &Path) {
    assert_eq!(names(folder), ["eu.yaml", "us.yaml"]);
    assert_eq!(fs::read_to_string(folder.join("us.yaml")).unwrap(), US);
}

#[test]
fn the_old_files_are_kept_next_to_the_new_ones() {
    let (folder, files) = project();
    let path = folder.path().join("us.yaml");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let rewritten = files.rewrite_at(&both("new"), now()).unwrap();
    assert_eq!(rewritten.files, [Path::new("us.yaml").into(), Path::new("eu.yaml").into()]);
    assert_eq!(fs::read_to_string(&path).unwrap(), US.replace("old", "new"));
    let eu_text = fs::read_to_string(folder.path().join("eu.yaml")).unwrap();
    assert_eq!(eu_text, eu().replace("old", "new"), "its line ends are kept");
    let [us_backup, eu_backup] = &rewritten.backups[..] else { unreachable!("two files") };
    assert!(us_backup.ends_with("us.yaml.before-fix-20260131T101500Z"), "{us_backup:?}");
    assert_eq!(fs::read_to_string(us_backup).unwrap(), US);
    assert_eq!(fs::read_to_string(eu_backup).unwrap(), eu());
    for path in [&path, us_backup] {
        assert_eq!(fs::metadata(path).unwrap().mode() & 0o777, 0o640, "{path:?}");
    }
    assert_eq!(names(folder.path()).len(), 4, "no temporary file is left");
    let key_name = files.load().project.unwrap().key_name.unwrap();
    assert_eq!(key_name.as_str(), "new");
}

#[test]
fn a_backup_is_never_written_over() {
    let (folder, files) = project();
    for name in ["one", "two"] {
        files.rewrite_at(&both(name), now()).unwrap();
        assert!(files.load().project.is_some());
    }
    let backup = |ending: &str| {
        let name = format!("us.yaml.before-fix-20260131T101500Z{ending}");
        fs::read_to_string(folder.path().join(name)).unwrap()
    };
    assert_eq!((backup(""), backup("-2")), (US.to_owned(), US.replace("old", "one")));
}

#[test]
fn a_preview_writes_nothing() {
    let (folder, files) = project();
    let diffs = files.preview(&both("new")).unwrap();
    let shown = diffs[0].to_string();
    let expected = "--- us.yaml
+++ us.yaml
@@ -4,4 +4,4 @@
   head:
     node_config:
       InstanceType: m5.large
-      KeyName: old # mine
+      KeyName: new # mine
";
    assert_eq!(shown, expected);
    assert_eq!(diffs[0].why, ["one key for all"]);
    assert_untouched(folder.path());
}

#[test]
fn correct_values_are_not_rewritten() {
    let (folder, files) = project();
    let rewritten = files.rewrite_at(&both("old"), now()).unwrap();
    assert_eq!(rewritten, muster::config::Rewritten::default());
    assert_untouched(folder.path());
}

#[test]
fn a_file_that_somebody_changed_meanwhile_is_left_alone_and_so_are_the_others() {
    let (folder, files) = project();
    let theirs = format!("{}# theirs\r\n", eu());
    fs::write(folder.path().join("eu.yaml"), &theirs).unwrap();
    let failure = files.rewrite_at(&both("new"), now()).unwrap_err();
    assert!(failure.message.starts_with("`eu.yaml` was changed since muster read it"), "{failure}");
    assert!(failure.hint.is_some());
    assert_untouched(folder.path());
    assert_eq!(fs::read_to_string(folder.path().join("eu.yaml")).unwrap(), theirs);
    assert!(files.load().project.is_some());
    assert!(files.rewrite_at(&both("new"), now()).is_ok(), "it works after a reload");
}

#[test]
fn a_link_stays_a_link() {
    let (folder, _) = project();
    let elsewhere = tempfile::tempdir().unwrap();
    let real = elsewhere.path().join("shared.yaml");
    fs::rename(folder.path().join("us.yaml"), &real).unwrap();
    symlink(&real, folder.path().join("us.yaml")).unwrap();
    files(folder.path()).rewrite_at(&both("new"), now()).unwrap();
    assert!(fs::symlink_metadata(folder.path().join("us.yaml")).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&real).unwrap(), US.replace("old", "new"));
    assert!(elsewhere.path().join("shared.yaml.before-fix-20260131T101500Z").exists());
}

/// Returns whether the test runs as root, which may write anywhere.
fn is_root(folder: &Path) -> bool {
    fs::metadata(folder).unwrap().uid() == 0
}

#[test]
fn a_read_only_folder_is_left_unchanged() {
    let (folder, files) = project();
    if is_root(folder.path()) {
        return;
    }
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o500)).unwrap();
    let failure = files.rewrite_at(&both("new"), now()).unwrap_err();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    assert!(failure.message.contains("`us.yaml` can't be written"), "{failure}");
    assert_untouched(folder.path());
    let eu_path = folder.path().join("eu.yaml");
    fs::set_permissions(&eu_path, fs::Permissions::from_mode(0o400)).unwrap();
    let failure = files.rewrite_at(&both("new"), now()).unwrap_err();
    assert!(failure.message.contains("`eu.yaml` can't be written"), "{failure}");
    assert_untouched(folder.path());
}

/// A name of maximal length leaves no room for a backup's suffix, also for root.
#[test]
fn a_failure_for_one_file_rewrites_none() {
    let (folder, _) = project();
    let long = format!("{}.yaml", "x".repeat(250));
    fs::rename(folder.path().join("eu.yaml"), folder.path().join(&long)).unwrap();
    let named = vec!["us.yaml".into(), long.clone().into()];
    let files = Files::real(LoadRequest {
        folder: folder.path().into(),
        files: named,
        overrides: Overrides::default(),
    });
    assert!(files.load().project.is_some());
    let edits = [key("us.yaml", "new"), key(&long, "new")];
    let failure = files.rewrite_at(&edits, now()).unwrap_err();
    assert!(failure.message.contains("can't be written: File name too long"), "{failure}");
    assert_eq!(names(folder.path()), ["us.yaml", &long]);
    assert_eq!(fs::read_to_string(folder.path().join("us.yaml")).unwrap(), US);
}

#[test]
fn a_file_that_is_missing_or_not_of_the_project_is_named() {
    let (folder, files) = project();
    let failure = files.rewrite_at(&[key("ap.yaml", "new")], now()).unwrap_err();
    assert!(failure.message.contains("`ap.yaml` is none of the project's files"), "{failure}");
    fs::remove_file(folder.path().join("eu.yaml")).unwrap();
    let failure = files.rewrite_at(&both("new"), now()).unwrap_err();
    assert!(failure.message.contains("`eu.yaml` can't be read"), "{failure}");
    assert_eq!(names(folder.path()), ["us.yaml"]);
}

#[test]
fn files_in_memory_change_in_memory() {
    let regions = vec![source("us.yaml", US), source("eu.yaml", &eu().replace('\r', ""))];
    let files = Files::in_memory(Texts { regions, ..Texts::default() });
    assert!(files.load().project.is_some() && files.are_in_memory());
    let shared = files.clone();
    let rewritten = shared.rewrite(&both("new")).unwrap();
    assert_eq!((rewritten.files.len(), rewritten.backups.len()), (2, 0));
    assert_eq!(rewritten.diffs, files.preview(&both("new")).unwrap(), "as of the last load");
    let failure = files.rewrite(&both("newer")).unwrap_err();
    assert!(failure.message.contains("was changed since muster read it"), "{failure}");
    assert_eq!(files.load().project.unwrap().key_name.unwrap().as_str(), "new");
    assert!(files.preview(&both("new")).unwrap().iter().all(|diff| diff.hunks.is_empty()));
}
