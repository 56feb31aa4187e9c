//! Whether a security group that is on no record admits exactly what `fix`
//! would let in. One with other rules is never taken over: nodes would get
//! whatever somebody else opened.

use ipnet::Ipv4Net;

use crate::cloud::{InboundRule, IpPermission, SecurityGroup, Source};

use super::{builder::Builder, unrecorded::permission};

/// A rule of `group` that is none of `wanted`, in words. `networks`: the
/// addresses of the project's networks, of which any may be a peer's.
pub(super) fn foreign_rule(
    group: &SecurityGroup,
    wanted: &[InboundRule],
    networks: &[Ipv4Net],
) -> Option<String> {
    let is_wanted = |permission: &IpPermission| {
        let same: Vec<_> = wanted
            .iter()
            .filter(|rule| permission.protocol == "tcp" && permission.ports == Some(rule.ports))
            .collect();
        let from = |cidr: &Ipv4Net| {
            let is = |rule: &&&InboundRule| match &rule.source {
                Source::Cidr(own) => own.trunc() == *cidr,
                Source::Group(_) => false,
            };
            // A network's addresses are known once it is taken over as well.
            same.iter().any(|rule| is(&rule)) || !same.is_empty() && networks.contains(cidr)
        };
        let is_own = |id: &crate::model::SecurityGroupId| *id == group.id && !same.is_empty();
        let has_sources = !permission.cidrs.is_empty() || !permission.groups.is_empty();
        let others = !permission.ipv6_cidrs.is_empty() || !permission.prefix_lists.is_empty();
        has_sources
            && !others
            && permission.cidrs.iter().all(from)
            && permission.groups.iter().all(is_own)
    };
    group.inbound.iter().find(|one| !is_wanted(one)).map(permission)
}

/// The addresses of the project's networks: of those on record, and of those
/// that carry its tags.
pub(super) fn networks(plan: &Builder<'_>) -> Vec<Ipv4Net> {
    let known = plan.facts.regions.values().filter_map(|facts| facts.known());
    let cidrs = known.flat_map(|facts| {
        let own = |id: &str| {
            facts.all_own().any(|(_, one)| one == id)
                || facts.unrecorded.iter().any(|one| one.id == id)
        };
        facts.vpcs.iter().filter(move |vpc| own(vpc.id.as_str())).flat_map(|vpc| &vpc.cidrs)
    });
    cidrs.copied().collect()
}
