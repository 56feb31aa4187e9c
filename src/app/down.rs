//! `muster down`: show what carries the cluster's id, ask, terminate, verify.

use std::{cell::RefCell, sync::Arc};

use super::{
    CliError, EngineSession, Exit, ProjectSession, Streams, ask::confirm,
    engine_session::JsonEvent, fix, stop::show_unfinished,
};
use crate::{
    cli::{DownArgs, Format},
    cloud::{Instance, tags},
    engine::{Command, DownPlan, Leftovers, Unfinished, Update},
    journal::Store,
    model::{Failure, InstanceId, Region, count},
    report,
};

/// Ends the cluster.
pub async fn run(args: DownArgs, streams: &mut Streams) -> Result<Exit, CliError> {
    let world = ProjectSession::open(&args.common.project)?;
    world.print_warnings(streams)?;
    let format = args.common.format;
    let named = args.cluster.is_some();
    let (store, unwritten) = store(&world, &args)?;
    let mut watch = EngineSession::start(&world, store, format, streams)?;
    if let Some(failure) = &unwritten {
        watch.streams.err.failure(failure)?;
    }
    let planned = |update: &Update| match update {
        Update::DownPlan(plan) => Some(plan.clone()),
        _ => None,
    };
    let plan = watch.ask(Command::PlanDown, planned).await?;
    let on_record = watch.state().cluster.is_some();
    show(&world, &plan, named || on_record, format, &mut watch)?;
    if plan.is_empty() && plan.unrecorded.is_empty() && !on_record && !args.network {
        if plan.unknown.is_empty() {
            // Ends nothing, and lists what is left.
            terminate(plan.clone(), format, &mut watch).await?;
        }
        watch.end().await?;
        return nothing(&world, &plan, unwritten.is_some());
    }
    let plan = match confirmed(&args, plan, &mut watch).await {
        Ok(plan) => plan,
        Err(trouble) => {
            watch.end().await?;
            return Err(trouble);
        }
    };
    let unfinished = terminate(plan, format, &mut watch).await?;
    show_unfinished(&unfinished, "terminated", format, &mut watch)?;
    if unfinished.is_empty() && args.network {
        let asks = fix::Asks { yes: args.yes, include_unrecorded: args.include_unrecorded };
        tear_down(&world, asks, format, &mut watch).await?;
    }
    // Terminating does not depend on the disk: what is not on record is a warning.
    if let (_, Some(failure)) = watch.finish().await? {
        streams.err.warning(&failure)?;
    }
    if unfinished.is_empty() {
        return Ok(Exit::DONE);
    }
    Err(CliError::failed(still_there(&unfinished)))
}

/// The cluster's store. Where it can't be written, what can be read of it,
/// without writing, and why: instances are found and terminated all the same.
fn store(world: &ProjectSession, args: &DownArgs) -> Result<(Store, Option<Failure>), CliError> {
    let opened = match &args.cluster {
        Some(cluster) => world.store_of(cluster.clone()),
        None => world.store(),
    };
    let error = match opened {
        Err(CliError::Journal(error)) => error,
        opened => return Ok((opened?, None)),
    };
    let failure = Failure::new(error.to_string())
        .hint("this termination is not recorded; instances are found by their tags");
    let peeked = world.peek_store().ok().flatten();
    let peeked =
        peeked.filter(|store| args.cluster.as_ref().is_none_or(|id| id == store.cluster()));
    let store = match (peeked, &args.cluster) {
        (Some(store), _) => store.detached(),
        (None, Some(cluster)) => Store::in_memory(cluster.clone()),
        (None, None) => world.in_memory(),
    };
    Ok((store, Some(failure)))
}

/// What is left, and what to do about it.
fn still_there(unfinished: &Unfinished) -> Failure {
    let failure = Failure::new("not every instance is known to be terminated");
    let only_unrecorded = Unfinished { unrecorded: Vec::new(), ..unfinished.clone() }.is_empty();
    failure.hint(if only_unrecorded {
        "`muster down` again lists what is on no record, and asks; in scripts add \
         --include-unrecorded"
    } else {
        "`muster down` again asks all regions again"
    })
}

