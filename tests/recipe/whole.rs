//! The whole built-in recipe, run by an engine: a simulated EC2, one real sshd, a
//! journal and logs on disk. The operator's secret is in none of them.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, sync::Arc};

use muster::{
    config::Overrides,
    engine::{self, Command, Phase, RunState, StepOutcome, Update},
    journal::Store,
    sim::{Scenario, World},
};
use tempfile::TempDir;

use super::node::{DEBIAN_12, prepare, remote};
use crate::support::sshd::Sshd;

/// The simulated operator's secret key.
const SECRET: &str = "simulated/simulated";

fn scenario(sshd: &Sshd, folder: &Path, credentials: &str, setup: &[&str]) -> Scenario {
    let world = include_str!("world.toml");
    let text = world
        .replace("{USER}", &Sshd::user())
        .replace("{KEY}", &sshd.private_key().display().to_string())
        .replace("{SPILL}", &folder.join("spill").display().to_string())
        .replace("{MOUNT}", &folder.join("query.py").display().to_string())
        .replace("{SETUP}", &serde_json::to_string(setup).unwrap().replace('\\', "\\\\"))
        .replace("{CREDENTIALS}", credentials);
    Scenario::parse(&text).unwrap_or_else(|error| panic!("{error}"))
}

/// What came of `up`, by an engine of its own.
async fn up(sshd: &Sshd, folder: &TempDir, credentials: &str, setup: &[&str]) -> RunState {
    let scenario = scenario(sshd, folder.path(), credentials, setup);
    let world = World::new(&scenario);
    let files = scenario.files(Overrides::default());
    let loaded = files.load();
    assert_eq!(loaded.diagnostics, []);
    let mut handle = engine::start(engine::Parts {
        project: Arc::new(loaded.project.unwrap()),
        files,
        cloud: world.cloud(),
        remote: remote(sshd, folder),
        clock: world.clock(),
        store: Store::open(&folder.path().join(credentials), "whole").unwrap(),
    });
    handle.commands.send(Command::Up).unwrap();
    loop {
        match handle.updates.recv().await.unwrap() {
            Update::Event(stamped) => handle.state.apply(&stamped),
            Update::UpEnded => break,
            _ => {}
        }
    }
    handle.commands.send(Command::Shutdown).unwrap();
    while handle.updates.recv().await.is_some() {}
    handle.state
}

/// Returns every file below `folder` that contains `text`.
fn holding(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().filter_map(Result::ok) {
        let path = entry.path();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            found.extend(holding(&path, text));
        } else if kind.is_file()
            && String::from_utf8_lossy(&fs::read(&path).unwrap_or_default()).contains(text)
        {
            found.push(path.display().to_string());
        }
    }
    found
}

#[tokio::test]
async fn every_step_succeeds_and_no_secret_is_anywhere_but_in_its_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("query.py"), "print(1)\n").unwrap();
    let sshd = prepare(&folder, DEBIAN_12);
    let state = folder.path().join("state");
    let check = "muster-check versions - ok python 3.11.2, ray 2.6.3, pyquokka 0.3.2\n";
    fs::write(state.join("checks"), check).unwrap();

    let run = up(&sshd, &folder, "copy", &[]).await;
    let node = &run.nodes[&"us-west-2/head".into()];
    assert_eq!(node.phase, Phase::Ready, "{:?}", node.failure);
    let skipped: Vec<_> = node
        .steps
        .iter()
        .filter(|(_, step)| step.outcome == Some(StepOutcome::Skipped))
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(skipped, ["initialization", "setup"], "the config lists no commands");
    assert_eq!(node.verified.len(), 1);

    let home = sshd.home();
    assert_eq!(fs::read(home.join("jobs/query.py")).unwrap(), b"print(1)\n");
    let file = home.join(".aws/credentials");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(fs::read_to_string(&file).unwrap().contains(SECRET));
    let calls = fs::read_to_string(folder.path().join("calls")).unwrap();
    let at = |call: &str| calls.find(call).unwrap_or_else(|| panic!("{call}: {calls}"));
    let order = ["cloud-init", "apt-get", "uv pip", "redis-server --port", "ray start", "nft -f"];
    assert!(order.map(at).is_sorted(), "{calls}");
    let resources = fs::read_to_string(state.join("resources")).unwrap();
    assert_eq!(resources.trim(), r#"{"CPU":4,"disk":0.5}"#);

    // The journal, the logs, the arguments of stand-ins, the node's scripts.
    assert_eq!(holding(folder.path(), SECRET), [""; 0]);
    assert_eq!(holding(&home, SECRET), [file.display().to_string()]);
    let log = fs::read_to_string(&holding(folder.path(), "credentials.1 | sent to")[0]).unwrap();
    assert!(log.contains("mode 600"), "{log}");

    // Another time without: what was sent is taken away.
    let run = up(&sshd, &folder, "none", &[]).await;
    assert_eq!(run.nodes[&"us-west-2/head".into()].phase, Phase::Ready);
    assert!(!file.exists());
}

#[tokio::test]
async fn a_step_that_floods_ends_and_its_log_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    // 80 MiB, and a line that nothing keeps.
    let flood = "head -c 83886080 /dev/zero | tr '\\0' x | fold -w 8192; echo; echo the end";
    fs::write(folder.path().join("query.py"), "").unwrap();
    let sshd = prepare(&folder, DEBIAN_12);
    let run = up(&sshd, &folder, "none", &[flood]).await;
    let node = &run.nodes[&"us-west-2/head".into()];
    assert_eq!(node.phase, Phase::Ready, "{:?}", node.failure);
    let log = fs::read_to_string(&holding(folder.path(), "setup.1 | ")[0]).unwrap();
    let of_setup: Vec<_> = log.lines().filter(|line| line.contains(" setup.1 | ")).collect();
    assert!(of_setup.last().unwrap().contains("the log of this step ends here, at 64 MiB"));
    assert!(log.len() < 66 * 1024 * 1024 && log.contains("flight.1 | "), "{}", log.len());
}

#[tokio::test]
async fn a_failed_check_is_the_node_s_failure_and_names_the_cause() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("query.py"), "").unwrap();
    let sshd = prepare(&folder, DEBIAN_12);
    let check = "muster-check redis us-west-2/head failed no answer; likeliest the redirect\n";
    fs::write(folder.path().join("state/checks"), check).unwrap();
    fs::write(folder.path().join("state/checks-fail"), "").unwrap();
    let run = up(&sshd, &folder, "none", &[]).await;
    let node = &run.nodes[&"us-west-2/head".into()];
    let why = node.failure.as_ref().unwrap().to_string();
    assert_eq!(why, "verify: redis to us-west-2/head: no answer; likeliest the redirect");
}
