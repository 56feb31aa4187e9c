//! What the checks of VPCs, peerings and routes share.

use ipnet::Ipv4Net;

use crate::{
    cloud::{Peering, PeeringState, RouteTable, Subnet, Vpc},
    survey::Absent,
};

use super::{
    Finding, Level, Subject,
    context::{Judged, RegionView},
};

/// The CIDR of its VPC that a subnet is part of, as people write it in rules
/// and routes; the subnet's own where the VPC is not known.
pub(crate) fn wide(place: &RegionView<'_>, subnet: &Subnet) -> Ipv4Net {
    let vpc = place.facts.vpc(&subnet.vpc).ok();
    let cidrs = vpc.map_or(&[][..], |vpc| &vpc.cidrs);
    cidrs.iter().copied().find(|cidr| cidr.contains(&subnet.cidr)).unwrap_or(subnet.cidr)
}

/// The table that applies to a subnet: the one associated with it, else its
/// VPC's main one.
pub(crate) fn table_of<'a>(tables: &'a [RouteTable], subnet: &Subnet) -> Option<&'a RouteTable> {
    let own = tables.iter().find(|table| table.subnets.contains(&subnet.id));
    own.or_else(|| tables.iter().find(|table| table.is_main && table.vpc == subnet.vpc))
}

/// Two VPCs that nodes of two regions are in.
#[derive(Clone, Copy)]
pub(crate) struct Link<'a> {
    pub from: RegionView<'a>,
    pub from_vpc: &'a Vpc,
    pub to: RegionView<'a>,
    pub to_vpc: &'a Vpc,
}

/// Every VPC of one region with every one of the other: usually one pair.
pub(crate) fn links<'a>(from: RegionView<'a>, to: RegionView<'a>) -> Judged<Vec<Link<'a>>> {
    let subject = Subject::Pair(from.region().clone(), to.region().clone());
    let vpcs = |place: &RegionView<'a>| {
        place.vpcs().map_err(|absent| {
            let what = match absent {
                Absent::Missing => "the subnets".to_owned(),
                Absent::Unknown(_) => format!("the VPCs of {}", place.region()),
            };
            Box::new(place.absent_for(&subject, absent, &what))
        })
    };
    let (near, far) = (vpcs(&from)?, vpcs(&to)?);
    let with = |from_vpc| {
        far.iter().map(move |to_vpc| Link { from, from_vpc, to, to_vpc }).collect::<Vec<_>>()
    };
    Ok(near.into_iter().flat_map(with).collect())
}

/// Whether VPCs of the two regions are known to overlap.
pub(crate) fn overlap(a: &RegionView<'_>, b: &RegionView<'_>) -> bool {
    links(*a, *b).is_ok_and(|links| links.iter().any(|link| link.overlap().is_some()))
}

impl<'a> Link<'a> {
    pub fn subject(&self) -> Subject {
        Subject::Pair(self.from.region().clone(), self.to.region().clone())
    }

    pub fn finding(&self, level: Level, title: impl Into<String>) -> Finding {
        self.from.with(&self.to, level, title)
    }

    /// Two CIDRs that overlap, if any do.
    pub fn overlap(&self) -> Option<(Ipv4Net, Ipv4Net)> {
        let near = self.from_vpc.cidrs.iter();
        let pairs = near.flat_map(|a| self.to_vpc.cidrs.iter().map(move |b| (*a, *b)));
        pairs.into_iter().find(|(a, b)| a.contains(b) || b.contains(a))
    }

    /// Every connection between the two that either region lists, the most
    /// usable first.
    pub fn peerings(&self) -> Judged<Vec<&'a Peering>> {
        let (near, far) = (&self.from.facts.peerings, &self.to.facts.peerings);
        if let (Err(absent), Err(_)) = (near.get(), far.get()) {
            let what = "the peering connections";
            return Err(Box::new(self.from.absent_for(&self.subject(), absent, what)));
        }
        let listed = [near.known(), far.known()].into_iter().flatten().flatten();
        let mut found: Vec<_> = listed.filter(|peering| self.is_between(peering)).collect();
        found.sort_by_key(|peering| rank(peering.state));
        Ok(found)
    }

    fn is_between(&self, peering: &Peering) -> bool {
        let sides = [&peering.requester, &peering.accepter];
        let has = |place: &RegionView<'_>, vpc: &Vpc| {
            sides.iter().any(|side| side.vpc == vpc.id && side.region == *place.region())
        };
        has(&self.from, self.from_vpc) && has(&self.to, self.to_vpc)
    }
}

fn rank(state: PeeringState) -> u8 {
    match state {
        PeeringState::Active => 0,
        PeeringState::Provisioning => 1,
        PeeringState::PendingAcceptance => 2,
        PeeringState::InitiatingRequest => 3,
        _ => 4,
    }
}

/// Whether the connection is there or may yet come.
pub(crate) fn is_alive(peering: &Peering) -> bool {
    rank(peering.state) < 4
}
