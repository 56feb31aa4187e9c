//! The command line, as types. What it means is [`crate::app`]'s business.

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
  0    as asked
  1    a check failed, or not every node came up, is up (status) or went down
  2    the command line or a config is wrong
  3    AWS could not be asked (network, credentials, endpoint)
  4    nothing failed, but something could not be found out
  101  muster itself failed: a bug
  128+n  ended by signal n

Credentials, profiles and endpoints come the way every AWS tool takes them:
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
    /// Without one: the dashboard.
    #[command(subcommand)]
    pub command: Option<Command>,
    #[expect(missing_docs, reason = "a doc comment here would become the help's first line")]
    #[command(flatten)]
    pub project: ProjectArgs,
}

impl Cli {
    /// How to print; the dashboard and the demo have no say in it.
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
            // What these print is not what muster says of the project.
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

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write configs: one a region out of one region's, or the first ones of all
    Init(InitArgs),
    /// Print the project as muster reads it, each value with where it comes from
    Config(ConfigArgs),
    /// Look at all regions and say what would keep the cluster from running
    Check(CommandArgs),
    /// Mend what the checks found: shown first, then asked
    Fix(FixArgs),
    /// Launch what is missing and bootstrap what is not ready
    Up(UpArgs),
    /// Stop the cluster's machines; their volumes stay and are billed
    Stop(StopArgs),
    /// Start the machines again, and what has to run on them
    Start(StartArgs),
    /// Show the cluster's nodes, as AWS and the journal have them
    Status(CommandArgs),
    /// Print what the steps on the nodes printed
    Logs(LogsArgs),
    /// Print what Python needs to run Quokka on the cluster
    Export(ExportArgs),
    /// Run a small query with a known result through the cluster
    Query(QueryArgs),
    /// Lead the leader's ports here over SSH: Ray client, Redis, Ray's dashboard
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

/// What to work on, the same for every command.
#[derive(Clone, Debug, Default, Args)]
pub struct ProjectArgs {
    /// Ray cluster-launcher configs, one a region, or a muster.yaml; without any, ./muster.yaml
    #[arg(value_name = "CONFIGS")]
    pub configs: Vec<PathBuf>,
    /// Work on a simulated world in place of CONFIGS: one of `muster demo --list`, or a TOML file
    #[arg(long, value_name = "NAME", conflicts_with = "configs", display_order = LAST)]
    pub scenario: Option<String>,
    /// Keep journals, manifests and logs here, not in the XDG state directory
    #[arg(long, value_name = "DIR", env = "MUSTER_STATE_DIR", display_order = LAST)]
    pub state_dir: Option<PathBuf>,
    /// Give up on a call to AWS after this many seconds [default: 60]
    #[arg(long, value_name = "SECONDS", value_parser = seconds, display_order = LAST)]
    pub aws_timeout: Option<Duration>,
    #[expect(missing_docs, reason = "flattened: the fields carry the help")]
    #[command(flatten)]
    pub overrides: OverrideArgs,
}

/// Behind what a command itself takes.
const LAST: usize = 100;
/// On each field: on the struct it would go on to what a command itself takes.
const OVERRIDES: &str = "In place of what muster.yaml says";

/// Values that go before what `muster.yaml` says.
#[derive(Clone, Debug, Default, Args)]
pub struct OverrideArgs {
    /// The project's name
    #[arg(long, help_heading = OVERRIDES)]
    pub name: Option<String>,
    /// The region whose head leads
    #[arg(long, help_heading = OVERRIDES, value_name = "REGION")]
    pub leader: Option<Region>,
    /// The key pair of all nodes
    #[arg(long, help_heading = OVERRIDES, value_name = "KEY_PAIR")]
    pub key_name: Option<KeyName>,
    /// The private key's file
    #[arg(long, help_heading = OVERRIDES, value_name = "FILE")]
    pub key_location: Option<PathBuf>,
    /// The security group of nodes whose config names none
    #[arg(long, help_heading = OVERRIDES, value_name = "SG_ID")]
    pub security_group: Option<SecurityGroupId>,
    /// A pip requirement for every node; may be given several times
    #[arg(long = "requirement", help_heading = OVERRIDES, value_name = "REQUIREMENT")]
    pub requirements: Vec<String>,
    /// Where nodes spill to
    #[arg(long, help_heading = OVERRIDES, value_name = "DIR")]
    pub spill_dir: Option<PathBuf>,
    /// The steps that bootstrap every node
    #[arg(long, help_heading = OVERRIDES, value_name = "FILE")]
    pub recipe: Option<PathBuf>,
    /// An ssh config to include, not ~/.ssh/config
    #[arg(long, help_heading = OVERRIDES, value_name = "FILE")]
    pub ssh_config: Option<PathBuf>,
    /// Where this machine's connections come from, as the nodes see it
    #[arg(long, help_heading = OVERRIDES, value_name = "CIDR")]
    pub operator_cidr: Option<Ipv4Net>,
}

/// What every command but `demo` takes.
#[derive(Debug, Args)]
pub struct CommandArgs {
    #[expect(missing_docs, reason = "flattened: the fields carry the help")]
    #[command(flatten)]
    pub project: ProjectArgs,
    /// How to print; json is one document, or an object a line of what happens as it happens
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `muster config`
#[derive(Debug, Args)]
pub struct ConfigArgs {
    #[expect(missing_docs, reason = "flattened: the fields carry the help")]
    #[command(flatten)]
    pub project: ProjectArgs,
    /// How to print; what yaml prints loads to the same project, secrets included
    #[arg(long, value_enum, default_value_t)]
    pub format: ConfigFormat,
    /// Write the files that yaml prints into this folder, which is made
    #[arg(short, long, value_name = "DIR", requires = "format")]
    pub output: Option<PathBuf>,
}

/// How to print a project.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ConfigFormat {
    /// For people; what sounds secret is starred out
    #[default]
    Text,
    /// For programs; starred out likewise
    Json,
    /// Files that load to the same project
    Yaml,
}

/// `muster init`
#[derive(Debug, Args)]
pub struct InitArgs {
    /// The config of one region, out of which those of the others are made
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// The regions to write configs for: eu-west-1,ap-southeast-2; without --from, the leader's first
    #[arg(long, value_name = "REGIONS", value_delimiter = ',', value_parser = init::region)]
    pub regions: Vec<Region>,
    /// The folder to write to [default: that of FILE, else this one]
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Show what would be written, and write nothing
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    /// Don't ask
    #[arg(short, long)]
    pub yes: bool,
    /// Don't ask AWS for images and zones: what it would know is marked in the files
    #[arg(long)]
    pub offline: bool,
    /// Ask a simulated world in place of AWS: one of `muster demo --list`, or a TOML file
    #[arg(long, value_name = "NAME")]
    pub scenario: Option<String>,
    /// Give up on a call to AWS after this many seconds [default: 20]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub aws_timeout: Option<Duration>,
    /// How to print; json is one document
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    #[expect(missing_docs, reason = "flattened: the fields carry the help")]
    #[command(flatten)]
    pub first: FirstArgs,
    #[expect(missing_docs, reason = "flattened: the fields carry the help")]
    #[command(flatten)]
    pub settings: SettingsArgs,
}

/// What `init` asks for where it is not given.
#[derive(Debug, Args)]
#[command(next_help_heading = "Without --from (asked for in a terminal)")]
pub struct FirstArgs {
    /// The type of all nodes [default: m5.2xlarge]
    #[arg(long, value_name = "TYPE", conflicts_with = "from", value_parser = init::instance_type)]
    pub instance_type: Option<InstanceType>,
    /// Workers in each region, beside its head [default: 2]
    #[arg(long, value_name = "NUMBER", conflicts_with = "from", value_parser = init::workers)]
    pub workers: Option<u32>,
    /// An image of the first region; the others get the one of its name [default: Ubuntu 22.04]
    #[arg(long, value_name = "AMI", conflicts_with = "from", value_parser = init::image)]
    pub image: Option<ImageId>,
}

/// What `init` writes into `muster.yaml`.
#[derive(Debug, Args)]
#[command(next_help_heading = "For muster.yaml")]
pub struct SettingsArgs {
    /// The project's name [default: that of the cluster]
    #[arg(long, value_parser = init::name)]
    pub name: Option<String>,
    /// The key pair of all nodes
    #[arg(long, value_name = "KEY_PAIR")]
    pub key_name: Option<KeyName>,
    /// The private key's file
    #[arg(long, value_name = "FILE")]
    pub key_location: Option<PathBuf>,
    /// Where this machine's connections come from, as the nodes see it
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
    /// Only what these checks found: key.exists,route.peering
    #[arg(long, value_name = "CHECKS", value_delimiter = ',', value_parser = check_id)]
    pub only: Vec<String>,
    /// Show what would be changed, and change nothing
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    /// Print the plan as a script for whoever has the rights (POSIX shell), and change nothing
    #[arg(long, value_enum, value_name = "FORM", conflicts_with_all = ["yes", "dry_run"])]
    pub print: Option<Script>,
    /// Lead routes anew that are blackholes; without it they are left alone
    #[arg(long)]
    pub replace_blackholes: bool,
    /// With --yes: use also resources with this project's tags that are on no record
    #[arg(long)]
    pub include_unrecorded: bool,
    /// Don't ask
    #[arg(short, long)]
    pub yes: bool,
}

/// A form of script.
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
    /// Don't ask
    #[arg(short, long)]
    pub yes: bool,
    /// Launch although checks fail
    #[arg(long)]
    pub force: bool,
    /// Print every line that the nodes print, too
    #[arg(long)]
    pub logs: bool,
    /// Run `muster query` at the end: a Python of this machine works with the cluster
    #[arg(long)]
    pub query: bool,
    /// What is so by default
    #[arg(long, hide = true, conflicts_with = "query")]
    pub no_query: bool,
    /// The Python for that query
    #[arg(long, value_name = "PATH", default_value = "python3", env = "MUSTER_PYTHON")]
    pub python: PathBuf,
    /// Start the services of every node anew; what runs on the cluster is lost
    #[arg(long)]
    pub restart: bool,
    /// Take over the machines that `ray up` made from these configs, and launch none
    #[arg(long, conflicts_with = "restart")]
    pub adopt: bool,
}

