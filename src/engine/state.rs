//! The state of a cluster: a fold of its events, and nothing else.

mod instances;
mod readiness;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr},
};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::{
    cloud::{InstanceState, RecordedRequest},
    config::PlannedNode,
    model::{
        ClientToken, ClusterId, Failure, GroupKey, InstanceId, InstanceType, NodeName, Region,
        SubnetId, Zone,
    },
};

pub use readiness::{Health, LostLeader, Readiness};

use super::{Event, FixEvents, FixState, HostKeyCheck, LinkCheck, Phase, Stamped, StepOutcome};

/// Everything that is known of a cluster's life.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RunState {
    /// Its id, once it has one.
    pub cluster: Option<ClusterId>,
    /// The leader's region.
    pub leader: Option<Region>,
    /// All its regions.
    pub regions: Vec<Region>,
    /// Where the cluster as a whole is.
    pub phase: ClusterPhase,
    /// Nodes by name, planned ones included.
    pub nodes: BTreeMap<NodeName, NodeState>,
    /// Launches by token.
    pub launches: BTreeMap<ClientToken, LaunchRecord>,
    /// Instances with the cluster's id that no launch on record made.
    pub strays: BTreeMap<InstanceId, InstanceInfo>,
    /// Regions whose instances are to be adopted, and are not yet.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub adopting: BTreeSet<Region>,
    /// The last plan of changes, if one was begun.
    pub fix: Option<FixState>,
    /// Every instance that a launch or an adoption on record names, those that
    /// were replaced included.
    #[serde(skip)]
    on_record: BTreeSet<InstanceId>,
    /// The events of all fixes, for the record of what is this project's.
    #[serde(skip)]
    pub fix_events: FixEvents,
    /// The nodes by their present instances: the inverse of `nodes`.
    #[serde(skip)]
    by_instance: BTreeMap<InstanceId, NodeName>,
    /// The last event's number.
    pub seq: u64,
    /// The last event's time.
    pub updated: Option<Timestamp>,
}

/// Where a cluster is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClusterPhase {
    /// Nothing was ever launched.
    #[default]
    Planned,
    /// Launching or bootstrapping.
    Launching,
    /// Every node ready.
    Ready,
    /// Settled, but with failed nodes or groups.
    Degraded,
    /// Being stopped.
    Stopping,
    /// Every instance is stopped; their volumes are billed.
    Stopped,
    /// Being terminated.
    Terminating,
    /// EC2 confirmed that every instance is terminated.
    Terminated,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NodeState {
    /// Its name.
    pub name: NodeName,
    /// Its group.
    pub group: GroupKey,
    /// Whether it leads.
    pub leader: bool,
    /// Its type.
    pub instance_type: InstanceType,
    /// Its phase.
    pub phase: Phase,
    /// When each phase began; a phase entered twice keeps the last time.
    pub since: BTreeMap<Phase, Timestamp>,
    /// Its instance, once there is one.
    pub instance: Option<InstanceInfo>,
    /// Its steps by name.
    pub steps: BTreeMap<String, StepState>,
    /// The result of its last verification; empty if there was none, or it
    /// no longer applies.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub verified: Vec<LinkCheck>,
    /// The step that verified.
    #[serde(skip)]
    verified_by: Option<String>,
    /// Whether its instance was stopped since its services were started: then
    /// the steps that start them have to run again.
    pub services_lost: bool,
    /// Since when the connection to it is lost while a step runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost_since: Option<Timestamp>,
    /// Why it failed.
    pub failure: Option<Failure>,
}

/// An instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InstanceInfo {
    /// Its id.
    pub id: InstanceId,
    /// Its region.
    pub region: Region,
    /// Its type.
    pub instance_type: InstanceType,
    /// Its virtual CPUs, where known.
    pub vcpus: Option<u32>,
    /// Its zone, where known.
    pub zone: Option<Zone>,
    /// Its state, as last seen.
    pub state: InstanceState,
    /// Its private address.
    pub private_ip: Option<Ipv4Addr>,
    /// Its public address.
    pub public_ip: Option<IpAddr>,
    /// When muster learned of it.
    pub since: Timestamp,
    /// When it was seen shutting down or terminated.
    pub ended: Option<Timestamp>,
    /// Whether it was there before muster took it over.
    pub adopted: bool,
    /// Since when it has been billed; none while it is stopped.
    pub running_since: Option<Timestamp>,
    /// For how long it was billed before its last stop.
    pub billed_before: SignedDuration,
    /// What is known of its host key; none before the first connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_key: Option<HostKeyCheck>,
}

