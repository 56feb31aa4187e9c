//! The resources of a world, and how a scenario becomes them.

use std::{
    collections::{BTreeMap, HashMap},
    net::Ipv4Addr,
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::{addresses::PublicPool, launch::Launched, machine::Machine};
use crate::{
    cloud::{
        Image, InstanceTypeInfo, IpPermission, KeyPair, Offering, Peering, PeeringSide,
        PeeringState, PortRange, PublicKey, RegionInfo, Route, RouteState, RouteTable, RouteTarget,
        SecurityGroup, Subnet, Vpc,
    },
    model::{ClientToken, InstanceId, InstanceType, PeeringId, Region, SubnetId, VpcId, Zone},
    sim::{
        catalog, dice,
        scenario::format::{
            ImageSpec, KeyPairSpec, PeeringSpec, RegionSpec, RouteTableSpec, RuleSpec, Spec,
            TypeSpec,
        },
    },
};

/// Everything that calls can read or change.
pub(super) struct State {
    pub regions: BTreeMap<Region, RegionState>,
    pub peerings: Vec<Peering>,
}

/// One region.
pub(super) struct RegionState {
    pub info: RegionInfo,
    pub images: Vec<HeldImage>,
    pub keys: Vec<HeldKey>,
    pub groups: Vec<SecurityGroup>,
    pub subnets: Vec<HeldSubnet>,
    pub vpcs: Vec<Vpc>,
    /// Without the routes' states, which follow from the peerings'.
    pub tables: Vec<RouteTable>,
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
pub(super) struct HeldImage {
    pub image: Image,
    pub user: String,
}

/// A key pair with the material that EC2 may not tell.
pub(super) struct HeldKey {
    pub pair: KeyPair,
    pub material: Option<PublicKey>,
}

/// A subnet and its next free address.
pub(super) struct HeldSubnet {
    pub subnet: Subnet,
    pub default: bool,
    pub next: Ipv4Addr,
}

impl State {
    /// The world that `spec` describes, its time starting at `started`. The
    /// spec's references have been checked.
    pub fn of(spec: &Spec, started: Instant) -> Self {
        let types = all_types(spec);
        let regions = (0..)
            .zip(&spec.regions)
            .map(|(index, (name, region))| {
                (name.clone(), RegionState::of(index, name, region, &types))
            })
            .collect();
        let mut state = Self { regions, peerings: Vec::new() };
        state.peerings =
            spec.peerings.iter().filter_map(|one| state.peering(one, spec.starts_at)).collect();
        state.populate(spec, started);
        state
    }

    fn peering(&self, spec: &PeeringSpec, now: Timestamp) -> Option<Peering> {
        let told = spec.state != PeeringState::PendingAcceptance;
        let side = |place: &str, told: bool| {
            let (region, vpc) = place.split_once('/')?;
            let (region, vpc) = (Region::new(region), VpcId::new(vpc));
            let cidrs = self.vpc(&region, &vpc).filter(|_| told).map(|vpc| vpc.cidrs.clone());
            Some(PeeringSide { vpc, region, cidrs: cidrs.unwrap_or_default() })
        };
        Some(Peering {
            id: spec.id.clone(),
            requester: side(&spec.requester, true)?,
            accepter: side(&spec.accepter, told)?,
            state: spec.state,
            message: message_of(spec.state).into(),
            expires: spec.expires_in_days.and_then(|days| in_days(now, days)),
        })
    }

    /// Takes over all of `other` but its machines.
    pub fn adopt(&mut self, other: Self) {
        self.peerings = other.peerings;
        for (name, mended) in other.regions {
            match self.regions.remove(&name) {
                Some(region) => self.regions.insert(name, region.mended(mended)),
                None => self.regions.insert(name, mended),
            };
        }
    }

    pub fn vpc(&self, region: &Region, vpc: &VpcId) -> Option<&Vpc> {
        self.regions.get(region)?.vpcs.iter().find(|own| own.id == *vpc)
    }

    /// A route's state: its peering connection has to be there and active.
    pub fn route_state(&self, target: &RouteTarget) -> RouteState {
        match target {
            RouteTarget::Peering(id) if !self.is_active(id) => RouteState::Blackhole,
            _ => RouteState::Active,
        }
    }

    fn is_active(&self, id: &PeeringId) -> bool {
        self.peerings
            .iter()
            .any(|peering| peering.id == *id && peering.state == PeeringState::Active)
    }
}

/// EC2's message on a peering connection's state.
fn message_of(state: PeeringState) -> &'static str {
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

fn in_days(now: Timestamp, days: f64) -> Option<Timestamp> {
    let span = SignedDuration::try_from_secs_f64(days * 86_400.0).ok()?;
    now.checked_add(span).ok()
}

fn all_types(spec: &Spec) -> BTreeMap<InstanceType, InstanceTypeInfo> {
    let own = spec.instance_types.iter().map(|(name, own)| type_info(name, own));
    catalog::instance_types().chain(own).map(|info| (info.name.clone(), info)).collect()
}

fn type_info(name: &InstanceType, spec: &TypeSpec) -> InstanceTypeInfo {
    InstanceTypeInfo {
        name: name.clone(),
        vcpus: spec.vcpus,
        memory_mib: spec.memory_gib * 1024,
        architectures: vec![spec.architecture.clone()],
        usd_per_hour: spec.usd_per_hour,
    }
}

impl RegionState {
    fn of(
        index: u32,
        name: &Region,
        spec: &RegionSpec,
        types: &BTreeMap<InstanceType, InstanceTypeInfo>,
    ) -> Self {
        let types = priced(types, spec);
        Self {
            info: RegionInfo { name: name.clone(), opt_in: spec.opt_in },
            images: spec.images.iter().map(held_image).collect(),
            keys: spec.key_pairs.iter().map(|key| held_key(name, key)).collect(),
            groups: groups(spec),
            subnets: subnets(spec),
            vpcs: vpcs(spec),
            tables: spec.route_tables.iter().map(|table| route_table(spec, table)).collect(),
            offerings: offerings(name, spec, &types),
            types,
            machines: BTreeMap::new(),
            tokens: HashMap::new(),
            public_ips: PublicPool::of_region(index),
            launched: 0,
        }
    }

    /// `other` with the machines of this one, and all that came of them.
    fn mended(self, mut other: Self) -> Self {
        for held in &mut other.subnets {
            held.next = self.subnet(&held.subnet.id).map_or(held.next, |own| own.next);
        }
        Self {
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
}

fn priced(
    types: &BTreeMap<InstanceType, InstanceTypeInfo>,
    spec: &RegionSpec,
) -> BTreeMap<InstanceType, InstanceTypeInfo> {
    let mut types = types.clone();
    for (name, price) in &spec.usd_per_hour {
        if let Some(info) = types.get_mut(name) {
            info.usd_per_hour = Some(*price);
        }
    }
    types
}

fn offerings(
    region: &Region,
    spec: &RegionSpec,
    types: &BTreeMap<InstanceType, InstanceTypeInfo>,
) -> Vec<Offering> {
    let lacks = |name: &InstanceType, zone: &Zone| {
        spec.not_offered.iter().any(|lack| {
            lack.instance_type == *name && (lack.zones.is_empty() || lack.zones.contains(zone))
        })
    };
    let zones = spec.zones.iter().map(|letter| Zone::new(format!("{region}{letter}")));
    zones
        .flat_map(|zone| types.keys().map(move |name| (name.clone(), zone.clone())))
        .filter(|(name, zone)| !lacks(name, zone))
        .map(|(instance_type, zone)| Offering { instance_type, zone })
        .collect()
}

fn held_image(spec: &ImageSpec) -> HeldImage {
    let image = Image {
        id: spec.id.clone(),
        name: spec.name.clone(),
        owner: spec.owner.clone(),
        state: spec.state.clone(),
        architecture: spec.architecture.clone(),
        deprecation: spec.deprecation,
    };
    HeldImage { image, user: spec.user.clone() }
}

fn held_key(region: &Region, spec: &KeyPairSpec) -> HeldKey {
    let material = PublicKey::parse(&spec.public_key);
    let made_up = || fingerprint(&[region.as_str(), spec.name.as_str(), &spec.public_key]);
    let pair = KeyPair {
        name: spec.name.clone(),
        fingerprint: spec.fingerprint.clone().unwrap_or_else(made_up),
        public_key: material.clone().filter(|_| spec.told),
    };
    HeldKey { pair, material }
}

/// Of the form of EC2's fingerprints; nobody may compare those anyway.
fn fingerprint(parts: &[&str]) -> String {
    let salted = |salt| dice::draw(&[parts, &[salt]].concat());
    let bytes = [salted("a").to_be_bytes(), salted("b").to_be_bytes()].concat();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
}

fn vpcs(spec: &RegionSpec) -> Vec<Vpc> {
    let vpcs = spec.vpcs.iter().map(|vpc| Vpc {
        id: vpc.id.clone(),
        cidrs: vpc.cidrs.clone(),
        is_default: vpc.default,
        name: vpc.name.clone(),
    });
    vpcs.collect()
}

fn groups(spec: &RegionSpec) -> Vec<SecurityGroup> {
    let groups = spec.security_groups.iter().map(|group| SecurityGroup {
        id: group.id.clone(),
        name: group.name.clone(),
        vpc: group.vpc.clone(),
        inbound: group.inbound.iter().map(permission).collect(),
    });
    groups.collect()
}

fn permission(rule: &RuleSpec) -> IpPermission {
    IpPermission {
        protocol: rule.protocol.clone(),
        ports: rule.ports.map(|[from, to]| PortRange { from, to }),
        cidrs: rule.cidrs.clone(),
        groups: rule.groups.clone(),
    }
}

fn subnets(spec: &RegionSpec) -> Vec<HeldSubnet> {
    let subnets = spec.subnets.iter().map(|subnet| HeldSubnet {
        subnet: Subnet {
            id: subnet.id.clone(),
            vpc: subnet.vpc.clone(),
            zone: subnet.zone.clone(),
            cidr: subnet.cidr,
            public_ip_on_launch: subnet.public_ip_on_launch,
            available_ips: super::addresses::usable(subnet.cidr),
        },
        default: subnet.default,
        next: super::addresses::first(subnet.cidr),
    });
    subnets.collect()
}

fn route_table(region: &RegionSpec, spec: &RouteTableSpec) -> RouteTable {
    let cidrs = region.vpcs.iter().filter(|vpc| vpc.id == spec.vpc).flat_map(|vpc| &vpc.cidrs);
    let local = cidrs.map(|cidr| (*cidr, RouteTarget::Local));
    let others = spec.routes.iter().map(|route| (route.to, target(&route.via)));
    let routes = local.chain(others).map(|(destination, target)| Route {
        destination,
        target,
        state: RouteState::Active,
    });
    RouteTable {
        id: spec.id.clone(),
        vpc: spec.vpc.clone(),
        is_main: spec.main,
        subnets: spec.subnets.clone(),
        routes: routes.collect(),
    }
}

fn target(via: &str) -> RouteTarget {
    match via {
        "local" => RouteTarget::Local,
        _ if via.starts_with("pcx-") => RouteTarget::Peering(via.into()),
        _ => RouteTarget::Other(via.to_owned()),
    }
}
