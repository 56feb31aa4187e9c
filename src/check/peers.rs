//! Whether the nodes let each other in. Ray's workers, node managers and
//! object managers take random ports, Quokka's Redis and Flight fixed ones,
//! none below 1024: all TCP from there up has to be open between all nodes.

use ipnet::Ipv4Net;

use crate::{
    cloud::{PortRange, Subnet},
    survey::Absent,
};

use super::{
    Finding, Level,
    context::{Context, GroupSet, Judged, Place, settle},
    network::{overlap, wide},
    rules::{Rules, WORLD, one},
};

/// The ports that nodes use among each other.
const NODE_PORTS: PortRange = PortRange { from: 1024, to: u16::MAX };
/// Quokka's Redis, which runs without a password.
const REDIS: u16 = 6800;

/// `sg.peers`
pub(super) fn peers(ctx: &Context<'_>) -> Vec<Finding> {
    let places = ctx.places("sg.peers");
    let of_region = |place: &Place<'_>| -> Vec<Finding> {
        let sets = place.security_group_sets();
        let judge = |set: &GroupSet<'_>| {
            let location = set.first().and_then(|id| id.location());
            settle(judge(&places, place, &sets, set)).at(location)
        };
        sets.iter().map(judge).collect()
    };
    places.iter().flat_map(of_region).collect()
}

/// What was found out about each source that has to be admitted.
#[derive(Default)]
struct Gaps {
    /// Sources that are kept out: what to say, and what to admit.
    closed: Vec<(String, Source)>,
    /// Why a source can't be told.
    unknown: Vec<Finding>,
}

/// Whom to admit.
enum Source {
    Cidr(Ipv4Net),
    Group(String),
}

fn judge<'a>(
    places: &[Place<'a>],
    place: &Place<'a>,
    sets: &[GroupSet<'a>],
    set: &GroupSet<'a>,
) -> Judged<Finding> {
    let rules = Rules::of(&set.resolve(place)?);
    let mut gaps = Gaps::default();
    for other in sets {
        own_region(place, &rules, other, &mut gaps);
    }
    for other in places.iter().filter(|other| other.region() != place.region()) {
        peer_region(place, &rules, other, &mut gaps);
    }
    Ok(verdict(place, set, &rules, gaps))
}

/// Nodes of this region that carry `other`: by reference to a group of
/// theirs, or by the CIDRs of their subnets.
fn own_region(place: &Place<'_>, rules: &Rules<'_>, other: &GroupSet<'_>, gaps: &mut Gaps) {
    let ids: Vec<_> = other.ids.iter().map(|id| &id.value).collect();
    if rules.admit_group(&ids, NODE_PORTS) {
        return;
    }
    let subnets: Result<Vec<_>, _> =
        other.carriers.iter().map(|group| place.facts.subnets_of(place.config, group)).collect();
    match subnets.map(|subnets| closed(place, rules, &subnets.concat())) {
        Ok(closed) if closed.is_empty() => {}
        Ok(_) => {
            let source = Source::Group(ids.first().map(ToString::to_string).unwrap_or_default());
            gaps.closed.push((format!("from its own nodes ({})", other.names()), source));
        }
        Err(absent) => gaps.unknown.push(place.absent(absent, "the subnets")),
    }
}

/// Across regions groups can't be referenced: only CIDRs count.
fn peer_region(place: &Place<'_>, rules: &Rules<'_>, other: &Place<'_>, gaps: &mut Gaps) {
    let subject = || super::Subject::Region(place.region().clone());
    let what = format!("the subnets of {}", other.region());
    match other.subnets() {
        Ok(_) if overlap(place, other) => gaps.unknown.push(place.skipped(format!(
            "not judged: the addresses of {} overlap with these",
            other.region()
        ))),
        Ok(subnets) => {
            for cidr in closed(other, rules, &subnets) {
                gaps.closed.push((format!("from {} {cidr}", other.region()), Source::Cidr(cidr)));
            }
        }
        Err(absent @ Absent::Missing) => {
            gaps.unknown.push(other.absent_for(&subject(), absent, "the subnets"));
        }
        Err(absent) => gaps.unknown.push(other.absent_for(&subject(), absent, &what)),
    }
}

/// The VPC CIDRs of those of `subnets` that are kept out.
fn closed(place: &Place<'_>, rules: &Rules<'_>, subnets: &[&Subnet]) -> Vec<Ipv4Net> {
    let kept_out = subnets.iter().filter(|subnet| !rules.admit(subnet.cidr, NODE_PORTS));
    let mut cidrs: Vec<_> = kept_out.map(|subnet| wide(place, subnet)).collect();
    cidrs.sort();
    cidrs.dedup();
    cidrs
}

fn verdict(place: &Place<'_>, set: &GroupSet<'_>, rules: &Rules<'_>, gaps: Gaps) -> Finding {
    let hole = rules.admit(WORLD, one(REDIS));
    let hole_line = hole.then(|| {
        format!(
            "{} admits port {REDIS} from 0.0.0.0/0: Redis runs there without a password",
            set.names()
        )
    });
    if !gaps.closed.is_empty() {
        return kept_out(place, set, &gaps.closed).all_seen(hole_line);
    }
    let unknown = gaps.unknown.into_iter().min_by_key(|finding| finding.level);
    match unknown {
        Some(finding) => finding.all_seen(hole_line),
        None if hole => place
            .warn("all nodes are let in, and so is the whole internet")
            .all_seen(hole_line)
            .leads_to("anybody could read and run things on the cluster")
            .todo("admit the VPCs' CIDRs instead of 0.0.0.0/0"),
        None => place
            .finding(Level::Pass, "all nodes are let in")
            .seen(format!("{} admits TCP 1024-65535 from every region's nodes", set.names())),
    }
}

fn kept_out(place: &Place<'_>, set: &GroupSet<'_>, closed: &[(String, Source)]) -> Finding {
    let group = set.first().map_or("", |id| id.as_str());
    let allow = |(_, source): &(String, Source)| {
        let source = match source {
            Source::Cidr(cidr) => format!("--cidr {cidr}"),
            Source::Group(id) => format!("--source-group {id}"),
        };
        format!(
            "aws ec2 authorize-security-group-ingress --region {} --group-id {group} \
             --protocol tcp --port 0-65535 {source}",
            place.region()
        )
    };
    let title = match closed {
        [(from, _)] => format!("TCP is closed {from}"),
        many => format!("TCP is closed from {} sources that it is needed from", many.len()),
    };
    place
        .fail(title)
        .all_seen(
            closed
                .iter()
                .map(|(from, _)| format!("{} does not admit TCP 1024-65535 {from}", set.names())),
        )
        .leads_to("silence between nodes: workers drop out after some 15 s, with no error")
        .todo(closed.iter().map(allow).collect::<Vec<_>>().join(" && "))
}
