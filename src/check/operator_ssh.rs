//! Whether the operator's SSH gets in.

use std::collections::BTreeSet;

use ipnet::Ipv4Net;

use crate::{config::NodeGroup, model::breadth::is_private};

use super::{
    Finding,
    context::{Context, GroupSet, Judged, RegionView, and, count, settle},
    rules::{Rules, one, unread_lists},
};

const SSH: u16 = 22;

/// `sg.operator-ssh`
pub(super) fn operator_ssh(ctx: &Context<'_>) -> Vec<Finding> {
    let operator = ctx.project.operator_cidr.as_ref().map(|cidr| cidr.value);
    let of_region = |place: RegionView<'_>| -> Vec<Finding> {
        let sets = place.security_group_sets().into_iter();
        sets.map(|set| settle(judge(operator, &place, &set)).at(location(&set))).collect()
    };
    ctx.places("sg.operator-ssh").into_iter().flat_map(of_region).collect()
}

fn location<'a>(set: &'a GroupSet<'_>) -> Option<&'a crate::config::Location> {
    set.first().and_then(|id| id.location())
}

fn judge<'a>(
    operator: Option<Ipv4Net>,
    place: &RegionView<'a>,
    set: &GroupSet<'a>,
) -> Judged<Finding> {
    let rules = Rules::of(&set.resolve(place)?, &place.facts.prefix_lists);
    let inside = |group: &&NodeGroup| place.config.config_of(group).use_internal_ips;
    let inside = set.carriers.iter().all(inside);
    let public: BTreeSet<_> = rules.wide(one(SSH)).iter().map(|one| one.origin).collect();
    let finding = if !admitted(operator, inside, &rules) {
        let lists = rules.unread(one(SSH));
        if lists.is_empty() {
            closed(operator, place, set)
        } else {
            let what = operator.map_or_else(|| "your address".into(), |cidr| cidr.to_string());
            unread_lists(place, &lists, &format!("whether port 22 is open to {what}"))
        }
    } else if !public.is_empty() {
        let whole = rules.admit_everybody(SSH);
        let whom = if whole { "the whole internet".into() } else { and(&public) };
        place
            .warn(format!("port 22 is open to {whom}"))
            .todo("admit your own address only, and give it in muster.yaml as operator_cidr")
    } else if let Some(operator) = operator {
        place.pass(format!("port 22 is open to {operator}"))
    } else {
        place
            .pass("port 22 is open")
            .seen("operator_cidr is not given, so whether to you is not known")
    };
    Ok(finding.seen(format!("{} admits port 22 from {}", set.names(), sources(&rules))))
}

/// Without `operator_cidr` any source that may be the operator counts: one
/// from outside, or where all nodes are reached from `inside` any at all.
fn admitted(operator: Option<Ipv4Net>, inside: bool, rules: &Rules<'_>) -> bool {
    match operator {
        Some(operator) => rules.admit(operator, one(SSH)),
        None if inside => !rules.cidrs(SSH).is_empty() || !rules.groups(SSH).is_empty(),
        None => rules.cidrs(SSH).iter().any(|cidr| !is_private(*cidr)),
    }
}

fn sources(rules: &Rules<'_>) -> String {
    let addresses = rules.origins(SSH).into_iter().map(|origin| origin.to_string());
    let groups = rules.groups(SSH).into_iter().map(ToString::to_string);
    let all: Vec<_> = addresses.chain(groups).collect();
    if all.is_empty() { "nobody".into() } else { and(all) }
}

fn closed(operator: Option<Ipv4Net>, place: &RegionView<'_>, set: &GroupSet<'_>) -> Finding {
    let who = operator.map_or("YOUR.ADDRESS/32".into(), |cidr| cidr.to_string());
    let to = operator.map_or("you".into(), |cidr| cidr.to_string());
    let group = set.first().map_or("", |id| id.as_str());
    let nodes = set.carriers.iter().map(|group| group.count).sum::<u32>();
    place
        .fail(format!("port 22 is closed to {to}"))
        .impact(format!("SSH to {} would time out", count(nodes, "node")))
        .todo(format!(
            "aws ec2 authorize-security-group-ingress --region {} --group-id {group} \
             --protocol tcp --port 22 --cidr {who}",
            place.region()
        ))
}
