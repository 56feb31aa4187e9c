//! Namespaces around a whole test. The test re-executes itself inside of them as
//! their first process: when that process ends, in whatever way, the kernel ends all
//! its descendants, and removes the mounts and networks.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Command, Stdio},
};

use crate::support::root;

/// Set for the process inside.
const INSIDE: &str = "MUSTER_TEST_SANDBOX";
/// The Python of the environment with pyquokka.
const QUOKKA: &str = "MUSTER_QUOKKA_PYTHON";
/// The Python of the environment with the Ray that `ray up` users have.
const RAY_UP: &str = "MUSTER_RAY_UP_PYTHON";
/// The programs that the machines are built with, and those that run on them.
const PROGRAMS: &[(&str, &str)] = &[
    ("ip", "iproute2"),
    ("nft", "nftables"),
    ("unshare", "util-linux"),
    ("setpriv", "util-linux"),
    ("redis-server", "redis-server"),
    ("iptables", "iptables"),
];

/// Runs `body` in new namespaces; `name` is the test's own name, by which it is
/// re-executed.
pub fn sandboxed(name: &str, body: impl Future<Output = ()>) {
    // Pid 1 of a process namespace can't occur by mistake.
    if env::var_os(INSIDE).is_some() && std::process::id() == 1 {
        furnish();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        return runtime.block_on(body);
    }
    match missing() {
        None => start_inside(name),
        Some(what) => root::did_not_run(name, &what),
    }
}

/// Returns the Python of the environment with pyquokka, visible to all machines.
pub fn python() -> PathBuf {
    env::var_os(QUOKKA).expect(QUOKKA).into()
}

/// Returns the Python of the environment with another Ray, visible to all machines.
pub fn ray_up_python() -> PathBuf {
    env::var_os(RAY_UP).expect(RAY_UP).into()
}

/// Returns the folder for all files of the test: in memory, and private to it.
pub fn folder() -> PathBuf {
    env::temp_dir()
}

fn missing() -> Option<String> {
    let is_there = |name: &str| env::var_os(name).is_some_and(|path| PathBuf::from(path).exists());
    root::missing(PROGRAMS).or_else(|| {
        let lacking = [QUOKKA, RAY_UP].into_iter().find(|name| !is_there(name));
        lacking.map(|name| format!("{name}, an environment that scripts/test makes"))
    })
}

/// Re-executes this test inside. Each process is killed with its parent, so that
/// nothing outlives a killed test.
fn start_inside(name: &str) {
    let folder = tempfile::Builder::new().prefix("muster-quokka-").tempdir_in("/run").unwrap();
    // The mount point; iproute2 creates it on first use.
    fs::create_dir_all("/run/netns").unwrap();
    let mut child = Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "unshare", "--net", "--mount", "--pid", "--mount-proc"])
        .args(["--fork", "--kill-child=KILL"])
        .arg(env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(INSIDE, "1")
        .env("TMPDIR", folder.path())
        // `ray up` attaches AWS-managed policies to its role.
        .env("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut passed = false;
    for line in BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok) {
        passed |= line.contains("1 passed");
        println!("{line}");
    }
    assert!(child.wait().unwrap().success(), "{name} failed inside");
    assert!(passed, "there is no test {name}");
}

/// Mounts the test's private folders. `/tmp` gets an overlay, so that files built or
/// installed there stay visible.
fn furnish() {
    let folder = folder();
    let folder = folder.display();
    shell(&format!(
        "mount -t tmpfs tmpfs /run/netns
        mount -t tmpfs tmpfs {folder}
        mkdir {folder}/work
        mkdir -m 1777 {folder}/tmp
        mount -t overlay overlay -o lowerdir=/tmp,upperdir={folder}/tmp,workdir={folder}/work /tmp
        ip link set lo up"
    ));
}

/// Runs commands in `sh`, all of which must succeed; returns their stdout.
pub fn shell(text: &str) -> String {
    let output = Command::new("sh").args(["-euc", text]).stdin(Stdio::null()).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}: {stderr}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Returns the processes with these names in the sandbox, on all its machines.
pub fn running(names: &[&str]) -> Vec<String> {
    let entries = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
    let name = |folder: PathBuf| fs::read_to_string(folder.join("comm")).ok();
    let running = entries.filter_map(name).map(|name| name.trim().to_owned());
    running.filter(|name| names.contains(&name.as_str())).collect()
}
