//! `muster fix`: look, plan, show, ask, change, look again.

use std::sync::Arc;

use super::{Exit, Streams, Trouble, Watch, World, ask::confirm, watch::Aside};
use crate::{
    check::{Finding, Level, Summary},
    cli::{FixArgs, Format},
    engine::{ChangeState, Command, FixPlan, RunState, Update},
    model::Failure,
    remedy::{self, Only, Wish},
    report,
};

/// Mends what the checks found.
pub async fn run(args: FixArgs, streams: &mut Streams) -> Result<Exit, Trouble> {
    let world = World::open(&args.common.project)?;
    world.print_warnings(streams)?;
    let mut watch = Watch::start(&world, world.store()?, args.common.format, streams)?;
    let text = args.common.format == Format::Text && args.print.is_none();
    if text {
        world.print_simulated(watch.streams)?;
        let cut_off = cut_off(watch.state());
        watch.streams.out.lines(&cut_off)?;
    }
    let fix = watch.ask(Command::PlanFix(wish(&args)), planned_or_not_asked).await?;
    let told = |failure| Trouble::Told { exit: Exit::NOT_ASKED, failure };
    let fix = fix.map_err(told)?;
    if args.print.is_some() {
        let script = remedy::script(&fix.plan, world.name()).map_err(Trouble::failed)?;
        watch.streams.out.line(script.trim_end())?;
        watch.end().await?;
        return Ok(Exit::DONE);
    }
    show(&fix, args.common.format, &mut watch)?;
    if fix.plan.is_empty() || args.dry_run {
        watch.end().await?;
        return nothing_done(&fix, text, streams);
    }
    carry_out(&fix, args.yes, "Change this?", &mut watch).await?;
    let findings = watch.ask(Command::Look, looked).await?;
    tell(&world, &findings, text, &mut watch)?;
    watch.end().await?;
    Ok(if Summary::of(&*findings).fail == 0 { Exit::DONE } else { Exit::FAILED })
}

/// What the checks say now; of the configs as they are now.
fn tell(
    world: &World,
    findings: &[Finding],
    text: bool,
    watch: &mut Watch<'_>,
) -> Result<(), Trouble> {
    let summary = Summary::of(findings);
    if !text {
        let open = findings.iter().filter(|finding| finding.level != Level::Pass).collect();
        return watch.aside(&Aside::Checked { summary, findings: open });
    }
    let project = world.files.load().project.map_or_else(|| world.project.clone(), Arc::new);
    let out = &mut watch.streams.out;
    out.lines(&report::findings(&project, findings, out.paint()))?;
    if summary.fail == 0 {
        out.line("Nothing is in the way any more: `muster up` launches.")?;
    }
    Ok(())
}

fn wish(args: &FixArgs) -> Wish {
    Wish {
        only: args.only.iter().cloned().map(Only::Check).collect(),
        replace_blackholes: args.replace_blackholes,
    }
}

/// What an earlier run left behind when it was ended in the middle.
fn cut_off(state: &RunState) -> Vec<String> {
    let Some(fix) = state.fix.as_ref().filter(|fix| fix.is_cut_off()) else { return Vec::new() };
    let mut lines = vec![format!(
        "An earlier fix was cut off: {} of its {} changes were made. What is left is planned anew.",
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
        Update::Looked { survey, .. } => survey.not_asked.clone().map(Err),
        other => planned(other).map(Ok),
    }
}

pub(super) fn planned(update: &Update) -> Option<Arc<FixPlan>> {
    match update {
        Update::FixPlan(fix) => Some(fix.clone()),
        _ => None,
    }
}

fn looked(update: &Update) -> Option<Arc<[Finding]>> {
    match update {
        Update::Looked { findings, .. } => Some(findings.clone()),
        _ => None,
    }
}

pub(super) fn show(fix: &FixPlan, format: Format, watch: &mut Watch<'_>) -> Result<(), Trouble> {
    match format {
        Format::Json => watch.aside(&Aside::FixPlan { plan: &fix.plan, diffs: &fix.diffs }),
        Format::Text => {
            let paint = watch.streams.out.paint();
            Ok(watch.streams.out.lines(&report::fix_plan(fix, paint))?)
        }
    }
}

fn nothing_done(fix: &FixPlan, text: bool, streams: &mut Streams) -> Result<Exit, Trouble> {
    if text {
        let said = match (fix.plan.is_empty(), fix.plan.left.is_empty()) {
            (true, true) => "Nothing to mend.",
            (true, false) => "Nothing that muster can mend.",
            _ => "Nothing was changed.",
        };
        streams.out.line(said)?;
    }
    Ok(if fix.plan.is_empty() && !fix.plan.left.is_empty() { Exit::FAILED } else { Exit::DONE })
}

/// Asks, unless `yes`, and carries out exactly what was shown.
pub(super) async fn carry_out(
    fix: &FixPlan,
    yes: bool,
    question: &str,
    watch: &mut Watch<'_>,
) -> Result<(), Trouble> {
    if !yes && !confirm(question, &mut watch.streams.err).await? {
        return Err(Trouble::failed(Failure::new("not confirmed; nothing was changed")));
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
    Err(Trouble::failed(
        failure.hint(
            "what was made stays and is found again: mend the cause, then `muster fix` again",
        ),
    ))
}
