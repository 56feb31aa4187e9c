//! The port to the nodes: the trait [`Remote`]. `ssh` is the real adapter
//! (OpenSSH through the `openssh` crate), [`crate::sim`] the simulated one;
//! one contract suite runs against both.

mod bounded;
mod error;
mod lines;
mod registered;
mod ssh;
mod transfer;

pub use bounded::{Answer, Lines, Tail, answer};
pub use error::{RemoteError, RemoteErrorKind, Result};
pub use registered::Registered;
pub use ssh::{Interactive, LocalKeys, SshOptions, SshRemote};
pub use transfer::Mount;

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::sync::mpsc;

use crate::{
    cloud::PublicKey,
    model::{Failure, Fingerprint, InstanceId, NodeName, Secret},
};

/// A node to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// The node, for messages.
    pub node: NodeName,
    /// The instance. Its host key is pinned under this id, so that an address
    /// that another instance reuses is detected.
    pub instance: InstanceId,
    /// The address to connect to.
    pub address: IpAddr,
    /// `auth.ssh_user`.
    pub user: String,
    /// `auth.ssh_private_key`. `None`: whatever the user's ssh config and agent offer.
    pub private_key: Option<PathBuf>,
    /// `auth.ssh_proxy_command`. `None`: the setting of the user's ssh config.
    pub proxy_command: Option<String>,
    /// `auth.ssh_proxy_use_node_id`: the proxy command is given the instance's
    /// id in place of the address.
    pub proxy_by_id: bool,
}

impl Host {
    /// Returns the host that ssh connects to.
    pub fn target(&self) -> String {
        if self.proxy_by_id { self.instance.to_string() } else { self.address.to_string() }
    }
}

/// A shell script to run on a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// Names this run on the node: `<step>.<attempt>`, of `[A-Za-z0-9._-]`. A
    /// script whose connection was lost keeps running there; running the same key
    /// again attaches to it and sends its lines from the first one on.
    pub key: String,
    /// The text, for `sh`.
    pub text: String,
    /// Environment variables. Never secrets: they would show in the node's process list.
    pub env: BTreeMap<String, String>,
    /// Time limit; the script's whole process group is killed after it.
    pub timeout: Duration,
}

/// How a script ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// With this status.
    Status(i32),
    /// Its time limit passed.
    TimedOut,
}

/// A line that a command printed, without its ending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Printed {
    /// On its standard output.
    Out(String),
    /// On its standard error.
    Err(String),
}

/// SSH, as far as muster needs it.
#[async_trait::async_trait]
pub trait Remote: Send + Sync {
    /// Returns the public half of a local private key. The error names what is wrong with
    /// the file: missing, unreadable, readable by others, not a key, passphrase.
    async fn public_key(&self, private_key: &Path) -> std::result::Result<PublicKey, Failure>;

    /// Connects once; `Err` at once where the node does not answer (yet). The
    /// caller decides whether to try again ([`RemoteErrorKind::is_transient`]).
    async fn connect(&self, host: &Host) -> Result<Box<dyn Session>>;

    /// The host keys that are pinned for the instance of `host`: those of its
    /// first connection, and the only ones that a later connection accepts. Empty
    /// before the first connection. `Err` where the record can't be read.
    fn pinned_host_keys(&self, host: &Host) -> std::result::Result<Vec<Fingerprint>, Failure>;
}

/// A connection to one node.
#[async_trait::async_trait]
pub trait Session: Send + Sync {
    /// Runs `script` and sends each line that it prints, stdout and stderr in
    /// the order they came, without its line ending, the first `skip` lines
    /// left out (those already kept from an earlier connection). Answers when
    /// all lines have been sent. `Err` where the connection was lost; the
    /// script itself goes on.
    async fn run(&self, script: &Script, skip: u64, lines: mpsc::Sender<String>) -> Result<Exit>;

    /// Runs `command`, a line for the login shell there, with nothing on its
    /// stdin, and sends what it prints as it comes. Answers its exit status
    /// when all lines have been sent. Unlike a script it belongs to the
    /// connection: it is ended where the connection is lost or this future is
    /// dropped.
    async fn exec(&self, command: &str, lines: mpsc::Sender<Printed>) -> Result<i32>;

    /// Opens a way to `to`, an address as the node sees it: whatever connects
    /// to the unix socket at the path that is answered comes out there, for as
    /// long as this connection lasts. `Err` with kind `Local` where it can't be opened.
    async fn forward(&self, to: SocketAddr) -> Result<PathBuf>;

    /// Returns once the connection is lost, with what is known of why.
    async fn lost(&self) -> RemoteError;

    /// Writes `content` to `path` (relative to the home folder unless absolute)
    /// with `mode`, whole or not at all, over stdin: it is in no argument. The node's
    /// output goes to `lines`, never the content.
    async fn put(
        &self,
        path: &str,
        mode: u32,
        content: &Secret,
        lines: mpsc::Sender<String>,
    ) -> Result<Exit>;

    /// Copies `mount` to the node by rsync over this connection. Its output goes
    /// to `lines`, and its exit status is returned. Fails with kind `Local`
    /// if rsync is not installed on this machine.
    async fn sync(&self, mount: &Mount, lines: mpsc::Sender<String>) -> Result<Exit>;

    /// Closes the connection; no script on the node is ended.
    async fn close(self: Box<Self>);
}
