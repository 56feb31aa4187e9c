//! The SSH adapter against a real sshd: behavior that needs real shells, keys and
//! connections. The contract of every `Remote` is in `remote_contract`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod commands;
mod connections;
mod keys;
mod nodes;
mod scripts;

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use muster::{
    model::{ClusterId, InstanceId, NodeName},
    remote::{Exit, Host, Remote, RemoteError, Script, Session, SshOptions, SshRemote},
};
use tempfile::TempDir;
use tokio::sync::mpsc;

use crate::support::sshd::{Sshd, kill};

/// A cluster whose nodes are all the same sshd.
struct Bench {
    sshd: Sshd,
    folder: TempDir,
    remote: SshRemote,
}

impl Bench {
    fn new() -> Self {
        Self::of(Sshd::start())
    }

    fn of(sshd: Sshd) -> Self {
        let config = sshd.ssh_config();
        Self::with_config(sshd, &config)
    }

    fn with_config(sshd: Sshd, config: &Path) -> Self {
        // A space, as in macOS's `Application Support`.
        let folder = tempfile::Builder::new().prefix("a cluster ").tempdir().unwrap();
        let remote = remote(folder.path(), config);
        Self { sshd, folder, remote }
    }

    fn host(&self, instance: &str) -> Host {
        Host {
            node: NodeName::new("us-west-2/head"),
            instance: InstanceId::new(instance),
            address: "192.0.2.7".parse().unwrap(),
            user: Sshd::user(),
            private_key: Some(self.sshd.private_key()),
            proxy_command: None,
            proxy_by_id: false,
        }
    }

    async fn connect(&self) -> Box<dyn Session> {
        self.remote.connect(&self.host("i-1")).await.unwrap()
    }

    async fn refused(&self, host: &Host) -> RemoteError {
        self.remote.connect(host).await.err().expect("the connection to fail")
    }

    /// Returns the path on the node of the files of `key`.
    fn on_the_node(&self, key: &str) -> std::path::PathBuf {
        self.sshd.home().join(".muster/test-abc123/i-1").join(key)
    }

    /// Counts the ssh processes of this cluster's connections.
    fn masters(&self) -> usize {
        let folder = self.folder.path().to_str().unwrap();
        let entries = fs::read_dir("/proc").unwrap().map_while(Result::ok);
        let commands = entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
        commands.filter(|command| String::from_utf8_lossy(command).contains(folder)).count()
    }
}

impl Bench {
    /// Returns the config of the ssh process of this cluster's connection.
    fn ssh_config_in_use(&self) -> std::path::PathBuf {
        let folder = self.folder.path().to_str().unwrap();
        let entries = fs::read_dir("/proc").unwrap().map_while(Result::ok);
        let commands = entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
        let text = |command: Vec<u8>| String::from_utf8_lossy(&command).into_owned();
        let ours = commands.map(text).find(|command| command.contains(folder)).unwrap();
        let mut arguments = ours.split('\0').skip_while(|argument| *argument != "-F").skip(1);
        arguments.next().unwrap().into()
    }
}

fn remote(folder: &Path, config: &Path) -> SshRemote {
    let cluster = ClusterId::new("test-abc123");
    let options =
        SshOptions { folder: folder.to_owned(), include: Some(config.to_owned()), cluster };
    SshRemote::new(options).unwrap()
}

fn script(key: &str, text: &str) -> Script {
    Script {
        key: key.into(),
        text: text.into(),
        env: BTreeMap::new(),
        timeout: Duration::from_mins(1),
    }
}

/// Runs `script` to its end; returns its lines and exit.
async fn run(session: &dyn Session, script: &Script) -> (Vec<String>, Exit) {
    let (lines, exit) = try_run(session, script, 0).await;
    (lines, exit.unwrap())
}

async fn try_run(
    session: &dyn Session,
    script: &Script,
    skip: u64,
) -> (Vec<String>, muster::remote::Result<Exit>) {
    let (sender, mut receiver) = mpsc::channel(100);
    let gather = async {
        let mut lines = Vec::new();
        while let Some(line) = receiver.recv().await {
            lines.push(line);
        }
        lines
    };
    let (exit, lines) = tokio::join!(session.run(script, skip, sender), gather);
    (lines, exit)
}

/// Waits until `condition` holds; fails after twenty seconds.
async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait)
        .await
        .unwrap_or_else(|_| panic!("never: {what}"));
}

/// Returns whether a process with this id runs; zombies do not count.
fn runs(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

/// Kills the wrapper `pid` and the script below it.
fn end_session_of(pid: &str) {
    let session = format!(" {} ", pid.trim());
    let entries = fs::read_dir("/proc").unwrap().map_while(Result::ok);
    for entry in entries {
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let Some((head, tail)) = stat.rsplit_once(") ") else { continue };
        let parent_and_session: String =
            tail.split(' ').skip(1).take(3).collect::<Vec<_>>().join(" ");
        if format!(" {parent_and_session} ").contains(&session) {
            kill("KILL", &[head.split(' ').next().unwrap().parse().unwrap()]);
        }
    }
}
