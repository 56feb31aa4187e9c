//! How a scenario becomes the resources of a world.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::{
    addresses::PublicPool,
    snapshot::InternetGateway,
    state::{HeldImage, HeldKey, HeldPeering, HeldSubnet, RegionState, State, message_of},
};
use crate::{
    cloud::{
        Image, InstanceTypeInfo, IpPermission, KeyPair, Offering, Peering, PeeringSide,
        PeeringState, PortRange, PublicKey, RegionInfo, Route, RouteState, RouteTable, RouteTarget,
        SecurityGroup, Subnet, Tags, Vpc, tags,
    },
    model::{InstanceType, KeyName, Region, VpcId, Zone},
    sim::{
        catalog, dice,
        scenario::format::{
            ImageSpec, KeyPairSpec, PeeringSpec, RegionSpec, RouteTableSpec, RuleSpec, Spec,
            TypeSpec,
        },
    },
};

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
        let mut state = Self { regions, peerings: Vec::new(), made: BTreeSet::new() };
        state.peerings =
            spec.peerings.iter().filter_map(|one| state.peering(one, spec.starts_at)).collect();
        for one in spec.peerings.iter().filter(|one| !one.tags.is_empty()) {
            state.tag_peering(one);
        }
        state.populate(spec, started);
        state
    }

    fn peering(&self, spec: &PeeringSpec, now: Timestamp) -> Option<HeldPeering> {
        let visible = spec.state != PeeringState::PendingAcceptance;
        let side = |place: &str, visible: bool| {
            let (region, vpc) = place.split_once('/')?;
            let (region, vpc) = (Region::new(region), VpcId::new(vpc));
            let cidrs = self.vpc(&region, &vpc).filter(|_| visible).map(|vpc| vpc.cidrs.clone());
            Some(PeeringSide { vpc, region, cidrs: cidrs.unwrap_or_default() })
        };
        let peering = Peering {
            id: spec.id.clone(),
            requester: side(&spec.requester, true)?,
            accepter: side(&spec.accepter, visible)?,
            state: spec.state,
            message: message_of(spec.state).into(),
            expires: spec.expires_in_days.and_then(|days| in_days(now, days)),
        };
        Some(HeldPeering { peering, active_at: None, visible_from: None, visible_until: None })
    }

    /// The tags of a connection are its requester's.
    fn tag_peering(&mut self, spec: &PeeringSpec) {
        let region = spec.requester.split_once('/').map(|(region, _)| Region::new(region));
        if let Some(held) = region.and_then(|region| self.regions.get_mut(&region)) {
            held.tags.insert(spec.id.to_string(), spec.tags.clone());
        }
    }
}

/// The moment `days` after `now`.
pub(super) fn in_days(now: Timestamp, days: f64) -> Option<Timestamp> {
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
            zones: zones(name, spec),
            images: spec.images.iter().map(held_image).collect(),
            keys: spec.key_pairs.iter().map(|key| held_key(name, key)).collect(),
            groups: groups(spec),
            prefix_lists: spec.prefix_lists.clone(),
            rules: Vec::new(),
            subnets: subnets(spec),
            vpcs: vpcs(spec),
            tables: spec.route_tables.iter().map(|table| route_table(spec, table)).collect(),
            gateways: gateways(spec),
            tags: tags(name, spec),
            visible_from: HashMap::new(),
            tags_from: HashMap::new(),
            busy_until: HashMap::new(),
            copies: HashMap::new(),
            offerings: offerings(name, spec, &types),
            types,
            machines: BTreeMap::new(),
            tokens: HashMap::new(),
            public_ips: PublicPool::of_region(index),
            launched: 0,
        }
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

fn zones(region: &Region, spec: &RegionSpec) -> Vec<Zone> {
    spec.zones.iter().map(|letter| Zone::new(format!("{region}{letter}"))).collect()
}

/// The internet gateways that routes lead to, each attached to their VPC.
fn gateways(spec: &RegionSpec) -> Vec<InternetGateway> {
    let mut gateways = BTreeMap::new();
    for table in &spec.route_tables {
        for route in table.routes.iter().filter(|route| route.via.starts_with("igw-")) {
            gateways.entry(route.via.clone()).or_insert_with(|| table.vpc.clone());
        }
    }
    gateways.into_iter().map(|(id, vpc)| InternetGateway { id, vpc: Some(vpc) }).collect()
}

fn tags(region: &Region, spec: &RegionSpec) -> BTreeMap<String, Tags> {
    let names = spec.vpcs.iter().filter_map(|vpc| {
        let name = vpc.name.clone()?;
        Some((vpc.id.to_string(), Tags::from([(tags::NAME.into(), name)])))
    });
    let mut all: BTreeMap<String, Tags> = names.collect();
    let own = spec.vpcs.iter().map(|vpc| (vpc.id.to_string(), &vpc.tags));
    let own = own
        .chain(spec.subnets.iter().map(|subnet| (subnet.id.to_string(), &subnet.tags)))
        .chain(spec.route_tables.iter().map(|table| (table.id.to_string(), &table.tags)))
        .chain(spec.security_groups.iter().map(|group| (group.id.to_string(), &group.tags)))
        .chain(spec.key_pairs.iter().map(|key| (key_id(region, &key.name), &key.tags)))
        .chain(spec.images.iter().map(|image| (image.id.to_string(), &image.tags)));
    for (id, tags) in own.filter(|(_, tags)| !tags.is_empty()) {
        all.entry(id).or_default().extend(tags.clone());
    }
    all
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
    zones(region, spec)
        .into_iter()
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
    HeldImage {
        image,
        user: spec.user.clone(),
        instance_store: spec.instance_store,
        available_at: None,
    }
}

fn held_key(region: &Region, spec: &KeyPairSpec) -> HeldKey {
    let material = PublicKey::parse(&spec.public_key);
    let made_up = || fingerprint(&[region.as_str(), spec.name.as_str(), &spec.public_key]);
    let pair = KeyPair {
        name: spec.name.clone(),
        fingerprint: spec.fingerprint.clone().unwrap_or_else(made_up),
        public_key: material.clone().filter(|_| spec.returned),
    };
    HeldKey { id: key_id(region, &spec.name), pair, material }
}

/// The id of a scenario's own pair, derived from its name.
fn key_id(region: &Region, name: &KeyName) -> String {
    format!("key-{}", dice::hex17(&[region.as_str(), "key", name.as_str()]))
}

/// Of the form of EC2's fingerprints; nobody may compare those anyway.
pub(super) fn fingerprint(parts: &[&str]) -> String {
    let salted = |salt| dice::draw(&[parts, &[salt]].concat());
    let bytes = [salted("a").to_be_bytes(), salted("b").to_be_bytes()].concat();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
}

fn vpcs(spec: &RegionSpec) -> Vec<Vpc> {
    let vpcs = spec.vpcs.iter().map(|vpc| Vpc {
        id: vpc.id.clone(),
        cidrs: vpc.cidrs.clone(),
        is_default: vpc.default,
        name: None,
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
        ipv6_cidrs: rule.ipv6_cidrs.clone(),
        prefix_lists: rule.prefix_lists.clone(),
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