/// A step on a node.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StepState {
    /// The last try, from 1.
    pub attempt: u32,
    /// When the last try began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// How; none while it runs.
    pub outcome: Option<StepOutcome>,
}

/// A `RunInstances` call.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LaunchRecord {
    /// Its group.
    pub group: GroupKey,
    /// The nodes that it makes.
    pub nodes: Vec<NodeName>,
    /// Where.
    pub subnet: Option<SubnetId>,
    /// When it was announced.
    pub since: Timestamp,
    /// How far it is.
    pub state: LaunchState,
    /// The request, where the journal has it.
    #[serde(skip)]
    pub request: Option<Box<RecordedRequest>>,
}

/// How far a launch is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LaunchState {
    /// Called, or about to be; after a crash it has to be resolved.
    Intended,
    /// Made these.
    Succeeded(Vec<InstanceId>),
    /// Made nothing.
    Failed(Failure),
}

impl InstanceInfo {
    /// The address that muster connects to.
    pub fn address(&self, internal: bool) -> Option<IpAddr> {
        if internal { self.private_ip.map(IpAddr::V4) } else { self.public_ip }
    }
}

impl NodeState {
    /// Whether `step` is over and done with on this node.
    pub fn has_done(&self, step: &str) -> bool {
        let outcome = self.steps.get(step).and_then(|step| step.outcome.as_ref());
        outcome.is_some_and(StepOutcome::is_done)
    }

    /// Whether it failed only since a step elsewhere did.
    pub fn is_blocked(&self) -> bool {
        let mut outcomes = self.steps.values().filter_map(|step| step.outcome.as_ref());
        outcomes.any(|outcome| matches!(outcome, StepOutcome::Blocked { .. }))
    }

    fn void(&mut self, step: &str) {
        if let Some(state) = self.steps.get_mut(step) {
            state.outcome = Some(StepOutcome::Voided);
        }
        if self.verified_by.as_deref() == Some(step) {
            self.unverify();
        }
    }

    fn unverify(&mut self) {
        self.verified.clear();
        self.verified_by = None;
    }

    /// Whether it has an instance that is neither terminating nor terminated.
    pub fn is_live(&self) -> bool {
        self.instance.as_ref().is_some_and(|info| info.state.is_live())
    }
}

impl RunState {
    /// Adds what is planned and not known yet. Drops what is not planned any
    /// more, has no instance, and waits for no launch.
    pub fn plan(&mut self, planned: &[PlannedNode]) {
        let launches = self.launches.values();
        let open: BTreeSet<&NodeName> = launches
            .filter(|launch| launch.state == LaunchState::Intended)
            .flat_map(|launch| &launch.nodes)
            .collect();
        self.nodes.retain(|name, node| {
            node.instance.is_some()
                || open.contains(name)
                || planned.iter().any(|plan| plan.name == *name)
        });
        for plan in planned {
            let node = self.nodes.entry(plan.name.clone()).or_insert_with(|| {
                NodeState::planned(plan.name.clone(), plan.group.clone(), plan.leader)
            });
            // Without an instance there is nothing yet but the plan.
            if node.instance.is_none() {
                node.group.clone_from(&plan.group);
                node.leader = plan.leader;
                node.instance_type.clone_from(&plan.instance_type);
            }
        }
    }

