//! The resources of a world. Those of the scenario come from `described`,
//! others from `launch` and `change`.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::Ipv4Addr,
    sync::Arc,
};

use ipnet::IpNet;
use tokio::time::Instant;

use super::{
    addresses::PublicPool,
    hazards::Shows,
    launch::Launched,
    machine::Machine,
    snapshot::{InternetGateway, SecurityGroupRule},
};
use crate::{
    cloud::{
        Change, Image, ImageState, InstanceTypeInfo, KeyPair, Offering, Peering, PeeringState,
        PublicKey, RegionInfo, RouteState, RouteTable, RouteTarget, SecurityGroup, Subnet, Tags,
        Vpc,
    },
    model::{ClientToken, InstanceId, InstanceType, PeeringId, Region, SubnetId, VpcId, Zone},
};

/// Everything that calls can read or change.
pub(super) struct State {
    pub regions: BTreeMap<Region, RegionState>,
    pub peerings: Vec<HeldPeering>,
    /// The ids of everything that changes ever created; none is used twice.
    pub made: BTreeSet<String>,
}

/// One region.
pub(super) struct RegionState {
    pub info: RegionInfo,
    pub zones: Vec<Zone>,
    pub images: Vec<HeldImage>,
    pub keys: Vec<HeldKey>,
    pub groups: Vec<SecurityGroup>,
    /// What prefix lists hold, by id.
    pub prefix_lists: BTreeMap<String, Vec<IpNet>>,
    /// Those that changes added, beside what `groups` say of them.
    pub rules: Vec<SecurityGroupRule>,
    pub subnets: Vec<HeldSubnet>,
    /// Without their names, which are tags.
    pub vpcs: Vec<Vpc>,
    /// Without the routes' states, which follow from where they lead.
    pub tables: Vec<RouteTable>,
    pub gateways: Vec<InternetGateway>,
    /// By resource; of instances those that were added after the launch.
    pub tags: BTreeMap<String, Tags>,
    /// From when on other calls see what was created.
    pub visible_from: HashMap<String, Shows>,
    /// When the tags of a resource show.
    pub tags_from: HashMap<String, Shows>,
    /// Until when EC2 takes a VPC for one in use.
    pub busy_until: HashMap<VpcId, Instant>,
    /// What `CopyImage` made, by token.
    pub copies: HashMap<String, (Change, String)>,
    pub types: BTreeMap<InstanceType, InstanceTypeInfo>,
    pub offerings: Vec<Offering>,
    pub machines: BTreeMap<InstanceId, Arc<Machine>>,
    /// What `RunInstances` made, by token and the zone asked for.
    pub tokens: HashMap<(ClientToken, Option<Zone>), Launched>,
    pub public_ips: PublicPool,
    /// Instances ever launched here, for their ids.
    pub launched: u32,
}

/// An image and who may log in to its instances.
#[derive(Clone)]
pub(super) struct HeldImage {
    pub image: Image,
    pub user: String,
    /// Whether its instances have their root on the host's own disk.
    pub instance_store: bool,
    /// When its copying is done.
    pub available_at: Option<Instant>,
}

/// A key pair with the material that EC2 may not return.
pub(super) struct HeldKey {
    pub id: String,
    pub pair: KeyPair,
    pub material: Option<PublicKey>,
}

/// A subnet and its next free address.
pub(super) struct HeldSubnet {
    pub subnet: Subnet,
    pub default: bool,
    pub next: Ipv4Addr,
}

/// A peering connection and what time does to it.
pub(super) struct HeldPeering {
    pub peering: Peering,
    /// When what was accepted works.
    pub active_at: Option<Instant>,
    /// From when on other calls see it.
    pub visible_from: Option<Shows>,
    /// Until when EC2 lists what was deleted.
    pub visible_until: Option<Instant>,
}

impl HeldImage {
    /// Its truth at `now`.
    pub fn at(&self, now: Instant) -> Image {
        let state = match self.available_at {
            Some(at) if now < at => ImageState::Other("pending".into()),
            _ => self.image.state.clone(),
        };
        Image { state, ..self.image.clone() }
    }
}

impl HeldPeering {
    /// Its state at `now`.
    pub fn state(&self, now: Instant) -> PeeringState {
        match self.peering.state {
            PeeringState::Provisioning if self.active_at.is_some_and(|at| at <= now) => {
                PeeringState::Active
            }
            state => state,
        }
    }

    /// Its truth at `now`.
    pub fn at(&self, now: Instant) -> Peering {
        let state = self.state(now);
        Peering { state, message: message_of(state).into(), ..self.peering.clone() }
    }

