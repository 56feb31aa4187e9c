//! VPC peering connections.

use super::{Checked, Kind, MadeId, Refusal, Scene, subnets::overlap};
use crate::{
    cloud::{Peering, PeeringSide, PeeringState, Tags, Vpc},
    model::{PeeringId, Region, VpcId},
    sim::world::{
        described,
        state::{HeldPeering, message_of},
    },
};

/// After which a request that nobody accepted ends.
const EXPIRES_IN_DAYS: f64 = 7.0;

impl Scene<'_> {
    /// Asks for a connection. What is wrong over there makes it fail, and is
    /// no error of the call.
    pub(super) fn create_peering(
        &mut self,
        vpc: &str,
        (peer_region, peer, there): (&Region, &str, Option<Vpc>),
        tags: &Tags,
    ) -> Checked<MadeId> {
        self.check(Kind::Vpc, vpc)?;
        let (vpc, peer) = (VpcId::new(vpc), VpcId::new(peer));
        self.check_first(&vpc, &peer)?;
        let own = self.held.vpcs.iter().find(|held| held.id == vpc);
        let cidrs = own.map(|held| held.cidrs.clone()).unwrap_or_default();
        let fits = there.is_some_and(|there| {
            let meets = |cidr| cidrs.iter().any(|own| overlap(*own, cidr));
            !there.cidrs.into_iter().any(meets)
        });
        let state = if fits { PeeringState::PendingAcceptance } else { PeeringState::Failed };
        let expires = fits.then(|| described::in_days(self.today, EXPIRES_IN_DAYS)).flatten();
        let id = self.make(Kind::Peering, "", tags);
        let accepter = PeeringSide { vpc: peer, region: peer_region.clone(), cidrs: Vec::new() };
        let peering = Peering {
            id: PeeringId::new(&id),
            requester: PeeringSide { vpc, region: self.region.clone(), cidrs },
            accepter,
            state,
            message: message_of(state).into(),
            expires,
        };
        let visible_from = self.held.visible_from.get(&id).cloned();
        self.peerings.push(HeldPeering {
            peering,
            active_at: None,
            visible_from,
            visible_until: None,
        });
        Ok(Some(id))
    }

    /// Between two VPCs there is one connection at most.
    fn check_first(&self, vpc: &VpcId, peer: &VpcId) -> Checked<()> {
        let joins = |held: &HeldPeering| {
            let ends = [&held.peering.requester.vpc, &held.peering.accepter.vpc];
            ends.contains(&vpc) && ends.contains(&peer)
        };
        if self.peerings.iter().any(|held| joins(held) && self.is_live(held)) {
            let message = "A VPC peering connection between the VPCs already exists.";
            return Err(Refusal::new("VpcPeeringConnectionAlreadyExists", message));
        }
        Ok(())
    }

    fn is_live(&self, held: &HeldPeering) -> bool {
        matches!(
            held.state(self.now),
            PeeringState::PendingAcceptance | PeeringState::Provisioning | PeeringState::Active
        )
    }

    fn peering(&mut self, peering: &str) -> Checked<&mut HeldPeering> {
        self.check(Kind::Peering, peering)?;
        let mut all = self.peerings.iter_mut();
        let found = all.find(|held| held.peering.id.as_str() == peering);
        found.ok_or_else(|| Kind::Peering.missing(peering))
    }

    pub(super) fn accept_peering(&mut self, peering: &str) -> Checked<MadeId> {
        let (region, now) = (self.region, self.now);
        let active_at = now + self.times.provisioning;
        let accepter = self.peering(peering)?.peering.accepter.clone();
        if accepter.region != *region {
            return Err(elsewhere(region, peering, &accepter.region));
        }
        let own = self.held.vpcs.iter().find(|held| held.id == accepter.vpc);
        let cidrs = own.map(|held| held.cidrs.clone()).unwrap_or_default();
        let held = self.peering(peering)?;
        if held.state(now) != PeeringState::PendingAcceptance {
            return Err(wrong_state(peering));
        }
        held.active_at = Some(active_at);
        held.peering.state = PeeringState::Provisioning;
        held.peering.accepter.cidrs = cidrs;
        held.peering.expires = None;
        Ok(None)
    }

    /// Deletes a connection; EC2 lists it for a while.
    pub(super) fn delete_peering(&mut self, peering: &str) -> Checked<MadeId> {
        let visible_until = self.now + self.times.remembers;
        let is = |held: &HeldPeering| held.peering.id.as_str() == peering;
        let live = self.peerings.iter().any(|held| is(held) && self.is_live(held));
        let held = self.peering(peering)?;
        if !live {
            return Err(wrong_state(peering));
        }
        held.peering.state = PeeringState::Deleted;
        held.visible_until = Some(visible_until);
        self.forget(peering);
        Ok(None)
    }
}

fn wrong_state(peering: &str) -> Refusal {
    let message = format!("Invalid state transition for {peering}");
    Refusal::new("InvalidStateTransition", message)
}

fn elsewhere(here: &Region, peering: &str, there: &Region) -> Refusal {
    let message = format!(
        "Incorrect region ({here}) specified for this request. VPC peering connection {peering} \
         must be accepted in region {there}"
    );
    Refusal::new("OperationNotPermitted", message)
}
