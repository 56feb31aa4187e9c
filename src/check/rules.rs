//! What the inbound rules of security groups admit, taken together: a node's
//! groups add up, and so do their rules.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use ipnet::{IpNet, Ipv4Net};

use crate::{
    cloud::{IpPermission, PortRange, SecurityGroup},
    model::{SecurityGroupId, breadth},
    survey::Fact,
};

use super::{
    Finding, Level,
    context::{RegionView, and},
};

/// Everybody.
pub(crate) const WORLD: Ipv4Net = Ipv4Net::new_assert(std::net::Ipv4Addr::UNSPECIFIED, 0);

/// What prefix lists hold, by id.
pub(crate) type PrefixLists = BTreeMap<String, Fact<Vec<IpNet>>>;

/// The inbound rules of groups that apply together.
#[derive(Clone)]
pub(crate) struct Rules<'a>(Vec<Rule<'a>>);

/// One of them, with what its prefix lists hold.
#[derive(Clone)]
struct Rule<'a> {
    group: &'a SecurityGroupId,
    permission: &'a IpPermission,
    sources: Vec<(Origin<'a>, IpNet)>,
    unread: Vec<&'a str>,
}

/// How a rule names addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin<'a> {
    /// By themselves.
    Cidr(IpNet),
    /// By the prefix list of this id.
    List(&'a str),
}

/// Addresses by which a rule admits the internet, or a large part of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wide<'a> {
    /// The rule's place among all.
    pub number: usize,
    pub group: &'a SecurityGroupId,
    pub rule: &'a IpPermission,
    pub origin: Origin<'a>,
}

impl<'a> Rule<'a> {
    fn of(group: &'a SecurityGroup, permission: &'a IpPermission, lists: &'a PrefixLists) -> Self {
        let v4 = permission.cidrs.iter().map(|cidr| IpNet::V4(*cidr));
        let v6 = permission.ipv6_cidrs.iter().map(|cidr| IpNet::V6(*cidr));
        let mut sources: Vec<_> = v4.chain(v6).map(|net| (Origin::Cidr(net), net)).collect();
        let mut unread = Vec::new();
        for id in &permission.prefix_lists {
            match lists.get(id).and_then(Fact::known) {
                Some(nets) => sources.extend(nets.iter().map(|net| (Origin::List(id), *net))),
                None => unread.push(id.as_str()),
            }
        }
        Self { group: &group.id, permission, sources, unread }
    }
}

impl fmt::Display for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cidr(net) => write!(f, "{net}"),
            Self::List(id) => write!(f, "{id}"),
        }
    }
}

impl<'a> Rules<'a> {
    /// The rules of `groups`; `lists`: what is known of their prefix lists.
    pub fn of(groups: &[&'a SecurityGroup], lists: &'a PrefixLists) -> Self {
        let rules = |group: &&'a SecurityGroup| {
            let group = *group;
            group.inbound.iter().map(move |permission| Rule::of(group, permission, lists))
        };
        Self(groups.iter().flat_map(rules).collect())
    }

    /// No rules at all.
    pub fn none() -> Self {
        Self(Vec::new())
    }

    /// Whether TCP on every one of `ports` is admitted from every address of `source`.
    pub fn admit(&self, source: Ipv4Net, ports: PortRange) -> bool {
        self.all(ports, |rules| {
            let nets = rules.iter().flat_map(|rule| &rule.sources);
            let cidrs: Vec<_> = nets.filter_map(|(_, net)| v4(net)).collect();
            Ipv4Net::aggregate(&cidrs).iter().any(|cidr| cidr.contains(&source))
        })
    }

    /// Whether TCP on every one of `ports` is admitted from the carriers of each of `groups`.
    pub fn admit_group(&self, groups: &[&SecurityGroupId], ports: PortRange) -> bool {
        self.all(ports, |rules| {
            let sources = rules.iter().flat_map(|rule| &rule.permission.groups);
            sources.into_iter().any(|source| groups.contains(&source))
        })
    }

    /// The IPv4 ranges that TCP on `port` is admitted from, those of prefix lists included.
    pub fn cidrs(&self, port: u16) -> BTreeSet<Ipv4Net> {
        let sources = self.at(port).flat_map(|rule| &rule.sources);
        sources.filter_map(|(_, net)| v4(net)).collect()
    }