    /// Folds one event in.
    pub fn apply(&mut self, stamped: &Stamped) {
        let at = stamped.at;
        self.seq = stamped.seq;
        self.updated = Some(at);
        self.fix_events.apply(at, &stamped.event);
        match &stamped.event {
            Event::ClusterCreated { cluster, leader, regions, .. } => {
                self.cluster = Some(cluster.clone());
                self.leader = Some(leader.clone());
                self.regions.clone_from(regions);
            }
            Event::RunStarted { .. }
            | Event::ResourceTakenOver { .. }
            | Event::ResourceGone { .. } => {}
            Event::LaunchIntended { token, group, nodes, subnet, request } => {
                self.phase = ClusterPhase::Launching;
                self.intend(group, nodes, at);
                let record = LaunchRecord {
                    group: group.clone(),
                    nodes: nodes.clone(),
                    subnet: subnet.clone(),
                    since: at,
                    state: LaunchState::Intended,
                    request: request.clone(),
                };
                self.launches.insert(token.clone(), record);
            }
            Event::LaunchSucceeded { token, instances } => self.launched(token, instances, at),
            Event::LaunchFailed { token, failure } => self.launch_failed(token, failure, at),
            Event::InstanceChanged { instance, state, reason, private_ip, public_ip, .. } => {
                let state = (*state, reason.as_deref());
                self.instance_changed(instance, state, (*private_ip, *public_ip), at);
            }
            Event::StrayFound { instance, region, state, instance_type } => {
                let info = InstanceInfo::stray(instance, region, *state, instance_type, at);
                self.strays.insert(instance.clone(), info);
            }
            Event::NodePhase { node, phase } => self.enter(node, *phase, at),
            Event::NodeFailed { node, failure } => {
                self.enter(node, Phase::Failed, at);
                if let Some(node) = self.nodes.get_mut(node) {
                    node.failure = Some(failure.clone());
                }
            }
            Event::HostKeyChecked { node, instance, check } => self.host_key(node, instance, check),
            Event::StepStarted { node, step, attempt } => {
                let step_state =
                    StepState { attempt: *attempt, started: at, ended: None, outcome: None };
                if let Some(node) = self.nodes.get_mut(node) {
                    node.steps.insert(step.clone(), step_state);
                }
            }
            Event::StepEnded { node, step, attempt, outcome } => {
                if let Some(node) = self.nodes.get_mut(node) {
                    let state = node.steps.entry(step.clone()).or_insert(StepState {
                        attempt: *attempt,
                        started: at,
                        ended: None,
                        outcome: None,
                    });
                    state.attempt = *attempt;
                    state.ended = Some(at);
                    state.outcome = Some(outcome.clone());
                }
            }
            Event::ConnectionLost { node, .. } => self.connection(node, Some(at)),
            Event::ConnectionRestored { node, .. } => self.connection(node, None),
            Event::StepReset { node, step } => {
                if let Some(node) = self.nodes.get_mut(node) {
                    node.void(step);
                }
            }
            Event::NodeVerified { node, step, checks } => {
                if let Some(node) = self.nodes.get_mut(node) {
                    node.verified.clone_from(checks);
                    node.verified_by = Some(step.clone());
                }
            }
            Event::BootstrapEnded { failed, .. } => {
                self.phase =
                    if *failed == 0 { ClusterPhase::Ready } else { ClusterPhase::Degraded };
            }
            Event::DownStarted { .. } => self.phase = ClusterPhase::Terminating,
            Event::StopIntended { .. } => self.phase = ClusterPhase::Stopping,
            Event::StopEnded { stopped, left } => self.stop_ended(*stopped, *left),
            Event::StartIntended { .. } => self.phase = ClusterPhase::Launching,
            Event::ServicesVoided { nodes, steps } => self.void_services(nodes, steps, at),
            Event::AdoptIntended { regions, instances } => self.adopts(regions, instances),
            Event::AdoptGivenUp { region, .. } => {
                self.adopting.remove(region);
            }
            Event::Adopted { region, nodes } => self.adopt(region, nodes, at),
            Event::Recovered { region, nodes } => self.recover(region, nodes, at),
            Event::ClusterGone => self.phase = ClusterPhase::Terminated,
            Event::FixStarted { .. }
            | Event::ChangeIntended { .. }
            | Event::ChangeDone { .. }
            | Event::ChangeFailed { .. }
            | Event::ChangeResolved { .. }
            | Event::FixEnded { .. } => self.fix_event(&stamped.event, at),
        }
    }

    fn connection(&mut self, node: &NodeName, lost_since: Option<Timestamp>) {
        if let Some(node) = self.nodes.get_mut(node) {
            node.lost_since = lost_since;
        }
    }

    fn adopts(&mut self, regions: &[Region], instances: &[InstanceId]) {
        self.adopting.extend(regions.iter().cloned());
        self.on_record.extend(instances.iter().cloned());
    }

    fn fix_event(&mut self, event: &Event, at: Timestamp) {
        match (event, &mut self.fix) {
            (Event::FixStarted { steps }, fix) => *fix = Some(FixState::begin(steps, at)),
            (event, Some(fix)) => fix.apply(event, at),
            (_, None) => {}
        }
    }

    fn enter(&mut self, node: &NodeName, phase: Phase, at: Timestamp) {
        if let Some(node) = self.nodes.get_mut(node) {
            node.phase = phase;
            node.since.insert(phase, at);
            node.lost_since = None;
            if phase != Phase::Failed {
                node.failure = None;
            }
        }
    }

    /// `region` may hold instances of the cluster, also where the record of its
    /// beginning is lost or another one.
    fn has_region(&mut self, region: &Region) {
        if !self.regions.contains(region) {
            self.regions.push(region.clone());
        }
    }

