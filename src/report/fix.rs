//! A plan of changes, for people.

use crate::{
    config::edit::{DiffKind, FileDiff, Hunk},
    engine::FixPlan,
    model::Region,
    remedy::{FullGroup, Plan, RULES_PER_GROUP, Step, Surplus, Unrecorded, describe},
};

use super::{Line, Paint, Tone, line};

/// The plan: what, where, how it is undone, what it costs; the configs before
/// and after; what is left.
pub fn fix_plan(fix: &FixPlan, paint: Paint) -> Vec<Line> {
    let mut lines = changes(&fix.plan, paint);
    lines.extend(fix.diffs.iter().flat_map(|diff| file(diff, paint)));
    lines.extend(costs(&fix.plan));
    lines.extend(full_groups(&fix.plan.full_groups, paint));
    lines.extend(left(&fix.plan, paint));
    lines.extend(unrecorded(&fix.plan.unrecorded, paint));
    lines.extend(surplus(&fix.plan.surplus, paint));
    lines
}

/// The groups whose rules EC2 refuses unless the account's quota was raised.
fn full_groups(groups: &[FullGroup], paint: Paint) -> Vec<Line> {
    let line = |one: &FullGroup| {
        let mark = paint.paint(Tone::Care, "!");
        let text = format!(
            " {}: {} would hold {} inbound rules; EC2 allows {RULES_PER_GROUP} in a group by default: \
             raise the quota L-0EA8095F first, or name fewer addresses",
            one.region, one.group, one.rules
        );
        line![mark, text]
    };
    let lines = groups.iter().map(line);
    lines.chain((!groups.is_empty()).then(Line::empty)).collect()
}

/// What was created twice, and how to delete it.
fn surplus(surplus: &[Surplus], paint: Paint) -> Vec<Line> {
    if surplus.is_empty() {
        return Vec::new();
    }
    let title = "Created twice, since an answer was lost; not used, and not billed";
    let mut lines = vec![Line::from(paint.paint(Tone::Strong, title))];
    lines.extend(surplus.iter().map(|one| {
        let mark = paint.paint(Tone::Care, "!");
        line!["  ", mark, format!(" {:16} {} ({})", one.region, one.id, one.slot)]
    }));
    lines.push(Line::from("`muster down --network` deletes it with the rest.").indented(2));
    lines.push(Line::empty());
    lines
}

/// What carries the project's tags and is in no journal, with all that matters of it.
pub fn unrecorded(unrecorded: &[Unrecorded], paint: Paint) -> Vec<Line> {
    if unrecorded.is_empty() {
        return Vec::new();
    }
    let title = "Tagged with this project's name, and in none of its journals: not touched";
    let mut lines = vec![Line::from(paint.paint(Tone::Strong, title))];
    for one in unrecorded {
        let mark = paint.paint(Tone::Care, "?");
        let whose = if one.same_project {
            "with this project's id"
        } else {
            "of another machine, person or version"
        };
        let what = format!(" {:16} {} ({}), {whose}", one.region, one.id, one.slot);
        lines.push(line!["  ", mark, what]);
        lines.extend(one.details.iter().map(|detail| Line::from(detail).indented(6)));
        let refused = |why| Line::from(format!("      can't be taken over: {why}"));
        lines.extend(one.refused.iter().map(refused));
    }
    lines.push(Line::empty());
    lines
}

fn changes(plan: &Plan, paint: Paint) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut places: Vec<Option<&Region>> = Vec::new();
    for step in &plan.steps {
        if !places.contains(&step.region()) {
            places.push(step.region());
        }
    }
    for place in places {
        let name = place.map_or("this machine", |region| region.as_str());
        lines.push(paint.paint(Tone::Strong, name).into());
        let here = plan.steps.iter().filter(|step| step.region() == place);
        lines.extend(here.flat_map(|step| change(step, paint)));
        lines.push(Line::empty());
    }
    lines
}

fn change(step: &Step, paint: Paint) -> Vec<Line> {
    let undo = match describe::undo(step) {
        "" => None,
        undo => Some(paint.paint(Tone::Dim, format!("  (undo: {undo})"))),
    };
    let mut lines: Vec<_> =
        describe::lines(step).iter().map(|line| Line::from(format!("  + {line}"))).collect();
    if let Some(undo) = undo
        && let Some(last) = lines.pop()
    {
        lines.push(last.then(undo));
    }
    lines
}

/// A unified diff of one file.
fn file(diff: &FileDiff, paint: Paint) -> Vec<Line> {
    let name = diff.file.display();
    let heads = [format!("--- {name}"), format!("+++ {name}")];
    let mut lines: Vec<_> =
        heads.iter().map(|head| Line::from(paint.paint(Tone::Strong, head))).collect();
    lines.extend(diff.hunks.iter().flat_map(|hunk| hunk_lines(hunk, paint)));
    lines.push(Line::empty());
    lines
}

/// One place in which a file changes.
pub(super) fn hunk_lines(hunk: &Hunk, paint: Paint) -> Vec<Line> {
    let mut lines = vec![Line::from(paint.paint(Tone::Dim, &hunk.header))];
    lines.extend(hunk.lines.iter().map(|line| {
        let text = format!("{}{}", line.kind.mark(), line.text);
        match line.kind {
            DiffKind::Context => text.into(),
            DiffKind::Added => paint.paint(Tone::Good, text).into(),
            DiffKind::Removed => paint.paint(Tone::Bad, text).into(),
        }
    }));
    lines
}

fn costs(plan: &Plan) -> Vec<Line> {
    let mut costs: Vec<_> = plan.steps.iter().filter_map(describe::cost).collect();
    costs.sort_unstable();
    costs.dedup();
    if costs.is_empty() && !plan.is_empty() {
        return vec!["Costs nothing.".into(), Line::empty()];
    }
    let lines = costs.iter().map(|cost| Line::from(format!("Costs {cost}.")));
    lines.chain((!plan.is_empty()).then(Line::empty)).collect()
}

fn left(plan: &Plan, paint: Paint) -> Vec<Line> {
    if plan.left.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![Line::from(paint.paint(Tone::Strong, "Not fixed by muster"))];
    for left in &plan.left {
        let mark = paint.paint(Tone::Bad, "✗");
        let what = format!(" {} {}", left.problem.check, left.problem.subject);
        lines.push(line!["  ", mark, what]);
        lines.push(format!("      {}", left.why).into());
    }
    lines.push(Line::empty());
    lines
}
