//! `muster ssh` and `muster ssh-config`.

use std::os::unix::process::CommandExt;

use super::{CliError, Exit, ProjectSession, Streams, known::Known, pick};
use crate::{
    child_env,
    cli::{SshArgs, SshConfigArgs},
    engine::host_of,
    model::Failure,
};

/// Becomes ssh: the terminal, the signals and the exit status are its own.
pub async fn run(args: SshArgs, streams: &mut Streams) -> Result<Exit, CliError> {
    let world = ProjectSession::open(&args.project)?;
    world.refuse_simulated("ssh", "`muster exec` runs commands there")?;
    world.print_warnings(streams)?;
    let known = Known::open(&world, streams).await?;
    let node = pick::node(&known.state, &args.node)?;
    let host = host_of(&world.project, node).map_err(CliError::failed)?;
    let arguments = world.interactive(&known)?.arguments(&host, &args.command);
    let mut ssh = std::process::Command::new("ssh");
    for name in child_env::secrets_to_remove() {
        ssh.env_remove(name);
    }
    let error = ssh.args(arguments).exec();
    let failure = match error.kind() {
        std::io::ErrorKind::NotFound => {
            Failure::new("ssh is not installed").hint("install it: openssh-client, openssh-clients")
        }
        _ => Failure::new(format!("can't start ssh: {error}")),
    };
    Err(CliError::failed(failure))
}

/// Prints a `Host` block for every node that has a machine.
pub async fn config(args: SshConfigArgs, streams: &mut Streams) -> Result<Exit, CliError> {
    let world = ProjectSession::open(&args.project)?;
    world.refuse_simulated("ssh-config", "simulated nodes have no sshd")?;
    world.print_warnings(streams)?;
    let known = Known::open(&world, streams).await?;
    let ssh = world.interactive(&known)?;
    let (mut blocks, mut left_out) = (Vec::new(), None);
    for node in known.state.nodes.values().filter(|node| node.is_live()) {
        let host = match host_of(&world.project, node) {
            Ok(host) => host,
            Err(failure) => {
                streams.err.line(format!("note: left out: {failure}"))?;
                continue;
            }
        };
        let names = [pick::alias(node), node.name.to_string(), host.instance.to_string()];
        match ssh.block(&host, &names).await {
            Ok(block) => blocks.push(block),
            Err(failure) => {
                let node = &node.name;
                streams.err.line(format!("note: {node} is left out: {failure}"))?;
                left_out = Some(failure);
            }
        }
    }
    if let Some(failure) = left_out.filter(|_| blocks.is_empty()) {
        return Err(CliError::failed(failure));
    }
    let cluster = known.state.cluster.as_ref().map(ToString::to_string).unwrap_or_default();
    streams.out.document(&format!(
        "# The nodes of the cluster {cluster}, for ssh, scp, rsync and editors. Keep it in a file\n\
         # and say `Include FILE` at the top of ~/.ssh/config, or `ssh -F FILE NODE`. Print it\n\
         # again after the cluster was stopped and started: addresses change."
    ))?;
    for block in blocks {
        streams.out.document(&format!("\n{}", block.trim_end()))?;
    }
    Ok(Exit::DONE)
}
