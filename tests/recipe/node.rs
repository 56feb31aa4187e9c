//! A node for the built-in scripts: a real sshd whose PATH begins with stand-ins
//! for programs that would change the machine.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use muster::{
    config::{Action, Recipe},
    model::{ClusterId, InstanceId, NodeName},
    remote::{Exit, Host, Remote, Script, Session, SshOptions, SshRemote},
};
use tempfile::TempDir;
use tokio::sync::mpsc;

use crate::support::sshd::Sshd;

/// The programs that are replaced by stand-ins.
const STAND_INS: [&str; 25] = [
    "sudo",
    "cloud-init",
    "systemctl",
    "chown",
    "df",
    "apt-get",
    "dnf",
    "dpkg-query",
    "rpm",
    "lsblk",
    "blkid",
    "mountpoint",
    "mount",
    "mkfs.ext4",
    "mkfs.xfs",
    "mdadm",
    "nft",
    "iptables",
    "iptables-restore",
    "redis-server",
    "redis-cli",
    "ray",
    "pip",
    "uv",
    "python3",
];

pub const UBUNTU_22: &str = "ID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"22.04\"\nNAME=\"Ubuntu\"\n";
pub const UBUNTU_24: &str = "ID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"24.04\"\nNAME=\"Ubuntu\"\n";
pub const DEBIAN_12: &str = "ID=debian\nVERSION_ID=\"12\"\nNAME=\"Debian GNU/Linux\"\n";
pub const AMAZON_2023: &str = "ID=\"amzn\"\nID_LIKE=\"fedora\"\nVERSION_ID=\"2023\"\n";

/// A node and a connection to it.
pub struct Node {
    pub sshd: Sshd,
    pub folder: TempDir,
    session: Box<dyn Session>,
    runs: AtomicU32,
}

impl Node {
    /// Starts a node whose `/etc/os-release` contains `system`.
    pub async fn start(system: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sshd = prepare(&folder, system);
        let remote = remote(&sshd, &folder);
        let session = remote.connect(&host(&sshd)).await.unwrap();
        Self { sshd, folder, session, runs: AtomicU32::new(0) }
    }

    /// Runs a built-in step's script; returns its output and exit.
    pub async fn run(&self, step: &str, env: &[(&str, &str)]) -> (String, Exit) {
        let run = self.runs.fetch_add(1, Ordering::Relaxed);
        let spill = self.folder.path().join("spill");
        let given = [
            ("MUSTER_NODE", "us-west-2/head"),
            ("MUSTER_LEADER", "us-west-2/head"),
            ("MUSTER_PRIVATE_IP", "10.1.0.5"),
            ("MUSTER_LEADER_IP", "10.1.0.5"),
            ("MUSTER_LEADER_PUBLIC_IP", "203.0.113.9"),
            ("MUSTER_SPILL_DIR", spill.to_str().unwrap()),
            ("MUSTER_PYTHON", "3.11"),
            ("MUSTER_CONSTRAINTS", "ray==2.6.3\nnumpy<2\n"),
            ("MUSTER_REQUIREMENTS", "s3fs"),
        ];
        let mut all: std::collections::BTreeMap<String, String> =
            given.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        all.extend(env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
        let script = Script {
            key: format!("{step}.{run}"),
            text: text(step),
            env: all,
            timeout: Duration::from_mins(2),
        };
        let (sender, mut lines) = mpsc::channel(64);
        let (exit, output) = tokio::join!(self.session.run(&script, 0, sender), async {
            let mut output = String::new();
            while let Some(line) = lines.recv().await {
                output = output + &line + "\n";
            }
            output
        });
        (output, exit.unwrap())
    }

    /// Runs a step that must succeed; returns its output.
    pub async fn good(&self, step: &str, env: &[(&str, &str)]) -> String {
        let (output, exit) = self.run(step, env).await;
        assert_eq!(exit, Exit::Status(0), "{step}: {output}");
        output
    }

    /// Returns every call of a stand-in since the last call of this function.
    pub fn calls(&self) -> Vec<String> {
        let path = self.folder.path().join("calls");
        let calls = fs::read_to_string(&path).unwrap_or_default();
        drop(fs::remove_file(path));
        calls.lines().map(str::to_owned).collect()
    }

    /// Returns the calls of these programs.
    pub fn calls_of(&self, programs: &[&str]) -> Vec<String> {
        let of = |call: &String| programs.contains(&call.split(' ').next().unwrap_or_default());
        self.calls().into_iter().filter(of).collect()
    }

    /// Returns the path of a state file of the stand-ins.
    pub fn state(&self, name: &str) -> PathBuf {
        self.folder.path().join("state").join(name)
    }

    pub fn set(&self, name: &str, content: &str) {
        fs::write(self.state(name), content).unwrap();
    }
}

/// Writes the stand-ins into `folder`, and starts an sshd with them first in PATH.
pub fn prepare(folder: &TempDir, system: &str) -> Sshd {
    let at = folder.path();
    for name in ["bin", "state"] {
        fs::create_dir(at.join(name)).unwrap();
    }
    let own = at.join("stand-in");
    fs::write(&own, include_str!("stand-in.sh")).unwrap();
    fs::set_permissions(&own, fs::Permissions::from_mode(0o755)).unwrap();
    for name in STAND_INS {
        symlink(&own, at.join("bin").join(name)).unwrap();
    }
    fs::write(at.join("os-release"), system).unwrap();
    fs::write(at.join("state/flight.py"), "").unwrap();
    let shown = at.display();
    Sshd::start_with(&format!(
        "PATH={shown}/bin:/usr/bin:/bin CALLS={shown}/calls STATE={shown}/state \
         SELF={shown}/stand-in MUSTER_OS_RELEASE={shown}/os-release MUSTER_LOCK_PAUSE_S=0.05"
    ))
}

pub fn remote(sshd: &Sshd, folder: &TempDir) -> Arc<SshRemote> {
    let options = SshOptions {
        folder: folder.path().join("cluster"),
        include: Some(sshd.ssh_config()),
        cluster: ClusterId::new("recipe-000001"),
    };
    Arc::new(SshRemote::new(options).unwrap())
}

fn host(sshd: &Sshd) -> Host {
    Host {
        node: NodeName::new("us-west-2/head"),
        instance: InstanceId::new("i-1"),
        address: "192.0.2.1".parse().unwrap(),
        user: Sshd::user(),
        private_key: Some(sshd.private_key()),
        proxy_command: None,
        proxy_by_id: false,
    }
}

/// The text of a built-in step.
pub fn text(step: &str) -> String {
    let recipe = Recipe::built_in();
    let found = recipe.steps.iter().find(|own| own.name == step).unwrap();
    match &found.action {
        Action::Run(text) => text.clone(),
        other => panic!("{step} is {other:?}"),
    }
}
