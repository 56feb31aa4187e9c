//! Whether the nodes admit each other at the ports that Ray and Quokka use among
//! them, and at no others: the recipe pins all of them.

use std::collections::BTreeSet;

use ipnet::Ipv4Net;

use crate::{
    cloud::{PortRange, Subnet},
    config::ports::{self, NodePorts},
    survey::Absent,
};

use super::{
    Finding, Subject,
    context::{Context, GroupSet, Judged, RegionView, and, settle},
    network::overlap,
    rules::{Rules, unread_lists},
};

/// `sg.peers`
pub(super) fn peers(ctx: &Context<'_>) -> Vec<Finding> {
    let places = ctx.places("sg.peers");
    let of_region = |place: &RegionView<'_>| -> Vec<Finding> {
        let sets = place.security_group_sets();
        let judge = |set: &GroupSet<'_>| {
            let location = set.first().and_then(|id| id.location());
            let needed = NodePorts::of(ctx.project, place.config, &set.carriers);
            settle(judge(&places, place, &sets, set, &needed)).at(location)
        };
        sets.iter().map(judge).collect()
    };
    places.iter().flat_map(of_region).collect()
}

/// What is known of each source that has to be admitted.
#[derive(Default)]
struct Gaps {
    closed: Vec<Gap>,
    /// Why a source can't be judged.
    unknown: Vec<Finding>,
}

/// A source that is kept out.
struct Gap {
    /// `from eu-west-1 10.2.1.0/24`
    from: String,
    source: Source,
    ports: Vec<PortRange>,
}

/// Whom to admit.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Cidr(Ipv4Net),
    Group(String),
}

/// The rules of a set of groups, and the ports that they have to open.
struct Admission<'a> {
    rules: Rules<'a>,
    ports: Vec<PortRange>,
}

impl Admission<'_> {
    fn lacks(&self, cidr: Ipv4Net) -> Vec<PortRange> {
        self.ports.iter().copied().filter(|range| !self.rules.admit(cidr, *range)).collect()
    }
}

