//! The leader's ports that `operator_ports` of muster.yaml lists: open to the
//! operator, and on no other node.

use crate::{
    config::{Sourced, ports},
    model::{SecurityGroupId, breadth},
};

use super::{
    Finding, Level,
    context::{Context, GroupSet, Judged, RegionView, and, settle},
    rules::{Rules, one, unread_lists},
};

/// `sg.operator-ports`; nothing where `operator_ports` names none.
pub(super) fn operator_ports(ctx: &Context<'_>) -> Vec<Finding> {
    if ctx.project.operator_ports.is_empty() {
        return Vec::new();
    }
    let places = ctx.places("sg.operator-ports");
    let Some(place) = places.iter().find(|place| place.leads) else { return Vec::new() };
    let sets = place.security_group_sets();
    let set = sets.iter().find(|set| has_leader(ctx, place, set));
    let finding = set.map(|set| settle(judge(ctx, place, set)));
    let location = ctx.project.operator_ports.first().and_then(Sourced::location);
    finding.map(|finding| finding.at(location)).into_iter().collect()
}

fn has_leader(ctx: &Context<'_>, place: &RegionView<'_>, set: &GroupSet<'_>) -> bool {
    set.carriers.iter().any(|group| ports::leads(ctx.project, place.config, group))
}

/// The group that the leader carries and no other node of its region does.
pub(crate) fn own_group<'a>(
    ctx: &Context<'a>,
    place: &RegionView<'a>,
) -> Option<Sourced<SecurityGroupId>> {
    let sets = place.security_group_sets();
    let leader = |group: &crate::config::NodeGroup| ports::leads(ctx.project, place.config, group);
    let set = sets.iter().find(|set| set.carriers.iter().any(|group| leader(group)))?;
    let shared = |id: &SecurityGroupId| {
        sets.iter().any(|other| {
            other.ids.iter().any(|own| own.value == *id)
                && other.carriers.iter().any(|group| !leader(group))
        })
    };
    set.ids.iter().find(|id| !shared(&id.value)).cloned()
}

/// Those of `operator_ports` that `rules` keep the operator out of.
pub(crate) fn closed(ctx: &Context<'_>, operator: ipnet::Ipv4Net, rules: &Rules<'_>) -> Vec<u16> {
    let wanted = ctx.project.operator_ports.iter().map(|port| port.value);
    wanted.filter(|port| !rules.admit(operator, one(*port))).collect()
}

fn judge(ctx: &Context<'_>, place: &RegionView<'_>, set: &GroupSet<'_>) -> Judged<Finding> {
    let groups = set.resolve(place)?;
    let Some(operator) = ctx.project.operator_cidr.as_ref().map(|cidr| cidr.value) else {
        let title = "whether operator_ports are open to you is not known";
        let finding = place.finding(Level::Unknown, title);
        return Ok(finding.todo("give operator_cidr in muster.yaml, or --operator-cidr"));
    };
    if breadth::is_wide([operator.into()]) {
        let finding =
            place.fail(format!("operator_cidr {operator} is a large part of the internet"));
        return Ok(finding
            .impact("the leader's ports would run code for all of it")
            .todo("give your own address as operator_cidr: 203.0.113.7/32"));
    }
    let rules = Rules::of(&groups, &place.facts.prefix_lists);
    let closed = closed(ctx, operator, &rules);
    if closed.is_empty() {
        let all = and(ctx.project.operator_ports.iter().map(|port| port.value));
        return Ok(place.pass(format!("the leader's ports {all} are open to {operator}")));
    }
    let lists = closed.iter().flat_map(|port| rules.unread(one(*port))).collect();
    let title = format!("the leader's ports {} are closed to {operator}", and(&closed));
    if !std::collections::BTreeSet::is_empty(&lists) {
        return Ok(unread_lists(place, &lists, &format!("whether they are open to {operator}")));
    }
    let finding =
        place.fail(title).impact("Quokka's client would wait, unless `muster forward` runs");
    Ok(match own_group(ctx, place) {
        Some(_) => finding.todo("muster fix --only sg.operator-ports"),
        None => finding
            .seen(format!(
                "other nodes carry {} as well: a rule there opens all of them",
                set.names()
            ))
            .todo(
                "give the head's node type a security group of its own, or remove operator_ports: \
                 `muster forward` needs SSH alone",
            ),
    })
}
