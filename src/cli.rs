//! The command line, as types. [`crate::app`] interprets it.

mod handover;

pub use handover::{ExecArgs, ExportArgs, ForwardArgs, QueryArgs, SshArgs, SshConfigArgs};

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};
use ipnet::Ipv4Net;

use crate::{
    config::init,
    model::{ClusterId, ImageId, InstanceType, KeyName, NodeName, Region, SecurityGroupId},
};

const EXIT_CODES: &str = "\
Exit codes:
  0    success
  1    a check failed, or not every node was launched, is ready (status) or was terminated
  2    the command line or a config is wrong
  3    AWS could not be reached (network, credentials, endpoint)
  4    nothing failed, but something could not be checked
  101  muster itself failed: a bug
  128+n  ended by signal n

Credentials, profiles and endpoints are resolved as by every AWS tool:
AWS_PROFILE, ~/.aws/config, AWS_ENDPOINT_URL. NO_COLOR switches colours off.";

/// Assembles one Quokka/Ray cluster out of AWS regions.
#[derive(Debug, Parser)]
#[command(
    name = "muster",
    version,
    after_help = EXIT_CODES,
    args_conflicts_with_subcommands = true,
    max_term_width = 100
)]
pub struct Cli {
    /// The command; without one: the dashboard.
    #[command(subcommand)]
    pub command: Option<Command>,
    #[expect(missing_docs, reason = "a doc comment here would become the help's first line")]
    #[command(flatten)]
    pub project: ProjectArgs,
    #[expect(missing_docs, reason = "flattened: the fields carry the help")]
    #[command(flatten)]
    pub log: LogArgs,
}

/// The diagnostics of muster itself, for every command.
#[derive(Clone, Debug, Default, Args)]
pub struct LogArgs {
    /// Write a log of muster itself to this file; its level is that of `MUSTER_LOG` [default: debug]
    #[arg(long, global = true, value_name = "FILE", display_order = LAST, help_heading = LOG)]
    pub log_file: Option<PathBuf>,
    /// Write a trace to this file, for the trace viewers of Chrome and Perfetto
    #[arg(long, global = true, value_name = "FILE", display_order = LAST, help_heading = LOG)]
    pub trace_json: Option<PathBuf>,
}

impl Cli {
    /// The name of the command.
    pub fn name(&self) -> &'static str {
        match &self.command {
            None => "dashboard",
            Some(Command::Init(_)) => "init",
            Some(Command::Config(_)) => "config",
            Some(Command::Check(_)) => "check",
            Some(Command::Fix(_)) => "fix",
            Some(Command::Up(_)) => "up",
            Some(Command::Stop(_)) => "stop",
            Some(Command::Start(_)) => "start",
            Some(Command::Status(_)) => "status",
            Some(Command::Logs(_)) => "logs",
            Some(Command::Export(_)) => "export",
            Some(Command::Query(_)) => "query",
            Some(Command::Forward(_)) => "forward",
            Some(Command::Ssh(_)) => "ssh",
            Some(Command::Exec(_)) => "exec",
            Some(Command::SshConfig(_)) => "ssh-config",
            Some(Command::Down(_)) => "down",
            Some(Command::Demo(_)) => "demo",
        }
    }

    /// The output format; the dashboard and the demo have none.
    pub fn format(&self) -> Format {
        match &self.command {
            Some(Command::Config(args)) if args.format == ConfigFormat::Json => Format::Json,
            Some(Command::Init(args)) => args.format,
            Some(Command::Export(args)) if args.form.json => Format::Json,
            Some(Command::Check(args) | Command::Status(args)) => args.format,
            Some(Command::Fix(args)) => args.common.format,
            Some(Command::Up(args)) => args.common.format,
            Some(Command::Logs(args)) => args.common.format,
            Some(Command::Down(args)) => args.common.format,
            Some(Command::Query(args)) => args.common.format,
            Some(Command::Exec(args)) => args.common.format,
            Some(Command::Stop(args)) => args.common.format,
            Some(Command::Start(args)) => args.common.format,
            // The output of these is not a report on the project.
            Some(
                Command::Config(_)
                | Command::Export(_)
                | Command::Forward(_)
                | Command::Ssh(_)
                | Command::SshConfig(_)
                | Command::Demo(_),
            )
            | None => Format::Text,
        }
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write configs: one per region from an existing one, or new ones
    Init(InitArgs),
    /// Print the resolved project, each value with its source
    Config(ConfigArgs),
    /// Check all regions for what would make the launch fail
    Check(CommandArgs),
    /// Fix what the checks found; shows the plan first and asks
    Fix(FixArgs),
    /// Launch what is missing and bootstrap what is not ready
    Up(UpArgs),
    /// Stop the cluster's instances; their volumes are kept and billed
    Stop(StopArgs),
    /// Start the stopped instances and their services
    Start(StartArgs),
    /// Show the cluster's nodes, from AWS and the journal
    Status(CommandArgs),
    /// Print the logs of the nodes' bootstrap steps
    Logs(LogsArgs),
    /// Print a Python module, JSON or environment to use the cluster
    Export(ExportArgs),
    /// Run a small query with a known result through the cluster
    Query(QueryArgs),
    /// Forward the leader's ports over SSH: Ray client, Redis, Ray dashboard
    Forward(ForwardArgs),
    /// Log in to a node, or run a command there
    Ssh(SshArgs),
    /// Run a command on many nodes side by side
    Exec(ExecArgs),
    /// Print an ssh config for ssh, scp, rsync and editors
    SshConfig(SshConfigArgs),
    /// Terminate every instance that carries the cluster's id
    Down(DownArgs),
    /// Open the dashboard on a simulated world: no account, no network
    Demo(DemoArgs),
}

