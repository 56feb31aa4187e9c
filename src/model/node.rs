//! What a node is for, and which `RunInstances` call it came from.

use serde::{Deserialize, Serialize};

use super::{NodeName, Region};

/// Ray's two kinds of nodes; the value of the tag `ray-node-type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NodeKind {
    /// The first node of a config; that of the leader's region's first config leads the cluster.
    Head,
    /// Every other node.
    Worker,
}

impl NodeKind {
    /// As Ray writes it in tags.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Worker => "worker",
        }
    }
}

/// A node group: the nodes that one `RunInstances` call launches.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GroupKey {
    /// Where it runs.
    pub region: Region,
    /// The `cluster_name` of its config; none for the first config of the region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_name: Option<String>,
    /// Head or worker; a head type with `min_workers` makes a group of each.
    pub kind: NodeKind,
    /// The key under `available_node_types`.
    pub node_type: String,
}

impl GroupKey {
    /// The name of one of its nodes; workers are numbered from 1 through all
    /// groups of their config: `us-west-2/worker-1`, `us-west-2/gpu-worker-1`.
    pub fn node(&self, number: u32) -> NodeName {
        let name = self.cluster_name.as_ref();
        let config = name.map(|name| format!("{name}-")).unwrap_or_default();
        NodeName::new(match self.kind {
            NodeKind::Head => format!("{}/{config}head", self.region),
            NodeKind::Worker => format!("{}/{config}worker-{number}", self.region),
        })
    }

    /// Whether its node leads the cluster where its region leads: the head of
    /// the region's first config does.
    pub fn may_lead(&self) -> bool {
        self.kind == NodeKind::Head && self.cluster_name.is_none()
    }
}

impl std::fmt::Display for GroupKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.cluster_name.as_ref();
        let name = name.map(|name| format!(" {name}")).unwrap_or_default();
        write!(f, "{}{name} {} ({})", self.region, self.kind.as_str(), self.node_type)
    }
}
