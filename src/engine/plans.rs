//! What `down`, `stop` and `start` would do to which instances. A plan is
//! shown and confirmed, and the command that carries it out does nothing else.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    cloud::{Instance, InstanceState},
    model::{ClientToken, Failure, GroupKey, InstanceId, NodeName, Region, count},
};

use super::AdoptedNode;

/// A launch whose outcome is not on record: `RunInstances` was called, or was
/// about to be, and nothing is known of its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnresolvedLaunch {
    /// The call's token, by which EC2 finds what it created.
    pub token: ClientToken,
    /// The group.
    pub group: GroupKey,
    /// Instances that it creates, if it was carried out.
    pub count: usize,
    /// When it was announced.
    pub since: Timestamp,
}

impl UnresolvedLaunch {
    /// The region.
    pub fn region(&self) -> &Region {
        &self.group.region
    }
}

impl std::fmt::Display for UnresolvedLaunch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { token, group, count: number, since } = self;
        let (nodes, since) = (count(*number, "node"), since.strftime("%F %H:%M:%SZ"));
        write!(f, "launch of {nodes} of {group} without a known outcome (token {token}, {since})")
    }
}

/// An instance that no record names, and the node that it becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundNode {
    /// The node and its instance.
    pub adopted: AdoptedNode,
    /// The instance's state.
    pub state: InstanceState,
}

impl FoundNode {
    /// The node's name and the instance's id.
    pub fn names(&self) -> (&NodeName, &InstanceId) {
        (&self.adopted.instance.node, &self.adopted.instance.id)
    }
}

/// What `Up` would launch and take over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpPlan {
    /// The nodes to launch.
    pub launch: BTreeMap<GroupKey, Vec<NodeName>>,
    /// Instances on no record that become nodes: they are billed already.
    pub take_over: Vec<FoundNode>,
    /// Launches whose outcome is resolved first: what they have not launched is
    /// launched by them, and nothing else for their nodes.
    pub unresolved: Vec<UnresolvedLaunch>,
    /// Regions where nothing is launched, and why.
    pub refused: Vec<(Region, Failure)>,
    /// Regions that could not be read: of these the plan has what is on record.
    pub unknown: Vec<(Region, Failure)>,
}

impl UpPlan {
    /// How many nodes of `group` may be launched.
    pub fn launches_of(&self, group: &GroupKey) -> usize {
        let unresolved = self.unresolved.iter().filter(|launch| launch.group == *group);
        self.launch.get(group).map_or(0, Vec::len)
            + unresolved.map(|launch| launch.count).sum::<usize>()
    }
}

/// What `Down` would terminate, and what it would leave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DownPlan {
    /// Instances on record that are not terminated yet.
    pub terminate: Vec<(Region, Instance)>,
    /// Launches whose instances are terminated too, once EC2 lists them.
    pub unresolved: Vec<UnresolvedLaunch>,
    /// Whether this process is launching: what it launches until the
    /// termination begins is terminated too.
    pub launching: bool,
    /// Instances that carry the cluster's id and are on no record. They are
    /// left running, unless [`Self::including_unrecorded`] is carried out.
    pub unrecorded: Vec<(Region, Instance)>,
    /// Instances that only share a name with the cluster: never terminated.
    pub foreign: Vec<(Region, Instance)>,
    /// Regions that could not be read: for these the plan uses what is on record.
    pub unknown: Vec<(Region, Failure)>,
}

impl DownPlan {
    /// The same with the unrecorded instances among those to terminate.
    #[must_use]
    pub fn including_unrecorded(mut self) -> Self {
        self.terminate.append(&mut self.unrecorded);
        self
    }

    /// Whether it terminates nothing, leaving aside unrecorded instances.
    pub fn is_empty(&self) -> bool {
        self.terminate.is_empty() && self.unresolved.is_empty() && !self.launching
    }

    /// The regions that it names.
    pub fn regions(&self) -> BTreeSet<Region> {
        let listed = self.terminate.iter().chain(&self.unrecorded).map(|(region, _)| region);
        listed.chain(self.unresolved.iter().map(UnresolvedLaunch::region)).cloned().collect()
    }
}

/// What `StopMachines` would stop, and what it would leave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StopPlan {
    /// Instances of the cluster that run, or are about to.
    pub stop: Vec<(Region, Instance)>,
    /// Launches whose instances are stopped too, once EC2 lists them.
    pub unresolved: Vec<UnresolvedLaunch>,
    /// Whether this process is launching: what it launches until the stop
    /// begins is stopped too.
    pub launching: bool,
    /// Instances that are stopping: they are waited for.
    pub stopping: Vec<(Region, Instance)>,
    /// Instances that are stopped already.
    pub stopped: Vec<(Region, Instance)>,
    /// Those that can't be stopped and go on, and why.
    pub stay: Vec<(Region, Instance, String)>,
    /// Regions that could not be read: for these the plan uses what is on record.
    pub unknown: Vec<(Region, Failure)>,
}

impl StopPlan {
    /// Whether it stops nothing.
    pub fn is_empty(&self) -> bool {
        self.stop.is_empty() && self.unresolved.is_empty() && !self.launching
    }
}

/// What `StartMachines` would start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StartPlan {
    /// Instances of the cluster that are stopped, or stopping.
    pub start: Vec<(Region, Instance)>,
    /// Those that run.
    pub running: Vec<(Region, Instance)>,
    /// Those of both that are on no record, and the nodes that they become.
    pub take_over: Vec<FoundNode>,
    /// Those that run with the cluster's id, and whose node is not certain.
    pub unplaced: Vec<(Region, Instance)>,
    /// Those that are stopped and stay so, and why.
    pub stay: Vec<(Region, Instance, String)>,
    /// Launches whose outcome is not known; `start` leaves them to `up`.
    pub unresolved: Vec<UnresolvedLaunch>,
    /// Regions that could not be read: for these the plan uses what is on record.
    pub unknown: Vec<(Region, Failure)>,
}

impl StartPlan {
    /// The ids that it starts in `region`.
    pub fn ids_in(&self, region: &Region) -> BTreeSet<InstanceId> {
        let of_region = self.start.iter().filter(|(own, _)| own == region);
        of_region.map(|(_, instance)| instance.id.clone()).collect()
    }
}

/// What is not terminated, or not stopped, at the end of a `Down` or a
/// `StopMachines`; nothing where all was done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Unfinished {
    /// Instances of the plan, and their states as last read.
    pub instances: Vec<(Region, InstanceId, InstanceState)>,
    /// Launches whose outcome is still not known.
    pub unresolved: Vec<UnresolvedLaunch>,
    /// Instances that carry the cluster's id and were not in the plan.
    pub unrecorded: Vec<(Region, InstanceId, InstanceState)>,
    /// Regions that could not be read at the end, or where muster failed.
    pub unknown: Vec<(Region, Failure)>,
}

impl Unfinished {
    /// Whether all was done, and nothing else of the cluster is there.
    pub fn is_empty(&self) -> bool {
        self.instances.is_empty()
            && self.unresolved.is_empty()
            && self.unrecorded.is_empty()
            && self.unknown.is_empty()
    }

    /// Adds what is unfinished elsewhere.
    pub(super) fn extend(&mut self, other: Self) {
        self.instances.extend(other.instances);
        self.unresolved.extend(other.unresolved);
        self.unrecorded.extend(other.unrecorded);
        self.unknown.extend(other.unknown);
    }
}