/// The project arguments of every command.
#[derive(Clone, Debug, Default, Args)]
pub struct ProjectArgs {
    /// Ray cluster-launcher configs, one per region, or a muster.yaml; without any, ./muster.yaml
    #[arg(value_name = "CONFIGS")]
    pub configs: Vec<PathBuf>,
    /// Use a simulated world instead of CONFIGS: one of `muster demo --list`, or a TOML file
    #[arg(long, value_name = "NAME", conflicts_with = "configs", display_order = LAST)]
    pub scenario: Option<String>,
    /// Folder for journals, manifests and logs [default: the XDG state directory]
    #[arg(long, value_name = "DIR", env = "MUSTER_STATE_DIR", display_order = LAST)]
    pub state_dir: Option<PathBuf>,
    /// Time limit of an AWS call in seconds [default: 60]
    #[arg(long, value_name = "SECONDS", value_parser = seconds, display_order = LAST)]
    pub aws_timeout: Option<Duration>,
    #[expect(missing_docs, reason = "flattened: the fields carry the help")]
    #[command(flatten)]
    pub overrides: OverrideArgs,
}

/// Heading shown after the options of the command itself.
const LAST: usize = 100;
const LOG: &str = "Diagnostics of muster itself (also MUSTER_LOG=debug)";
/// Set on each field: on the struct it would also apply to the command's own options.
const OVERRIDES: &str = "Overrides for muster.yaml";

/// Values that override `muster.yaml`.
#[derive(Clone, Debug, Default, Args)]
pub struct OverrideArgs {
    /// The project's name
    #[arg(long, help_heading = OVERRIDES)]
    pub name: Option<String>,
    /// The leader's region
    #[arg(long, help_heading = OVERRIDES, value_name = "REGION")]
    pub leader: Option<Region>,
    /// The EC2 key pair of all nodes
    #[arg(long, help_heading = OVERRIDES, value_name = "KEY_PAIR")]
    pub key_name: Option<KeyName>,
    /// The private key file
    #[arg(long, help_heading = OVERRIDES, value_name = "FILE")]
    pub key_location: Option<PathBuf>,
    /// The security group of node types that name none
    #[arg(long, help_heading = OVERRIDES, value_name = "SG_ID")]
    pub security_group: Option<SecurityGroupId>,
    /// A pip requirement for every node; repeatable
    #[arg(long = "requirement", help_heading = OVERRIDES, value_name = "REQUIREMENT")]
    pub requirements: Vec<String>,
    /// The directory for spilled data on nodes
    #[arg(long, help_heading = OVERRIDES, value_name = "DIR")]
    pub spill_dir: Option<PathBuf>,
    /// The bootstrap recipe
    #[arg(long, help_heading = OVERRIDES, value_name = "FILE")]
    pub recipe: Option<PathBuf>,
    /// An ssh config to use instead of ~/.ssh/config
    #[arg(long, help_heading = OVERRIDES, value_name = "FILE")]
    pub ssh_config: Option<PathBuf>,
    /// The addresses that this machine connects from, as the nodes see them
    #[arg(long, help_heading = OVERRIDES, value_name = "CIDR")]
    pub operator_cidr: Option<Ipv4Net>,
}

