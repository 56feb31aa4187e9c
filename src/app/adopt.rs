//! `muster up --adopt`: show what `ray up` made, ask, take it over, bootstrap.

use std::{path::Path, sync::Arc};

use super::{
    CliError, EngineSession, Exit, ProjectSession, Streams, ask::confirm,
    engine_session::JsonEvent, query, start, up,
};
use crate::{
    check::{Finding, NAME_TAKEN},
    cli::{Format, UpArgs},
    engine::{AdoptPlan, Command, Update},
    model::Failure,
    report,
};

/// Takes the machines over.
pub async fn run(args: UpArgs, streams: &mut Streams) -> Result<Exit, CliError> {
    let world = ProjectSession::open(&args.common.project)?;
    world.print_warnings(streams)?;
    let store = world.store()?;
    let folder = store.folder().map(std::path::Path::to_owned);
    let mut watch = EngineSession::start(&world, store, args.common.format, streams)?;
    let (_, findings) = up::look(&mut watch).await?;
    let findings: Vec<Finding> =
        findings.iter().filter(|finding| finding.check != NAME_TAKEN).cloned().collect();
    up::refuse_what_fails(&world, &args, &findings, &mut watch)?;
    let planned = |update: &Update| match update {
        Update::AdoptPlan(plan) => Some(plan.clone()),
        _ => None,
    };
    let plan = watch.ask(Command::PlanAdopt, planned).await?;
    show(&world, &plan, args.common.format, &mut watch)?;
    if !plan.refused.is_empty() {
        watch.end().await?;
        leave_nothing(folder.as_deref())?;
        let count = plan.refused.len();
        let failure =
            Failure::new(format!("{count} reasons prevent the adoption; nothing was changed"));
        return Err(CliError::failed(failure));
    }
    let answer =
        if args.yes { Ok(true) } else { confirm("Take them over?", &mut watch.streams.err).await };
    if !matches!(answer, Ok(true)) {
        watch.end().await?;
        leave_nothing(folder.as_deref())?;
        answer?;
        return Err(CliError::failed(Failure::new("not confirmed; nothing was changed")));
    }
    if args.logs {
        watch.print_lines();
    }
    let ended = |update: &Update| matches!(update, Update::UpEnded).then_some(());
    watch.ask(Command::Adopt(plan), ended).await?;
    let state = watch.end().await?;
    if args.common.format == Format::Text {
        streams.out.lines(&report::launched(&state, folder.as_deref()))?;
    }
    if !start::is_complete(&state) {
        return Ok(Exit::FAILED);
    }
    if !args.query || world.cloud.is_simulated() {
        return Ok(Exit::DONE);
    }
    query::after_up(&args, &world, streams).await
}

/// Of a cluster that has not come about nothing stays: trying SSH has pinned
/// host keys in its folder.
pub fn leave_nothing(folder: Option<&Path>) -> Result<(), CliError> {
    let Some(folder) = folder.filter(|folder| folder.is_dir()) else { return Ok(()) };
    if folder.join("journal.jsonl").exists() {
        return Ok(());
    }
    Ok(std::fs::remove_dir_all(folder)?)
}

fn show(
    world: &ProjectSession,
    plan: &Arc<AdoptPlan>,
    format: Format,
    watch: &mut EngineSession<'_>,
) -> Result<(), CliError> {
    match format {
        Format::Json => watch.json_event(&JsonEvent::AdoptPlan {
            nodes: plan.nodes.iter().map(|one| (&one.node, &one.instance.id)).collect(),
            notes: &plan.notes,
            refused: &plan.refused,
        }),
        Format::Text => {
            world.print_simulated(watch.streams)?;
            let plan = report::adopt_plan(&world.project, plan);
            let lines = report::block_lines(&plan, watch.streams.out.paint());
            Ok(watch.streams.out.lines(&lines)?)
        }
    }
}
