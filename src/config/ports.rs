//! The ports of a cluster: one table, which the built-in recipe, the checks,
//! the fixes and docs/quokka.md share.

mod started;

use std::fmt::Write as _;

use crate::cloud::PortRange;

use super::{NodeGroup, Project, RayStart, RegionConfig};
pub use started::Started;

/// Ports that something listens on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listener {
    /// What listens: `Ray GCS`.
    pub what: &'static str,
    /// On which ports, all TCP.
    pub ports: PortRange,
    /// On which nodes.
    pub on: Nodes,
    /// Who connects.
    pub from: Peer,
    /// What a stranger who can connect may do.
    pub risk: &'static str,
    /// The name of the port in the recipe's scripts.
    variable: &'static str,
}

/// Some of the nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nodes {
    /// The leader alone.
    Leader,
    /// Every node.
    Every,
}

/// Who connects to a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// The nodes of all regions.
    Nodes,
    /// The nodes of all regions, and the operator through `muster forward`.
    NodesAndForward,
    /// The operator, over the network.
    Operator,
    /// The operator, through `muster forward`.
    Forward,
}

impl Peer {
    fn is_node(self) -> bool {
        matches!(self, Self::Nodes | Self::NodesAndForward)
    }

    fn is_forward(self) -> bool {
        matches!(self, Self::Forward | Self::NodesAndForward)
    }
}

const READS_AND_WRITES: &str = "reads and changes what the queries compute";
const RUNS_CODE: &str = "runs code on the nodes";

const fn row(
    variable: &'static str,
    what: &'static str,
    (from_port, to_port): (u16, u16),
    on: Nodes,
    from: Peer,
    risk: &'static str,
) -> Listener {
    let ports = PortRange { from: from_port, to: to_port };
    Listener { what, ports, on, from, risk, variable }
}

/// Every port that is in use with the built-in recipe, by number.
pub const ALL: &[Listener] = &[
    row("SSH", "SSH", (22, 22), Nodes::Every, Peer::Operator, "tries keys"),
    row("FLIGHT", "Arrow Flight", (5005, 5005), Nodes::Every, Peer::Nodes, READS_AND_WRITES),
    row("GCS", "Ray GCS", (6380, 6380), Nodes::Leader, Peer::Nodes, RUNS_CODE),
    row("NODE_MANAGER", "Ray node manager", (6381, 6381), Nodes::Every, Peer::Nodes, RUNS_CODE),
    row("OBJECT_MANAGER", "Ray object manager", (6382, 6382), Nodes::Every, Peer::Nodes, RUNS_CODE),
    row("METRICS", "Ray metrics", (6383, 6383), Nodes::Every, Peer::Nodes, "reads metrics"),
    row("AGENT_HTTP", "Ray agent, HTTP", (6384, 6384), Nodes::Every, Peer::Nodes, RUNS_CODE),
    row("AGENT_GRPC", "Ray agent, gRPC", (6385, 6385), Nodes::Every, Peer::Nodes, RUNS_CODE),
    row(
        "DASHBOARD_GRPC",
        "Ray dashboard, gRPC",
        (6386, 6386),
        Nodes::Leader,
        Peer::Nodes,
        RUNS_CODE,
    ),
    row("REDIS", "Redis", (6800, 6800), Nodes::Leader, Peer::NodesAndForward, READS_AND_WRITES),
    row(
        "DASHBOARD",
        "Ray dashboard and jobs",
        (8265, 8265),
        Nodes::Leader,
        Peer::Forward,
        RUNS_CODE,
    ),
    row("RAY_CLIENT", "Ray client server", (10001, 10001), Nodes::Leader, Peer::Forward, RUNS_CODE),
    row("WORKERS", "Ray workers", (10100, 19999), Nodes::Every, Peer::Nodes, RUNS_CODE),
];

/// Ray's and Redis' own default port: not in use with the built-in recipe, and
/// never to be open to strangers.
const RAY_DEFAULT: Listener =
    row("", "Ray GCS or Redis", (6379, 6379), Nodes::Leader, Peer::Nodes, RUNS_CODE);

impl Listener {
    /// `6380` or `10100-19999`.
    pub fn numbers(&self) -> String {
        numbers(self.ports)
    }
}

/// `6380` or `10100-19999`.
pub fn numbers(PortRange { from, to }: PortRange) -> String {
    if from == to { from.to_string() } else { format!("{from}-{to}") }
}

/// The ports that only the operator and the nodes may reach, SSH aside.
pub fn sensitive() -> impl Iterator<Item = &'static Listener> {
    ALL.iter().filter(|one| one.from != Peer::Operator).chain([&RAY_DEFAULT])
}

/// The ports that `operator_ports` may open, in addition to `muster forward`.
pub fn on_request() -> impl Iterator<Item = &'static Listener> {
    ALL.iter().filter(|one| one.from.is_forward())
}

