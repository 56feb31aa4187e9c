//! Whether the internet reaches what Ray, Redis and Flight listen on: none of them
//! asks for a password, and most of them run what they are sent.

use std::collections::BTreeSet;

use ipnet::IpNet;

use crate::{
    cloud::PortRange,
    config::ports::{self, Listener},
};

use super::{
    Finding,
    context::{Context, GroupSet, Judged, RegionView, settle},
    rules::{Origin, Rules, Wide, unread_lists},
};

/// `sg.exposed`
pub(super) fn exposed(ctx: &Context<'_>) -> Vec<Finding> {
    let of_region = |place: RegionView<'_>| -> Vec<Finding> {
        let judge = |set: &GroupSet<'_>| {
            let location = set.first().and_then(|id| id.location());
            settle(judge(&place, set)).at(location)
        };
        place.security_group_sets().iter().map(judge).collect()
    };
    ctx.places("sg.exposed").into_iter().flat_map(of_region).collect()
}

/// A rule that admits the internet to ports of the cluster.
struct Opening<'a> {
    by: Wide<'a>,
    reached: Vec<&'static Listener>,
}

fn judge(place: &RegionView<'_>, set: &GroupSet<'_>) -> Judged<Finding> {
    let admitted = Rules::of(&set.resolve(place)?, &place.facts.prefix_lists);
    let openings = openings(&admitted);
    let lists: BTreeSet<_> =
        ports::sensitive().flat_map(|one| admitted.unread(one.ports)).collect();
    let unread = unread_lists(place, &lists, "whom the cluster's ports are open to");
    if openings.is_empty() {
        let fine = || place.pass("the cluster's ports are closed to the internet");
        return Ok(if lists.is_empty() { fine() } else { unread });
    }
    let also = (!lists.is_empty()).then_some(unread.title);
    Ok(open(place, &openings).all_seen(also))
}

fn openings<'a>(admitted: &Rules<'a>) -> Vec<Opening<'a>> {
    let mut openings: Vec<Opening<'a>> = Vec::new();
    for listener in ports::sensitive() {
        for by in admitted.wide(listener.ports) {
            let same =
                |one: &&mut Opening<'_>| (one.by.number, one.by.origin) == (by.number, by.origin);
            match openings.iter_mut().find(same) {
                Some(known) => known.reached.push(listener),
                None => openings.push(Opening { by, reached: vec![listener] }),
            }
        }
    }
    openings.sort_by_key(|one| (one.by.number, one.by.origin));
    openings
}

fn open(place: &RegionView<'_>, openings: &[Opening<'_>]) -> Finding {
    let mut reached: Vec<_> = openings.iter().flat_map(|one| one.reached.clone()).collect();
    reached.sort_by_key(|one| one.ports.from);
    reached.dedup();
    let first = |one: &Listener| format!("port {} ({})", one.numbers(), one.what);
    let title = match reached.as_slice() {
        [one] => format!("{} is open to the internet", first(one)),
        many => format!("{} kinds of ports are open to the internet", many.len()),
    };
    let mut risks: Vec<_> = reached.iter().map(|one| one.risk).collect();
    risks.sort_unstable();
    risks.dedup();
    place
        .fail(title)
        .all_seen(openings.iter().map(Opening::evidence))
        .impact(format!("anyone who connects {}", super::context::and(risks)))
        .todo(format!(
            "{}; `muster forward` brings the leader's ports to you over SSH",
            openings.iter().map(|one| one.revoke(place)).collect::<Vec<_>>().join(" && ")
        ))
}

impl Opening<'_> {
    /// `sg-1 admits TCP 6800 from 0.0.0.0/0: Redis`
    fn evidence(&self) -> String {
        let Wide { group, rule, origin, .. } = self.by;
        let ports = match rule.ports {
            Some(range) if rule.protocol != "-1" => format!("TCP {}", ports::numbers(range)),
            _ if rule.protocol == "-1" => "all traffic".into(),
            _ => "TCP".into(),
        };
        let what = super::context::and(self.reached.iter().map(|one| one.what));
        format!("{group} admits {ports} from {origin}: {what}")
    }

    fn revoke(&self, place: &RegionView<'_>) -> String {
        let Wide { group, rule, origin, .. } = self.by;
        let PortRange { from, to } = rule.ports.unwrap_or(PortRange { from: 0, to: u16::MAX });
        let ports = match rule.protocol.as_str() {
            "-1" => String::new(),
            _ => format!("FromPort={from},ToPort={to},"),
        };
        let source = match origin {
            Origin::Cidr(IpNet::V4(cidr)) => format!("IpRanges=[{{CidrIp={cidr}}}]"),
            Origin::Cidr(IpNet::V6(cidr)) => format!("Ipv6Ranges=[{{CidrIpv6={cidr}}}]"),
            Origin::List(id) => format!("PrefixListIds=[{{PrefixListId={id}}}]"),
        };
        let permission = format!("IpProtocol={},{ports}{source}", rule.protocol);
        format!(
            "aws ec2 revoke-security-group-ingress --region {} --group-id {} --ip-permissions {}",
            place.region(),
            shell_words::quote(group.as_str()),
            shell_words::quote(&permission)
        )
    }
}
