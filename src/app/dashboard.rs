//! The dashboard on a world, and on the next one where the user asks for it.

use std::{io::IsTerminal, path::Path};

use clap::CommandFactory;
use jiff::tz::TimeZone;
use strsim::jaro;

use super::{CliError, Exit, ProjectSession, Streams, adopt, fault_injection};
use crate::{
    cli::{Cli, DemoArgs, ProjectArgs},
    engine,
    journal::Store,
    model::Failure,
    sim::Scenario,
    tui::{self, Dashboard, Outcome, terminal::Guard},
};

/// The world that the demo opens on.
const FIRST: &str = "mistakes";

/// Opens the dashboard on what `args` name. Nobody is asked anything before
/// the first frame stands.
pub async fn run(args: ProjectArgs, streams: &mut Streams) -> Result<Exit, CliError> {
    refuse_mistyped(&args)?;
    if names_nothing(&args) {
        streams.err.lines(&[
            "no muster.yaml in this folder: `muster demo` opens the dashboard on a simulated world",
            "and `muster init` writes the configs of a project; `muster help` lists all commands",
        ])?;
        return Ok(Exit::USAGE);
    }
    let mut world = ProjectSession::open(&args)?;
    let mut scenario = args.scenario.clone();
    needs_terminal()?;
    world.print_warnings(streams)?;
    let mut launching = false;
    let mut guard = Guard::enter()?;
    let exit = loop {
        let store = world.store()?;
        let folder = store.folder().map(Path::to_owned);
        let dashboard = dashboard(&world, store, scenario.as_deref(), launching)?;
        let outcome = fault_injection::on_screen(tui::run(dashboard, &mut guard)).await?;
        // Of an adoption that was looked at and not confirmed.
        adopt::leave_nothing(folder.as_deref())?;
        match outcome {
            Outcome::Quit => break Exit::DONE,
            Outcome::Signal(signal) => break Exit::signal(signal),
            Outcome::OpenScenario(name) => {
                world = simulated(&args, &name)?;
                scenario = Some(name);
                launching = false;
            }
            Outcome::NextCluster => {
                if let Some(name) = &scenario {
                    world = simulated(&args, name)?;
                }
                launching = true;
            }
        }
    };
    guard.leave()?;
    farewell(&world, streams)?;
    Ok(exit)
}

/// The same on simulated worlds.
pub async fn demo(args: DemoArgs, streams: &mut Streams) -> Result<Exit, CliError> {
    let scenario = Some(args.scenario.unwrap_or_else(|| FIRST.to_owned()));
    run(ProjectArgs { scenario, ..ProjectArgs::default() }, streams).await
}

/// Whether there is no project: neither arguments nor a file name one.
fn names_nothing(args: &ProjectArgs) -> bool {
    let named = args.scenario.is_some() || !args.configs.is_empty();
    !named && !Path::new("muster.yaml").exists()
}

/// `muster chekc us.yaml` names no config `chekc`.
fn refuse_mistyped(args: &ProjectArgs) -> Result<(), CliError> {
    let Some(first) = args.configs.first().filter(|path| !path.exists()) else { return Ok(()) };
    let Some(word) = first.to_str().filter(|word| !word.contains(['.', '/'])) else {
        return Ok(());
    };
    let command = Cli::command();
    let names = command.get_subcommands().map(clap::Command::get_name);
    match names.max_by(|a, b| jaro(a, word).total_cmp(&jaro(b, word))) {
        Some(name) if jaro(name, word) > 0.7 => {
            let failure = Failure::new(format!("there is neither a command nor a file `{word}`"));
            Err(CliError::usage(failure.hint(format!("did you mean `muster {name}`?"))))
        }
        _ => Ok(()),
    }
}

fn needs_terminal() -> Result<(), CliError> {
    if std::io::stdout().is_terminal() {
        return Ok(());
    }
    let failure = Failure::new("the dashboard needs a terminal, and stdout is not one");
    Err(CliError::usage(failure.hint("use `muster check`, `up`, `status`, `logs` or `down`")))
}

fn simulated(args: &ProjectArgs, name: &str) -> Result<ProjectSession, CliError> {
    ProjectSession::open(&ProjectArgs { scenario: Some(name.to_owned()), ..args.clone() })
}

fn dashboard(
    world: &ProjectSession,
    store: Store,
    scenario: Option<&str>,
    launching: bool,
) -> Result<Dashboard, CliError> {
    let simulated = world.cloud.is_simulated();
    let scenarios = if simulated { Scenario::names() } else { &[] };
    let named = |(name, summary): &(&str, &str)| ((*name).to_owned(), (*summary).to_owned());
    Ok(Dashboard {
        ssh: world.shell(&store)?,
        project: world.project.clone(),
        configs: world.reading(),
        handle: engine::start(world.parts(store)?),
        clock: world.clock,
        zone: TimeZone::system(),
        simulated,
        scenarios: scenarios.iter().map(named).collect(),
        scenario: scenario.map(str::to_owned),
        launching,
    })
}

/// What goes on without the dashboard.
fn farewell(world: &ProjectSession, streams: &mut Streams) -> Result<(), CliError> {
    let Some((store, state)) = world.peek()? else { return Ok(()) };
    let billed = state.billed().count();
    if billed > 0 {
        let cluster = store.cluster();
        streams.out.line(format!(
            "{billed} instances of {cluster} go on and are billed; `muster down` terminates them"
        ))?;
    }
    let stopped = state.stopped().count();
    if stopped > 0 {
        streams.out.line(format!(
            "{stopped} instances of {} are stopped, their volumes are billed; `muster start` \
             starts them, `muster down` ends them",
            store.cluster()
        ))?;
    }
    let stopping = state.stopping().count();
    if stopping > 0 {
        let cluster = store.cluster();
        streams.out.line(format!(
            "{stopping} instances of {cluster} are stopping; `muster stop` waits for them"
        ))?;
    }
    Ok(())
}
