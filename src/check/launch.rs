//! What EC2 itself says of the launch: the dry run.

use crate::{
    config::NodeGroup,
    model::Failure,
    survey::{Fact, blockers},
};

use super::{
    Finding,
    context::{Context, Place, and},
};

/// `iam.launch`
pub(super) fn allowed(ctx: &Context<'_>) -> Vec<Finding> {
    let of_region = |place: &Place<'_>| -> Vec<Finding> {
        let groups = place.config.groups.iter();
        groups.map(|group| judge(place, group).at(group.node_type.location())).collect()
    };
    ctx.places("iam.launch").iter().flat_map(of_region).collect()
}

fn judge(place: &Place<'_>, group: &NodeGroup) -> Finding {
    let who = format!("{} {}", group.kind.as_str(), *group.node_type);
    let blockers = blockers(place.config, group, place.facts);
    if !blockers.is_empty() {
        let title = format!("{who}: not asked while something named can't be used");
        return place.skipped(title).seen(and(blockers));
    }
    match place.facts.dry_runs.get(&place.config.key_of(group)).map(Fact::get) {
        Some(Ok(None)) => place.pass(format!("{who}: the launch would be allowed")),
        Some(Ok(Some(refusal))) => refused(place, &who, refusal),
        Some(Err(absent)) => place.absent(absent, "the dry run"),
        None => place
            .skipped(format!("{who}: asked before a launch only"))
            .seen("a dry run takes from the small number of launch calls that EC2 allows"),
    }
}

fn refused(place: &Place<'_>, who: &str, refusal: &Failure) -> Finding {
    let code = refusal.code.as_deref().unwrap_or("an error");
    let todo = refusal.hint.clone().unwrap_or_else(|| "correct what EC2 names".into());
    place
        .fail(format!("{who}: the launch would be refused"))
        .seen(refusal.to_string())
        .leads_to(format!("RunInstances would answer {code}"))
        .todo(todo)
}
