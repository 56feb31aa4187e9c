//! Whether the internet reaches what Ray, Redis and Flight listen on: none of them
//! asks for a password, and most of them run what they are sent.

use std::collections::BTreeSet;

use crate::{
    cloud::{IpPermission, PortRange},
    config::ports::{self, Listener},
    model::SecurityGroupId,
};

use super::{
    Finding,
    context::{Context, GroupSet, Judged, Place, settle},
    rules::{Rules, meets, unread_lists, wide_sources},
};

/// `sg.exposed`
pub(super) fn exposed(ctx: &Context<'_>) -> Vec<Finding> {
    let of_region = |place: Place<'_>| -> Vec<Finding> {
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
    group: &'a SecurityGroupId,
    rule: &'a IpPermission,
    source: String,
    reached: Vec<&'static Listener>,
}

fn judge(place: &Place<'_>, set: &GroupSet<'_>) -> Judged<Finding> {
    let groups = set.resolve(place)?;
    let rules = groups.iter().flat_map(|group| group.inbound.iter().map(|rule| (&group.id, rule)));
    let openings: Vec<_> = rules.flat_map(|(group, rule)| openings(group, rule)).collect();
    let admitted = Rules::of(&groups);
    let lists: BTreeSet<_> =
        ports::sensitive().flat_map(|one| admitted.prefix_lists(one.ports)).collect();
    let unread = unread_lists(place, &lists, "whom the cluster's ports are open to");
    if openings.is_empty() {
        let fine = || place.pass("the cluster's ports are closed to the internet");
        return Ok(if lists.is_empty() { fine() } else { unread });
    }
    let also = (!lists.is_empty()).then_some(unread.title);
    Ok(open(place, &openings).all_seen(also))
}

fn openings<'a>(group: &'a SecurityGroupId, rule: &'a IpPermission) -> Vec<Opening<'a>> {
    let reached: Vec<_> = ports::sensitive().filter(|one| meets(rule, one.ports)).collect();
    let sources = if reached.is_empty() { Vec::new() } else { wide_sources(rule) };
    let opening = |source| Opening { group, rule, source, reached: reached.clone() };
    sources.into_iter().map(opening).collect()
}

fn open(place: &Place<'_>, openings: &[Opening<'_>]) -> Finding {
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
        .leads_to(format!("anyone who connects {}", super::context::and(risks)))
        .todo(format!(
            "{}; `muster forward` brings the leader's ports to you over SSH",
            openings.iter().map(|one| one.revoke(place)).collect::<Vec<_>>().join(" && ")
        ))
}

impl Opening<'_> {
    /// `sg-1 admits TCP 6800 from 0.0.0.0/0: Redis`
    fn evidence(&self) -> String {
        let ports = match self.rule.ports {
            Some(range) if self.rule.protocol != "-1" => format!("TCP {}", ports::numbers(range)),
            _ if self.rule.protocol == "-1" => "all traffic".into(),
            _ => "TCP".into(),
        };
        let what = super::context::and(self.reached.iter().map(|one| one.what));
        format!("{} admits {ports} from {}: {what}", self.group, self.source)
    }

    fn revoke(&self, place: &Place<'_>) -> String {
        let PortRange { from, to } = self.rule.ports.unwrap_or(PortRange { from: 0, to: u16::MAX });
        let ports = match self.rule.protocol.as_str() {
            "-1" => String::new(),
            _ => format!("FromPort={from},ToPort={to},"),
        };
        let source = if self.source.contains(':') {
            format!("Ipv6Ranges=[{{CidrIpv6={}}}]", self.source)
        } else {
            format!("IpRanges=[{{CidrIp={}}}]", self.source)
        };
        format!(
            "aws ec2 revoke-security-group-ingress --region {} --group-id {} --ip-permissions \
             'IpProtocol={},{ports}{source}'",
            place.region(),
            shell_words::quote(self.group.as_str()),
            self.rule.protocol
        )
    }
}