/// The arguments of every command but `demo`.
#[derive(Debug, Args)]
pub struct CommandArgs {
    #[expect(missing_docs, reason = "flattened: the fields carry the help")]
    #[command(flatten)]
    pub project: ProjectArgs,
    /// Output format; json is one document, or NDJSON events as they happen
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `muster config`
#[derive(Debug, Args)]
pub struct ConfigArgs {
    #[expect(missing_docs, reason = "flattened: the fields carry the help")]
    #[command(flatten)]
    pub project: ProjectArgs,
    /// Output format; yaml loads to the same project, secrets included
    #[arg(long, value_enum, default_value_t)]
    pub format: ConfigFormat,
    /// Write the files that yaml prints into this new folder
    #[arg(short, long, value_name = "DIR", requires = "format")]
    pub output: Option<PathBuf>,
}

/// Output formats of a project.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ConfigFormat {
    /// For people; secrets are masked
    #[default]
    Text,
    /// For programs; secrets are masked
    Json,
    /// Files that load to the same project, secrets included
    Yaml,
}

/// `muster init`
#[derive(Debug, Args)]
pub struct InitArgs {
    /// The config of one region, from which the others are made
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// The regions to write configs for: eu-west-1,ap-southeast-2; without --from, the leader's first
    #[arg(long, value_name = "REGIONS", value_delimiter = ',', value_parser = init::region)]
    pub regions: Vec<Region>,
    /// The folder to write to [default: that of FILE, else this one]
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Show the files without writing them
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    /// Don't ask for confirmation
    #[arg(short, long)]
    pub yes: bool,
    /// Don't ask AWS for images and zones; mark the open values in the files
    #[arg(long)]
    pub offline: bool,
    /// Ask a simulated world instead of AWS: one of `muster demo --list`, or a TOML file
    #[arg(long, value_name = "NAME")]
    pub scenario: Option<String>,
    /// Time limit of an AWS call in seconds [default: 20]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub aws_timeout: Option<Duration>,
    /// Output format; json is one document
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    #[expect(missing_docs, reason = "flattened: the fields carry the help")]
    #[command(flatten)]
    pub first: FirstArgs,
    #[expect(missing_docs, reason = "flattened: the fields carry the help")]
    #[command(flatten)]
    pub settings: SettingsArgs,
}

/// The values that `init` asks for if they are not given.
#[derive(Debug, Args)]
#[command(next_help_heading = "Without --from (asked for in a terminal)")]
pub struct FirstArgs {
    /// The instance type of all nodes [default: m5.2xlarge]
    #[arg(long, value_name = "TYPE", conflicts_with = "from", value_parser = init::instance_type)]
    pub instance_type: Option<InstanceType>,
    /// Workers per region, in addition to its head [default: 2]
    #[arg(long, value_name = "NUMBER", conflicts_with = "from", value_parser = init::workers)]
    pub workers: Option<u32>,
    /// An AMI of the first region; the others get the AMI of the same name [default: Ubuntu 22.04]
    #[arg(long, value_name = "AMI", conflicts_with = "from", value_parser = init::image)]
    pub image: Option<ImageId>,
}

/// The values that `init` writes into `muster.yaml`.
#[derive(Debug, Args)]
#[command(next_help_heading = "For muster.yaml")]
pub struct SettingsArgs {
    /// The project's name [default: the cluster's name]
    #[arg(long, value_parser = init::name)]
    pub name: Option<String>,
    /// The EC2 key pair of all nodes
    #[arg(long, value_name = "KEY_PAIR")]
    pub key_name: Option<KeyName>,
    /// The private key file
    #[arg(long, value_name = "FILE")]
    pub key_location: Option<PathBuf>,
    /// The addresses that this machine connects from, as the nodes see them
    #[arg(long, value_name = "CIDR")]
    pub operator_cidr: Option<Ipv4Net>,
}

/// `muster fix`
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags, each on its own")]
pub struct FixArgs {
    #[expect(missing_docs, reason = "flattened: the fields carry the help")]
    #[command(flatten)]
    pub common: CommandArgs,
    /// Fix only the findings of these checks: key.exists,route.peering
    #[arg(long, value_name = "CHECKS", value_delimiter = ',', value_parser = check_id)]
    pub only: Vec<String>,
    /// Show the plan without applying it
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    /// Print the plan as a POSIX shell script instead of applying it
    #[arg(long, value_enum, value_name = "FORM", conflicts_with_all = ["yes", "dry_run"])]
    pub print: Option<Script>,
    /// Replace blackhole routes; by default they are left alone
    #[arg(long)]
    pub replace_blackholes: bool,
    /// With --yes: also use resources that carry this project's tags and are in no journal
    #[arg(long)]
    pub include_unrecorded: bool,
    /// Don't ask for confirmation
    #[arg(short, long)]
    pub yes: bool,
}

