#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    os::unix::{fs::PermissionsExt, net::UnixListener},
    path::{Path, PathBuf},
    process::Command,
};

use super::{LOCK, Runtime, own::OwnFolder, sweep::sweep};

/// Holds the folder in which a child process creates a runtime folder.
const CHILD: &str = "MUSTER_TEST_RUNTIME_BASE";

struct Place {
    base: tempfile::TempDir,
    own: OwnFolder,
}

impl Place {
    fn new() -> Self {
        let base = tempfile::tempdir().unwrap();
        let own = OwnFolder::below(base.path()).unwrap();
        Self { base, own }
    }

    /// A folder as a killed process leaves it.
    fn left(&self, name: &str) -> PathBuf {
        let folder = self.own.path().join(name);
        private_folder(&folder);
        private_file(&folder.join(LOCK));
        private_file(&folder.join("ssh_config"));
        drop(UnixListener::bind(folder.join("0")).unwrap());
        drop(UnixListener::bind(folder.join("1.abcdefghijklmnop")).unwrap());
        folder
    }
}

fn private_folder(path: &Path) {
    fs::create_dir(path).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
}

fn private_file(path: &Path) {
    fs::write(path, "").unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_sweep_removes_only_what_no_process_holds() {
    let place = Place::new();
    let held = Runtime::in_folder(&place.own).unwrap();
    held.write("ssh_config", "Host *\n").unwrap();
    let (left, unlocked) = (place.left("aaaaaa"), place.own.path().join("bbbbbb"));
    private_folder(&unlocked);
    sweep(&place.own);
    assert!(held.path().join("ssh_config").exists() && unlocked.exists());
    assert!(!left.exists());
}

#[test]
fn a_sweep_removes_only_what_has_the_shape_of_musters_folders() {
    let place = Place::new();
    let (with_file, with_folder) = (place.left("aaaaaa"), place.left("bbbbbb"));
    private_file(&with_file.join("thesis.tex"));
    private_folder(&with_folder.join("7"));
    let (open, named) = (place.left("cccccc"), place.left("a-name"));
    fs::set_permissions(open.join(LOCK), fs::Permissions::from_mode(0o644)).unwrap();
    sweep(&place.own);
    for folder in [with_file, with_folder, open, named] {
        assert!(folder.join(LOCK).exists() && folder.join("ssh_config").exists(), "{folder:?}");
    }
}

#[test]
fn a_sweep_follows_no_link() {
    let place = Place::new();
    let elsewhere = Place::new();
    let theirs = elsewhere.left("aaaaaa");
    std::os::unix::fs::symlink(&theirs, place.own.path().join("bbbbbb")).unwrap();
    let with_link = place.left("cccccc");
    fs::remove_file(with_link.join(LOCK)).unwrap();
    std::os::unix::fs::symlink(theirs.join(LOCK), with_link.join(LOCK)).unwrap();
    sweep(&place.own);
    assert!(theirs.join("ssh_config").exists() && with_link.join("ssh_config").exists());
}

/// Opened to read, a FIFO blocks until somebody writes: this test would never end.
#[test]
fn a_fifo_in_place_of_the_lock_blocks_nobody() {
    let place = Place::new();
    let folder = place.left("aaaaaa");
    fs::remove_file(folder.join(LOCK)).unwrap();
    assert!(
        Command::new("mkfifo")
            .args(["-m", "600"])
            .arg(folder.join(LOCK))
            .status()
            .unwrap()
            .success()
    );
    let runtime = Runtime::in_folder(&place.own).unwrap();
    assert!(runtime.path().exists() && folder.join("ssh_config").exists());
}

#[test]
fn everything_is_private_whatever_the_umask() {
    if let Some(base) = std::env::var_os(CHILD) {
        return create_and_check(Path::new(&base));
    }
    let this = std::env::current_exe().unwrap();
    let name = "remote::ssh::runtime::tests::everything_is_private_whatever_the_umask";
    for umask in ["0000", "0022", "0077"] {
        let base = tempfile::tempdir().unwrap();
        let mut child = Command::new("sh");
        child.args(["-c", "umask $1; shift; exec \"$@\"", "sh", umask]).arg(&this);
        child.args(["--exact", name, "--nocapture"]).env(CHILD, base.path());
        let output = child.output().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "umask {umask}: {output:?}");
        assert!(printed.contains("runtime checked"), "umask {umask}: {printed}");
    }
}

fn create_and_check(base: &Path) {
    let own = OwnFolder::below(base).unwrap();
    let runtime = Runtime::in_folder(&own).unwrap();
    let config = runtime.write("ssh_config", "Host *\n").unwrap();
    assert_eq!(mode(own.path()), 0o700);
    assert_eq!(mode(runtime.path()), 0o700);
    assert_eq!(mode(&runtime.path().join(LOCK)), 0o600);
    assert_eq!(mode(&config), 0o600);
    let cluster = base.join("state/cluster");
    let files = super::super::config::Files::write(&cluster, None);
    // It may find no folder for its sockets here; the cluster's folder comes first.
    drop(files);
    assert_eq!(mode(&cluster), 0o700);
    println!("runtime checked");
}

#[test]
fn the_folder_goes_with_its_process() {
    let place = Place::new();
    let runtime = Runtime::in_folder(&place.own).unwrap();
    let path = runtime.path().to_owned();
    drop(runtime);
    assert!(!path.exists() && place.base.path().exists());
}

#[test]
fn sockets_have_short_paths_of_their_own() {
    let runtime = Runtime::new().unwrap();
    let (one, two) = (runtime.socket(), runtime.socket());
    assert_ne!(one, two);
    assert!(one.as_os_str().len() < 104 - 17, "{}", one.display());
}
