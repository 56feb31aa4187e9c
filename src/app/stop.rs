//! `muster stop`: show what is stopped and what goes on costing, ask, stop,
//! wait.

use super::{Exit, Streams, Trouble, Watch, World, ask::confirm, watch::Aside};
use crate::{
    cli::{Format, StopArgs},
    engine::{Command, StopPlan, Unfinished, Update},
    model::{Failure, Region},
    report,
};

/// Stops the cluster's machines.
pub async fn run(args: StopArgs, streams: &mut Streams) -> Result<Exit, Trouble> {
    let world = World::open(&args.common.project)?;
    world.print_warnings(streams)?;
    let mut watch = Watch::start(&world, world.store()?, args.common.format, streams)?;
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
        return Err(Trouble::failed(Failure::new("not confirmed; nothing was stopped")));
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
    Err(Trouble::failed(failure.hint("`muster status` shows which; `muster stop` again goes on")))
}

/// Prints what a termination or a stop left. `done`: `terminated` or `stopped`.
pub fn show_unfinished(
    unfinished: &Unfinished,
    done: &str,
    format: Format,
    watch: &mut Watch<'_>,
) -> Result<(), Trouble> {
    match format {
        Format::Json if unfinished.is_empty() => Ok(()),
        Format::Json => watch.aside(&Aside::Unfinished(unfinished)),
        Format::Text => Ok(watch.streams.out.lines(&report::unfinished(unfinished, done))?),
    }
}

/// Nothing to stop; whether that is good news depends on who could be asked.
fn nothing(world: &World, plan: &StopPlan) -> Result<Exit, Trouble> {
    match plan.unknown.first() {
        None if plan.stay.is_empty() => Ok(Exit::DONE),
        None => Err(Trouble::failed(Failure::new("what runs can't be stopped"))),
        Some(first) => not_asked(world, &plan.unknown, first),
    }
}

/// Some region could not be asked, or none.
pub fn not_asked(
    world: &World,
    unknown: &[(Region, Failure)],
    (_, failure): &(Region, Failure),
) -> Result<Exit, Trouble> {
    if unknown.len() < world.project.regions.len() {
        return Ok(Exit::UNKNOWN);
    }
    Err(Trouble::Told { exit: Exit::NOT_ASKED, failure: failure.clone() })
}

fn show(
    world: &World,
    plan: &StopPlan,
    format: Format,
    watch: &mut Watch<'_>,
) -> Result<(), Trouble> {
    match format {
        Format::Json => watch.aside(&Aside::StopPlan {
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
            let lines = report::said(&plan, watch.streams.out.paint());
            Ok(watch.streams.out.lines(&lines)?)
        }
    }
}
