//! Puts the parts together for each command: reads the configs, opens the
//! world, chooses the front end, and turns what comes of it into an exit code.

mod adopt;
mod ask;
mod check;
mod cli_error;
mod config;
mod dashboard;
mod down;
mod engine_session;
mod exec;
mod exit;
mod export;
mod fault_injection;
mod fix;
mod forward;
mod heartbeat;
mod init;
mod interpreter;
mod known;
mod logs;
mod panics;
mod pick;
mod query;
mod session;
mod ssh;
mod start;
mod status;
mod stop;
mod trace;
mod up;

pub use cli_error::CliError;
pub use engine_session::{EngineSession, Streams};
pub use exit::Exit;
pub use session::ProjectSession;

use crate::{
    cli::{Cli, Command, Format},
    report::{DiagnosticsDocument, JSON_VERSION, Out, Screen},
    sim::Scenario,
    waits::Waits,
};
use heartbeat::Heartbeat;
use tracing::Instrument as _;

/// Carries out what the command line asks for, from the first thread on to
/// the last message.
pub fn main(cli: Cli) -> Exit {
    let screen = Screen::stderr();
    let out = Out::stdout(screen.clone());
    let mut streams = Streams { out, err: Out::stderr(screen.clone()), waits: Waits::default() };
    let format = cli.format();
    let has_screen = matches!(cli.command, None | Some(Command::Demo(_)));
    let trace = match trace::install(&cli.log, has_screen, &screen) {
        Ok(trace) => trace,
        Err(error) => return fail(&error, format, &mut streams),
    };
    let heartbeat = heartbeat(&cli, &streams.waits, screen.clone());
    let result = on_runtime(async {
        let heartbeat = heartbeat.map(|heartbeat| tokio::spawn(heartbeat.run()));
        let command = tracing::info_span!("command", name = cli.name());
        let result = run(cli, &mut streams).instrument(command).await;
        if let Some(heartbeat) = heartbeat {
            heartbeat.abort();
            // Until nothing more can come from it.
            drop(heartbeat.await);
        }
        result
    });
    screen.status(None, 0);
    drop(trace);
    result.unwrap_or_else(|error| fail(&error, format, &mut streams))
}

fn fail(error: &CliError, format: Format, streams: &mut Streams) -> Exit {
    // A failure to print the error can't be reported.
    let _ = print_error(error, format, streams);
    error.exit()
}

/// Reports what the command of `cli` waits for. The dashboard shows that itself.
fn heartbeat(cli: &Cli, waits: &Waits, screen: Screen) -> Option<Heartbeat> {
    let to = match &cli.command {
        None | Some(Command::Demo(_)) => return None,
        // These print events, the others one document at the end.
        Some(
            Command::Fix(_)
            | Command::Up(_)
            | Command::Stop(_)
            | Command::Start(_)
            | Command::Down(_)
            | Command::Exec(_),
        ) if cli.format() == Format::Json => heartbeat::To::Json(Out::stdout(screen.clone())),
        Some(_) => heartbeat::To::Text(Out::stderr(screen.clone())),
    };
    Some(Heartbeat::new(waits.clone(), screen, to))
}

/// Programs get what is wrong with the configs as one document, from every command.
fn print_error(error: &CliError, format: Format, streams: &mut Streams) -> std::io::Result<()> {
    match error {
        CliError::Config(diagnostics) if format == Format::Json => {
            let exit_code = error.exit().code();
            streams.out.json(&DiagnosticsDocument { version: JSON_VERSION, diagnostics, exit_code })
        }
        _ => error.print(&mut streams.err),
    }
}

/// Runs `work` on this thread, its tasks on others.
fn on_runtime(work: impl Future<Output = Result<Exit, CliError>>) -> Result<Exit, CliError> {
    panics::install()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(work);
    // A call that hangs, or a question that is still open, holds nothing up.
    runtime.shutdown_background();
    result
}

/// Carries out what the command line asks for.
async fn run(cli: Cli, streams: &mut Streams) -> Result<Exit, CliError> {
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

fn list(streams: &mut Streams) -> Result<Exit, CliError> {
    for (name, summary) in Scenario::names() {
        streams.out.line(format!("{name:<12} {summary}"))?;
    }
    Ok(Exit::DONE)
}
