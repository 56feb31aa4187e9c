//! `RunInstances`: all that a request asks for, or nothing.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    World, addresses,
    hazards::Shows,
    machine::{About, End, Life, Machine},
    rules::{Order, Refusal},
    state::{RegionState, State},
};
use crate::{
    cloud::{Instance, LaunchRequest, tags},
    model::{GroupKey, InstanceId, NodeKind, NodeName, Region, Zone},
    sim::{dice, scenario::format::NodeSpec},
};

/// The launch that a token identifies.
pub(super) struct Launched {
    request: LaunchRequest,
    instances: Vec<InstanceId>,
}

impl World {
    /// Makes what `request` asks for, or finds what its token made before.
    pub(super) fn launch_in(
        &self,
        state: &mut State,
        region: &Region,
        request: &LaunchRequest,
    ) -> Result<Vec<Instance>, Refusal> {
        let now = Instant::now();
        let (Some(held), Some(spec)) =
            (state.regions.get_mut(region), self.spec.regions.get(region))
        else {
            return Ok(Vec::new());
        };
        let token = (request.token.clone(), held.zone_of(request));
        if let Some(before) = held.tokens.get(&token) {
            return held.again(before, request, now);
        }
        let order = held.check(&self.spec, region, request)?;
        held.check_room(spec, request, &order, now)?;
        let made: Vec<Arc<Machine>> = (0..request.count)
            .map(|index| self.make(held, region, request, &order, index))
            .collect();
        let instances = made.iter().map(|machine| machine.about.id.clone()).collect();
        held.tokens.insert(token, Launched { request: request.clone(), instances });
        // EC2 assigns the public address later, while the instance is pending.
        Ok(made.iter().map(|one| Instance { public_ip: None, ..one.visible(now) }).collect())
    }

    fn make(
        &self,
        held: &mut RegionState,
        region: &Region,
        request: &LaunchRequest,
        order: &Order,
        index: u32,
    ) -> Arc<Machine> {
        let node = self.name_of(region, request, index);
        let id = held.next_id(region);
        let (private_ip, public) = held.next_address(order);
        let public_ip = public.then(|| held.public_ips.next());
        let about = About {
            life: self.life_of(&node, id.as_str()),
            launched: self.clock.now(),
            region: region.clone(),
            instance_type: request.instance_type.clone(),
            vcpus: order.vcpus,
            spot: request.market.is_spot(),
            zone: order.zone.clone(),
            subnet: order.subnet.clone(),
            groups: order.groups.clone(),
            private_ip,
            public,
            ebs_root: order.ebs_root,
            key: order.key.clone(),
            user: order.user.clone(),
            launch_index: index,
            token: Some(request.token.clone()),
            tags: request.tags.clone(),
            id,
        };
        held.keep_volumes(&about.id, request);
        let machine = Arc::new(Machine::new(about, public_ip));
        self.show_late(held, machine.about.id.as_str());
        held.machines.insert(machine.about.id.clone(), Arc::clone(&machine));
        machine
    }

    /// Has reads find an instance late, and its tags later.
    fn show_late(&self, held: &mut RegionState, id: &str) {
        let hazards = &self.spec.hazards;
        let (lag, tag_lag) = (hazards.lag(self.pace, id), hazards.tag_lag(self.pace, id));
        if !lag.is_zero() {
            held.visible_from.insert(id.to_owned(), Shows::after(Duration::ZERO, lag, id));
        }
        if !tag_lag.is_zero() {
            held.tags_from.insert(id.to_owned(), Shows::after(Duration::ZERO, tag_lag, id));
        }
    }

