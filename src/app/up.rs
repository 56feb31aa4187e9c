//! `muster up`: refresh, show the plan, ask, launch, bootstrap.

use std::{path::Path, sync::Arc};

use super::{
    CliError, EngineSession, Exit, ProjectSession, Streams, ask::confirm,
    engine_session::JsonEvent, query, start,
};
use crate::{
    check::{Finding, Level, Summary},
    cli::{Format, UpArgs},
    engine::{Command, FoundNode, RunState, UpPlan, Update},
    model::Failure,
    report,
    survey::Survey,
};

/// Brings the cluster up.
pub async fn run(args: UpArgs, streams: &mut Streams) -> Result<Exit, CliError> {
    let world = ProjectSession::open(&args.common.project)?;
    world.print_warnings(streams)?;
    let store = world.store()?;
    let folder = store.folder().map(std::path::Path::to_owned);
    let mut watch = EngineSession::start(&world, store, args.common.format, streams)?;
    let (survey, findings) = look(&mut watch).await?;
    if watch.state().halted().next().is_some() {
        let ended = start_instead(&world, &args, watch).await?;
        return finish(&world, &args, ended, folder.as_deref(), streams).await;
    }
    refuse_what_fails(&world, &args, &findings, &mut watch)?;
    let plan = plan(&mut watch).await?;
    if plan.take_over.iter().any(|found| found.state.is_stopped()) {
        let ended = start_instead(&world, &args, watch).await?;
        return finish(&world, &args, ended, folder.as_deref(), streams).await;
    }
    show(&world, &args, &survey, &plan, &mut watch)?;
    if let Some((_, failure)) = plan.refused.first().filter(|_| !args.force) {
        watch.end().await?;
        return Err(CliError::failed(failure.clone()));
    }
    let question = if args.restart { "Restart all of that?" } else { "Launch?" };
    if !args.yes && !confirm(question, &mut watch.streams.err).await? {
        watch.end().await?;
        return Err(CliError::failed(Failure::new("not confirmed; nothing was launched")));
    }
    if args.logs {
        watch.print_lines();
    }
    let ended = |update: &Update| matches!(update, Update::UpEnded).then_some(());
    let command = if args.restart { Command::Restart } else { Command::Up };
    watch.ask(command, ended).await?;
    let ended = watch.finish().await?;
    finish(&world, &args, ended, folder.as_deref(), streams).await
}

/// Plans what would be launched and taken over.
async fn plan(watch: &mut EngineSession<'_>) -> Result<Arc<UpPlan>, CliError> {
    let planned = |update: &Update| match update {
        Update::UpPlan(plan) => Some(plan.clone()),
        _ => None,
    };
    watch.ask(Command::PlanUp, planned).await
}

fn show(
    world: &ProjectSession,
    args: &UpArgs,
    survey: &Survey,
    plan: &UpPlan,
    watch: &mut EngineSession<'_>,
) -> Result<(), CliError> {
    if args.common.format == Format::Json {
        return watch.json_event(&JsonEvent::UpPlan {
            launch: plan.launch.values().flatten().collect(),
            take_over: plan.take_over.iter().map(FoundNode::names).collect(),
            unresolved: &plan.unresolved,
            refused: &plan.refused,
            unknown: &plan.unknown,
        });
    }
    let paint = watch.streams.out.paint();
    let lines = report::launch_plan(&world.project, survey, plan, watch.cluster(), paint);
    world.print_simulated(watch.streams)?;
    watch.streams.out.lines(&lines)?;
    if args.restart {
        let plan = report::restart_plan(&world.project, watch.state());
        watch.streams.out.line("")?;
        watch.streams.out.lines(&report::block_lines(&plan, paint))?;
    }
    Ok(())
}

/// Prints the result, and runs the query if requested.
async fn finish(
    world: &ProjectSession,
    args: &UpArgs,
    (state, unwritten): (RunState, Option<Failure>),
    folder: Option<&Path>,
    streams: &mut Streams,
) -> Result<Exit, CliError> {
    if args.common.format == Format::Text {
        streams.out.lines(&report::launched(&state, folder))?;
    }
    if let Some(failure) = unwritten {
        return Err(CliError::failed(failure));
    }
    if !is_complete(world, &state) {
        return Ok(Exit::FAILED);
    }
    if !args.query || world.cloud.is_simulated() {
        return Ok(Exit::DONE);
    }
    query::after_up(args, world, streams).await
}

/// Instances are stopped: offers to start them. A script has to run `muster start`
/// instead, since nothing is launched then.
async fn start_instead(
    world: &ProjectSession,
    args: &UpArgs,
    mut watch: EngineSession<'_>,
) -> Result<(RunState, Option<Failure>), CliError> {
    let plan = start::plan(&mut watch).await?;
    start::show(world, &plan, args.common.format, &mut watch)?;
    let stopped = plan.start.len() + plan.stay.len();
    let failure = Failure::new(format!("{stopped} instances of the cluster are stopped"));
    let failure = failure.hint("`muster start` starts them, `muster down` ends the cluster");
    if args.yes || args.restart {
        watch.end().await?;
        return Err(CliError::failed(failure));
    }
    let why = format!("{}: nothing is launched", failure.message);
    watch.streams.err.lines(&[String::new(), why])?;
    if !confirm("Start them?", &mut watch.streams.err).await? {
        watch.end().await?;
        return Err(CliError::failed(failure));
    }
    start::carry_out(watch, plan).await
}

/// All regions, the nodes' machines included.
pub async fn look(
    watch: &mut EngineSession<'_>,
) -> Result<(Arc<Survey>, Arc<[Finding]>), CliError> {
    let looked = |update: &Update| match update {
        Update::Refreshed { survey, findings } => Some((survey.clone(), findings.clone())),
        _ => None,
    };
    let (survey, findings) = watch.ask(Command::Refresh, looked).await?;
    match &survey.not_asked {
        Some(failure) => Err(CliError::Failed { exit: Exit::NOT_ASKED, failure: failure.clone() }),
        None => Ok((survey, findings)),
    }
}

/// A launch that is known to fail, or to give a cluster that can't work,
/// costs money for nothing.
pub fn refuse_what_fails(
    world: &ProjectSession,
    args: &UpArgs,
    findings: &[Finding],
    watch: &mut EngineSession<'_>,
) -> Result<(), CliError> {
    let summary = Summary::of(findings);
    match args.common.format {
        Format::Json => {
            let open = findings.iter().filter(|finding| finding.level != Level::Pass).collect();
            watch.json_event(&JsonEvent::Checked { summary, findings: open })?;
        }
        Format::Text if summary.fail > 0 => {
            let paint = watch.streams.err.paint();
            let lines = report::failures(&world.project, findings, paint);
            watch.streams.err.lines(&lines)?;
        }
        Format::Text => {}
    }
    if summary.fail == 0 || args.force {
        return Ok(());
    }
    let failure = Failure::new(format!("{} checks fail; nothing was launched", summary.fail));
    Err(CliError::failed(
        failure.hint("`muster fix` fixes what it can; --force launches despite failures"),
    ))
}

fn is_complete(world: &ProjectSession, state: &RunState) -> bool {
    world.project.planned_nodes().iter().all(|planned| {
        state.nodes.get(&planned.name).is_some_and(|node| node.phase == crate::engine::Phase::Ready)
    })
}
