//! What a cluster that runs hands to Python: addresses in the order that
//! Quokka wants them, as a module, as JSON, or as environment variables.
//!
//! Pure: state in, text out. What a module does once it is imported is in
//! `assets/handover/module.py`.

mod env;
mod json;
mod python;
mod query;
mod quote;
mod versions;

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr},
};

pub use crate::model::{Forwarded, Ports};
pub use query::{Answer, QueryResult, query_program};
pub use versions::Versions;

use crate::{
    config::{Project, RayConfig, RegionConfig},
    engine::{NodeState, Phase, RunState},
    model::{ClusterId, Failure, InstanceId, NodeKind, NodeName, Region},
};

/// The user that pyquokka's own helpers log in as.
const PYQUOKKA_USER: &str = "ubuntu";

/// A cluster, ready to be exported to Python.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handover {
    /// The cluster's id.
    pub cluster: ClusterId,
    /// Quokka's `region_info`: the leader's region first, then as configured.
    pub regions: Vec<RegionNodes>,
    /// Virtual CPUs a node, the smallest of all regions.
    pub cpu_count: u32,
    /// Where the nodes spill to.
    pub spill_dir: String,
    /// Where a `muster forward` that runs now listens; none: nothing is forwarded.
    pub forwarded: Option<Forwarded>,
    /// What the nodes run, where muster has verified it.
    pub versions: Option<Versions>,
    /// What the user should know, one line each.
    pub notes: Vec<String>,
}

/// The nodes of one region by config, each one's head first; the lists are in the same order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionNodes {
    /// The region.
    pub region: Region,
    /// Instance ids.
    pub instance_ids: Vec<InstanceId>,
    /// The addresses by which this machine reaches the nodes: the private ones
    /// if a node has no other.
    pub public_ips: Vec<IpAddr>,
    /// The addresses that the nodes reach each other by.
    pub private_ips: Vec<Ipv4Addr>,
    /// Virtual CPUs of the region's worker type, else of its head's; the
    /// smallest of its configs.
    pub vcpu_per_node: u32,
}

impl Handover {
    /// The cluster as `state` has it. `Err` lists the nodes that are not ready;
    /// `force` leaves those out, but never the leader.
    pub fn of(
        project: &Project,
        state: &RunState,
        forwarded: Option<Forwarded>,
        force: bool,
    ) -> Result<Self, Failure> {
        let none = || {
            Failure::new(format!("no cluster of project {} is known here", *project.name))
                .hint("`muster up` launches one")
        };
        let cluster = state.cluster.clone().ok_or_else(none)?;
        if state.nodes.is_empty() {
            return Err(none());
        }
        let missing: Vec<_> = state.nodes.values().filter(|node| !node.is_ready()).collect();
        let leads = state.nodes.values().any(|node| node.leader && node.is_ready());
        if !missing.is_empty() && (!force || !leads) {
            return Err(not_ready(&missing, state.nodes.len(), leads));
        }
        let regions = regions(project, state)?;
        let smallest = regions.iter().map(|region| region.vcpu_per_node).min();
        Ok(Self {
            cluster,
            cpu_count: smallest.ok_or_else(none)?,
            regions,
            spill_dir: project.spill_dir.to_string_lossy().into_owned(),
            forwarded,
            versions: Versions::of(project, state),
            notes: notes(project, state, &missing),
        })
    }

    /// The address by which this machine reaches the leader.
    pub fn leader_public_ip(&self) -> Option<IpAddr> {
        self.regions.first()?.public_ips.first().copied()
    }

    /// The address that the nodes reach the leader by.
    pub fn leader_private_ip(&self) -> Option<Ipv4Addr> {
        self.regions.first()?.private_ips.first().copied()
    }

    fn instance_ids(&self) -> Vec<&str> {
        self.regions.iter().flat_map(|one| &one.instance_ids).map(InstanceId::as_str).collect()
    }

    fn public_ips(&self) -> Vec<String> {
        self.regions.iter().flat_map(|one| &one.public_ips).map(ToString::to_string).collect()
    }

    fn private_ips(&self) -> Vec<String> {
        self.regions.iter().flat_map(|one| &one.private_ips).map(ToString::to_string).collect()
    }

    /// Where this machine connects to `port` of the leader.
    fn endpoint(&self, port: impl Fn(&Ports) -> u16) -> (String, u16) {
        if let Some(forwarded) = &self.forwarded {
            return ("127.0.0.1".to_owned(), port(&forwarded.ports));
        }
        let leader = self.leader_public_ip().map(|ip| ip.to_string()).unwrap_or_default();
        (leader, port(&Ports::ON_THE_LEADER))
    }
}

/// `host:port`; an IPv6 address goes in brackets.
fn joined((host, port): &(String, u16)) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

fn not_ready(missing: &[&NodeState], all: usize, leads: bool) -> Failure {
    const SHOWN: usize = 6;
    let describe = |node: &&NodeState| format!("{} ({})", node.name, why(node));
    let mut names: Vec<_> = missing.iter().take(SHOWN).map(describe).collect();
    if missing.len() > SHOWN {
        names.push(format!("{} more", missing.len() - SHOWN));
    }
    let what = format!("{} of {all} nodes are not ready: {}", missing.len(), names.join(", "));
    if missing.iter().any(|node| node.is_stopped()) {
        let force = if leads { "; --force exports what is ready" } else { "" };
        return Failure::new(what).hint(format!("`muster start` starts what is stopped{force}"));
    }
    Failure::new(what).hint(if leads {
        "`muster up` resumes them; --force exports what is ready"
    } else {
        "a cluster needs its leader; `muster up` resumes it"
    })
}

