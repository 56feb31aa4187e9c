//! Whether EC2 would allow the launch: the dry run.

use crate::{
    config::NodeGroup,
    model::Failure,
    survey::{Fact, blockers},
};

use super::{
    Finding,
    context::{Context, RegionView, and},
};

/// `iam.launch`
pub(super) fn allowed(ctx: &Context<'_>) -> Vec<Finding> {
    ctx.places("iam.launch").iter().flat_map(of_region).collect()
}

/// One finding for all the node groups that get the same answer.
fn of_region(place: &RegionView<'_>) -> Vec<Finding> {
    let mut answers: Vec<(Finding, Vec<&NodeGroup>)> = Vec::new();
    for group in &place.config.groups {
        let finding = judge(place, group);
        match answers.iter_mut().find(|(same, _)| *same == finding) {
            Some((_, groups)) => groups.push(group),
            None => answers.push((finding, vec![group])),
        }
    }
    answers.into_iter().map(|(finding, groups)| of_groups(place, finding, &groups)).collect()
}

fn of_groups(place: &RegionView<'_>, finding: Finding, groups: &[&NodeGroup]) -> Finding {
    let name = |group: &&NodeGroup| {
        format!("{} {}{}", group.kind.as_str(), *group.node_type, place.of_config(group))
    };
    let location = groups.first().and_then(|group| group.node_type.location());
    finding.seen(format!("for {}", and(groups.iter().map(name)))).at(location)
}

fn judge(place: &RegionView<'_>, group: &NodeGroup) -> Finding {
    if let Some(why) = place.out_of_reach() {
        return place.skipped(format!("not judged: {} {why}", place.region()));
    }
    let blockers = blockers(place.config, group, place.facts);
    if !blockers.is_empty() {
        return place
            .skipped("not checked while a named resource can't be used")
            .seen(and(blockers));
    }
    let answer = place.facts.dry_runs.get(&place.config.key_of(group));
    match answer.map(Fact::get) {
        Some(Ok(None)) => place.pass("the launch would be allowed"),
        Some(Ok(Some(refusal))) => refused(place, refusal),
        Some(Err(absent)) => place.absent(absent, "the dry run"),
        None => place
            .skipped("checked only before a launch")
            .seen("a dry run takes from the small number of launch calls that EC2 allows"),
    }
}

fn refused(place: &RegionView<'_>, refusal: &Failure) -> Finding {
    let code = refusal.code.as_deref().unwrap_or("an error");
    let todo = refusal.hint.clone().unwrap_or_else(|| "correct what EC2 names".into());
    place
        .fail("the launch would be refused")
        .seen(refusal.to_string())
        .impact(format!("RunInstances would fail with {code}"))
        .todo(todo)
}