fn judge<'a>(
    places: &[RegionView<'a>],
    place: &RegionView<'a>,
    sets: &[GroupSet<'a>],
    set: &GroupSet<'a>,
    needed: &NodePorts,
) -> Judged<Finding> {
    // Where Ray takes random ports, any of them may be needed.
    let ports =
        if needed.unpinned.is_empty() { needed.pinned.clone() } else { vec![NodePorts::ANY] };
    let admission =
        Admission { rules: Rules::of(&set.resolve(place)?, &place.facts.prefix_lists), ports };
    let mut gaps = Gaps::default();
    for other in sets {
        own_region(place, &admission, other, &mut gaps);
    }
    for other in places.iter().filter(|other| other.region() != place.region()) {
        peer_region(place, &admission, other, &mut gaps);
    }
    Ok(verdict(place, set, &admission, gaps, needed))
}

/// Nodes of this region that carry `other`: by reference to a group of
/// theirs, or by the CIDRs of their subnets.
fn own_region(
    place: &RegionView<'_>,
    admission: &Admission<'_>,
    other: &GroupSet<'_>,
    gaps: &mut Gaps,
) {
    let ids: Vec<_> = other.ids.iter().map(|id| &id.value).collect();
    let closed = |range: &PortRange| !admission.rules.admit_group(&ids, *range);
    let ports: Vec<_> = admission.ports.iter().copied().filter(closed).collect();
    let left = Admission { rules: admission.rules.clone(), ports };
    let subnets: Result<Vec<_>, _> =
        other.carriers.iter().map(|group| place.facts.subnets_of(place.config, group)).collect();
    match subnets {
        _ if left.ports.is_empty() => {}
        Ok(subnets) => {
            let mut lacking: Vec<_> =
                subnets.concat().iter().flat_map(|subnet| left.lacks(subnet.cidr)).collect();
            lacking.sort_by_key(|range| range.from);
            lacking.dedup();
            if !lacking.is_empty() {
                let id = ids.first().map(ToString::to_string).unwrap_or_default();
                let from = format!("from its own nodes ({})", other.names());
                gaps.closed.push(Gap { from, source: Source::Group(id), ports: lacking });
            }
        }
        Err(absent) => gaps.unknown.push(place.absent(absent, "the subnets")),
    }
}

/// Across regions groups can't be referenced: only CIDRs count.
fn peer_region(
    place: &RegionView<'_>,
    admission: &Admission<'_>,
    other: &RegionView<'_>,
    gaps: &mut Gaps,
) {
    let subject = || Subject::Region(place.region().clone());
    let what = format!("the subnets of {}", other.region());
    match other.subnets() {
        Ok(_) if overlap(place, other) => gaps.unknown.push(place.skipped(format!(
            "not judged: the addresses of {} overlap with these",
            other.region()
        ))),
        Ok(subnets) => gaps.closed.extend(closed(other, admission, &subnets)),
        Err(absent @ Absent::Missing) => {
            gaps.unknown.push(other.absent_for(&subject(), absent, "the subnets"));
        }
        Err(absent) => gaps.unknown.push(other.absent_for(&subject(), absent, &what)),
    }
}

/// Those of `subnets` that are kept out, neighbours with the same ports as one.
fn closed(place: &RegionView<'_>, admission: &Admission<'_>, subnets: &[&Subnet]) -> Vec<Gap> {
    let mut by_ports: Vec<(Vec<PortRange>, Vec<Ipv4Net>)> = Vec::new();
    for subnet in subnets {
        let ports = admission.lacks(subnet.cidr);
        match by_ports.iter_mut().find(|(own, _)| *own == ports) {
            Some((_, cidrs)) => cidrs.push(subnet.cidr),
            None => by_ports.push((ports, vec![subnet.cidr])),
        }
    }
    by_ports.retain(|(ports, _)| !ports.is_empty());
    let gaps = by_ports.into_iter().flat_map(|(ports, cidrs)| {
        let gap = move |cidr: Ipv4Net| Gap {
            from: format!("from {} {cidr}", place.region()),
            source: Source::Cidr(cidr),
            ports: ports.clone(),
        };
        Ipv4Net::aggregate(&cidrs).into_iter().map(gap).collect::<Vec<_>>()
    });
    gaps.collect()
}

fn verdict(
    place: &RegionView<'_>,
    set: &GroupSet<'_>,
    admission: &Admission<'_>,
    gaps: Gaps,
    needed: &NodePorts,
) -> Finding {
    if !gaps.closed.is_empty() {
        let ports = gaps.closed.iter().flat_map(|gap| &gap.ports);
        let lists: BTreeSet<_> = ports.flat_map(|range| admission.rules.unread(*range)).collect();
        if lists.is_empty() {
            return kept_out(place, set, &gaps.closed, needed);
        }
        return unread_lists(place, &lists, "whether all nodes are let in");
    }
    match gaps.unknown.into_iter().min_by_key(|finding| finding.level) {
        Some(finding) => finding,
        None => place.pass("all nodes are let in").seen(format!(
            "{} admits TCP {} from every region's nodes",
            set.names(),
            text(&admission.ports)
        )),
    }
}

fn kept_out(
    place: &RegionView<'_>,
    set: &GroupSet<'_>,
    closed: &[Gap],
    needed: &NodePorts,
) -> Finding {
    let title = match closed {
        [gap] => format!("TCP {} is closed {}", text(&gap.ports), gap.from),
        many => format!("TCP is closed from {} sources that it is needed from", many.len()),
    };
    let lacks =
        |gap: &Gap| format!("{} does not admit TCP {} {}", set.names(), text(&gap.ports), gap.from);
    let finding = place.fail(title).all_seen(closed.iter().map(lacks)).impact(
        "packets between nodes are dropped: workers drop out after some 15 s, with no error",
    );
    if needed.unpinned.is_empty() {
        return finding.todo(authorize(place, set, closed));
    }
    finding
        .seen(format!(
            "the start commands do not give {}: Ray takes random ports",
            and(&needed.unpinned)
        ))
        .todo(format!(
            "pin Ray's ports in head_start_ray_commands and worker_start_ray_commands: {}=6381 …, \
             or use `ray: built-in`, which pins them",
            needed.unpinned.join("=… ")
        ))
}

/// The one call that admits all of `closed`, a rule for each range of ports.
fn authorize(place: &RegionView<'_>, set: &GroupSet<'_>, closed: &[Gap]) -> String {
    let mut by_ports: Vec<(PortRange, BTreeSet<&Source>)> = Vec::new();
    for gap in closed {
        for range in &gap.ports {
            match by_ports.iter_mut().find(|(own, _)| own == range) {
                Some((_, sources)) => _ = sources.insert(&gap.source),
                None => by_ports.push((*range, BTreeSet::from([&gap.source]))),
            }
        }
    }
    by_ports.sort_by_key(|(range, _)| range.from);
    let rules = by_ports.iter().map(|(range, sources)| rule(*range, sources));
    let rules: Vec<_> = rules.map(|rule| shell_words::quote(&rule).into_owned()).collect();
    format!(
        "aws ec2 authorize-security-group-ingress --region {} --group-id {} --ip-permissions {}",
        place.region(),
        shell_words::quote(set.first().map_or("", |id| id.as_str())),
        rules.join(" ")
    )
}

/// In the shorthand syntax of `aws`.
fn rule(range: PortRange, sources: &BTreeSet<&Source>) -> String {
    let cidrs = sources.iter().filter_map(|source| match source {
        Source::Cidr(cidr) => Some(format!("{{CidrIp={cidr}}}")),
        Source::Group(_) => None,
    });
    let groups = sources.iter().filter_map(|source| match source {
        Source::Group(id) => Some(format!("{{GroupId={id}}}")),
        Source::Cidr(_) => None,
    });
    let list = |key: &str, all: Vec<String>| match all.as_slice() {
        [] => String::new(),
        all => format!(",{key}=[{}]", all.join(",")),
    };
    format!(
        "IpProtocol=tcp,FromPort={},ToPort={}{}{}",
        range.from,
        range.to,
        list("IpRanges", cidrs.collect()),
        list("UserIdGroupPairs", groups.collect())
    )
}

/// `5005, 6380-6386 and 6800`
fn text(ranges: &[PortRange]) -> String {
    and(ranges.iter().map(|range| ports::numbers(*range)))
}
