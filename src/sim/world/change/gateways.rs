//! Internet gateways.

use super::{Checked, Kind, MadeId, Refusal, Scene, dependent, invalid};
use crate::{
    cloud::Tags,
    model::VpcId,
    sim::world::{machine::Machine, snapshot::InternetGateway},
};

impl Scene<'_> {
    pub(super) fn create_gateway(&mut self, tags: &Tags) -> String {
        let id = self.make(Kind::Gateway, "", tags);
        self.held.gateways.push(InternetGateway { id: id.clone(), vpc: None });
        id
    }

    pub(super) fn attach_gateway(&mut self, gateway: &str, vpc: &str) -> Checked<MadeId> {
        self.check(Kind::Gateway, gateway)?;
        self.check(Kind::Vpc, vpc)?;
        if let Some(held) = self.attachment(gateway) {
            let message = format!("resource {gateway} is already attached to network {held}");
            return Err(Refusal::new("Resource.AlreadyAssociated", message));
        }
        let vpc = VpcId::new(vpc);
        if self.held.gateways.iter().any(|held| held.vpc.as_ref() == Some(&vpc)) {
            let message = format!("Network {vpc} already has an internet gateway attached");
            return Err(invalid(message));
        }
        self.set_attachment(gateway, Some(vpc));
        Ok(None)
    }

    pub(super) fn detach_gateway(&mut self, gateway: &str, vpc: &str) -> Checked<MadeId> {
        self.check(Kind::Gateway, gateway)?;
        self.check(Kind::Vpc, vpc)?;
        let vpc = VpcId::new(vpc);
        if self.attachment(gateway) != Some(&vpc) {
            let message = format!("resource {gateway} is not attached to network {vpc}");
            return Err(Refusal::new("Gateway.NotAttached", message));
        }
        let mut machines = self.held.machines.values();
        if machines.any(|machine| self.is_public_in(machine, &vpc)) {
            let message = format!(
                "Network {vpc} has some mapped public address(es). Please unmap those public \
                 address(es) before detaching the gateway."
            );
            return Err(Refusal::new("DependencyViolation", message));
        }
        self.set_attachment(gateway, None);
        self.keep_busy(&vpc);
        Ok(None)
    }

    fn is_public_in(&self, machine: &Machine, vpc: &VpcId) -> bool {
        let subnet = self.held.subnet(&machine.about.subnet);
        machine.visible(self.now).public_ip.is_some()
            && subnet.is_some_and(|held| held.subnet.vpc == *vpc)
    }

    pub(super) fn delete_gateway(&mut self, gateway: &str) -> Checked<MadeId> {
        self.check(Kind::Gateway, gateway)?;
        if self.attachment(gateway).is_some() {
            return Err(dependent("internetGateway", gateway));
        }
        self.held.gateways.retain(|held| held.id != gateway);
        self.forget(gateway);
        Ok(None)
    }

    /// The VPC that a gateway is attached to.
    pub(super) fn attachment(&self, gateway: &str) -> Option<&VpcId> {
        self.held.gateways.iter().find(|held| held.id == gateway)?.vpc.as_ref()
    }

    fn set_attachment(&mut self, gateway: &str, vpc: Option<VpcId>) {
        if let Some(held) = self.held.gateways.iter_mut().find(|held| held.id == gateway) {
            held.vpc = vpc;
        }
    }
}
