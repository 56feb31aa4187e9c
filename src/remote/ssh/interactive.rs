//! ssh as the user calls it: with the terminal, and as blocks of an ssh config.
//!
//! The same config, user, key and pinned host keys as muster's own connections,
//! but with questions allowed and no connection shared.

use std::{ffi::OsString, path::PathBuf, process::Stdio};

use tokio::process::Command;

use super::{
    SshOptions,
    config::{PINNED, absolute},
    directive::{Directive, quotable},
};
use crate::{model::Failure, remote::Host};

/// How ssh is called for the nodes of one cluster.
#[derive(Clone, Debug)]
pub struct Interactive {
    include: Option<PathBuf>,
    known_hosts: PathBuf,
}

impl Interactive {
    /// For the cluster of `options`. `Err` where its folder has a path that
    /// no ssh config can name.
    pub fn new(options: &SshOptions) -> Result<Self, Failure> {
        let known_hosts = absolute(&options.folder)?.join("known_hosts");
        quotable(&known_hosts)?;
        Ok(Self { include: options.include.clone(), known_hosts })
    }

    /// ssh's arguments for logging in to `host`, or for running `command` there.
    pub fn arguments(&self, host: &Host, command: &[String]) -> Vec<OsString> {
        let mut arguments = self.config_arguments();
        arguments.extend(["-l".into(), host.user.clone().into()]);
        let mut options: Vec<String> = PINNED.iter().map(|&one| one.to_owned()).collect();
        options.push(format!("UserKnownHostsFile=\"{}\"", self.known_hosts.display()));
        options.push(format!("HostKeyAlias={}", host.instance));
        // A shared connection may be to the instance that had the address before.
        options.push("ControlPath=none".to_owned());
        if !command.is_empty() {
            options.push("RemoteCommand=none".to_owned());
        }
        if let Some(key) = &host.private_key {
            options.push("IdentitiesOnly=yes".to_owned());
            arguments.extend(["-i".into(), key.into()]);
        }
        for option in options {
            arguments.extend(["-o".into(), option.into()]);
        }
        if let Some(command) = &host.proxy_command {
            arguments.extend(["-o".into(), format!("ProxyCommand={command}").into()]);
        }
        arguments.extend(["--".into(), host.target().into()]);
        arguments.extend(command.iter().map(OsString::from));
        arguments
    }

    fn config_arguments(&self) -> Vec<OsString> {
        match &self.include {
            Some(config) => vec!["-F".into(), config.into()],
            None => Vec::new(),
        }
    }

    /// A block of an ssh config that leads to `host` by any of `names`. It
    /// needs nothing of the config that muster works with but the jump host
    /// that it may name. `Err` where a value would not be one line there.
    pub async fn block(&self, host: &Host, names: &[String]) -> Result<String, Failure> {
        let names = Directive::words("Host", names.iter().map(String::as_str))?;
        let mut directives = Vec::new();
        if let Some(command) = &host.proxy_command {
            directives.push(Directive::command("ProxyCommand", command)?);
        }
        directives.extend(self.way_to(host).await?);
        directives.push(Directive::word("User", &host.user)?);
        if let Some(key) = &host.private_key {
            directives.push(Directive::path("IdentityFile", &absolute(key)?)?);
            directives.push(Directive::fixed("IdentitiesOnly", "yes"));
        }
        directives.push(Directive::word("HostKeyAlias", host.instance.as_str())?);
        directives.push(Directive::path("UserKnownHostsFile", &self.known_hosts)?);
        let pinned = PINNED.iter().filter_map(|option| option.split_once('='));
        directives.extend(pinned.map(|(key, value)| Directive::fixed(key, value)));
        directives.push(Directive::fixed("ControlPath", "none"));
        let lines = directives.iter().map(|directive| format!("    {directive}\n"));
        Ok(format!("{names}\n{}", lines.collect::<String>()))
    }

    /// What the user's config makes of the node's address.
    async fn way_to(&self, host: &Host) -> Result<Vec<Directive>, Failure> {
        let mut ssh = Command::new("ssh");
        super::without_secrets(&mut ssh);
        ssh.arg("-G").args(self.config_arguments()).arg("--").arg(host.target());
        let printed = ssh.stdin(Stdio::null()).output().await.map_err(|error| no_ssh(&error))?;
        if !printed.status.success() {
            let why = super::diagnose::summary(&String::from_utf8_lossy(&printed.stderr));
            return Err(Failure::new(format!("ssh rejects its config: {why}"))
                .hint("correct ssh.config in muster.yaml, or your ~/.ssh/config"));
        }
        let printed = String::from_utf8_lossy(&printed.stdout);
        let pairs = printed.lines().filter_map(|line| line.split_once(' '));
        let usual = [("port", "22"), ("proxyjump", "none"), ("proxycommand", "none")];
        let ways = pairs.filter(|pair| !usual.contains(pair));
        ways.filter_map(|(key, value)| directive(key, value)).collect()
    }
}

/// A setting of the user's that decides how a node is reached. What `ssh -G`
/// prints of it for a node's address holds for its name as well.
fn directive(key: &str, value: &str) -> Option<Result<Directive, Failure>> {
    match key {
        "hostname" => Some(Directive::word("HostName", value)),
        "port" => Some(Directive::word("Port", value)),
        "proxyjump" => Some(Directive::word("ProxyJump", value)),
        "proxycommand" => Some(Directive::command("ProxyCommand", value)),
        _ => None,
    }
}

/// Why ssh could not be started.
pub(super) fn no_ssh(error: &std::io::Error) -> Failure {
    match error.kind() {
        std::io::ErrorKind::NotFound => {
            Failure::new("ssh is not installed").hint("install it: openssh-client, openssh-clients")
        }
        _ => Failure::new(format!("can't start ssh: {error}")),
    }
}
