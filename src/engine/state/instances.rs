//! The fold of instance events: instances change state, stop, start
//! again, terminate, or were adopted.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
};

use jiff::{SignedDuration, Timestamp};

use crate::{
    cloud::InstanceState,
    engine::{AdoptedNode, HostKeyCheck, LaunchedInstance, Phase},
    model::{Failure, GroupKey, InstanceId, InstanceType, NodeName, Region, elapsed},
};

use super::{ClusterPhase, InstanceInfo, NodeState, RunState};

/// EC2 bills by the second, and for a minute at least.
const LEAST: SignedDuration = SignedDuration::from_secs(60);

impl InstanceInfo {
    /// An instance that was just launched, or is known to exist.
    pub(super) fn of(launched: &LaunchedInstance, region: Region, at: Timestamp) -> Self {
        Self {
            id: launched.id.clone(),
            region,
            instance_type: launched.instance_type.clone(),
            vcpus: launched.vcpus,
            zone: Some(launched.zone.clone()),
            state: InstanceState::Pending,
            private_ip: launched.private_ip,
            public_ip: launched.public_ip,
            since: at,
            ended: None,
            adopted: false,
            running_since: Some(at),
            billed_before: SignedDuration::ZERO,
            host_key: None,
        }
    }

    /// One that no launch on record made.
    pub(super) fn stray(
        id: &InstanceId,
        region: &Region,
        state: InstanceState,
        instance_type: &InstanceType,
        at: Timestamp,
    ) -> Self {
        Self {
            id: id.clone(),
            region: region.clone(),
            instance_type: instance_type.clone(),
            vcpus: None,
            zone: None,
            state,
            private_ip: None,
            public_ip: None,
            since: at,
            ended: None,
            adopted: false,
            running_since: (!state.is_stopped()).then_some(at),
            billed_before: SignedDuration::ZERO,
            host_key: None,
        }
    }

    /// For how long it has been billed up to `now`, as far as muster knows:
    /// not for the time that it was stopped.
    pub fn billed_for(&self, now: Timestamp) -> SignedDuration {
        let until = self.ended.unwrap_or(now);
        let running = self.running_since.map(|since| elapsed(since, until).max(LEAST));
        self.billed_before + running.unwrap_or_default()
    }

    fn take_in(&mut self, state: InstanceState, at: Timestamp) {
        if state.is_stopped() && !self.state.is_stopped() {
            self.billed_before = self.billed_for(at);
            self.running_since = None;
        } else if self.state.is_stopped() && state.is_live() && !state.is_stopped() {
            self.running_since = Some(at);
        }
        if !state.is_live() {
            self.ended.get_or_insert(at);
        }
        self.state = state;
    }
}

impl NodeState {
    /// Whether its instance is stopped or stopping.
    pub fn is_stopped(&self) -> bool {
        self.instance.as_ref().is_some_and(|info| info.state.is_stopped())
    }

    /// Whether it has an instance that is neither terminating, terminated nor stopped.
    pub fn is_up(&self) -> bool {
        self.is_live() && !self.is_stopped()
    }

    /// When its present bring-up began: with its launch, or with the last start
    /// of its instance.
    pub fn begun(&self) -> Option<Timestamp> {
        let at = |phase| self.since.get(&phase).copied();
        match (at(Phase::Launching), at(Phase::Stopped)) {
            (Some(launched), None) => Some(launched),
            (Some(launched), Some(stopped)) if stopped < launched => Some(launched),
            _ => at(Phase::Booting),
        }
    }
}

impl RunState {
    pub(super) fn instance_changed(
        &mut self,
        id: &InstanceId,
        (state, reason): (InstanceState, Option<&str>),
        (private_ip, public_ip): (Option<Ipv4Addr>, Option<IpAddr>),
        at: Timestamp,
    ) {
        let failure = self.unexpected(id, state, reason);
        let name = self.by_instance.get(id).cloned();
        let node = name.as_ref().and_then(|name| self.nodes.get_mut(name));
        let of_node = node.and_then(|node| node.instance.as_mut());
        let Some(info) = of_node.or_else(|| self.strays.get_mut(id)) else { return };
        let (before, of_node) = (info.state, name.is_some());
        info.take_in(state, at);
        info.private_ip = private_ip.or(info.private_ip);
        info.public_ip = public_ip;
        if let Some(name) = name {
            self.node_changed(&name, (before, state), at);
            if let (Some(failure), Some(node)) = (failure, self.nodes.get_mut(&name)) {
                node.failure = Some(failure);
            }
        }
        self.cluster_changed(before, state);
        let runs = state.is_live() && !state.is_stopped();
        if of_node && !runs && self.phase == ClusterPhase::Ready {
            self.phase = ClusterPhase::Degraded;
        }
    }

    fn node_changed(
        &mut self,
        name: &NodeName,
        (before, now): (InstanceState, InstanceState),
        at: Timestamp,
    ) {
        let phase = match now {
            InstanceState::Stopping => Phase::Stopping,
            InstanceState::Stopped => Phase::Stopped,
            InstanceState::ShuttingDown => Phase::Terminating,
            InstanceState::Terminated => Phase::Terminated,
            InstanceState::Pending | InstanceState::Running if before.is_stopped() => {
                Phase::Booting
            }
            InstanceState::Pending | InstanceState::Running => return,
        };
        let known = self.nodes.get(name).and_then(|node| node.failure.clone());
        self.enter(name, phase, at);
        let Some(node) = self.nodes.get_mut(name) else { return };
        if (before.is_stopped() && now.is_stopped()) || !before.is_live() {
            node.failure = known;
        } else if now.is_stopped() {
            node.services_lost = true;
            node.unverify();
        }
    }