/// Script formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "docs of values turn the help into the long form")]
pub enum Script {
    // Of `aws ec2` commands.
    AwsCli,
}

/// `muster up`
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags, each on its own")]
pub struct UpArgs {
    #[expect(missing_docs, reason = "flattened: the fields carry the help")]
    #[command(flatten)]
    pub common: CommandArgs,
    /// Don't ask for confirmation
    #[arg(short, long)]
    pub yes: bool,
    /// Launch despite failed checks
    #[arg(long)]
    pub force: bool,
    /// Also print every line of the nodes' logs
    #[arg(long)]
    pub logs: bool,
    /// Run `muster query` at the end, with a Python of this machine
    #[arg(long)]
    pub query: bool,
    /// Don't run the query, which is the default
    #[arg(long, hide = true, conflicts_with = "query")]
    pub no_query: bool,
    /// The Python for the query
    #[arg(long, value_name = "PATH", default_value = "python3", env = "MUSTER_PYTHON")]
    pub python: PathBuf,
    /// Restart the services of every node; running queries are lost
    #[arg(long)]
    pub restart: bool,
    /// Adopt the instances that `ray up` launched from these configs; launches none
    #[arg(long, conflicts_with = "restart")]
    pub adopt: bool,
}

/// `muster stop`
#[derive(Debug, Args)]
pub struct StopArgs {
    #[expect(missing_docs, reason = "flattened: the fields carry the help")]
    #[command(flatten)]
    pub common: CommandArgs,
    /// Don't ask for confirmation
    #[arg(short, long)]
    pub yes: bool,
}

/// `muster start`
#[derive(Debug, Args)]
pub struct StartArgs {
    #[expect(missing_docs, reason = "flattened: the fields carry the help")]
    #[command(flatten)]
    pub common: CommandArgs,
    /// Don't ask for confirmation
    #[arg(short, long)]
    pub yes: bool,
    /// Also print every line of the nodes' logs
    #[arg(long)]
    pub logs: bool,
}

/// `muster logs`
#[derive(Debug, Args)]
pub struct LogsArgs {
    #[expect(missing_docs, reason = "flattened: the fields carry the help")]
    #[command(flatten)]
    pub common: CommandArgs,
    /// Only this node: us-west-2/head, eu-west-1/worker-2; repeatable
    #[arg(short, long = "node", value_name = "NODE")]
    pub nodes: Vec<NodeName>,
    /// Follow new lines until Ctrl-C
    #[arg(short, long)]
    pub follow: bool,
}

/// `muster down`
#[derive(Debug, Args)]
pub struct DownArgs {
    #[expect(missing_docs, reason = "flattened: the fields carry the help")]
    #[command(flatten)]
    pub common: CommandArgs,
    /// Don't ask for confirmation
    #[arg(short, long)]
    pub yes: bool,
    /// With --yes: also terminate instances that carry the cluster's id and are in no journal
    #[arg(long)]
    pub include_unrecorded: bool,
    /// The id of the cluster, if its journal is lost
    #[arg(long, value_name = "ID", value_parser = cluster_id)]
    pub cluster: Option<ClusterId>,
    /// Afterwards also remove the networks that `fix` built; asked separately
    #[arg(long)]
    pub network: bool,
}

/// `muster demo`
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// The simulated world
    #[arg(long, value_name = "NAME")]
    pub scenario: Option<String>,
    /// List the simulated worlds
    #[arg(long)]
    pub list: bool,
}

/// Output formats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "docs of values turn every help into the long form")]
pub enum Format {
    // For people.
    #[default]
    Text,
    // For programs.
    Json,
}

/// One of the checks, by its id.
fn check_id(text: &str) -> Result<String, String> {
    if crate::check::info(text).is_some() {
        return Ok(text.to_owned());
    }
    let ids = crate::check::all().iter().map(|check| check.id);
    let near = ids.max_by(|a, b| strsim::jaro(a, text).total_cmp(&strsim::jaro(b, text)));
    Err(format!("there is no such check; did you mean {}?", near.unwrap_or_default()))
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds @ 1..=3600) => Ok(Duration::from_secs(seconds)),
        _ => Err("a number of seconds from 1 to 3600".into()),
    }
}

/// An id that a cluster can have, so that a slip does not pass for a cluster
/// that is terminated.
fn cluster_id(text: &str) -> Result<ClusterId, String> {
    let fits = |symbol: char| symbol.is_ascii_alphanumeric() || "-_.".contains(symbol);
    if text.contains('-') && text.chars().all(fits) {
        return Ok(ClusterId::new(text));
    }
    Err("the id of a cluster, as `muster status` shows it: tpch-1a2b3c".into())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