fn why(node: &NodeState) -> &'static str {
    match (&node.instance, node.phase) {
        (None, Phase::Planned) => "not launched",
        (Some(info), Phase::Ready) => info.state.as_str(),
        (_, phase) => phase.as_str(),
    }
}

/// The leader's region first, then as configured, then what no config names any more.
fn regions(project: &Project, state: &RunState) -> Result<Vec<RegionNodes>, Failure> {
    let leader = state.nodes.values().find(|node| node.leader);
    let leader = leader.map(|node| node.group.region.clone());
    let mut names: Vec<Region> = leader.into_iter().collect();
    let known = state.nodes.values().map(|node| node.group.region.clone());
    for region in project.region_names().into_iter().chain(known) {
        if !names.contains(&region) {
            names.push(region);
        }
    }
    let found = names.into_iter().map(|region| RegionNodes::of(project, state, region));
    found.filter_map(Result::transpose).collect()
}

impl RegionNodes {
    /// `None` where nothing of the region is ready.
    fn of(project: &Project, state: &RunState, region: Region) -> Result<Option<Self>, Failure> {
        let mut nodes: Vec<_> = state
            .nodes
            .values()
            .filter(|node| node.group.region == region && node.is_ready())
            .collect();
        let order = |node: &&NodeState| (project.order_of(&node.group), number(&node.name));
        nodes.sort_by_key(|node| (!node.leader, order(node)));
        if nodes.is_empty() {
            return Ok(None);
        }
        let mut found = Self {
            instance_ids: Vec::new(),
            public_ips: Vec::new(),
            private_ips: Vec::new(),
            vcpu_per_node: vcpus(&nodes, &region)?,
            region,
        };
        for node in nodes {
            let config = project.config_of(&node.group);
            found.add(node, config.is_some_and(|config| config.use_internal_ips))?;
        }
        Ok(Some(found))
    }

    fn add(&mut self, node: &NodeState, internal: bool) -> Result<(), Failure> {
        let lacks = |what| Failure::new(format!("{} has no {what} on record", node.name));
        let info = node.instance.as_ref().ok_or_else(|| lacks("instance"))?;
        let private = info.private_ip.ok_or_else(|| lacks("private address"))?;
        self.instance_ids.push(info.id.clone());
        self.private_ips.push(private);
        self.public_ips.push(info.address(internal).unwrap_or(IpAddr::V4(private)));
        Ok(())
    }
}

/// The smallest of the region's configs, each its worker type's.
fn vcpus(nodes: &[&NodeState], region: &Region) -> Result<u32, Failure> {
    let of = |cluster: &Option<String>, kind| {
        let own = nodes.iter().filter(|node| node.group.cluster_name == *cluster);
        let mut of_kind = own.filter(|node| node.group.kind == kind);
        of_kind.find_map(|node| node.instance.as_ref()?.vcpus)
    };
    let clusters: BTreeSet<_> = nodes.iter().map(|node| &node.group.cluster_name).collect();
    let all = clusters
        .into_iter()
        .map(|cluster| of(cluster, NodeKind::Worker).or_else(|| of(cluster, NodeKind::Head)));
    let all: Option<Vec<u32>> = all.collect();
    all.and_then(|all| all.into_iter().min()).ok_or_else(|| {
        Failure::new(format!("how many vCPUs the nodes of {region} have is not known"))
            .hint("let muster see ec2:DescribeInstanceTypes, and `muster up` once more")
    })
}

/// The last number in a node's name, so that worker-10 comes behind worker-9.
fn number(name: &NodeName) -> u32 {
    name.short().rsplit('-').next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// The configs in use whose nodes pyquokka can't log in to by itself.
fn other_users(project: &Project, state: &RunState) -> Vec<String> {
    let in_use = |config: &RayConfig| {
        let own = |key| project.config_of(key).is_some_and(|one| std::ptr::eq(one, config));
        state.nodes.values().any(|node| own(&node.group))
    };
    let of_region = |region: &RegionConfig| -> Vec<String> {
        let others = region.configs.iter().filter(|config| *config.ssh_user != PYQUOKKA_USER);
        let describe = |config| format!("{} ({})", region.title_of(config), *config.ssh_user);
        others.filter(|config| in_use(config)).map(describe).collect()
    };
    project.regions.iter().flat_map(of_region).collect()
}

fn notes(project: &Project, state: &RunState, missing: &[&NodeState]) -> Vec<String> {
    let mut notes = Vec::new();
    if !missing.is_empty() {
        let names: Vec<_> = missing.iter().map(|node| node.name.as_str()).collect();
        notes.push(format!("left out, since not ready: {}", names.join(", ")));
    }
    let others = other_users(project, state);
    if !others.is_empty() {
        notes.push(format!(
            "pyquokka's QuokkaClusterManager logs in as {PYQUOKKA_USER}: its \
             install_python_package, launch_all and copy_all do not work in {}; use `muster exec`",
            others.join(", ")
        ));
    }
    notes
}