    /// The name that muster gives the node, as far as the request identifies it: that
    /// of a further config where the scenario describes that node.
    fn name_of(&self, region: &Region, request: &LaunchRequest, index: u32) -> NodeName {
        let tag = |key: &str| request.tags.get(key);
        let is_head = tag(tags::RAY_NODE_TYPE).is_some_and(|kind| kind == "head");
        let key = |cluster_name: Option<String>| GroupKey {
            region: region.clone(),
            cluster_name,
            kind: if is_head { NodeKind::Head } else { NodeKind::Worker },
            node_type: String::new(),
        };
        let further = key(tag(tags::RAY_CLUSTER_NAME).cloned()).node(index + 1);
        if self.spec.nodes.contains_key(&further) {
            return further;
        }
        key(None).node(index + 1)
    }

    /// When a new instance will run, answer ssh, and terminate by itself.
    fn life_of(&self, node: &NodeName, id: &str) -> Life {
        let ours = NodeSpec::default();
        let odd = self.spec.nodes.get(node).unwrap_or(&ours);
        let boot = &self.spec.boot;
        let launched_at = Instant::now();
        let seed = node.as_str();
        let running_at = launched_at
            + self.pace.within(odd.pending_s.unwrap_or(boot.pending_s), &[seed, "pending"]);
        let ssh_at = running_at + self.pace.within(odd.ssh_s.unwrap_or(boot.ssh_s), &[seed, "ssh"]);
        let console = self.pace.within(odd.console_s.unwrap_or(boot.console_s), &[seed, "console"]);
        let failed = End { at: running_at, reason: "Server.InternalError" };
        let reclaimed = |after| End {
            at: running_at + self.pace.of(after),
            reason: "Server.SpotInstanceTermination",
        };
        Life {
            launched_at: Some(launched_at),
            running_at,
            ssh_at,
            console_at: running_at + console,
            stopping: self.pace.within(boot.stopping_s, &[id, "stopping"]),
            shutting_down: self.pace.within(boot.shutting_down_s, &[id, "shutting-down"]),
            fate: if odd.never_runs { Some(failed) } else { odd.reclaimed_after_s.map(reclaimed) },
        }
    }
}

impl RegionState {
    /// Tokens are zonal where the request names a subnet.
    fn zone_of(&self, request: &LaunchRequest) -> Option<Zone> {
        let held = self.subnet(request.subnet.as_ref()?)?;
        Some(held.subnet.zone.clone())
    }

    /// The answer to a token that was used before.
    fn again(
        &self,
        before: &Launched,
        request: &LaunchRequest,
        now: Instant,
    ) -> Result<Vec<Instance>, Refusal> {
        if before.request != *request {
            let message = "The request uses the same client token as a previous, but non-identical \
                           request.";
            return Err(Refusal::new("IdempotentParameterMismatch", message));
        }
        let machines = before.instances.iter().filter_map(|id| self.machines.get(id));
        Ok(machines.map(|machine| machine.visible(now)).collect())
    }

    /// Keeps the volumes that outlive their instance; the others are deleted with it.
    fn keep_volumes(&mut self, id: &InstanceId, request: &LaunchRequest) {
        let devices = request.more.get("BlockDeviceMappings").and_then(|all| all.as_array());
        let lasting = devices
            .into_iter()
            .flatten()
            .filter(|one| one["Ebs"]["DeleteOnTermination"].as_bool() == Some(false));
        for device in lasting {
            let name = device["DeviceName"].as_str().unwrap_or_default();
            let volume = format!("vol-{}", dice::hex17(&[id.as_str(), name]));
            self.tags.insert(volume, request.tags.clone());
        }
    }

    fn next_id(&mut self, region: &Region) -> InstanceId {
        self.launched += 1;
        let digits = dice::hex17(&[region.as_str(), &self.launched.to_string()]);
        InstanceId::new(format!("i-{digits}"))
    }

    /// The next private address of the order's subnet, and whether a public one goes with it.
    fn next_address(&mut self, order: &Order) -> (std::net::Ipv4Addr, bool) {
        let held = self.subnets.iter_mut().find(|held| held.subnet.id == order.subnet);
        let Some(held) = held else { return (std::net::Ipv4Addr::UNSPECIFIED, false) };
        let address = held.next;
        held.next = addresses::after(address);
        (address, held.subnet.public_ip_on_launch)
    }
}