/// The plan as far as the user confirms it. Instances on no record need a
/// confirmation of their own, which `--yes` is not.
async fn confirmed(
    args: &DownArgs,
    plan: Arc<DownPlan>,
    watch: &mut EngineSession<'_>,
) -> Result<Arc<DownPlan>, CliError> {
    let refused = || CliError::failed(Failure::new("not confirmed; nothing was terminated"));
    let asks = !args.yes && !plan.is_empty();
    if asks && !confirm("Terminate them?", &mut watch.streams.err).await? {
        return Err(refused());
    }
    let number = plan.unrecorded.len();
    if number == 0 {
        return Ok(plan);
    }
    let includes = if args.yes {
        args.include_unrecorded
    } else {
        let what = count(number, "instance");
        let question = format!("Terminate also the {what} on no record?");
        confirm(&question, &mut watch.streams.err).await?
    };
    if includes {
        return Ok(Arc::new(DownPlan::clone(&plan).including_unrecorded()));
    }
    if !plan.is_empty() {
        return Ok(plan);
    }
    if !args.yes {
        return Err(refused());
    }
    let what = count(number, "instance");
    let failure = Failure::new(format!(
        "{what} with the id {} on no record here: nothing was terminated",
        watch.cluster()
    ));
    Err(CliError::failed(failure.hint("--yes does not cover them; add --include-unrecorded")))
}

/// Terminates what `plan` names, and lists what else muster made.
async fn terminate(
    plan: Arc<DownPlan>,
    format: Format,
    watch: &mut EngineSession<'_>,
) -> Result<Unfinished, CliError> {
    let leftovers = RefCell::new(Leftovers::default());
    let ended = |update: &Update| match update {
        Update::Leftovers(found) => {
            leftovers.replace(found.clone());
            None
        }
        Update::DownEnded(unfinished) => Some(unfinished.clone()),
        _ => None,
    };
    let unfinished = watch.ask(Command::Down(plan), ended).await?;
    let leftovers = leftovers.into_inner();
    match format {
        Format::Json => {
            watch.json_event(&JsonEvent::Leftovers {
                found: &leftovers.found,
                unrecorded: &leftovers.unrecorded,
                routes: &leftovers.routes,
                unknown: &leftovers.unknown,
            })?;
        }
        Format::Text => {
            let paint = watch.streams.out.paint();
            watch.streams.out.lines(&report::leftovers(&leftovers, paint))?;
        }
    }
    Ok(unfinished)
}

/// Removes the networks that `fix` built, all of them or none.
async fn tear_down(
    world: &ProjectSession,
    asks: fix::Asks,
    format: Format,
    watch: &mut EngineSession<'_>,
) -> Result<(), CliError> {
    let fix = watch.ask(Command::PlanTeardown, fix::planned).await?;
    fix::show(&fix, format, watch)?;
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
        return Err(CliError::failed(
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
    fix::carry_out(&fix, asks.yes, "Remove these networks?", watch).await
}

fn show(
    world: &ProjectSession,
    plan: &DownPlan,
    known: bool,
    format: Format,
    watch: &mut EngineSession<'_>,
) -> Result<(), CliError> {
    match format {
        Format::Json => watch.json_event(&JsonEvent::DownPlan {
            terminate: ids(&plan.terminate),
            unresolved: &plan.unresolved,
            unrecorded: ids(&plan.unrecorded),
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
/// news depends on whether all regions and the record could be read, and on
/// whether instances of the project run.
fn nothing(world: &ProjectSession, plan: &DownPlan, is_unwritten: bool) -> Result<Exit, CliError> {
    if let Some(failure) = lost(world, plan) {
        return Err(CliError::failed(failure));
    }
    match plan.unknown.first() {
        None if is_unwritten => Ok(Exit::FAILED),
        None => Ok(Exit::DONE),
        Some((_, failure)) if plan.unknown.len() == world.project.regions.len() => {
            Err(CliError::Failed { exit: Exit::NOT_ASKED, failure: failure.clone() })
        }
        Some(_) => Ok(Exit::UNKNOWN),
    }
}

/// Instances of the project whose cluster is on no record here: perhaps the
/// record is lost.
fn lost(world: &ProjectSession, plan: &DownPlan) -> Option<Failure> {
    let of_project = |one: &&(Region, Instance)| {
        one.1.tags.get(tags::PROJECT).is_some_and(|name| name == world.name())
    };
    let found: Vec<_> = plan.foreign.iter().filter(of_project).collect();
    let id = found.iter().find_map(|(_, one)| one.tags.get(tags::CLUSTER))?;
    let (what, name) = (count(found.len(), "instance"), world.name());
    let failure = Failure::new(format!("{what} of project {name} on no record here, left running"));
    Some(failure.hint(format!("`muster down --cluster {id}` terminates those of {id}")))
}
