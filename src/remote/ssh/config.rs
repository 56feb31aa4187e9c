//! The configuration of ssh: one config file for all connections, and the options of each.
//!
//! `-F` replaces the user's own config, so the file includes it, first, since
//! ssh takes the first value that it meets: `ProxyJump`, `HostName` and `Port`
//! of the user apply. ssh gives the same file to the ssh that it starts for a
//! jump host, which is why the file, not only the command line, forbids prompts.
//!
//! What belongs to one connection, and what no config may change, goes on the
//! command line, which comes before every file. So the file never changes
//! while connections are being made.

use std::{
    ffi::OsString,
    fs::{self, File},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use super::{
    directive::{Directive, quotable},
    runtime::Runtime,
};
use crate::{model::Failure, remote::Host};

/// The files that ssh works with.
#[derive(Debug)]
pub struct Files {
    /// Holds the generated config, and the sockets.
    pub runtime: Runtime,
    config: PathBuf,
    /// The pinned host keys, in the cluster's folder.
    known_hosts: PathBuf,
}

impl Files {
    /// Writes the config; host keys are to be pinned in `folder`, which is
    /// made if it is not there.
    pub fn write(folder: &Path, include: Option<&Path>) -> Result<Self, Failure> {
        let folder = absolute(folder)?;
        let mut private = fs::DirBuilder::new();
        private.recursive(true).mode(0o700);
        private.create(&folder).map_err(|error| cannot("create", &folder, &error))?;
        let known_hosts = folder.join("known_hosts");
        let text = config_text(quotable(&known_hosts)?, &include_line(include)?);
        let runtime = Runtime::new()?;
        let written = runtime.write("ssh_config", &text);
        let config = written.map_err(|error| cannot("write to", runtime.path(), &error))?;
        Ok(Self { runtime, config, known_hosts })
    }

    /// Whether they still exist: a logout removes the user's runtime folder.
    pub fn exist(&self) -> bool {
        self.config.is_file()
    }

    /// ssh's arguments for a master connection to `host` with its control socket at `socket`.
    pub fn arguments(&self, host: &Host, socket: &Path) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec!["-F".into(), self.config.clone().into()];
        arguments.extend(["-S".into(), socket.into(), "-l".into(), host.user.clone().into()]);
        for option in FIXED.iter().chain(PINNED) {
            arguments.extend(["-o".into(), (*option).into()]);
        }
        let known_hosts = format!("UserKnownHostsFile=\"{}\"", self.known_hosts.display());
        let alias = format!("HostKeyAlias={}", host.instance);
        arguments.extend(["-o".into(), known_hosts.into(), "-o".into(), alias.into()]);
        if let Some(key) = &host.private_key {
            arguments.extend(["-o".into(), "IdentitiesOnly=yes".into(), "-i".into(), key.into()]);
        }
        if let Some(command) = &host.proxy_command {
            arguments.extend(["-o".into(), format!("ProxyCommand={command}").into()]);
        }
        // The host can't be taken for an option.
        arguments.extend(["--".into(), host.target().into()]);
        arguments
    }
}

/// What no config may change.
const FIXED: &[&str] = &[
    // This process is the master, and ends with muster.
    "ControlMaster=yes",
    "ControlPersist=no",
    "RemoteCommand=none",
    "RequestTTY=no",
    // At a lower level, ssh prints nothing when a connection breaks.
    "LogLevel=INFO",
    // Never prompt: nobody would see it.
    "BatchMode=yes",
    "PasswordAuthentication=no",
    "KbdInteractiveAuthentication=no",
    // A node that went silent is noticed within fifteen seconds.
    "ConnectTimeout=5",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=3",
    "TCPKeepAlive=yes",
    // The agent and the display of the operator's machine are not forwarded to the nodes.
    "ForwardAgent=no",
    "ForwardX11=no",
    "ClearAllForwardings=yes",
    "PermitLocalCommand=no",
];

/// Trust on first use under the instance's id, pinned from then on.
pub(super) const PINNED: &[&str] = &[
    "StrictHostKeyChecking=accept-new",
    "GlobalKnownHostsFile=/dev/null",
    "HashKnownHosts=no",
    "UpdateHostKeys=no",
    "CheckHostIP=no",
];

fn config_text(known_hosts: &str, include: &str) -> String {
    format!(
        "{include}\n\
         Host *\n    \
             BatchMode yes\n    \
             ConnectTimeout 5\n    \
             StrictHostKeyChecking accept-new\n    \
             UserKnownHostsFile \"{known_hosts}\" ~/.ssh/known_hosts\n\
         Include /etc/ssh/ssh_config\n"
    )
}

/// Checks that the config to include can be read, so that a bad setting
/// is reported before anything is launched.
pub fn check_include(include: Option<&Path>) -> Result<(), Failure> {
    include_line(include).map(drop)
}

fn include_line(include: Option<&Path>) -> Result<String, Failure> {
    let Some(include) = include else {
        return Ok("Include ~/.ssh/config".into());
    };
    // ssh passes over an `Include` that it can't open without a word.
    File::open(include).map_err(|error| {
        Failure::new(format!("can't read the ssh config {}: {error}", include.display()))
            .hint("correct ssh.config in muster.yaml")
    })?;
    Ok(Directive::path("Include", &absolute(include)?)?.to_string())
}

pub(super) fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| cannot("resolve", path, &error))
}

fn cannot(what: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("can't {what} {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::Files;

    #[test]
    fn an_ssh_config_that_is_not_there_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let missing = folder.path().join("my config");
        let failure = Files::write(folder.path(), Some(&missing)).expect_err("missing");
        assert!(failure.message.contains("my config"), "{failure}");
    }
}
