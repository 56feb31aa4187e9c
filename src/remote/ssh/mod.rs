//! [`Remote`] over OpenSSH: the operator's own ssh, with its config, agent and
//! jump hosts, one master process per node.

mod config;
mod diagnose;
mod directive;
mod durable;
mod exec;
mod files;
mod interactive;
mod key;
mod known_hosts;
mod master;
mod runtime;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::mpsc;
use tracing::{Instrument as _, Span, debug_span};

pub use interactive::Interactive;

use super::{
    Exit, Host, Mount, Printed, Remote, RemoteError, RemoteErrorKind, Result, Script, Session,
};
use crate::{
    child_env,
    cloud::PublicKey,
    model::{ClusterId, Failure, Fingerprint, Secret, visible},
};

/// Keeps the operator's AWS credentials from `command` and what it starts.
fn without_secrets(command: &mut tokio::process::Command) {
    for name in child_env::secrets_to_remove() {
        command.env_remove(name);
    }
}

/// What all connections of one cluster have in common.
#[derive(Clone, Debug)]
pub struct SshOptions {
    /// The cluster's folder; the host keys are pinned in its `known_hosts`.
    pub folder: PathBuf,
    /// The ssh config to include (`ssh.config`); none: the user's own, `~/.ssh/config`.
    pub include: Option<PathBuf>,
    /// The cluster, which names the scripts' place on the nodes.
    pub cluster: ClusterId,
}

/// Connects by the `ssh` on the PATH.
#[derive(Debug)]
pub struct SshRemote {
    options: SshOptions,
    /// Written when the first connection is made, so that a command that only
    /// reads leaves nothing behind; and again where they were removed meanwhile.
    files: Mutex<Option<Arc<config::Files>>>,
}

impl SshRemote {
    /// Connects as `options` say; nothing is written yet. `Err` where the
    /// config to include can't be read.
    pub fn new(options: SshOptions) -> std::result::Result<Self, Failure> {
        config::check_include(options.include.as_deref())?;
        Ok(Self { options, files: Mutex::default() })
    }

    fn files(&self) -> std::result::Result<Arc<config::Files>, Failure> {
        let mut held = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(files) = held.as_ref().filter(|files| files.exist()) {
            return Ok(files.clone());
        }
        let SshOptions { folder, include, .. } = &self.options;
        let files = Arc::new(config::Files::write(folder, include.as_deref())?);
        *held = Some(files.clone());
        Ok(files)
    }

    async fn master(&self, host: &Host) -> std::result::Result<master::Master, master::Trouble> {
        let files = || self.files().map_err(|why| (RemoteErrorKind::Local, why.to_string()));
        let first = files()?;
        match master::Master::connect(&first, host).await {
            // Removed while ssh started, which is no fault of ssh's.
            Err(_) if !first.exist() => master::Master::connect(&files()?, host).await,
            connected => connected,
        }
    }
}

#[async_trait::async_trait]
impl Remote for SshRemote {
    async fn public_key(&self, private_key: &Path) -> std::result::Result<PublicKey, Failure> {
        key::public_key(private_key).await
    }

    async fn connect(&self, host: &Host) -> Result<Box<dyn Session>> {
        match self.master(host).await {
            Ok(master) => Ok(Box::new(SshSession {
                master,
                folder: durable::Folder::new(&self.options.cluster, host),
                host: host.clone(),
            })),
            Err((kind, message)) => Err(RemoteError { kind, node: host.node.clone(), message }),
        }
    }

    fn pinned_host_keys(&self, host: &Host) -> std::result::Result<Vec<Fingerprint>, Failure> {
        known_hosts::pinned(&self.options.folder.join("known_hosts"), &host.instance)
    }
}

/// Reads local keys and connects to nothing: all that a survey needs. Nothing
/// is written for it.
#[derive(Clone, Copy, Debug)]
pub struct LocalKeys;

#[async_trait::async_trait]
impl Remote for LocalKeys {
    async fn public_key(&self, private_key: &Path) -> std::result::Result<PublicKey, Failure> {
        key::public_key(private_key).await
    }

    async fn connect(&self, host: &Host) -> Result<Box<dyn Session>> {
        let message = "this adapter only reads local keys".into();
        Err(RemoteError { kind: RemoteErrorKind::Local, node: host.node.clone(), message })
    }

    fn pinned_host_keys(&self, _: &Host) -> std::result::Result<Vec<Fingerprint>, Failure> {
        Ok(Vec::new())
    }
}

/// A connection to one node.
struct SshSession {
    master: master::Master,
    folder: durable::Folder,
    host: Host,
}

impl SshSession {
    /// The span of one operation on the node. Commands and contents are not in it.
    fn span(&self, operation: &'static str, what: &str) -> Span {
        debug_span!("ssh", node = %self.host.node, operation, what = %visible(what))
    }

    fn error(&self, (kind, message): master::Trouble) -> RemoteError {
        RemoteError { kind, node: self.host.node.clone(), message }
    }
}

#[async_trait::async_trait]
impl Session for SshSession {
    async fn run(&self, script: &Script, skip: u64, lines: mpsc::Sender<String>) -> Result<Exit> {
        let outcome = durable::run(&self.master, &self.folder, script, skip, lines);
        let outcome = outcome.instrument(self.span("script", &script.key)).await;
        outcome.map_err(|trouble| self.error(trouble))
    }

    async fn exec(&self, command: &str, lines: mpsc::Sender<Printed>) -> Result<i32> {
        let status =
            exec::run(&self.master, command, lines).instrument(self.span("command", "")).await;
        status.map_err(|trouble| self.error(trouble))
    }

    async fn forward(&self, to: SocketAddr) -> Result<PathBuf> {
        self.master.forward(to).await.map_err(|trouble| self.error(trouble))
    }

    async fn lost(&self) -> RemoteError {
        self.error((RemoteErrorKind::Lost, self.master.ended().await))
    }

    async fn put(
        &self,
        path: &str,
        mode: u32,
        content: &Secret,
        lines: mpsc::Sender<String>,
    ) -> Result<Exit> {
        let put = files::put(&self.master, path, mode, content, &lines);
        let put = put.instrument(self.span("put", path)).await;
        put.map_err(|trouble| self.error(trouble))
    }

    async fn sync(&self, mount: &Mount, lines: mpsc::Sender<String>) -> Result<Exit> {
        let synced = files::sync(&self.master, mount, &lines);
        let synced = synced.instrument(self.span("sync", &mount.to)).await;
        synced.map_err(|trouble| self.error(trouble))
    }

    async fn close(self: Box<Self>) {
        self.master.close().await;
    }
}
