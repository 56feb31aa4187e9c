//! Namespaces around a whole test. The test starts itself again inside of them,
//! as their first process: when that one ends, however it ends, the kernel takes
//! all that it started with it, and the mounts and networks too.
#![expect(
    clippy::panic,
    clippy::print_stderr,
    reason = "a test tells by panicking, and by saying so"
)]

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Set for the process inside.
const INSIDE: &str = "MUSTER_TEST_SANDBOX";
/// The Python of the environment that all machines see.
const PYTHON: &str = "MUSTER_QUOKKA_PYTHON";
/// What the machines are made with, and what runs on them.
const PROGRAMS: &[(&str, &str)] = &[
    ("ip", "iproute2"),
    ("nft", "nftables"),
    ("unshare", "util-linux"),
    ("setpriv", "util-linux"),
    ("redis-server", "redis-server"),
];

/// Runs `body` in namespaces of its own; `name` is the test's own name, by
/// which it is started again.
pub fn sandboxed(name: &str, body: impl Future<Output = ()>) {
    // Number one of a process namespace: nobody sets that by mistake.
    if env::var_os(INSIDE).is_some() && std::process::id() == 1 {
        furnish();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        return runtime.block_on(body);
    }
    match missing() {
        None => start_inside(name),
        Some(what) if env::var_os("CI").is_some() => panic!("{name} needs {what}"),
        Some(what) => {
            eprintln!("\n  {name} DID NOT RUN: it needs {what}; ./scripts/test as root\n");
        }
    }
}

/// The Python of the prepared environment.
pub fn python() -> PathBuf {
    env::var_os(PYTHON).expect(PYTHON).into()
}

/// The folder for all files of the test. It is in memory and nobody else sees it.
pub fn folder() -> PathBuf {
    env::temp_dir()
}

fn missing() -> Option<String> {
    if fs::metadata("/proc/self").map(|own| std::os::unix::fs::MetadataExt::uid(&own)).ok()
        != Some(0)
    {
        return Some("root, for namespaces".into());
    }
    let lacks = |(program, _): &&(&str, &str)| on_path(program).is_none();
    if let Some((program, package)) = PROGRAMS.iter().find(lacks) {
        return Some(format!("{program} (package {package})"));
    }
    let python = env::var_os(PYTHON).map(PathBuf::from).filter(|path| path.exists());
    python.is_none().then(|| format!("{PYTHON}, a Python with tests/quokka/requirements.txt"))
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|path| path.exists())
}

/// Starts this test again inside. Each process dies with the one that started
/// it, so that nothing outlives a test that is killed.
fn start_inside(name: &str) {
    let folder = tempfile::Builder::new().prefix("muster-quokka-").tempdir().unwrap();
    // A place to mount on; iproute2 makes it when it is first used.
    fs::create_dir_all("/run/netns").unwrap();
    let mut child = Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "unshare", "--net", "--mount", "--pid", "--mount-proc"])
        .args(["--fork", "--kill-child=KILL"])
        .arg(env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(INSIDE, "1")
        .env("TMPDIR", folder.path())
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

fn furnish() {
    for place in [Path::new("/run/netns"), &folder()] {
        let place = place.to_str().unwrap();
        shell(&format!("mount -t tmpfs tmpfs {place}"));
    }
    shell("ip link set lo up");
}

/// Runs a few commands of `sh`, all of which must succeed; what they printed.
pub fn shell(text: &str) -> String {
    let output = Command::new("sh").args(["-euc", text]).stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
