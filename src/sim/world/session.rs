//! The world as its nodes: [`Remote`] and [`Session`].

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

use super::{World, machine::Machine, pause};
use crate::{
    cloud::{InstanceState, PublicKey},
    model::{Failure, Fingerprint, InstanceId, NodeName, Secret},
    remote::{
        Exit, Host, Mount, Printed, Remote, RemoteError, RemoteErrorKind, Result, Script, Session,
    },
    sim::{
        Pace,
        scenario::format::{KeyProblem, LocalKeySpec, Spec},
        script::{Play, Player},
    },
};

impl World {
    /// A file that was copied to an instance: its mode and content. For tests.
    pub fn file(&self, instance: &InstanceId, path: &str) -> Option<(u32, Vec<u8>)> {
        let state = self.state();
        state.regions.values().find_map(|held| held.machines.get(instance))?.file(path)
    }

    fn machine(&self, host: &Host) -> Option<Arc<Machine>> {
        let state = self.state();
        state.regions.values().find_map(|held| held.machines.get(&host.instance)).cloned()
    }

    /// Waits until the instance's kernel answers, or ssh's patience ends.
    async fn knock(&self, host: &Host) -> Result<Arc<Machine>> {
        let limit = Instant::now() + self.pace.of(self.spec.boot.connect_timeout_s);
        let silent = self.spec.nodes.get(&host.node).is_some_and(|odd| odd.silent);
        if let Some(machine) = self.machine(host).filter(|_| !silent) {
            let up = machine.course().running_at;
            if up <= limit {
                sleep_until(up).await;
                let runs = machine.state_at(Instant::now()) == InstanceState::Running;
                if runs && self.arrives(&machine, host) {
                    return Ok(machine);
                }
            }
        }
        sleep_until(limit).await;
        let message = format!("connect to host {} port 22: Connection timed out", host.address);
        Err(error(&host.node, RemoteErrorKind::Unreachable, message))
    }

    /// The answer of sshd to a connection that came through.
    fn admit(&self, host: &Host, machine: &Machine) -> Result<()> {
        let odd = self.spec.nodes.get(&host.node);
        let asleep = Instant::now() < machine.course().ssh_at;
        // Only what a waking sshd hears is counted.
        let number = if asleep { 0 } else { machine.connected() };
        if asleep || odd.is_some_and(|odd| number <= odd.refuses) {
            let message = format!("connect to host {} port 22: Connection refused", host.address);
            return Err(error(&host.node, RemoteErrorKind::Unreachable, message));
        }
        if odd.and_then(|odd| odd.other_host_key_from).is_some_and(|from| from <= number) {
            let message = "REMOTE HOST IDENTIFICATION HAS CHANGED! Host key verification failed.";
            return Err(error(&host.node, RemoteErrorKind::HostKeyChanged, message));
        }
        let early = odd.is_some_and(|odd| number <= odd.refuses.saturating_add(odd.denies));
        let known = |key: &PublicKey| machine.about.key.as_ref() == Some(key) && !early;
        if host.user == machine.about.user && self.offered_keys(host).iter().any(known) {
            return Ok(());
        }
        let message = format!("{}@{}: Permission denied (publickey).", host.user, host.address);
        Err(error(&host.node, RemoteErrorKind::Denied, message))
    }

    /// Checks a private key as ssh does before it connects.
    fn check_key_file(&self, host: &Host) -> Result<()> {
        let Some(path) = &host.private_key else { return Ok(()) };
        match local_key(&self.spec, path) {
            Ok(_) => Ok(()),
            Err(failure) => Err(error(&host.node, RemoteErrorKind::Local, failure.message)),
        }
    }
}

fn error(node: &NodeName, kind: RemoteErrorKind, message: impl Into<String>) -> RemoteError {
    RemoteError { kind, node: node.clone(), message: message.into() }
}

/// The public half of the private key at `path`, or what is wrong with it.
fn local_key(spec: &Spec, path: &Path) -> std::result::Result<PublicKey, Failure> {
    let shown = path.display();
    let Some(key) = spec.operator.keys.iter().find(|key| key.is_at(path)) else {
        return Err(Failure::new(format!("{shown}: no such file"))
            .hint("check auth.ssh_private_key and key_location"));
    };
    if let Some(problem) = key.problem {
        return Err(problem.visible(path));
    }
    let public = key.public_key.as_deref().and_then(PublicKey::parse);
    public.ok_or_else(|| KeyProblem::NotAKey.visible(path))
}

impl KeyProblem {
    fn visible(self, path: &Path) -> Failure {
        let shown = path.display();
        let (what, hint) = match self {
            Self::Unreadable => {
                ("permission denied", format!("make it yours: chown $USER {shown}"))
            }
            Self::ReadableByOthers => {
                ("is readable by others, so ssh ignores it", format!("chmod 600 {shown}"))
            }
            Self::NotAKey => {
                ("is not a private key", "check auth.ssh_private_key and key_location".into())
            }
            Self::Passphrase => ("is protected by a passphrase", format!("ssh-add {shown}")),
        };
        Failure::new(format!("{shown}: {what}")).hint(hint)
    }
}

impl LocalKeySpec {
    /// Whether this is the key at `path`. The scenario writes `~/`, since
    /// the home folder differs between computers.
    pub(super) fn is_at(&self, path: &Path) -> bool {
        match self.path.strip_prefix("~") {
            Ok(rest) => path == self.path || path.ends_with(rest),
            Err(_) => path == self.path,
        }
    }
}

#[async_trait::async_trait]
impl Remote for World {
    async fn public_key(&self, private_key: &Path) -> std::result::Result<PublicKey, Failure> {
        local_key(&self.spec, private_key)
    }

