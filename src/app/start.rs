//! `muster start`: show what is started, ask, start, and run again what that
//! needs.

use std::sync::Arc;

use super::{
    CliError, EngineSession, Exit, ProjectSession, Streams, ask::confirm,
    engine_session::JsonEvent, stop::not_asked,
};
use crate::{
    cli::{Format, StartArgs},
    engine::{Command, FoundNode, Phase, RunState, StartPlan, Update},
    model::Failure,
    report,
};

/// Starts the cluster's machines again.
pub async fn run(args: StartArgs, streams: &mut Streams) -> Result<Exit, CliError> {
    let world = ProjectSession::open(&args.common.project)?;
    world.print_warnings(streams)?;
    let store = world.store()?;
    let folder = store.folder().map(std::path::Path::to_owned);
    let mut watch = EngineSession::start(&world, store, args.common.format, streams)?;
    let plan = plan(&mut watch).await?;
    show(&world, &plan, args.common.format, &mut watch)?;
    let idle = plan.start.is_empty() && plan.running.is_empty();
    let whole = plan.take_over.is_empty() && is_complete(watch.state());
    if idle || plan.start.is_empty() && whole {
        watch.end().await?;
        return match plan.unknown.first() {
            Some(first) => not_asked(&world, &plan.unknown, first),
            None => Ok(Exit::DONE),
        };
    }
    if !args.yes && !confirm("Start them?", &mut watch.streams.err).await? {
        watch.end().await?;
        return Err(CliError::failed(Failure::new("not confirmed; nothing was started")));
    }
    if args.logs {
        watch.print_lines();
    }
    let (state, unwritten) = carry_out(watch, plan).await?;
    if args.common.format == Format::Text {
        streams.out.lines(&report::launched(&state, folder.as_deref()))?;
    }
    if let Some(failure) = unwritten {
        return Err(CliError::failed(failure));
    }
    Ok(if is_complete(&state) { Exit::DONE } else { Exit::FAILED })
}

/// What would be started.
pub async fn plan(watch: &mut EngineSession<'_>) -> Result<Arc<StartPlan>, CliError> {
    let planned = |update: &Update| match update {
        Update::StartPlan(plan) => Some(plan.clone()),
        _ => None,
    };
    watch.ask(Command::PlanStart, planned).await
}

/// Shows it.
pub fn show(
    world: &ProjectSession,
    plan: &StartPlan,
    format: Format,
    watch: &mut EngineSession<'_>,
) -> Result<(), CliError> {
    match format {
        Format::Json => watch.json_event(&JsonEvent::StartPlan {
            start: report::ids(&plan.start),
            running: report::ids(&plan.running),
            take_over: plan.take_over.iter().map(FoundNode::names).collect(),
            unplaced: report::ids(&plan.unplaced),
            stay: report::ids_and_why(&plan.stay),
            unknown: &plan.unknown,
        }),
        Format::Text => {
            world.print_simulated(watch.streams)?;
            let plan = report::start_plan(&world.project, watch.state(), plan);
            let lines = report::block_lines(&plan, watch.streams.out.paint());
            Ok(watch.streams.out.lines(&lines)?)
        }
    }
}

/// Starts what `plan` names, and waits until every node is settled.
pub async fn carry_out(
    mut watch: EngineSession<'_>,
    plan: Arc<StartPlan>,
) -> Result<(RunState, Option<Failure>), CliError> {
    let ended = |update: &Update| matches!(update, Update::UpEnded).then_some(());
    watch.ask(Command::StartMachines(plan), ended).await?;
    watch.finish().await
}

/// Whether every node that has a machine is ready, and there are any.
pub fn is_complete(state: &RunState) -> bool {
    let mut live = state.nodes.values().filter(|node| node.is_live()).peekable();
    live.peek().is_some() && live.all(|node| node.phase == Phase::Ready)
}
