//! The contract's world on a real sshd, which stands for every node.

use std::{
    fmt::Write,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use muster::{
    model::{ClusterId, InstanceId, NodeName},
    remote::{Host, Remote, SshOptions, SshRemote},
};
use tempfile::TempDir;

use super::{BREAKS, Key, Step, TestHost, World};
use crate::support::sshd::{ShutPort, Sshd, keygen};

struct RealWorld {
    sshd: Mutex<Sshd>,
    _shut: ShutPort,
    folder: TempDir,
    remote: Arc<SshRemote>,
}

pub(super) fn world() -> impl World {
    let sshd = Sshd::start();
    let shut = ShutPort::take();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config");
    let mut text = String::new();
    for (host, port) in [
        (TestHost::Reachable, sshd.port()),
        (TestHost::Closed, shut.number()),
        (TestHost::Rekeyed, sshd.port()),
    ] {
        writeln!(text, "Host {}\n HostName 127.0.0.1\n Port {port}", address(host)).unwrap();
    }
    fs::write(&config, text).unwrap();
    let options = SshOptions {
        folder: folder.path().join("cluster"),
        include: Some(config),
        cluster: ClusterId::new("contract-abc123"),
    };
    let remote = Arc::new(SshRemote::new(options).unwrap());
    RealWorld { sshd: Mutex::new(sshd), _shut: shut, folder, remote }
}

fn address(host: TestHost) -> &'static str {
    match host {
        TestHost::Reachable => "192.0.2.1",
        TestHost::Closed => "192.0.2.2",
        TestHost::Rekeyed => "192.0.2.3",
    }
}

fn make(key: Key, path: &Path) {
    match key {
        Key::Right | Key::Missing => {}
        Key::Other => keygen(path, &["-t", "ed25519"]),
        Key::ReadableByOthers => {
            keygen(path, &["-t", "ed25519"]);
            mode(path, 0o644);
        }
        Key::Passphrase => {
            keygen(path, &["-t", "ed25519", "-N", "a passphrase"]);
            fs::remove_file(path.with_extension("pub")).unwrap();
        }
        Key::Garbage => {
            fs::write(path, "no key").unwrap();
            mode(path, 0o600);
        }
    }
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[async_trait::async_trait]
impl World for RealWorld {
    fn remote(&self) -> Arc<dyn Remote> {
        self.remote.clone()
    }

    fn host(&self, host: TestHost) -> Host {
        Host {
            node: NodeName::new(format!("us-west-2/{host:?}")),
            instance: InstanceId::new(format!("i-{host:?}")),
            address: address(host).parse().unwrap(),
            user: Sshd::user(),
            private_key: Some(self.key(Key::Right)),
            proxy_command: None,
            proxy_by_id: false,
        }
    }

    fn key(&self, key: Key) -> PathBuf {
        let path = match key {
            Key::Right => self.sshd.lock().unwrap().private_key(),
            _ => self.folder.path().join(format!("{key:?}")),
        };
        if !path.exists() {
            make(key, &path);
        }
        path
    }

    fn text(&self, step: &Step) -> String {
        let mut text = String::new();
        for (number, line) in step.lines.iter().enumerate() {
            if step.name == BREAKS.name && number == 2 {
                // The rest is printed once the connection is closed.
                text += "until [ -e cut ]; do sleep 0.05; done\n";
            }
            writeln!(text, "echo '{line}'").unwrap();
        }
        if step.hangs {
            text += "sleep 1000\n";
        }
        text + &format!("exit {}\n", step.exit)
    }

    fn command(&self, step: &Step) -> String {
        let mut text = self.text(&Step { exit: 0, ..*step });
        text.truncate(text.len() - "exit 0\n".len());
        for line in step.errors {
            writeln!(text, "echo '{line}' >&2").unwrap();
        }
        text + &format!("exit {}\n", step.exit)
    }

    async fn file(&self, path: &str) -> Option<(u32, Vec<u8>)> {
        let path = self.sshd.lock().unwrap().home().join(path);
        let mode = fs::metadata(&path).ok()?.permissions().mode() & 0o777;
        Some((mode, fs::read(path).ok()?))
    }

    async fn cut(&self) {
        let sshd = self.sshd.lock().unwrap();
        sshd.cut();
        fs::write(sshd.home().join("cut"), "").unwrap();
    }

    async fn change(&self) {
        self.sshd.lock().unwrap().change_host_key();
    }
}
