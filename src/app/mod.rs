//! Puts the parts together for each command: reads the configs, opens the
//! world, chooses the front end, and turns what comes of it into an exit code.

mod adopt;
mod ask;
mod check;
mod config;
mod dashboard;
mod down;
mod exec;
mod exit;
mod export;
mod fix;
mod forward;
mod init;
mod interpreter;
mod known;
mod logs;
mod panics;
mod pick;
mod provoke;
mod query;
mod ssh;
mod start;
mod status;
mod stop;
mod trouble;
mod up;
mod watch;
mod world;

pub use exit::Exit;
pub use trouble::Trouble;
pub use watch::{Streams, Watch};
pub use world::World;

use crate::{
    cli::{Cli, Command, Format},
    report::{DiagnosticsDocument, Out},
    sim::Scenario,
};

/// Carries out what the command line asks for, from the first thread on to
/// the last message.
pub fn main(cli: Cli) -> Exit {
    let mut streams = Streams { out: Out::stdout(), err: Out::stderr() };
    let format = cli.format();
    let result = on_runtime(run(cli, &mut streams));
    result.unwrap_or_else(|trouble| {
        // There is nowhere left to say that it can't be written.
        let _ = tell(&trouble, format, &mut streams);
        trouble.exit()
    })
}

/// Programs get what is wrong with the configs as one document, from every command.
fn tell(trouble: &Trouble, format: Format, streams: &mut Streams) -> std::io::Result<()> {
    match trouble {
        Trouble::Config(diagnostics) if format == Format::Json => {
            let exit_code = trouble.exit().code();
            streams.out.json(&DiagnosticsDocument { version: 1, diagnostics, exit_code })
        }
        _ => trouble.tell(&mut streams.err),
    }
}

/// Runs `work` on this thread, its tasks on others.
fn on_runtime(work: impl Future<Output = Result<Exit, Trouble>>) -> Result<Exit, Trouble> {
    panics::install()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(work);
    // A call that hangs, or a question that is still open, holds nothing up.
    runtime.shutdown_background();
    result
}

/// Carries out what the command line asks for.
async fn run(cli: Cli, streams: &mut Streams) -> Result<Exit, Trouble> {
    match cli.command {
        Some(Command::Init(args)) => init::run(args, streams).await,
        Some(Command::Check(args)) => check::run(args, streams).await,
        Some(Command::Config(args)) => config::run(&args, streams),
        Some(Command::Fix(args)) => fix::run(args, streams).await,
        Some(Command::Up(args)) if args.adopt => adopt::run(args, streams).await,
        Some(Command::Up(args)) => up::run(args, streams).await,
        Some(Command::Stop(args)) => stop::run(args, streams).await,
        Some(Command::Start(args)) => start::run(args, streams).await,
        Some(Command::Status(args)) => status::run(args, streams).await,
        Some(Command::Logs(args)) => logs::run(args, streams).await,
        Some(Command::Export(args)) => export::run(args, streams).await,
        Some(Command::Query(args)) => query::run(args, streams).await,
        Some(Command::Forward(args)) => forward::run(args, streams).await,
        Some(Command::Ssh(args)) => ssh::run(args, streams).await,
        Some(Command::SshConfig(args)) => ssh::config(args, streams).await,
        Some(Command::Exec(args)) => exec::run(args, streams).await,
        Some(Command::Down(args)) => down::run(args, streams).await,
        Some(Command::Demo(args)) if args.list => list(streams),
        Some(Command::Demo(args)) => dashboard::demo(args, streams).await,
        None => dashboard::run(cli.project, streams).await,
    }
}

fn list(streams: &mut Streams) -> Result<Exit, Trouble> {
    for (name, summary) in Scenario::names() {
        streams.out.line(format!("{name:<12} {summary}"))?;
    }
    Ok(Exit::DONE)
}