    /// How the rules name the addresses that TCP on `port` is admitted from.
    pub fn origins(&self, port: u16) -> BTreeSet<Origin<'a>> {
        let read = self.at(port).flat_map(|rule| &rule.sources).map(|(origin, _)| *origin);
        read.chain(self.unread(one(port)).into_iter().map(Origin::List)).collect()
    }

    /// The prefix lists that TCP on one of `ports` is admitted from, and that could
    /// not be read.
    pub fn unread(&self, ports: PortRange) -> BTreeSet<&'a str> {
        let rules = self.0.iter().filter(|rule| meets(rule.permission, ports));
        rules.flat_map(|rule| rule.unread.iter().copied()).collect()
    }

    /// By what TCP on one of `ports` is admitted from more public addresses than one
    /// site has, taken together: `0.0.0.0/0`, or its two halves.
    pub fn wide(&self, ports: PortRange) -> Vec<Wide<'a>> {
        let rules = self.0.iter().enumerate();
        let rules = rules.filter(|(_, rule)| meets(rule.permission, ports));
        let sources = rules.flat_map(|(number, rule)| {
            let by =
                move |origin| Wide { number, group: rule.group, rule: rule.permission, origin };
            rule.sources.iter().map(move |(origin, net)| (by(*origin), *net))
        });
        let mut wide: Vec<_> =
            breadth::wide(sources.collect()).into_iter().map(|(wide, _)| wide).collect();
        wide.sort_by_key(|one| (one.number, one.origin));
        wide.dedup_by_key(|one| (one.number, one.origin));
        wide
    }

    /// Whether TCP on `port` is admitted from all of the internet.
    pub fn admit_everybody(&self, port: u16) -> bool {
        let nets: Vec<_> =
            self.at(port).flat_map(|rule| rule.sources.iter().map(|(_, net)| *net)).collect();
        breadth::is_whole(&nets)
    }

    /// The groups that TCP on `port` is admitted from.
    pub fn groups(&self, port: u16) -> BTreeSet<&'a SecurityGroupId> {
        self.at(port).flat_map(|rule| &rule.permission.groups).collect()
    }

    /// The rules that cover `port`.
    fn at(&self, port: u16) -> impl Iterator<Item = &Rule<'a>> {
        self.0.iter().filter(move |rule| rule.permission.covers_tcp(one(port)))
    }

    /// Whether `admitted` holds for the rules of each port of `ports`. Between
    /// two ports where some rule begins or ends the same rules apply, so one
    /// of them stands for all.
    fn all(&self, ports: PortRange, admitted: impl Fn(&[&Rule<'a>]) -> bool) -> bool {
        self.turning_points(ports).into_iter().all(|port| {
            let rules: Vec<_> = self.at(port).collect();
            admitted(&rules)
        })
    }

    /// The first port of `ports`, and each one in it from which on other rules apply.
    fn turning_points(&self, ports: PortRange) -> Vec<u16> {
        let ranges = self.0.iter().filter_map(|rule| rule.permission.ports);
        let ends = ranges.flat_map(|range| [Some(range.from), range.to.checked_add(1)]);
        let within = ends.flatten().filter(|port| (ports.from..=ports.to).contains(port));
        std::iter::once(ports.from).chain(within).collect()
    }
}

/// `what` depends on prefix lists that could not be read.
pub(super) fn unread_lists(place: &RegionView<'_>, lists: &BTreeSet<&str>, what: &str) -> Finding {
    let names = and(lists);
    let read = |list: &&str| {
        let list = shell_words::quote(list).into_owned();
        format!(
            "aws ec2 get-managed-prefix-list-entries --region {} --prefix-list-id {list}",
            place.region()
        )
    };
    let why = |list: &&str| match place.facts.prefix_lists.get(*list) {
        Some(Fact::Unknown(failure)) => Some(format!("{list}: {failure}")),
        _ => None,
    };
    place
        .finding(Level::Unknown, format!("{what} depends on {names}, which could not be read"))
        .all_seen(lists.iter().filter_map(why))
        .todo(format!(
            "allow ec2:GetManagedPrefixListEntries, or judge it yourself: {}",
            lists.iter().map(read).collect::<Vec<_>>().join(" && ")
        ))
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

fn v4(net: &IpNet) -> Option<Ipv4Net> {
    match net {
        IpNet::V4(net) => Some(*net),
        IpNet::V6(_) => None,
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
            ipv6_cidrs: Vec::new(),
            prefix_lists: Vec::new(),
            groups: groups.iter().map(|id| (*id).into()).collect(),
        }
    }

    fn net(text: &str) -> Ipv4Net {
        text.parse().unwrap_or(WORLD)
    }

    fn group(rules: &[IpPermission]) -> SecurityGroup {
        SecurityGroup {
            id: "sg-own".into(),
            name: "own".into(),
            vpc: "vpc-1".into(),
            inbound: rules.to_vec(),
        }
    }

    fn admit(rules: &[IpPermission], source: &str, ports: PortRange) -> bool {
        Rules::of(&[&group(rules)], &PrefixLists::new()).admit(net(source), ports)
    }

    /// By what the ports are admitted from too many addresses.
    fn wide(group: &SecurityGroup, lists: &PrefixLists, ports: PortRange) -> Vec<String> {
        let wide = Rules::of(&[group], lists).wide(ports);
        wide.iter().map(|one| one.origin.to_string()).collect()
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
            let (group, none) = (group(&[rule]), PrefixLists::new());
            let wide = |ports| wide(&group, &none, ports);
            assert!(wide(one(22)).is_empty() && wide(one(7001)).is_empty());
            assert_eq!(wide(PortRange { from: 1, to: 6000 }), wide(one(6800)));
            wide(one(6800))
        };
        assert_eq!(public(&["0.0.0.0/0"], &["::/0"]), ["0.0.0.0/0", "::/0"]);
        assert_eq!(public(&["54.0.0.0/13", "128.0.0.0/1"], &[]), ["54.0.0.0/13", "128.0.0.0/1"]);
        assert_eq!(public(&[], &["2000::/3", "2600:1f00::/24"]), ["2000::/3", "2600:1f00::/24"]);
        let narrow = public(&["10.0.0.0/8", "203.0.113.0/24"], &["fd00::/8", "2001:db8:1::/48"]);
        assert_eq!(narrow, [""; 0]);
        // Not only private addresses, though it holds those.
        assert_eq!(public(&["8.0.0.0/6"], &[]), ["8.0.0.0/6"]);
    }

    #[test]
    fn many_rules_add_up_to_the_internet() {
        let part = |a: u8| rule(Some((6800, 6800)), &[&format!("{a}.0.0.0/16")], &[]);
        let rules: Vec<_> = (1..=9).map(part).collect();
        let all = wide(&group(&rules), &PrefixLists::new(), one(6800));
        // 10.0.0.0/16 is none of them.
        assert_eq!(all.len(), 9, "{all:?}");
        assert!(wide(&group(&rules[..1]), &PrefixLists::new(), one(6800)).is_empty());
    }

    #[test]
    fn what_a_prefix_list_holds_counts_as_if_it_were_written() {
        let listed = |id: &str| IpPermission {
            prefix_lists: vec![id.into()],
            ..rule(Some((22, 22)), &[], &[])
        };
        let own = group(&[listed("pl-office"), listed("pl-world"), listed("pl-unread")]);
        let nets = |nets: &[&str]| {
            Fact::Known(nets.iter().filter_map(|net| net.parse::<IpNet>().ok()).collect())
        };
        let lists = PrefixLists::from([
            ("pl-office".into(), nets(&["203.0.113.0/25", "203.0.113.128/25"])),
            ("pl-world".into(), nets(&["::/1", "8000::/1"])),
            ("pl-unread".into(), Fact::Unknown(crate::model::Failure::new("denied"))),
        ]);
        let rules = Rules::of(&[&own], &lists);
        assert!(rules.admit(net("203.0.113.0/24"), one(22)));
        assert!(!rules.admit(net("203.0.113.0/24"), one(23)));
        assert_eq!(rules.unread(one(22)), BTreeSet::from(["pl-unread"]));
        assert_eq!(wide(&own, &lists, one(22)), ["pl-world"]);
        assert!(rules.admit_everybody(22));
        let shown: Vec<_> = rules.origins(22).iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["pl-office", "pl-unread", "pl-world"]);
    }

    #[test]
    fn a_group_is_admitted_by_reference_only() {
        let own = group(&[rule(None, &[], &["sg-1"])]);
        let none = PrefixLists::new();
        let rules = Rules::of(&[&own], &none);
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
