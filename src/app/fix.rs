//! `muster fix`: refresh, plan, show, ask, apply, refresh.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep};

use super::{
    CliError, EngineSession, Exit, ProjectSession, Streams, ask::confirm, engine_session::JsonEvent,
};
use crate::{
    check::{Finding, Level, Summary},
    cli::{FixArgs, Format},
    engine::{ChangeState, Command, FixPlan, RunState, Update},
    model::Failure,
    remedy::{self, CheckFilter, FixScope, Plan, Problem, Unrecorded},
    report,
};

/// How long EC2 may describe things as they were before a change.
const SETTLE: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_secs(2);

/// Fixes what the checks found.
pub async fn run(args: FixArgs, streams: &mut Streams) -> Result<Exit, CliError> {
    let world = ProjectSession::open(&args.common.project)?;
    world.print_warnings(streams)?;
    let mut watch = EngineSession::start(&world, world.store()?, args.common.format, streams)?;
    let text = args.common.format == Format::Text && args.print.is_none();
    if text {
        world.print_simulated(watch.streams)?;
        let cut_off = cut_off(watch.state());
        watch.streams.out.lines(&cut_off)?;
    }
    let fix = watch.ask(Command::PlanFix(scope(&args)), planned_or_not_asked).await?;
    let not_asked = |failure| CliError::Failed { exit: Exit::NOT_ASKED, failure };
    let fix = fix.map_err(not_asked)?;
    if args.print.is_some() {
        let script = remedy::script(&fix.plan, world.name()).map_err(CliError::failed)?;
        watch.streams.out.document(script.trim_end())?;
        watch.end().await?;
        return Ok(Exit::DONE);
    }
    let format = args.common.format;
    show(&fix, format, &mut watch)?;
    let asks = Asks { yes: args.yes, include_unrecorded: args.include_unrecorded };
    let resources = fix.plan.to_take_over().filter(|_| !args.dry_run).cloned().collect();
    let taken_over = take_over(resources, asks, "uses them", &mut watch).await?;
    let fix = if taken_over {
        let fix = watch.ask(Command::PlanFix(scope(&args)), planned_or_not_asked).await?;
        let fix = fix.map_err(not_asked)?;
        show(&fix, format, &mut watch)?;
        fix
    } else {
        fix
    };
    if fix.plan.is_empty() || args.dry_run {
        watch.end().await?;
        return nothing_done(&fix, text, streams);
    }
    carry_out(&fix, args.yes, "Change this?", &mut watch).await?;
    let findings = settled(&fix.plan, text, &mut watch).await?;
    print_findings(&world, &findings, text, &mut watch)?;
    watch.end().await?;
    Ok(if Summary::of(&*findings).fail == 0 { Exit::DONE } else { Exit::FAILED })
}

/// The findings once they agree with what was changed: EC2 may describe things
/// as they were before for some time.
async fn settled(
    plan: &Plan,
    text: bool,
    watch: &mut EngineSession<'_>,
) -> Result<Arc<[Finding]>, CliError> {
    let is_left = |problem: &Problem| plan.left.iter().any(|left| left.problem == *problem);
    let fixed: Vec<_> = plan.fixed().into_iter().filter(|one| !is_left(one)).collect();
    let began = Instant::now();
    let mut reported = false;
    loop {
        let findings = watch.ask(Command::Refresh, refreshed).await?;
        let open = findings.iter().filter(|finding| finding.level == Level::Fail);
        let behind: BTreeSet<_> =
            open.filter(|one| fixed.contains(&&Problem::of(one))).map(|one| one.check).collect();
        if behind.is_empty() || began.elapsed() > SETTLE {
            return Ok(findings);
        }
        if text && !std::mem::replace(&mut reported, true) {
            let checks: Vec<_> = behind.into_iter().collect();
            let line = format!(
                "Waiting up to {} s until EC2 describes what was changed: {}",
                SETTLE.as_secs(),
                checks.join(", ")
            );
            watch.streams.out.line(line)?;
        }
        sleep(POLL).await;
    }
}

/// How a command asks about what is on no record.
#[derive(Clone, Copy)]
pub(super) struct Asks {
    /// Whether nothing is asked.
    pub yes: bool,
    /// Whether that covers what is on no record.
    pub include_unrecorded: bool,
}

/// Asks whether `resources`, which carry this project's tags and are on no
/// record, are this project's; returns whether they are from now on. `--yes` alone does not cover it.
pub(super) async fn take_over(
    resources: Vec<Unrecorded>,
    asks: Asks,
    does: &str,
    watch: &mut EngineSession<'_>,
) -> Result<bool, CliError> {
    if resources.is_empty() || asks.yes && !asks.include_unrecorded {
        return Ok(false);
    }
    let question = format!(
        "Take over the {} that no journal of this project knows, so that it {does}?",
        crate::model::count(resources.len(), "resource")
    );
    if !asks.yes && !confirm(&question, &mut watch.streams.err).await? {
        return Ok(false);
    }
    let taken = |update: &Update| matches!(update, Update::TakenOver).then_some(());
    watch.ask(Command::TakeOver(resources), taken).await?;
    Ok(true)
}