    async fn connect(&self, host: &Host) -> Result<Box<dyn Session>> {
        self.check_key_file(host)?;
        let machine = self.knock(host).await?;
        pause(self.pace.within(self.spec.boot.connect_s, &[host.node.as_str(), "connect"])).await;
        self.admit(host, &machine)?;
        Ok(Box::new(Connection {
            node: host.node.clone(),
            boot: machine.course().boots,
            machine,
            spec: Arc::clone(&self.spec),
            pace: self.pace,
        }))
    }

    fn pinned_host_keys(&self, host: &Host) -> std::result::Result<Vec<Fingerprint>, Failure> {
        let Some(machine) = self.machine(host) else { return Ok(Vec::new()) };
        let odd = self.spec.nodes.get(&host.node);
        let connected = machine.connections() > 0;
        let key = machine.host_key(odd.is_some_and(|odd| odd.impostor));
        Ok(key.into_iter().filter(|_| connected).collect())
    }
}

/// Longer than any script.
const A_YEAR: Duration = Duration::from_hours(365 * 24);

/// A connection to one instance.
struct Connection {
    node: NodeName,
    machine: Arc<Machine>,
    /// The start of the instance after which it was made.
    boot: u32,
    spec: Arc<Spec>,
    pace: Pace,
}

impl Connection {
    fn play_of(&self, script: &Script) -> Play {
        let address = self.machine.about.private_ip.to_string();
        Play::of(&self.spec, self.pace, &Player { node: &self.node, address }, script)
    }

    /// Waits for `moment`; `Err` if the instance goes down before.
    async fn until(&self, moment: Instant) -> Result<()> {
        tokio::select! {
            biased;
            () = self.machine.down(self.boot) => Err(self.closed()),
            () = sleep_until(moment) => Ok(()),
        }
    }

    fn closed(&self) -> RemoteError {
        let address = self.machine.about.private_ip;
        let message = format!("Connection to {address} closed by remote host.");
        error(&self.node, RemoteErrorKind::Lost, message)
    }
}

/// A command as a scenario knows it: by its first word, as a step of that name.
fn one_off(command: &str) -> Script {
    let name = command.split_whitespace().next().unwrap_or_default();
    Script { key: format!("{name}.1"), text: command.to_owned(), env: [].into(), timeout: A_YEAR }
}

#[async_trait::async_trait]
impl Session for Connection {
    async fn run(&self, script: &Script, skip: u64, lines: mpsc::Sender<String>) -> Result<Exit> {
        let run = self.machine.run(&script.key, || self.play_of(script));
        let breaks = run.attached <= run.play.connections_lost;
        let breaks_after = run.play.connection_lost_after.filter(|_| breaks);
        if run.play.frozen {
            self.machine.down(self.boot).await;
            return Err(self.closed());
        }
        let deadline = run.began.checked_add(script.timeout).unwrap_or(run.began + A_YEAR);
        for (number, (offset, line)) in (0_u64..).zip(&run.play.lines) {
            if breaks_after == Some(number) {
                return Err(self.closed());
            }
            let due = run.began + *offset;
            if due > deadline {
                break;
            }
            self.until(due).await?;
            if number >= skip {
                // Nobody listens any more: the script goes on all the same.
                let _ = lines.send(line.clone()).await;
            }
        }
        if breaks_after.is_some() {
            return Err(self.closed());
        }
        let end = run.play.end.map(|end| run.began + end).filter(|end| *end <= deadline);
        self.until(end.unwrap_or(deadline)).await?;
        Ok(end.map_or(Exit::TimedOut, |_| Exit::Status(run.play.exit)))
    }

    async fn exec(&self, command: &str, lines: mpsc::Sender<Printed>) -> Result<i32> {
        let began = Instant::now();
        let play = self.play_of(&one_off(command));
        for (number, (offset, line)) in (0_u64..).zip(&play.lines) {
            if play.connection_lost_after == Some(number) {
                return Err(self.closed());
            }
            self.until(began + *offset).await?;
            // Nobody may listen: the exit status still counts.
            let _ = lines.send(Printed::Out(line.clone())).await;
        }
        let end = play.end.map_or(began + A_YEAR, |end| began + end);
        self.until(end).await?;
        for line in &play.errors {
            let _ = lines.send(Printed::Err(line.clone())).await;
        }
        Ok(play.exit)
    }

    async fn forward(&self, to: SocketAddr) -> Result<PathBuf> {
        let message = format!("nothing listens at {to} of a simulated node");
        Err(error(&self.node, RemoteErrorKind::Local, message))
    }

    async fn lost(&self) -> RemoteError {
        self.machine.down(self.boot).await;
        self.closed()
    }

    async fn put(
        &self,
        path: &str,
        mode: u32,
        content: &Secret,
        _lines: mpsc::Sender<String>,
    ) -> Result<Exit> {
        self.until(Instant::now() + self.pace.seconds(0.2)).await?;
        self.machine.put(path, mode, content.expose());
        Ok(Exit::Status(0))
    }

    async fn sync(&self, mount: &Mount, lines: mpsc::Sender<String>) -> Result<Exit> {
        let visible = ["sending incremental file list", &mount.to];
        for line in visible {
            self.until(Instant::now() + self.pace.seconds(0.4)).await?;
            let _ = lines.send(line.to_owned()).await;
        }
        // The operator of a simulated world has no files, but tests have.
        if mount.from.is_file() {
            let content = std::fs::read(&mount.from).unwrap_or_default();
            self.machine.put(mount.to.trim_start_matches("~/"), 0o644, &content);
        }
        Ok(Exit::Status(0))
    }

    async fn close(self: Box<Self>) {}
}
