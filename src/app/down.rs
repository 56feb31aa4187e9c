//! `muster down`: show what carries the cluster's id, ask, terminate, verify.

use std::cell::RefCell;

use super::{Exit, Streams, Trouble, Watch, World, ask::confirm, fix, watch::Aside};
use crate::{
    cli::{DownArgs, Format},
    cloud::Instance,
    engine::{Command, DownPlan, Remains, Update},
    model::{Failure, InstanceId, Region},
    report,
};

/// Ends the cluster.
pub async fn run(args: DownArgs, streams: &mut Streams) -> Result<Exit, Trouble> {
    let world = World::open(&args.common.project)?;
    world.print_warnings(streams)?;
    let named = args.cluster.is_some();
    let store = match args.cluster {
        Some(cluster) => world.store_of(cluster)?,
        None => world.store()?,
    };
    let mut watch = Watch::start(&world, store, args.common.format, streams)?;
    let planned = |update: &Update| match update {
        Update::DownPlan(plan) => Some(plan.clone()),
        _ => None,
    };
    let plan = watch.ask(Command::PlanDown, planned).await?;
    let format = args.common.format;
    let known = named || watch.state().cluster.is_some();
    show(&world, &plan, known, args.common.format, &mut watch)?;
    if plan.terminate.is_empty() && watch.state().cluster.is_none() && !args.network {
        if plan.unknown.is_empty() {
            // Ends nothing, and lists what is left.
            terminate(format, &mut watch).await?;
        }
        watch.end().await?;
        return nothing(&world, &plan);
    }
    let must_ask = !args.yes && !plan.terminate.is_empty();
    if must_ask && !confirm("Terminate them?", &mut watch.streams.err).await? {
        watch.end().await?;
        return Err(Trouble::failed(Failure::new("not confirmed; nothing was terminated")));
    }
    let gone = terminate(format, &mut watch).await?;
    if gone && args.network {
        tear_down(&world, args.yes, format, &mut watch).await?;
    }
    watch.end().await?;
    if gone {
        return Ok(Exit::DONE);
    }
    let failure = Failure::new("not every instance is known to be gone");
    Err(Trouble::failed(failure.hint("`muster down` again asks all regions again")))
}

/// Terminates, and tells what else muster made; whether every instance is gone.
async fn terminate(format: Format, watch: &mut Watch<'_>) -> Result<bool, Trouble> {
    let remains = RefCell::new(Remains::default());
    let ended = |update: &Update| match update {
        Update::Remains(found) => {
            remains.replace(found.clone());
            None
        }
        Update::DownEnded { gone } => Some(*gone),
        _ => None,
    };
    let gone = watch.ask(Command::Down, ended).await?;
    let remains = remains.into_inner();
    match format {
        Format::Json => {
            watch.aside(&Aside::Remains {
                found: &remains.found,
                unrecorded: &remains.unrecorded,
                routes: &remains.routes,
                unknown: &remains.unknown,
            })?;
        }
        Format::Text => {
            let paint = watch.streams.out.paint();
            watch.streams.out.lines(&report::remains(&remains, paint))?;
        }
    }
    Ok(gone)
}

/// Removes the networks that `fix` built, all of them or none.
async fn tear_down(
    world: &World,
    yes: bool,
    format: Format,
    watch: &mut Watch<'_>,
) -> Result<(), Trouble> {
    let fix = watch.ask(Command::PlanTeardown, fix::planned).await?;
    fix::show(&fix, format, watch)?;
    let asks = fix::Asks { yes, include_unrecorded: false };
    let resources = fix.plan.unrecorded.clone();
    let fix = if fix::take_over(resources, asks, "deletes them", watch).await? {
        let fix = watch.ask(Command::PlanTeardown, fix::planned).await?;
        fix::show(&fix, format, watch)?;
        fix
    } else {
        fix
    };
    if let Some(left) = fix.plan.left.first() {
        let failure = Failure::new(format!("the networks stay: {}", left.why));
        return Err(Trouble::failed(
            failure.hint("end what uses them, then `muster down --network` again"),
        ));
    }
    if fix.plan.is_empty() {
        if format == Format::Text {
            let line = format!("muster built no network for {}.", world.name());
            watch.streams.out.line(line)?;
        }
        return Ok(());
    }
    fix::carry_out(&fix, yes, "Remove these networks?", watch).await
}

fn show(
    world: &World,
    plan: &DownPlan,
    known: bool,
    format: Format,
    watch: &mut Watch<'_>,
) -> Result<(), Trouble> {
    match format {
        Format::Json => watch.aside(&Aside::DownPlan {
            terminate: ids(&plan.terminate),
            foreign: ids(&plan.foreign),
            unknown: &plan.unknown,
        }),
        Format::Text => {
            let paint = watch.streams.out.paint();
            world.print_simulated(watch.streams)?;
            let cluster = Some(watch.cluster()).filter(|_| known);
            let lines = report::down_plan(world.name(), cluster, plan, paint);
            Ok(watch.streams.out.lines(&lines)?)
        }
    }
}

fn ids(found: &[(Region, Instance)]) -> Vec<&InstanceId> {
    found.iter().map(|(_, instance)| &instance.id).collect()
}

/// No cluster on record, nothing that carries the id. Whether that is good
/// news depends on whether all regions could be asked.
fn nothing(world: &World, plan: &DownPlan) -> Result<Exit, Trouble> {
    match plan.unknown.first() {
        None => Ok(Exit::DONE),
        Some((_, failure)) if plan.unknown.len() == world.project.regions.len() => {
            Err(Trouble::Told { exit: Exit::NOT_ASKED, failure: failure.clone() })
        }
        Some(_) => Ok(Exit::UNKNOWN),
    }
}
