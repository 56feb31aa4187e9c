//! Subnets.

use ipnet::Ipv4Net;

use super::{Checked, Kind, MadeId, Refusal, Scene, dependent, invalid};
use crate::{
    cloud::{InstanceState, Subnet, Tags},
    model::{SubnetId, Zone},
    sim::world::{addresses, state::HeldSubnet},
};

impl Scene<'_> {
    pub(super) fn create_subnet(
        &mut self,
        vpc: &str,
        zone: &Zone,
        cidr: Ipv4Net,
        tags: &Tags,
    ) -> Checked<MadeId> {
        self.check(Kind::Vpc, vpc)?;
        self.check_zone(zone)?;
        let cidr = cidr.trunc();
        self.check_cidr(vpc, cidr)?;
        let id = self.make(Kind::Subnet, "", tags);
        let subnet = Subnet {
            id: SubnetId::new(&id),
            vpc: vpc.into(),
            zone: zone.clone(),
            cidr,
            public_ip_on_launch: false,
            available_ips: addresses::usable(cidr),
        };
        let next = addresses::first(cidr);
        self.held.subnets.push(HeldSubnet { subnet, default: false, next });
        Ok(Some(id))
    }

    fn check_zone(&self, zone: &Zone) -> Checked<()> {
        if self.held.zones.contains(zone) {
            return Ok(());
        }
        let zones: Vec<&str> = self.held.zones.iter().map(Zone::as_str).collect();
        Err(invalid(format!(
            "Value ({zone}) for parameter availabilityZone is invalid. Subnets can currently only \
             be created in the following availability zones: {}.",
            zones.join(", ")
        )))
    }

    /// Within the VPC's addresses, and free there.
    fn check_cidr(&self, vpc: &str, cidr: Ipv4Net) -> Checked<()> {
        let mut own = self.held.vpcs.iter().filter(|held| held.id.as_str() == vpc);
        let within = own.any(|held| held.cidrs.iter().any(|all| all.contains(&cidr)));
        if !within || !(16..=28).contains(&cidr.prefix_len()) {
            let message = format!("The CIDR '{cidr}' is invalid.");
            return Err(Refusal::new("InvalidSubnet.Range", message));
        }
        let mut others = self.held.subnets.iter().filter(|held| held.subnet.vpc.as_str() == vpc);
        if others.any(|held| overlap(held.subnet.cidr, cidr)) {
            let message = format!("The CIDR '{cidr}' conflicts with another subnet");
            return Err(Refusal::new("InvalidSubnet.Conflict", message));
        }
        Ok(())
    }

    pub(super) fn map_public_ip(&mut self, subnet: &str) -> Checked<MadeId> {
        self.check(Kind::Subnet, subnet)?;
        for held in self.held.subnets.iter_mut().filter(|held| held.subnet.id.as_str() == subnet) {
            held.subnet.public_ip_on_launch = true;
        }
        Ok(None)
    }

    /// Takes away a subnet and its association.
    pub(super) fn delete_subnet(&mut self, subnet: &str) -> Checked<MadeId> {
        self.check(Kind::Subnet, subnet)?;
        let mut machines = self.held.machines.values();
        let used = machines.any(|machine| {
            machine.about.subnet.as_str() == subnet
                && machine.state_at(self.now) != InstanceState::Terminated
        });
        if used {
            return Err(dependent("subnet", subnet));
        }
        if let Some(vpc) = self.held.subnet(&subnet.into()).map(|held| held.subnet.vpc.clone()) {
            self.keep_busy(&vpc);
        }
        for table in &mut self.held.tables {
            table.subnets.retain(|own| own.as_str() != subnet);
        }
        self.held.subnets.retain(|held| held.subnet.id.as_str() != subnet);
        self.forget(subnet);
        Ok(None)
    }
}

/// Whether two networks share addresses: of two that do, one holds the other.
pub(super) fn overlap(one: Ipv4Net, other: Ipv4Net) -> bool {
    one.contains(&other) || other.contains(&one)
}
