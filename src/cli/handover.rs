//! The commands that use a running cluster.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use super::{CommandArgs, ProjectArgs, seconds};

/// `muster export`
#[derive(Debug, Args)]
pub struct ExportArgs {
    #[expect(missing_docs, reason = "flattened: the fields carry the help")]
    #[command(flatten)]
    pub project: ProjectArgs,
    #[expect(missing_docs, reason = "flattened: the fields carry the help")]
    #[command(flatten)]
    pub form: ExportForm,
    /// Write it to this file
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Leave out nodes that are not ready
    #[arg(long)]
    pub force: bool,
}

/// What `muster export` prints: one of these.
#[derive(Clone, Copy, Debug, Args)]
pub struct ExportForm {
    /// A module with `cluster`, `region_info` and `context()` [default]
    #[arg(long)]
    pub python: bool,
    /// One JSON document
    #[arg(long, conflicts_with = "python")]
    pub json: bool,
    /// Environment variables for `eval "$(muster export --env)"`
    #[arg(long, conflicts_with_all = ["python", "json"])]
    pub env: bool,
}

/// `muster query`
#[derive(Debug, Args)]
pub struct QueryArgs {
    #[expect(missing_docs, reason = "flattened: the fields carry the help")]
    #[command(flatten)]
    pub common: CommandArgs,
    /// The Python that has Ray and pyquokka
    #[arg(long, value_name = "PATH", default_value = "python3", env = "MUSTER_PYTHON")]
    pub python: PathBuf,
    /// Give up after this many seconds
    #[arg(long, value_name = "SECONDS", default_value = "180", value_parser = seconds)]
    pub timeout: Duration,
}

/// `muster forward`
#[derive(Debug, Args)]
pub struct ForwardArgs {
    #[expect(missing_docs, reason = "flattened: the fields carry the help")]
    #[command(flatten)]
    pub project: ProjectArgs,
    /// The local port of Ray's client server [default: 10001, else a free port]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub client_port: Option<u16>,
    /// The local port of Redis [default: 6800, else a free port]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub redis_port: Option<u16>,
    /// The local port of Ray's dashboard [default: 8265, else a free port]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub dashboard_port: Option<u16>,
}

/// `muster ssh`
#[derive(Debug, Args)]
pub struct SshArgs {
    /// The node: its name, a part that only it has, or its instance id
    #[arg(value_name = "NODE")]
    pub node: String,
    #[expect(missing_docs, reason = "flattened: the fields carry the help")]
    #[command(flatten)]
    pub project: ProjectArgs,
    /// The command to run there, as ssh takes it [default: a login shell]
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// `muster ssh-config`
#[derive(Debug, Args)]
pub struct SshConfigArgs {
    #[expect(missing_docs, reason = "flattened: the fields carry the help")]
    #[command(flatten)]
    pub project: ProjectArgs,
}

/// `muster exec`
#[derive(Debug, Args)]
pub struct ExecArgs {
    #[expect(missing_docs, reason = "flattened: the fields carry the help")]
    #[command(flatten)]
    pub common: CommandArgs,
    /// The nodes: all, leader, members, a region, or a node; may be given several times
    #[arg(long, value_name = "NODES", default_value = "all", value_delimiter = ',')]
    pub on: Vec<String>,
    /// The command: one word is a line for the shell there, several are a program and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}
