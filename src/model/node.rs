//! What a node is for, and which `RunInstances` call it came from.

use serde::{Deserialize, Serialize};

use super::Region;

/// Ray's two kinds of nodes; the value of the tag `ray-node-type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NodeKind {
    /// The first node of a region; the head of the leader's region leads the cluster.
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
    /// Head or worker; a head type with `min_workers` makes a group of each.
    pub kind: NodeKind,
    /// The key under `available_node_types`.
    pub node_type: String,
}

impl std::fmt::Display for GroupKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} ({})", self.region, self.kind.as_str(), self.node_type)
    }
}
