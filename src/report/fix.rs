//! A plan of changes, for people.

use crate::{
    config::edit::{DiffKind, FileDiff, Hunk},
    engine::FixPlan,
    model::Region,
    remedy::{Plan, Step, Unrecorded, describe},
};

use super::{Paint, Tone};

/// The plan: what, where, how it is undone, what it costs; the configs before
/// and after; what is left.
pub fn fix_plan(fix: &FixPlan, paint: Paint) -> Vec<String> {
    let mut lines = changes(&fix.plan, paint);
    lines.extend(fix.diffs.iter().flat_map(|diff| file(diff, paint)));
    lines.extend(costs(&fix.plan));
    lines.extend(left(&fix.plan, paint));
    lines.extend(unrecorded(&fix.plan.unrecorded, paint));
    lines
}

/// What carries the project's tags and is in no journal, with all that matters of it.
pub fn unrecorded(unrecorded: &[Unrecorded], paint: Paint) -> Vec<String> {
    if unrecorded.is_empty() {
        return Vec::new();
    }
    let title = "Tagged with this project's name, and in none of its journals: not touched";
    let mut lines = vec![paint.paint(Tone::Strong, title)];
    for one in unrecorded {
        let mark = paint.paint(Tone::Care, "?");
        let whose = if one.same_project {
            "with this project's id"
        } else {
            "of another machine, person or version"
        };
        lines.push(format!("  {mark} {:16} {} ({}), {whose}", one.region, one.id, one.slot));
        lines.extend(one.details.iter().map(|detail| format!("      {detail}")));
        lines.extend(one.refused.iter().map(|why| format!("      can't be taken over: {why}")));
    }
    lines.push(String::new());
    lines
}

fn changes(plan: &Plan, paint: Paint) -> Vec<String> {
    let mut lines = Vec::new();
    let mut places: Vec<Option<&Region>> = Vec::new();
    for step in &plan.steps {
        if !places.contains(&step.region()) {
            places.push(step.region());
        }
    }
    for place in places {
        let name = place.map_or("this machine", |region| region.as_str());
        lines.push(paint.paint(Tone::Strong, name));
        let here = plan.steps.iter().filter(|step| step.region() == place);
        lines.extend(here.flat_map(|step| change(step, paint)));
        lines.push(String::new());
    }
    lines
}

fn change(step: &Step, paint: Paint) -> Vec<String> {
    let undo = match describe::undo(step) {
        "" => String::new(),
        undo => paint.paint(Tone::Dim, format!("  (undo: {undo})")),
    };
    let mut lines: Vec<_> =
        describe::lines(step).iter().map(|line| format!("  + {line}")).collect();
    if let Some(last) = lines.last_mut() {
        last.push_str(&undo);
    }
    lines
}

/// A unified diff of one file.
fn file(diff: &FileDiff, paint: Paint) -> Vec<String> {
    let name = diff.file.display();
    let heads = [format!("--- {name}"), format!("+++ {name}")];
    let mut lines: Vec<_> = heads.iter().map(|head| paint.paint(Tone::Strong, head)).collect();
    lines.extend(diff.hunks.iter().flat_map(|hunk| hunk_lines(hunk, paint)));
    lines.push(String::new());
    lines
}

/// One place in which a file changes.
pub(super) fn hunk_lines(hunk: &Hunk, paint: Paint) -> Vec<String> {
    let mut lines = vec![paint.paint(Tone::Dim, &hunk.header)];
    lines.extend(hunk.lines.iter().map(|line| {
        let text = format!("{}{}", line.kind.mark(), line.text);
        match line.kind {
            DiffKind::Context => text,
            DiffKind::Added => paint.paint(Tone::Good, text),
            DiffKind::Removed => paint.paint(Tone::Bad, text),
        }
    }));
    lines
}

fn costs(plan: &Plan) -> Vec<String> {
    let mut costs: Vec<_> = plan.steps.iter().filter_map(describe::cost).collect();
    costs.sort_unstable();
    costs.dedup();
    if costs.is_empty() && !plan.is_empty() {
        return vec!["Costs nothing.".into(), String::new()];
    }
    let lines = costs.iter().map(|cost| format!("Costs {cost}."));
    lines.chain((!plan.is_empty()).then(String::new)).collect()
}

fn left(plan: &Plan, paint: Paint) -> Vec<String> {
    if plan.left.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![paint.paint(Tone::Strong, "Left to you")];
    for left in &plan.left {
        let mark = paint.paint(Tone::Bad, "✗");
        lines.push(format!("  {mark} {} {}", left.problem.check, left.problem.subject));
        lines.push(format!("      {}", left.why));
    }
    lines.push(String::new());
    lines
}
