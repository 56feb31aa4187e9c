//! What the inbound rules of security groups admit, taken together: a node's
//! groups add up, and so do their rules.

use std::collections::BTreeSet;

use ipnet::{Ipv4Net, Ipv6Net};

use crate::{
    cloud::{IpPermission, PortRange, SecurityGroup},
    model::SecurityGroupId,
};

use super::{
    Finding, Level,
    context::{Place, and},
};

/// Everybody.
pub(crate) const WORLD: Ipv4Net = Ipv4Net::new_assert(std::net::Ipv4Addr::UNSPECIFIED, 0);

/// The inbound rules of groups that apply together.
#[derive(Clone)]
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

    /// The prefix lists that TCP on one of `ports` is admitted from. What they hold is
    /// not read.
    pub fn prefix_lists(&self, ports: PortRange) -> BTreeSet<&'a str> {
        let rules = self.0.iter().filter(|rule| meets(rule, ports));
        rules.flat_map(|rule| &rule.prefix_lists).map(String::as_str).collect()
    }

    /// The public sources that TCP on one of `ports` is admitted from and that are
    /// wider than any one site: `0.0.0.0/0`, `::/0`.
    pub fn public(&self, ports: PortRange) -> BTreeSet<String> {
        let rules = self.0.iter().filter(|rule| meets(rule, ports));
        rules.flat_map(|rule| wide_sources(rule)).collect()
    }

    /// The IPv6 CIDRs that TCP on `port` is admitted from, as they are written.
    pub fn ipv6_cidrs(&self, port: u16) -> BTreeSet<Ipv6Net> {
        let rules = self.0.iter().filter(|rule| rule.covers_tcp(one(port)));
        rules.flat_map(|rule| rule.ipv6_cidrs.iter().copied()).collect()
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

/// What depends on prefix lists, whose entries muster does not read.
pub(super) fn unread_lists(place: &Place<'_>, lists: &BTreeSet<&str>, what: &str) -> Finding {
    let names = and(lists);
    let read = |list: &&str| {
        let list = shell_words::quote(list).into_owned();
        format!(
            "aws ec2 get-managed-prefix-list-entries --region {} --prefix-list-id {list}",
            place.region()
        )
    };
    place
        .finding(Level::Unknown, format!("{what} depends on {names}, which is not read"))
        .todo(lists.iter().map(read).collect::<Vec<_>>().join(" && "))
}

/// Whether `rule` admits TCP on any of `ports`.
pub(crate) fn meets(rule: &IpPermission, ports: PortRange) -> bool {
    let overlaps = |own: PortRange| own.from <= ports.to && ports.from <= own.to;
    match rule.protocol.as_str() {
        "-1" => true,
        "tcp" | "6" => rule.ports.is_none_or(overlaps),
        _ => false,
    }
}

/// The sources of `rule` that stand for the internet, or a large part of it.
pub(crate) fn wide_sources(rule: &IpPermission) -> Vec<String> {
    let v4 = rule.cidrs.iter().filter(|cidr| is_wide(**cidr)).map(ToString::to_string);
    let v6 = rule.ipv6_cidrs.iter().filter(|cidr| is_wide_v6(**cidr)).map(ToString::to_string);
    v4.chain(v6).collect()
}

/// Public addresses of more than one site: wider than a /16.
fn is_wide(cidr: Ipv4Net) -> bool {
    cidr.prefix_len() < 16 && !is_private(cidr)
}

/// The same of IPv6: wider than the /32 of one provider.
fn is_wide_v6(cidr: Ipv6Net) -> bool {
    let unique_local = Ipv6Net::new_assert([0xfc00, 0, 0, 0, 0, 0, 0, 0].into(), 7);
    cidr.prefix_len() < 32 && !unique_local.contains(&cidr)
}

/// Whether all of `cidr` is private (RFC 1918) or shared (RFC 6598) address space.
pub(crate) fn is_private(cidr: Ipv4Net) -> bool {
    let spaces =
        [([10, 0, 0, 0], 8), ([172, 16, 0, 0], 12), ([192, 168, 0, 0], 16), ([100, 64, 0, 0], 10)];
    spaces
        .into_iter()
        .any(|(address, prefix)| Ipv4Net::new_assert(address.into(), prefix).contains(&cidr))
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
            ipv6_cidrs: Vec::new(),
            prefix_lists: Vec::new(),
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
    fn the_internet_is_more_than_one_cidr() {
        let public = |cidrs: &[&str], v6: &[&str]| {
            let ipv6_cidrs = v6.iter().filter_map(|cidr| cidr.parse().ok()).collect();
            let rule = IpPermission { ipv6_cidrs, ..rule(Some((6000, 7000)), cidrs, &[]) };
            let rules = Rules(vec![&rule]);
            assert!(rules.public(one(22)).is_empty() && rules.public(one(7001)).is_empty());
            assert_eq!(rules.public(PortRange { from: 1, to: 6000 }), rules.public(one(6800)));
            rules.public(one(6800)).into_iter().collect::<Vec<_>>()
        };
        assert_eq!(public(&["0.0.0.0/0"], &["::/0"]), ["0.0.0.0/0", "::/0"]);
        assert_eq!(public(&["128.0.0.0/1", "54.0.0.0/13"], &[]), ["128.0.0.0/1", "54.0.0.0/13"]);
        assert_eq!(public(&[], &["2000::/3", "2600:1f00::/24"]), ["2000::/3", "2600:1f00::/24"]);
        let narrow = public(&["10.0.0.0/8", "203.0.113.0/24"], &["fd00::/8", "2001:db8:1::/48"]);
        assert_eq!(narrow, [""; 0]);
        // Not only private addresses, though it holds those.
        assert_eq!(public(&["8.0.0.0/6"], &[]), ["8.0.0.0/6"]);
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
