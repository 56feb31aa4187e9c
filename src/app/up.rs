//! `muster up`: look, show, ask, launch, bootstrap.

use std::sync::Arc;

use super::{Exit, Streams, Trouble, Watch, World, ask::confirm, query, watch::Aside};
use crate::{
    check::{Finding, Level, Summary},
    cli::{Format, UpArgs},
    engine::{Command, RunState, Update},
    model::Failure,
    report,
    survey::Survey,
};

/// Brings the cluster up.
pub async fn run(args: UpArgs, streams: &mut Streams) -> Result<Exit, Trouble> {
    let world = World::open(&args.common.project)?;
    world.print_warnings(streams)?;
    let store = world.store()?;
    let folder = store.folder().map(std::path::Path::to_owned);
    let mut watch = Watch::start(&world, store, args.common.format, streams)?;
    let (survey, findings) = look(&mut watch).await?;
    refuse_what_fails(&world, &args, &findings, &mut watch)?;
    if args.common.format == Format::Text {
        let plan = report::launch_plan(
            &world.project,
            &survey,
            watch.state(),
            watch.cluster(),
            watch.streams.out.paint(),
        );
        world.print_simulated(watch.streams)?;
        watch.streams.out.lines(&plan)?;
    }
    if !args.yes && !confirm("Launch?", &mut watch.streams.err).await? {
        watch.end().await?;
        return Err(Trouble::failed(Failure::new("not confirmed; nothing was launched")));
    }
    if args.logs {
        watch.print_lines();
    }
    let ended = |update: &Update| matches!(update, Update::UpEnded).then_some(());
    watch.ask(Command::Up, ended).await?;
    let state = watch.end().await?;
    if args.common.format == Format::Text {
        streams.out.lines(&report::launched(&state, folder.as_deref()))?;
    }
    if !is_complete(&world, &state) {
        return Ok(Exit::FAILED);
    }
    if args.no_query || world.cloud.is_simulated() {
        return Ok(Exit::DONE);
    }
    query::after_up(&args, &world, streams).await
}

async fn look(watch: &mut Watch<'_>) -> Result<(Arc<Survey>, Arc<[Finding]>), Trouble> {
    let looked = |update: &Update| match update {
        Update::Looked { survey, findings } => Some((survey.clone(), findings.clone())),
        _ => None,
    };
    let (survey, findings) = watch.ask(Command::Look, looked).await?;
    match &survey.not_asked {
        Some(failure) => Err(Trouble::Told { exit: Exit::NOT_ASKED, failure: failure.clone() }),
        None => Ok((survey, findings)),
    }
}

/// A launch that is known to fail, or to give a cluster that can't work,
/// costs money for nothing.
fn refuse_what_fails(
    world: &World,
    args: &UpArgs,
    findings: &[Finding],
    watch: &mut Watch<'_>,
) -> Result<(), Trouble> {
    let summary = Summary::of(findings);
    match args.common.format {
        Format::Json => {
            let open = findings.iter().filter(|finding| finding.level != Level::Pass).collect();
            watch.aside(&Aside::Checked { summary, findings: open })?;
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
    Err(Trouble::failed(failure.hint("mend them, or add --force to launch all the same")))
}

fn is_complete(world: &World, state: &RunState) -> bool {
    world.project.planned_nodes().iter().all(|planned| {
        state.nodes.get(&planned.name).is_some_and(|node| node.phase == crate::engine::Phase::Ready)
    })
}