/// Prints the findings, with positions in the configs as they are now.
fn print_findings(
    world: &ProjectSession,
    findings: &[Finding],
    text: bool,
    watch: &mut EngineSession<'_>,
) -> Result<(), CliError> {
    let summary = Summary::of(findings);
    if !text {
        let open = findings.iter().filter(|finding| finding.level != Level::Pass).collect();
        return watch.json_event(&JsonEvent::Checked { summary, findings: open });
    }
    let project = world.files.load().project.map_or_else(|| world.project.clone(), Arc::new);
    let out = &mut watch.streams.out;
    out.lines(&report::findings(&project, findings, out.paint()))?;
    if summary.fail == 0 {
        out.line("No check fails: run `muster up` to launch.")?;
    }
    Ok(())
}

fn scope(args: &FixArgs) -> FixScope {
    FixScope {
        only: args.only.iter().cloned().map(CheckFilter::Check).collect(),
        replace_blackholes: args.replace_blackholes,
    }
}

/// What an earlier run left behind when it was ended in the middle.
fn cut_off(state: &RunState) -> Vec<String> {
    let Some(fix) = state.fix.as_ref().filter(|fix| fix.is_cut_off()) else { return Vec::new() };
    let mut lines = vec![format!(
        "An earlier fix was cut off: {} of its {} changes were made. The rest is planned again.",
        fix.done(),
        fix.steps.len()
    )];
    let unclear = fix.steps.iter().filter(|one| one.state == ChangeState::Running);
    lines.extend(unclear.map(|one| format!("  under way then: {}", one.step.title)));
    lines.push(String::new());
    lines
}

/// The plan, or why AWS could not be asked at all.
fn planned_or_not_asked(update: &Update) -> Option<Result<Arc<FixPlan>, Failure>> {
    match update {
        Update::Refreshed { survey, .. } => survey.not_asked.clone().map(Err),
        other => planned(other).map(Ok),
    }
}

pub(super) fn planned(update: &Update) -> Option<Arc<FixPlan>> {
    match update {
        Update::FixPlan(fix) => Some(fix.clone()),
        _ => None,
    }
}

fn refreshed(update: &Update) -> Option<Arc<[Finding]>> {
    match update {
        Update::Refreshed { findings, .. } => Some(findings.clone()),
        _ => None,
    }
}

pub(super) fn show(
    fix: &FixPlan,
    format: Format,
    watch: &mut EngineSession<'_>,
) -> Result<(), CliError> {
    match format {
        Format::Json => {
            watch.json_event(&JsonEvent::FixPlan { plan: &fix.plan, diffs: &fix.diffs })
        }
        Format::Text => {
            let paint = watch.streams.out.paint();
            Ok(watch.streams.out.lines(&report::fix_plan(fix, paint))?)
        }
    }
}

fn nothing_done(fix: &FixPlan, text: bool, streams: &mut Streams) -> Result<Exit, CliError> {
    if text {
        let text = match (fix.plan.is_empty(), fix.plan.left.is_empty()) {
            (true, true) => "Nothing to fix.",
            (true, false) => "Nothing that muster can fix.",
            _ => "Nothing was changed.",
        };
        streams.out.line(text)?;
    }
    Ok(if fix.plan.is_empty() && !fix.plan.left.is_empty() { Exit::FAILED } else { Exit::DONE })
}

/// Asks, unless `yes`, and carries out exactly what was shown.
pub(super) async fn carry_out(
    fix: &FixPlan,
    yes: bool,
    question: &str,
    watch: &mut EngineSession<'_>,
) -> Result<(), CliError> {
    if !yes && !confirm(question, &mut watch.streams.err).await? {
        return Err(CliError::failed(Failure::new("not confirmed; nothing was changed")));
    }
    let ended = |update: &Update| match update {
        Update::FixEnded { complete } => Some(*complete),
        _ => None,
    };
    if watch.ask(Command::Fix(fix.plan.clone()), ended).await? {
        return Ok(());
    }
    let left = watch.state().fix.as_ref().map_or(0, |fix| fix.steps.len() - fix.done());
    let failure = Failure::new(format!("{left} of the changes were not made"));
    let again = format!(
        "what was done stays done: remove the cause, then run `{}` again",
        fix.plan.command()
    );
    Err(CliError::failed(failure.hint(again)))
}