    /// Returns the failure that it is for its node if the instance `id` is in
    /// `state` now, and muster has neither stopped nor terminated it. `None`
    /// where the record knows of it already.
    pub fn unexpected(
        &self,
        id: &InstanceId,
        state: InstanceState,
        reason: Option<&str>,
    ) -> Option<Failure> {
        let before = self.node_of(id)?.instance.as_ref()?.state;
        let by_muster = match self.phase {
            ClusterPhase::Terminating => true,
            ClusterPhase::Stopping | ClusterPhase::Stopped => state.is_stopped(),
            _ => false,
        };
        let known = !before.is_live() || (before.is_stopped() && state.is_stopped());
        if by_muster || known || (state.is_live() && !state.is_stopped()) {
            return None;
        }
        let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        Some(if state.is_stopped() {
            Failure::new(format!("instance {id} was stopped, and not by muster{reason}"))
                .hint("`muster start` starts it again; meanwhile its volumes are billed")
        } else if before == InstanceState::Pending {
            Failure::new(format!("EC2 terminated instance {id} before it ran{reason}")).hint(
                "`muster up` launches another one in its place; if it fails as well, check the \
                 image and the KMS key of its volumes",
            )
        } else {
            Failure::new(format!("instance {id} was terminated, and not by muster{reason}"))
                .hint("`muster up` launches another one in its place")
        })
    }

    /// A cluster is stopped once all its instances are, whatever stopped them; one that
    /// somebody else starts is not ready yet.
    fn cluster_changed(&mut self, before: InstanceState, now: InstanceState) {
        let all_stopped = self.live().all(|info| info.state == InstanceState::Stopped);
        if now == InstanceState::Stopped && all_stopped {
            self.phase = ClusterPhase::Stopped;
        } else if self.phase == ClusterPhase::Stopped && before.is_stopped() && now.is_live() {
            self.phase = ClusterPhase::Degraded;
        }
    }

    pub(super) fn stop_ended(&mut self, stopped: u32, left: u32) {
        self.phase = match (stopped, left) {
            (0, _) | (_, 1..) => ClusterPhase::Degraded,
            _ => ClusterPhase::Stopped,
        };
    }

    /// `steps` have to run again on `nodes`; those that were ready go on.
    pub(super) fn void_services(&mut self, nodes: &[NodeName], steps: &[String], at: Timestamp) {
        for name in nodes {
            let Some(node) = self.nodes.get_mut(name) else { continue };
            for step in steps {
                node.void(step);
            }
            node.services_lost = false;
            if node.phase == Phase::Ready {
                self.enter(name, Phase::Booting, at);
            }
        }
    }

    /// A check of a machine that was replaced meanwhile is of no interest.
    pub(super) fn host_key(
        &mut self,
        node: &NodeName,
        instance: &InstanceId,
        check: &HostKeyCheck,
    ) {
        let info = self.nodes.get_mut(node).and_then(|node| node.instance.as_mut());
        if let Some(info) = info.filter(|info| info.id == *instance) {
            info.host_key = Some(check.clone());
        }
    }

    /// Machines that were there before become the nodes of `region`.
    pub(super) fn adopt(&mut self, region: &Region, adopted: &[AdoptedNode], at: Timestamp) {
        self.phase = ClusterPhase::Launching;
        self.adopting.remove(region);
        self.recover(region, adopted, at);
        for AdoptedNode { instance, .. } in adopted {
            let info = self.nodes.get_mut(&instance.node).and_then(|node| node.instance.as_mut());
            if let Some(info) = info {
                info.adopted = true;
                info.state = InstanceState::Running;
            }
        }
    }

    /// Running instances are the nodes of `region`, whatever launched them.
    pub(super) fn recover(&mut self, region: &Region, nodes: &[AdoptedNode], at: Timestamp) {
        self.phase = ClusterPhase::Launching;
        self.has_region(region);
        for AdoptedNode { group, instance } in nodes {
            let leads = group.may_lead() && self.leader.as_ref() == Some(region);
            let node = self
                .nodes
                .entry(instance.node.clone())
                .or_insert_with(|| NodeState::planned(instance.node.clone(), group.clone(), leads));
            node.group = group.clone();
            node.leader = leads;
            self.attach(region, instance, at);
        }
    }

    /// Attaches the instance to the node.
    pub(super) fn attach(&mut self, region: &Region, launched: &LaunchedInstance, at: Timestamp) {
        self.strays.remove(&launched.id);
        self.on_record.insert(launched.id.clone());
        self.enter(&launched.node, Phase::Booting, at);
        let Some(node) = self.nodes.get_mut(&launched.node) else { return };
        if let Some(replaced) = &node.instance {
            self.by_instance.remove(&replaced.id);
        }
        self.by_instance.insert(launched.id.clone(), launched.node.clone());
        node.instance_type = launched.instance_type.clone();
        // Numbers go on counting, so that no two tries ever share a log key.
        let steps: Vec<_> = node.steps.keys().cloned().collect();
        for step in steps {
            node.void(&step);
        }
        node.unverify();
        node.services_lost = false;
        node.instance = Some(InstanceInfo::of(launched, region.clone(), at));
    }
}

impl NodeState {
    /// A node of which there is nothing yet but its place in the plan.
    pub(super) fn planned(name: NodeName, group: GroupKey, leader: bool) -> Self {
        Self {
            name,
            group,
            leader,
            instance_type: InstanceType::default(),
            phase: Phase::Planned,
            since: BTreeMap::new(),
            instance: None,
            steps: BTreeMap::new(),
            verified: Vec::new(),
            verified_by: None,
            services_lost: false,
            lost_since: None,
            failure: None,
        }
    }
}
