//! `muster stop`: show what is stopped and what goes on costing, ask, stop,
//! wait.

use super::{
    CliError, EngineSession, Exit, ProjectSession, Streams, ask::confirm, engine_session::JsonEvent,
};
use crate::{
    cli::{Format, StopArgs},
    engine::{Command, StopPlan, Unfinished, Update},
    model::{Failure, Region},
    report,
};

/// Stops the cluster's machines.
pub async fn run(args: StopArgs, streams: &mut Streams) -> Result<Exit, CliError> {
    let world = ProjectSession::open(&args.common.project)?;
    world.print_warnings(streams)?;
    let mut watch = EngineSession::start(&world, world.store()?, args.common.format, streams)?;
    let planned = |update: &Update| match update {
        Update::StopPlan(plan) => Some(plan.clone()),
        _ => None,
    };
    let plan = watch.ask(Command::PlanStop, planned).await?;
    show(&world, &plan, args.common.format, &mut watch)?;
    if plan.is_empty() && plan.stopping.is_empty() {
        watch.end().await?;
        return nothing(&world, &plan);
    }
    // What is stopping already is only waited for.
    let asks = !args.yes && !plan.is_empty();
    if asks && !confirm("Stop them?", &mut watch.streams.err).await? {
        watch.end().await?;
        return Err(CliError::failed(Failure::new("not confirmed; nothing was stopped")));
    }
    let ended = |update: &Update| match update {
        Update::StopEnded(unfinished) => Some(unfinished.clone()),
        _ => None,
    };
    let unfinished = watch.ask(Command::StopMachines(plan), ended).await?;
    show_unfinished(&unfinished, "stopped", args.common.format, &mut watch)?;
    watch.end().await?;
    if unfinished.is_empty() {
        return Ok(Exit::DONE);
    }
    let failure = Failure::new("not every machine is stopped");
    Err(CliError::failed(failure.hint("`muster status` shows which; `muster stop` again goes on")))
}

/// Prints what a termination or a stop left. `done`: `terminated` or `stopped`.
pub fn show_unfinished(
    unfinished: &Unfinished,
    done: &str,
    format: Format,
    watch: &mut EngineSession<'_>,
) -> Result<(), CliError> {
    match format {
        Format::Json if unfinished.is_empty() => Ok(()),
        Format::Json => watch.json_event(&JsonEvent::Unfinished(unfinished)),
        Format::Text => Ok(watch.streams.out.lines(&report::unfinished(unfinished, done))?),
    }
}

/// Nothing to stop; whether that is good news depends on who could be asked.
fn nothing(world: &ProjectSession, plan: &StopPlan) -> Result<Exit, CliError> {
    match plan.unknown.first() {
        None if plan.stay.is_empty() => Ok(Exit::DONE),
        None => Err(CliError::failed(Failure::new("what runs can't be stopped"))),
        Some(first) => not_asked(world, &plan.unknown, first),
    }
}

/// Some region could not be asked, or none.
pub fn not_asked(
    world: &ProjectSession,
    unknown: &[(Region, Failure)],
    (_, failure): &(Region, Failure),
) -> Result<Exit, CliError> {
    if unknown.len() < world.project.regions.len() {
        return Ok(Exit::UNKNOWN);
    }
    Err(CliError::Failed { exit: Exit::NOT_ASKED, failure: failure.clone() })
}

fn show(
    world: &ProjectSession,
    plan: &StopPlan,
    format: Format,
    watch: &mut EngineSession<'_>,
) -> Result<(), CliError> {
    match format {
        Format::Json => watch.json_event(&JsonEvent::StopPlan {
            stop: report::ids(&plan.stop),
            unresolved: &plan.unresolved,
            stopping: report::ids(&plan.stopping),
            stopped: report::ids(&plan.stopped),
            stay: report::ids_and_why(&plan.stay),
            unknown: &plan.unknown,
        }),
        Format::Text => {
            world.print_simulated(watch.streams)?;
            let plan = report::stop_plan(watch.state(), plan);
            let lines = report::block_lines(&plan, watch.streams.out.paint());
            Ok(watch.streams.out.lines(&lines)?)
        }
    }
}
