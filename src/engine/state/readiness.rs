//! Whether a cluster can be used: derived from its nodes and their instances,
//! not from what the last command recorded. Every front end reads it here.

use std::fmt::{self, Display};

use serde::Serialize;

use super::{ClusterPhase, NodeState, RunState};
use crate::{
    cloud::InstanceState,
    engine::Phase,
    model::{NodeName, count},
};

/// How a cluster is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    /// Nothing was ever launched.
    Planned,
    /// Launching or bootstrapping.
    Launching,
    /// Every node is ready.
    Ready,
    /// The leader is ready, and not every member.
    Degraded,
    /// The leader is stopped or terminated, and not by muster: nothing works.
    NoLeader,
    /// Being stopped.
    Stopping,
    /// Every instance is stopped.
    Stopped,
    /// Being terminated.
    Terminating,
    /// Every instance is terminated.
    Terminated,
}

impl Health {
    /// A short word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Launching => "launching",
            Self::Ready => "ready",
            Self::Degraded => "not complete",
            Self::NoLeader => "not ready",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Terminating => "terminating",
            Self::Terminated => "terminated",
        }
    }
}

/// A cluster's health, and its nodes by what they need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// How the cluster is.
    pub health: Health,
    /// All nodes.
    pub nodes: usize,
    /// Nodes that are ready and whose instances run.
    pub ready: usize,
    /// Nodes whose launch or bootstrap failed.
    pub failed: usize,
    /// Nodes whose instances are terminated, and not by muster.
    pub lost: usize,
    /// Nodes whose instances are stopping or stopped while the cluster should run.
    pub stopped: usize,
}

impl Readiness {
    /// Whether every node that should be ready is, or is on its way there.
    pub fn is_well(&self) -> bool {
        !matches!(self.health, Health::Degraded | Health::NoLeader)
    }

    /// What keeps nodes from being ready: `1 lost`, `2 failed`.
    pub fn losses(&self) -> Vec<String> {
        let counts = [(self.failed, "failed"), (self.lost, "lost"), (self.stopped, "stopped")];
        let counts = counts.into_iter().filter(|(count, _)| *count > 0);
        counts.map(|(count, what)| format!("{count} {what}")).collect()
    }
}

/// `5 of 6 nodes ready, 1 lost`
impl Display for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} ready", self.ready, count(self.nodes, "node"))?;
        self.losses().iter().try_for_each(|loss| write!(f, ", {loss}"))
    }
}

/// A leader without which the cluster does not work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostLeader {
    /// Its name.
    pub node: NodeName,
    /// Whether its instance is stopped or stopping, and can be started again.
    pub is_stopped: bool,
}

/// `the leader us-west-2/head is terminated: the cluster does not work without it`
impl Display for LostLeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.is_stopped { "stopped" } else { "terminated" };
        let node = &self.node;
        write!(f, "the leader {node} is {state}: the cluster does not work without it")
    }
}

impl NodeState {
    /// Whether it is ready and its instance runs.
    pub fn is_ready(&self) -> bool {
        let runs = |state| state == InstanceState::Running;
        self.phase == Phase::Ready && self.instance.as_ref().is_some_and(|info| runs(info.state))
    }

    /// Whether its instance is terminated, and no other one is being launched.
    fn is_terminated(&self) -> bool {
        let terminated = self.instance.as_ref().is_some_and(|info| !info.state.is_live());
        terminated && self.phase != Phase::Launching
    }
}

impl RunState {
    /// Returns the cluster's health and counts its nodes.
    pub fn readiness(&self) -> Readiness {
        let number =
            |is: &dyn Fn(&NodeState) -> bool| self.nodes.values().filter(|n| is(n)).count();
        let (nodes, ready) = (self.nodes.len(), number(&NodeState::is_ready));
        Readiness {
            health: self.health(ready == nodes),
            nodes,
            ready,
            failed: number(&|node| node.phase == Phase::Failed && !self.is_lost(node)),
            lost: number(&|node| self.is_lost(node)),
            stopped: number(&|node| node.is_stopped() && !self.is_stopped_or_ended()),
        }
    }

    fn health(&self, all_ready: bool) -> Health {
        match self.phase {
            ClusterPhase::Planned => Health::Planned,
            ClusterPhase::Stopping => Health::Stopping,
            ClusterPhase::Stopped => Health::Stopped,
            ClusterPhase::Terminating => Health::Terminating,
            ClusterPhase::Terminated => Health::Terminated,
            _ if self.lost_leader().is_some() => Health::NoLeader,
            ClusterPhase::Launching => Health::Launching,
            ClusterPhase::Ready if all_ready => Health::Ready,
            ClusterPhase::Ready | ClusterPhase::Degraded => Health::Degraded,
        }
    }

    /// Whether muster stops or terminates the cluster, or has done so.
    fn is_stopped_or_ended(&self) -> bool {
        matches!(
            self.phase,
            ClusterPhase::Stopping
                | ClusterPhase::Stopped
                | ClusterPhase::Terminating
                | ClusterPhase::Terminated
        )
    }

    /// Whether the instance of `node` is terminated though the cluster was not
    /// terminated, and no other one is being launched.
    pub fn is_lost(&self, node: &NodeState) -> bool {
        let ended = matches!(self.phase, ClusterPhase::Terminating | ClusterPhase::Terminated);
        node.is_terminated() && !ended
    }

    /// The leader, where its instance is stopped or terminated though nobody
    /// stopped or terminated the cluster.
    pub fn lost_leader(&self) -> Option<LostLeader> {
        if self.is_stopped_or_ended() {
            return None;
        }
        let lost = |node: &&NodeState| node.leader && (node.is_stopped() || node.is_terminated());
        let node = self.nodes.values().find(lost)?;
        Some(LostLeader { node: node.name.clone(), is_stopped: node.is_stopped() })
    }
}
