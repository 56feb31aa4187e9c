//! What the inbound rules of security groups admit, taken together: a node's
//! groups add up, and so do their rules.

use std::collections::BTreeSet;

use ipnet::Ipv4Net;

use crate::{
    cloud::{IpPermission, PortRange, SecurityGroup},
    model::SecurityGroupId,
};

/// Everybody.
pub(crate) const WORLD: Ipv4Net = Ipv4Net::new_assert(std::net::Ipv4Addr::UNSPECIFIED, 0);

/// The inbound rules of groups that apply together.
pub(crate) struct Rules<'a>(Vec<&'a IpPermission>);

impl<'a> Rules<'a> {
    pub fn of(groups: &[&'a SecurityGroup]) -> Self {
        Self(groups.iter().flat_map(|group| &group.inbound).collect())
    }

    /// Whether TCP on every one of `ports` is admitted from every address of `source`.
    pub fn admit(&self, source: Ipv4Net, ports: PortRange) -> bool {
        self.all(ports, |rules| {
            let cidrs: Vec<_> = rules.iter().flat_map(|rule| rule.cidrs.iter().copied()).collect();
            Ipv4Net::aggregate(&cidrs).iter().any(|cidr| cidr.contains(&source))
        })
    }

    /// Whether TCP on every one of `ports` is admitted from whoever carries one of `groups`.
    pub fn admit_group(&self, groups: &[&SecurityGroupId], ports: PortRange) -> bool {
        self.all(ports, |rules| {
            rules.iter().flat_map(|rule| &rule.groups).any(|source| groups.contains(&source))
        })
    }

    /// The CIDRs that TCP on `port` is admitted from, as they are written.
    pub fn cidrs(&self, port: u16) -> BTreeSet<Ipv4Net> {
        let rules = self.0.iter().filter(|rule| rule.covers_tcp(one(port)));
        rules.flat_map(|rule| rule.cidrs.iter().copied()).collect()
    }

    /// The groups that TCP on `port` is admitted from.
    pub fn groups(&self, port: u16) -> BTreeSet<&'a SecurityGroupId> {
        let rules = self.0.iter().filter(|rule| rule.covers_tcp(one(port)));
        rules.flat_map(|rule| &rule.groups).collect()
    }

    /// Whether `admitted` holds for the rules of each port of `ports`. Between
    /// two ports where some rule begins or ends the same rules apply, so one
    /// of them stands for all.
    fn all(&self, ports: PortRange, admitted: impl Fn(&[&IpPermission]) -> bool) -> bool {
        self.turning_points(ports).into_iter().all(|port| {
            let rules: Vec<_> =
                self.0.iter().copied().filter(|rule| rule.covers_tcp(one(port))).collect();
            admitted(&rules)
        })
    }

    /// The first port of `ports`, and each one in it from which on other rules apply.
    fn turning_points(&self, ports: PortRange) -> Vec<u16> {
        let ranges = self.0.iter().filter_map(|rule| rule.ports);
        let ends = ranges.flat_map(|range| [Some(range.from), range.to.checked_add(1)]);
        let within = ends.flatten().filter(|port| (ports.from..=ports.to).contains(port));
        std::iter::once(ports.from).chain(within).collect()
    }
}

/// A single port.
pub(crate) fn one(port: u16) -> PortRange {
    PortRange { from: port, to: port }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: PortRange = PortRange { from: 1024, to: 65535 };

    fn rule(ports: Option<(u16, u16)>, cidrs: &[&str], groups: &[&str]) -> IpPermission {
        IpPermission {
            protocol: "tcp".into(),
            ports: ports.map(|(from, to)| PortRange { from, to }),
            cidrs: cidrs.iter().filter_map(|cidr| cidr.parse().ok()).collect(),
            groups: groups.iter().map(|id| (*id).into()).collect(),
        }
    }

    fn net(text: &str) -> Ipv4Net {
        text.parse().unwrap_or(WORLD)
    }

    fn admit(rules: &[IpPermission], source: &str, ports: PortRange) -> bool {
        Rules(rules.iter().collect()).admit(net(source), ports)
    }

    #[test]
    fn ranges_of_several_rules_add_up() {
        let low = rule(Some((0, 32767)), &["10.2.0.0/16"], &[]);
        let high = rule(Some((32768, 65535)), &["10.2.0.0/16"], &[]);
        assert!(admit(&[low.clone(), high], "10.2.1.0/24", ALL));
        assert!(!admit(std::slice::from_ref(&low), "10.2.1.0/24", ALL));
        let gap = rule(Some((32769, 65535)), &["10.2.0.0/16"], &[]);
        assert!(!admit(&[low, gap], "10.2.1.0/24", ALL));
    }

    #[test]
    fn sources_of_several_rules_add_up() {
        let halves =
            [rule(Some((0, 65535)), &["10.2.0.0/17"], &[]), rule(None, &["10.2.128.0/17"], &[])];
        assert!(admit(&halves, "10.2.0.0/16", ALL));
        assert!(!admit(&halves, "10.0.0.0/14", ALL));
        let world = [rule(None, &["0.0.0.0/1", "128.0.0.0/1"], &[])];
        assert!(admit(&world, "0.0.0.0/0", one(6800)));
    }

    #[test]
    fn a_group_is_admitted_by_reference_only() {
        let rules = [rule(None, &[], &["sg-1"])];
        let rules = Rules(rules.iter().collect());
        assert!(rules.admit_group(&[&"sg-2".into(), &"sg-1".into()], ALL));
        assert!(!rules.admit_group(&[&"sg-2".into()], ALL));
        assert!(!rules.admit(net("10.0.0.0/24"), ALL));
        assert_eq!(rules.groups(22), BTreeSet::from([&"sg-1".into()]));
    }

    #[test]
    fn other_protocols_admit_no_tcp() {
        let udp = IpPermission { protocol: "udp".into(), ..rule(None, &["0.0.0.0/0"], &[]) };
        assert!(!admit(&[udp], "10.0.0.0/24", one(22)));
        let any = IpPermission { protocol: "-1".into(), ..rule(None, &["0.0.0.0/0"], &[]) };
        assert!(admit(&[any], "10.0.0.0/24", ALL));
        assert!(!admit(&[], "10.0.0.0/24", one(22)));
    }
}
