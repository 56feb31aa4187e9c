//! The instances that a world has from the start.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    addresses,
    machine::{About, Life, Machine},
    state::State,
};
use crate::{
    model::Region,
    sim::scenario::format::{InstanceSpec, Spec},
};

impl State {
    /// Puts the scenario's own instances in, running since before the start.
    pub(super) fn populate(&mut self, spec: &Spec, started: Instant) {
        for (name, region) in &spec.regions {
            for instance in &region.instances {
                self.put(spec, name, instance, started);
            }
        }
    }

    fn put(&mut self, spec: &Spec, region: &Region, instance: &InstanceSpec, started: Instant) {
        let Some(held) = self.regions.get_mut(region) else { return };
        let vcpus = held.types.get(&instance.instance_type).map_or(0, |info| info.vcpus);
        let Some(subnet) = held.subnets.iter_mut().find(|held| held.subnet.id == instance.subnet)
        else {
            return;
        };
        let private_ip = subnet.next;
        subnet.next = addresses::after(private_ip);
        let about = About {
            id: instance.id.clone(),
            region: region.clone(),
            instance_type: instance.instance_type.clone(),
            vcpus,
            spot: false,
            zone: subnet.subnet.zone.clone(),
            subnet: instance.subnet.clone(),
            groups: Vec::new(),
            private_ip,
            public_ip: Some(held.public_ips.next()),
            key: None,
            user: String::new(),
            launched: spec.starts_at,
            launch_index: 0,
            token: None,
            tags: instance.tags.clone(),
            life: running_since(started),
        };
        held.machines.insert(instance.id.clone(), Arc::new(Machine::new(about)));
    }
}

fn running_since(started: Instant) -> Life {
    Life {
        launched_at: None,
        running_at: started,
        ssh_at: started,
        shutting_down: Duration::ZERO,
        fate: None,
    }
}