/// `muster stop`
#[derive(Debug, Args)]
pub struct StopArgs {
    #[expect(missing_docs, reason = "flattened: the fields carry the help")]
    #[command(flatten)]
    pub common: CommandArgs,
    /// Don't ask
    #[arg(short, long)]
    pub yes: bool,
}

/// `muster start`
#[derive(Debug, Args)]
pub struct StartArgs {
    #[expect(missing_docs, reason = "flattened: the fields carry the help")]
    #[command(flatten)]
    pub common: CommandArgs,
    /// Don't ask
    #[arg(short, long)]
    pub yes: bool,
    /// Print every line that the nodes print, too
    #[arg(long)]
    pub logs: bool,
}

/// `muster logs`
#[derive(Debug, Args)]
pub struct LogsArgs {
    #[expect(missing_docs, reason = "flattened: the fields carry the help")]
    #[command(flatten)]
    pub common: CommandArgs,
    /// Only this node: us-west-2/head, eu-west-1/worker-2; may be given several times
    #[arg(short, long = "node", value_name = "NODE")]
    pub nodes: Vec<NodeName>,
    /// Go on with what comes, until Ctrl-C
    #[arg(short, long)]
    pub follow: bool,
}

/// `muster down`
#[derive(Debug, Args)]
pub struct DownArgs {
    #[expect(missing_docs, reason = "flattened: the fields carry the help")]
    #[command(flatten)]
    pub common: CommandArgs,
    /// Don't ask
    #[arg(short, long)]
    pub yes: bool,
    /// With --yes: terminate also instances that carry the cluster's id and are on no record
    #[arg(long)]
    pub include_unrecorded: bool,
    /// The cluster by its id, where its journal is lost
    #[arg(long, value_name = "ID", value_parser = cluster_id)]
    pub cluster: Option<ClusterId>,
    /// Afterwards remove the networks that `fix` built, too; asked separately
    #[arg(long)]
    pub network: bool,
}

/// `muster demo`
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Which world
    #[arg(long, value_name = "NAME")]
    pub scenario: Option<String>,
    /// Only name the worlds there are
    #[arg(long)]
    pub list: bool,
}

/// How to print.
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
/// that is gone.
fn cluster_id(text: &str) -> Result<ClusterId, String> {
    let fits = |symbol: char| symbol.is_ascii_alphanumeric() || "-_.".contains(symbol);
    if text.contains('-') && text.chars().all(fits) {
        return Ok(ClusterId::new(text));
    }
    Err("the id of a cluster, as `muster status` tells it: tpch-1a2b3c".into())
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
