//! Which resources on record a plan uses again: those that are what the step
//! would create, in the same VPC, zone or between the same VPCs. The name of a
//! step alone proves nothing: networks come and go.

use crate::cloud::{Change, Ref, StepId};

use super::facts::RegionFacts;

impl RegionFacts {
    /// The resource on record that `change` need not create again.
    pub(super) fn reusable(&self, slot: &StepId, change: &Change) -> Option<String> {
        let mut own = self.own(slot).iter();
        let id = match change {
            // Of two, the one that an earlier run got further with.
            Change::CreateVpc { .. } => own.max_by_key(|id| self.subnets_in(id)),
            _ => own.find(|id| self.is_what(id, change)),
        };
        id.cloned()
    }

    /// The gateway on record that is attached to `vpc`, or that is attached to nothing.
    pub(super) fn reusable_gateway(&self, slot: &StepId, vpc: &Ref) -> Option<String> {
        let own = self.gateways.iter().filter(|one| self.own(slot).contains(&one.id));
        let fits = own.filter(|one| one.vpc.as_ref().is_none_or(|id| is(vpc, id.as_str())));
        fits.max_by_key(|one| one.vpc.is_some()).map(|one| one.id.clone())
    }

    /// What was created twice and is not used: of all that a step has created, what
    /// has nothing in it. The one that a plan would use is none of them.
    pub(super) fn surplus(&self) -> impl Iterator<Item = (&StepId, &String)> {
        let several = self.all_own().filter(|(slot, _)| self.own(slot).len() > 1);
        several.filter(|(slot, id)| {
            let used = |other: &&String| !self.is_idle(other);
            let own = self.own(slot);
            let kept = own.iter().find(used).or_else(|| own.last());
            self.is_idle(id) && kept != Some(id)
        })
    }

    /// Whether `id` is of a kind of which EC2 creates a second one, and has nothing in it.
    fn is_idle(&self, id: &str) -> bool {
        match id.split('-').next().unwrap_or_default() {
            "vpc" => self.subnets_in(id) == 0,
            "igw" => self.gateways.iter().any(|one| one.id == id && one.vpc.is_none()),
            "rtb" => {
                let mut own = self.tables.iter().filter(|one| one.id.as_str() == id);
                own.any(|one| one.subnets.is_empty() && !one.is_main)
            }
            _ => false,
        }
    }

    fn subnets_in(&self, vpc: &str) -> usize {
        self.subnets.iter().filter(|one| one.vpc.as_str() == vpc).count()
    }

    fn is_what(&self, id: &str, change: &Change) -> bool {
        match change {
            Change::CreateSubnet { vpc, zone, .. } => {
                let mut own = self.subnets.iter().filter(|one| one.id.as_str() == id);
                own.any(|one| is(vpc, one.vpc.as_str()) && one.zone == *zone)
            }
            Change::CreateSecurityGroup { vpc, .. } => {
                let mut own = self.groups.iter().filter(|one| one.id.as_str() == id);
                own.any(|one| is(vpc, one.vpc.as_str()))
            }
            Change::CreateRouteTable { vpc, .. } => {
                let mut own = self.tables.iter().filter(|one| one.id.as_str() == id);
                own.any(|one| is(vpc, one.vpc.as_str()))
            }
            Change::CreatePeering { vpc, peer_region, peer_vpc, .. } => {
                self.peering(id).is_some_and(|one| {
                    is(vpc, one.requester.vpc.as_str())
                        && is(peer_vpc, one.accepter.vpc.as_str())
                        && one.accepter.region == *peer_region
                })
            }
            Change::ImportKeyPair { name, public_key, .. } => {
                let mut pairs = self.key_pairs.iter().filter(|pair| pair.name == *name);
                pairs.any(|pair| pair.public_key.as_ref() == Some(public_key))
            }
            Change::CopyImage { .. } => true,
            _ => false,
        }
    }
}

fn is(reference: &Ref, id: &str) -> bool {
    reference.id() == Some(id)
}