    /// A launch of nodes follows the answer to an earlier one, also where that
    /// answer is lost: to call the earlier one again would launch them twice.
    fn supersede(&mut self, nodes: &[NodeName]) {
        let lost = || Failure::new("what came of this launch is not on record");
        for record in self.launches.values_mut() {
            let shares = record.nodes.iter().any(|node| nodes.contains(node));
            if shares && record.state == LaunchState::Intended {
                record.state = LaunchState::Failed(lost());
            }
        }
    }

    fn intend(&mut self, group: &GroupKey, nodes: &[NodeName], at: Timestamp) {
        self.has_region(&group.region);
        self.supersede(nodes);
        let leader = self.leader.as_ref() == Some(&group.region) && group.may_lead();
        for name in nodes {
            let planned = || NodeState::planned(name.clone(), group.clone(), leader);
            self.nodes.entry(name.clone()).or_insert_with(planned);
            self.enter(name, Phase::Launching, at);
        }
    }

    fn launched(
        &mut self,
        token: &ClientToken,
        instances: &[super::LaunchedInstance],
        at: Timestamp,
    ) {
        let Some(record) = self.launches.get_mut(token) else { return };
        record.state =
            LaunchState::Succeeded(instances.iter().map(|launched| launched.id.clone()).collect());
        let region = record.group.region.clone();
        for launched in instances {
            self.attach(&region, launched, at);
        }
    }

    fn launch_failed(&mut self, token: &ClientToken, failure: &Failure, at: Timestamp) {
        let Some(record) = self.launches.get_mut(token) else { return };
        record.state = LaunchState::Failed(failure.clone());
        for name in record.nodes.clone() {
            self.enter(&name, Phase::Failed, at);
            if let Some(node) = self.nodes.get_mut(&name) {
                node.failure = Some(failure.clone());
            }
        }
    }

    /// How many nodes are ready, and how many are not.
    pub fn count(&self) -> (u32, u32) {
        let ready = self.nodes.values().filter(|node| node.is_ready()).count();
        let rest = self.nodes.len() - ready;
        (u32::try_from(ready).unwrap_or(u32::MAX), u32::try_from(rest).unwrap_or(u32::MAX))
    }

    /// Whether the instance state that `event` reports is on record already.
    pub(super) fn has_recorded(&self, event: &Event) -> bool {
        let Event::InstanceChanged { instance, state, private_ip, public_ip, .. } = event else {
            return false;
        };
        self.instances().find(|info| info.id == *instance).is_some_and(|info| {
            info.state == *state
                && info.public_ip == *public_ip
                && (private_ip.is_none() || info.private_ip == *private_ip)
        })
    }

    /// Whether a launch or an adoption on record names `id`.
    pub fn is_on_record(&self, id: &InstanceId) -> bool {
        self.on_record.contains(id)
    }

    /// What the launch of `token` created; none while that is not on record.
    pub fn created_by(&self, token: &ClientToken) -> Option<&[InstanceId]> {
        match &self.launches.get(token)?.state {
            LaunchState::Succeeded(instances) => Some(instances),
            LaunchState::Intended | LaunchState::Failed(_) => None,
        }
    }

    /// The node whose instance is `id`.
    pub fn node_of(&self, id: &InstanceId) -> Option<&NodeState> {
        self.nodes.get(self.by_instance.get(id)?)
    }

    /// All instances on record, those of nodes and strays.
    pub fn instances(&self) -> impl Iterator<Item = &InstanceInfo> {
        self.nodes.values().filter_map(|node| node.instance.as_ref()).chain(self.strays.values())
    }

    /// Instances that are not terminated, stopped ones included.
    pub fn live(&self) -> impl Iterator<Item = &InstanceInfo> {
        self.instances().filter(|info| info.state.is_live())
    }

    /// Machines that are billed as such, as far as is known.
    pub fn billed(&self) -> impl Iterator<Item = &InstanceInfo> {
        self.live().filter(|info| !info.state.is_stopped())
    }

    /// Instances that are stopping or stopped: only their volumes are billed.
    pub fn halted(&self) -> impl Iterator<Item = &InstanceInfo> {
        self.live().filter(|info| info.state.is_stopped())
    }

    /// Instances that are stopped.
    pub fn stopped(&self) -> impl Iterator<Item = &InstanceInfo> {
        self.live().filter(|info| info.state == InstanceState::Stopped)
    }

    /// Instances that are stopping.
    pub fn stopping(&self) -> impl Iterator<Item = &InstanceInfo> {
        self.live().filter(|info| info.state == InstanceState::Stopping)
    }
}
