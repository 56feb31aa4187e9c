//! `StopInstances` and `StartInstances`: all that are named, or none.

use std::sync::Arc;

use tokio::time::Instant;

use super::{
    World,
    api::missing,
    machine::{BY_USER, Boot, Machine},
    rules::Refusal,
    state::{RegionState, State},
};
use crate::{
    cloud::InstanceState,
    model::{InstanceId, Region},
};

/// Each instance's state after a call.
type States = Result<Vec<(InstanceId, InstanceState)>, Refusal>;

impl World {
    /// Stops `ids`.
    pub(super) fn stop_in(state: &mut State, region: &Region, ids: &[InstanceId]) -> States {
        let now = Instant::now();
        let Some(held) = state.regions.get(region) else { return Ok(Vec::new()) };
        let machines = named(held, ids)?;
        for machine in &machines {
            machine.may_stop(now)?;
        }
        for machine in &machines {
            machine.stop(now, BY_USER);
        }
        Ok(states(&machines, now))
    }

    /// Starts `ids`; each gets a public address that nobody had before.
    pub(super) fn start_in(
        &self,
        state: &mut State,
        region: &Region,
        ids: &[InstanceId],
    ) -> States {
        let now = Instant::now();
        let Some(held) = state.regions.get_mut(region) else { return Ok(Vec::new()) };
        let machines = named(held, ids)?;
        for machine in &machines {
            machine.may_start(now)?;
        }
        for machine in machines.iter().filter(|one| one.state_at(now) == InstanceState::Stopped) {
            let public_ip = machine.about.public.then(|| held.public_ips.next());
            machine.start(now, Boot { public_ip, ..self.boot_of(machine) });
        }
        Ok(states(&machines, now))
    }

    /// How long its next start takes.
    fn boot_of(&self, machine: &Machine) -> Boot {
        let boot = &self.spec.boot;
        let (id, next) = (machine.about.id.as_str(), (machine.course().boots + 1).to_string());
        Boot {
            pending: self.pace.within(boot.pending_s, &[id, &next, "pending"]),
            ssh: self.pace.within(boot.ssh_s, &[id, &next, "ssh"]),
            public_ip: None,
        }
    }
}

fn named(held: &RegionState, ids: &[InstanceId]) -> Result<Vec<Arc<Machine>>, Refusal> {
    let find = |id| held.machines.get(id).cloned().ok_or_else(|| missing(id));
    ids.iter().map(find).collect()
}

fn states(machines: &[Arc<Machine>], now: Instant) -> Vec<(InstanceId, InstanceState)> {
    machines.iter().map(|one| (one.about.id.clone(), one.state_at(now))).collect()
}

impl Machine {
    fn may_stop(&self, now: Instant) -> Result<(), Refusal> {
        let id = &self.about.id;
        if self.about.spot {
            return Err(unsupported(format!(
                "You can't stop the Spot Instance '{id}' because it is associated with a one-time \
                 Spot Instance request. You can only stop Spot Instances associated with \
                 persistent Spot Instance requests."
            )));
        }
        if !self.about.ebs_root {
            return Err(unsupported(format!(
                "The instance '{id}' does not have an 'ebs' root device type and cannot be stopped."
            )));
        }
        match self.state_at(now) {
            InstanceState::Running | InstanceState::Stopping | InstanceState::Stopped => Ok(()),
            _ => Err(incorrect_state(id, "stopped")),
        }
    }

    fn may_start(&self, now: Instant) -> Result<(), Refusal> {
        match self.state_at(now) {
            InstanceState::Pending | InstanceState::Running | InstanceState::Stopped => Ok(()),
            _ => Err(incorrect_state(&self.about.id, "started")),
        }
    }
}

fn unsupported(message: String) -> Refusal {
    Refusal::new("UnsupportedOperation", message)
}

fn incorrect_state(id: &InstanceId, what: &str) -> Refusal {
    let message = format!("The instance '{id}' is not in a state from which it can be {what}.");
    Refusal::new("IncorrectInstanceState", message)
}
