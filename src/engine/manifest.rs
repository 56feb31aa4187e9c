//! `manifest.json`: what the cluster is, for Quokka and for people. A fold of
//! the journal; written whole or not at all.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
};

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    cloud::InstanceState,
    model::{ClusterId, InstanceId, InstanceType, NodeKind, NodeName, Region, Zone},
};

use super::{ClusterPhase, NodeState, Phase, RunState};

/// The manifest.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Manifest {
    /// The form of this file.
    pub version: u32,
    /// The cluster's id, the value of the tag `muster:cluster`.
    pub cluster: Option<ClusterId>,
    /// Its phase.
    pub phase: ClusterPhase,
    /// When the last event was folded in.
    pub updated: Option<Timestamp>,
    /// The leader, if it has an instance.
    pub leader: Option<NodeName>,
    /// Per region what `get_multiple_clusters_from_yaml` gives as its second
    /// result: lists in the same order, by config, each one's head first.
    pub regions: BTreeMap<Region, RegionInfo>,
    /// Every node that has an instance, the leader first.
    pub nodes: Vec<ManifestNode>,
}

/// Quokka's `region_info` of one region.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RegionInfo {
    /// Instance ids.
    pub instance_ids: Vec<InstanceId>,
    /// Public addresses; `null` where an instance has none.
    pub public_ips: Vec<Option<IpAddr>>,
    /// Private addresses.
    pub private_ips: Vec<Option<Ipv4Addr>>,
    /// Virtual CPUs of the region's worker type, else of its head's; the
    /// smallest of its configs.
    pub vcpu_per_node: Option<u32>,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ManifestNode {
    /// Its name.
    pub name: NodeName,
    /// Its instance.
    pub id: InstanceId,
    /// Its region.
    pub region: Region,
    /// Its zone.
    pub zone: Option<Zone>,
    /// Its type.
    pub instance_type: InstanceType,
    /// Head or worker.
    pub kind: NodeKind,
    /// Its public address.
    pub public_ip: Option<IpAddr>,
    /// Its private address.
    pub private_ip: Option<Ipv4Addr>,
    /// The state of the instance that EC2 reported last.
    pub state: InstanceState,
    /// The phase of the node.
    pub phase: Phase,
}

impl Manifest {
    /// The manifest of `state`.
    pub fn of(state: &RunState) -> Self {
        let mut nodes: Vec<_> =
            state.nodes.values().filter(|node| node.instance.is_some()).collect();
        let config = |node: &NodeState| (node.group.cluster_name.clone(), node.group.kind);
        nodes.sort_by_key(|node| (!node.leader, node.group.region.clone(), config(node)));
        let mut regions: BTreeMap<_, RegionInfo> = BTreeMap::new();
        for node in nodes.iter().filter(|node| node.is_live()) {
            regions.entry(node.group.region.clone()).or_default().add(node);
        }
        for (region, info) in &mut regions {
            let own = nodes.iter().filter(|node| node.is_live() && node.group.region == *region);
            info.vcpu_per_node = vcpus(own.copied());
        }
        Self {
            version: 2,
            cluster: state.cluster.clone(),
            phase: state.phase,
            updated: state.updated,
            leader: nodes.iter().find(|node| node.leader).map(|node| node.name.clone()),
            regions,
            nodes: nodes.into_iter().filter_map(ManifestNode::of).collect(),
        }
    }
}

impl RegionInfo {
    fn add(&mut self, node: &NodeState) {
        let Some(info) = &node.instance else { return };
        self.instance_ids.push(info.id.clone());
        self.public_ips.push(info.public_ip);
        self.private_ips.push(info.private_ip);
    }
}

/// The smallest of a region's configs. Of each the last worker's count, since
/// heads come first.
fn vcpus<'a>(nodes: impl Iterator<Item = &'a NodeState>) -> Option<u32> {
    let mut of_config = BTreeMap::new();
    for node in nodes {
        let vcpus = node.instance.as_ref().and_then(|info| info.vcpus);
        of_config.extend(vcpus.map(|vcpus| (&node.group.cluster_name, vcpus)));
    }
    of_config.into_values().min()
}

impl ManifestNode {
    fn of(node: &NodeState) -> Option<Self> {
        let info = node.instance.as_ref()?;
        Some(Self {
            name: node.name.clone(),
            id: info.id.clone(),
            region: info.region.clone(),
            zone: info.zone.clone(),
            instance_type: info.instance_type.clone(),
            kind: node.group.kind,
            public_ip: info.public_ip,
            private_ip: info.private_ip,
            state: info.state,
            phase: node.phase,
        })
    }
}