    /// Whether EC2 lists it in `region` at `now`.
    pub fn is_visible(&self, region: &Region, now: Instant) -> bool {
        let sides = [&self.peering.requester, &self.peering.accepter];
        sides.iter().any(|side| side.region == *region)
            && self.visible_from.as_ref().is_none_or(|from| from.at(now))
            && self.visible_until.is_none_or(|until| now <= until)
    }
}

impl State {
    /// Takes over all of `other` but its instances. What changes created stays;
    /// what they altered is as in `other`.
    pub fn adopt(&mut self, mut other: Self) {
        keep(&mut other.peerings, std::mem::take(&mut self.peerings), |held| {
            self.made.contains(held.peering.id.as_str())
        });
        self.peerings = other.peerings;
        for (name, region) in other.regions {
            match self.regions.remove(&name) {
                Some(own) => self.regions.insert(name, own.replaced_by(region, &self.made)),
                None => self.regions.insert(name, region),
            };
        }
    }

    pub fn vpc(&self, region: &Region, vpc: &VpcId) -> Option<&Vpc> {
        self.regions.get(region)?.vpcs.iter().find(|own| own.id == *vpc)
    }

    /// A route's state: its peering connection has to be there and active,
    /// its gateway there and attached.
    pub fn route_state(&self, target: &RouteTarget, now: Instant) -> RouteState {
        let carries = match target {
            RouteTarget::Peering(id) => self.is_active(id, now),
            RouteTarget::Other(id) if id.starts_with("igw-") => self.is_attached(id),
            _ => true,
        };
        if carries { RouteState::Active } else { RouteState::Blackhole }
    }

    fn is_active(&self, id: &PeeringId, now: Instant) -> bool {
        let active = |held: &HeldPeering| held.state(now) == PeeringState::Active;
        self.peerings.iter().any(|held| held.peering.id == *id && active(held))
    }

    fn is_attached(&self, id: &str) -> bool {
        let mut gateways = self.regions.values().flat_map(|region| &region.gateways);
        gateways.any(|gateway| gateway.id == id && gateway.vpc.is_some())
    }
}

/// Adds to `to` those of `from` that are to stay.
fn keep<T>(to: &mut Vec<T>, from: Vec<T>, stays: impl Fn(&T) -> bool) {
    to.extend(from.into_iter().filter(stays));
}

/// EC2's message on a peering connection's state.
pub(super) fn message_of(state: PeeringState) -> &'static str {
    match state {
        PeeringState::InitiatingRequest => "Initiating Request to 123456789012",
        PeeringState::PendingAcceptance => "Pending Acceptance by 123456789012",
        PeeringState::Provisioning => "Provisioning",
        PeeringState::Active => "Active",
        PeeringState::Failed => {
            "Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range"
        }
        PeeringState::Expired => "Expired",
        PeeringState::Rejected => "Rejected by 123456789012",
        PeeringState::Deleting => "Deleting",
        PeeringState::Deleted => "Deleted by 123456789012",
    }
}

impl RegionState {
    /// Returns `other` with the instances of this one and with the resources that changes
    /// created here (`made`).
    fn replaced_by(self, mut other: Self, made: &BTreeSet<String>) -> Self {
        for held in &mut other.subnets {
            held.next = self.subnet(&held.subnet.id).map_or(held.next, |own| own.next);
        }
        let is = |id: &str| made.contains(id);
        keep(&mut other.images, self.images, |held| is(held.image.id.as_str()));
        keep(&mut other.keys, self.keys, |held| is(&held.id));
        keep(&mut other.groups, self.groups, |group| is(group.id.as_str()));
        keep(&mut other.subnets, self.subnets, |held| is(held.subnet.id.as_str()));
        keep(&mut other.vpcs, self.vpcs, |vpc| is(vpc.id.as_str()));
        keep(&mut other.tables, self.tables, |table| is(table.id.as_str()));
        keep(&mut other.gateways, self.gateways, |gateway| is(&gateway.id));
        keep(&mut other.rules, self.rules, |rule| is(rule.group.as_str()));
        other.tags.extend(self.tags.into_iter().filter(|(id, _)| is(id)));
        Self {
            visible_from: self.visible_from,
            tags_from: self.tags_from,
            busy_until: self.busy_until,
            copies: self.copies,
            machines: self.machines,
            tokens: self.tokens,
            public_ips: self.public_ips,
            launched: self.launched,
            ..other
        }
    }

    pub fn subnet(&self, id: &SubnetId) -> Option<&HeldSubnet> {
        self.subnets.iter().find(|held| held.subnet.id == *id)
    }

    /// Whether calls see what was created under this id.
    pub fn is_visible(&self, id: &str) -> bool {
        self.visible_from.get(id).is_none_or(|from| from.at(Instant::now()))
    }

    /// Whether calls see the tags of this resource.
    pub fn shows_tags(&self, id: &str) -> bool {
        self.tags_from.get(id).is_none_or(|from| from.at(Instant::now()))
    }
}