/// The ports that some nodes need from all other nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodePorts {
    /// By number; none overlap or adjoin.
    pub pinned: Vec<PortRange>,
    /// The options of `ray start` that pin the rest and are not given.
    pub unpinned: Vec<&'static str>,
}

impl NodePorts {
    /// Where what can't be known in advance may listen.
    pub const ANY: PortRange = PortRange { from: 1024, to: u16::MAX };

    /// What the nodes of `groups`, all of `region`, need.
    pub fn of(project: &Project, region: &RegionConfig, groups: &[&NodeGroup]) -> Self {
        let mut all = Self::default();
        for group in groups {
            let leader = leads(project, region, group);
            let own = match project.quokka.ray.value {
                RayStart::BuiltIn => Self { pinned: built_in(leader), unpinned: Vec::new() },
                RayStart::Config => {
                    let commands = &region.config_of(group).commands;
                    Started::read(commands, leader).node_ports()
                }
            };
            all.pinned.extend(own.pinned);
            all.unpinned.extend(own.unpinned);
        }
        all.pinned = merged(all.pinned);
        all.unpinned.sort_unstable();
        all.unpinned.dedup();
        all
    }

    /// `5005, 6380-6386, 6800 and 10100-19999`
    pub fn text(&self) -> String {
        let all: Vec<_> = self.pinned.iter().map(|range| numbers(*range)).collect();
        match all.as_slice() {
            [] => String::new(),
            [one] => one.clone(),
            [most @ .., last] => format!("{} and {last}", most.join(", ")),
        }
    }
}

/// Whether the leader is of `group`.
pub fn leads(project: &Project, region: &RegionConfig, group: &NodeGroup) -> bool {
    *project.leader == *region.region && region.key_of(group).may_lead()
}

fn built_in(leader: bool) -> Vec<PortRange> {
    let there = |one: &&Listener| leader || one.on == Nodes::Every;
    ALL.iter().filter(|one| one.from.is_node()).filter(there).map(|one| one.ports).collect()
}

/// The same ports in as few ranges as can be.
fn merged(mut ranges: Vec<PortRange>) -> Vec<PortRange> {
    ranges.sort_by_key(|range| (range.from, range.to));
    let mut all: Vec<PortRange> = Vec::new();
    for range in ranges {
        match all.last_mut().filter(|last| u32::from(range.from) <= u32::from(last.to) + 1) {
            Some(last) => last.to = last.to.max(range.to),
            None => all.push(range),
        }
    }
    all
}

/// The table as shell variables, which go before each of the built-in scripts.
pub(super) fn shell() -> String {
    let mut text = String::from("# The ports of the cluster.\n");
    for Listener { variable, ports, .. } in ALL {
        let PortRange { from, to } = ports;
        let _ = if from == to {
            writeln!(text, "export MUSTER_PORT_{variable}={from}")
        } else {
            writeln!(
                text,
                "export MUSTER_PORT_{variable}_MIN={from} MUSTER_PORT_{variable}_MAX={to}"
            )
        };
    }
    text
}

/// The table for docs/quokka.md.
pub fn markdown() -> String {
    let mut text = String::from("| Port | What | On | From |\n|---|---|---|---|\n");
    for one in ALL {
        let on = match one.on {
            Nodes::Leader => "leader",
            Nodes::Every => "every node",
        };
        let from = match one.from {
            Peer::Nodes => "nodes",
            Peer::NodesAndForward => "nodes; you, through `muster forward`",
            Peer::Operator => "you",
            Peer::Forward => "you, through `muster forward`",
        };
        let _ = writeln!(text, "| {} | {} | {on} | {from} |", one.numbers(), one.what);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(from: u16, to: u16) -> PortRange {
        PortRange { from, to }
    }

    #[test]
    fn the_leader_needs_more_than_the_others() {
        let every = [range(5005, 5005), range(6381, 6385), range(10100, 19999)];
        assert_eq!(merged(built_in(false)), every);
        let leader = [range(5005, 5005), range(6380, 6386), range(6800, 6800), range(10100, 19999)];
        assert_eq!(merged(built_in(true)), leader);
    }

    #[test]
    fn ranges_that_overlap_or_adjoin_become_one() {
        let ranges = vec![range(9, 9), range(1, 4), range(5, 6), range(2, 3), range(65535, 65535)];
        assert_eq!(merged(ranges), [range(1, 6), range(9, 9), range(65535, 65535)]);
    }

    #[test]
    fn no_port_is_listed_twice() {
        for (index, one) in ALL.iter().enumerate() {
            assert!(one.ports.from <= one.ports.to);
            let later = ALL[index + 1..].iter();
            assert!(later.clone().all(|other| one.ports.to < other.ports.from), "{one:?}");
        }
    }
}
