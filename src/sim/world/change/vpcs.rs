//! VPCs.

use ipnet::Ipv4Net;

use super::{Checked, Kind, MadeId, Refusal, Scene, dependent};
use crate::{
    cloud::{IpPermission, PeeringState, SecurityGroup, Tags, Vpc},
    model::{SecurityGroupId, VpcId},
};

impl Scene<'_> {
    /// Makes a VPC with what EC2 makes along: its main route table, and a
    /// group of which each lets in all others.
    pub(super) fn create_vpc(&mut self, cidr: Ipv4Net, tags: &Tags) -> Checked<MadeId> {
        if !(16..=28).contains(&cidr.prefix_len()) {
            let message = format!("The CIDR '{cidr}' is invalid.");
            return Err(Refusal::new("InvalidVpc.Range", message));
        }
        let id = self.make(Kind::Vpc, "", tags);
        let vpc = VpcId::new(&id);
        let cidrs = vec![cidr.trunc()];
        self.held.vpcs.push(Vpc { id: vpc.clone(), cidrs, is_default: false, name: None });
        self.add_table(&vpc, true, &Tags::new());
        let group = SecurityGroupId::new(self.make(Kind::Group, "default", &Tags::new()));
        let itself = IpPermission {
            protocol: "-1".into(),
            ports: None,
            cidrs: Vec::new(),
            ipv6_cidrs: Vec::new(),
            prefix_lists: Vec::new(),
            groups: vec![group.clone()],
        };
        let inbound = vec![itself];
        self.held.groups.push(SecurityGroup { id: group, name: "default".into(), vpc, inbound });
        Ok(Some(id))
    }

    pub(super) fn delete_vpc(&mut self, vpc: &str) -> Checked<MadeId> {
        self.check(Kind::Vpc, vpc)?;
        let id = VpcId::new(vpc);
        if self.is_in_use(&id) {
            return Err(dependent("vpc", vpc));
        }
        let tables = self.held.tables.iter().filter(|table| table.vpc == id);
        let tables: Vec<_> = tables.map(|table| table.id.clone()).collect();
        let groups = self.held.groups.iter().filter(|group| group.vpc == id);
        let groups: Vec<_> = groups.map(|group| group.id.clone()).collect();
        for table in tables {
            self.drop_table(table.as_str());
        }
        for group in groups {
            self.drop_group(group.as_str());
        }
        self.held.vpcs.retain(|held| held.id != id);
        self.forget(vpc);
        Ok(None)
    }

    /// Whether it has more than what came with it.
    fn is_in_use(&self, vpc: &VpcId) -> bool {
        let held = &self.held;
        held.busy_until.get(vpc).is_some_and(|until| self.now < *until)
            || held.subnets.iter().any(|one| one.subnet.vpc == *vpc)
            || held.gateways.iter().any(|one| one.vpc.as_ref() == Some(vpc))
            || held.tables.iter().any(|one| one.vpc == *vpc && !one.is_main)
            || held.groups.iter().any(|one| one.vpc == *vpc && one.name != "default")
            || self.is_peered(vpc)
    }

    fn is_peered(&self, vpc: &VpcId) -> bool {
        let works = |state| matches!(state, PeeringState::Provisioning | PeeringState::Active);
        self.peerings.iter().any(|held| {
            let sides = [&held.peering.requester, &held.peering.accepter];
            works(held.state(self.now)) && sides.iter().any(|side| side.vpc == *vpc)
        })
    }
}
