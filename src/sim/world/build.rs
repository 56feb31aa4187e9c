//! The instances that a world has from the start, running or stopped.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    addresses,
    machine::{About, BY_USER, Life, Machine},
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
        let key = instance
            .key_name
            .as_ref()
            .and_then(|name| held.keys.iter().find(|key| key.pair.name == *name)?.material.clone());
        let image = instance.image.as_ref();
        let image = image.and_then(|id| held.images.iter().find(|held| held.image.id == *id));
        let user = image.map(|held| held.user.clone()).unwrap_or_default();
        let ebs_root = image.is_none_or(|held| !held.instance_store);
        let about = About {
            id: instance.id.clone(),
            region: region.clone(),
            instance_type: instance.instance_type.clone(),
            vcpus,
            spot: instance.spot,
            zone: subnet.subnet.zone.clone(),
            subnet: instance.subnet.clone(),
            groups: instance.security_groups.clone(),
            private_ip,
            public: true,
            ebs_root,
            key,
            user,
            launched: spec.starts_at,
            launch_index: 0,
            token: None,
            tags: instance.tags.clone(),
            life: running_since(started),
        };
        let machine = Machine::new(about, Some(held.public_ips.next()));
        if instance.stopped {
            machine.stop(started, BY_USER);
        }
        held.machines.insert(instance.id.clone(), Arc::new(machine));
    }
}

fn running_since(started: Instant) -> Life {
    Life {
        launched_at: None,
        running_at: started,
        ssh_at: started,
        console_at: started,
        stopping: Duration::ZERO,
        shutting_down: Duration::ZERO,
        fate: None,
    }
}
