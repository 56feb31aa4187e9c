//! A project and a healthy survey of it, for tests that break one thing at a time.

use std::{
    collections::BTreeMap,
    iter,
    path::{Path, PathBuf},
    sync::Arc,
};

use ipnet::IpNet;
use jiff::Timestamp;
use muster::{
    check::{self, Finding, Level},
    cloud::{
        Image, ImageState, Instance, InstanceState, InstanceTypeInfo, IpPermission, KeyPair,
        Market, Offering, OptIn, Peering, PeeringSide, PeeringState, PortRange, PublicKey, Route,
        RouteState, RouteTable, RouteTarget, SecurityGroup, Subnet, Tags, Vpc,
    },
    config::{
        AwsCredentials, Commands, FileMounts, GroupToMake, HostKeyPolicy, Location, NodeGroup,
        NodeTemplate, Origin, Project, Python, Quokka, RayConfig, RayStart, Recipe, RegionConfig,
        Source, Sourced,
    },
    model::{ClusterId, Failure, GroupKey, NodeKind, Region},
    survey::{Fact, RegionSurvey, Survey},
};

/// The regions of the healthy world, the leader's first.
pub const REGIONS: [&str; 3] = ["us-west-2", "eu-west-1", "ap-southeast-2"];
/// When the survey was taken.
pub const NOW: &str = "2026-11-20T14:00:00Z";
/// The id of our own cluster.
pub const OWN: &str = "tpch-demo-a1b2c3";

/// A project, and what EC2 returns for it.
pub struct World {
    pub project: Project,
    /// The public half of `~/.ssh/quokka.pem`.
    pub local_key: Fact<PublicKey>,
    /// Another local private key, if one exists.
    pub other_key: Option<PathBuf>,
    /// Whether the credentials that are copied to the nodes are long-lived.
    pub copied_keys_last: Option<Fact<bool>>,
    regions: BTreeMap<Region, RegionFacts>,
    /// Facts that could not be read, by region.
    unreadable: Vec<(Region, &'static str)>,
}

/// What EC2 returns for one region.
pub struct RegionFacts {
    pub opt_in: Option<OptIn>,
    pub images: Vec<Image>,
    pub key_pairs: Vec<KeyPair>,
    pub groups: Vec<SecurityGroup>,
    pub prefix_lists: BTreeMap<String, Fact<Vec<IpNet>>>,
    pub subnets: Vec<Subnet>,
    pub default_subnets: Vec<&'static str>,
    pub vpcs: Vec<Vpc>,
    pub tables: Vec<RouteTable>,
    pub peerings: Vec<Peering>,
    pub types: Vec<InstanceTypeInfo>,
    pub offerings: Vec<Offering>,
    pub instances: Vec<Instance>,
    pub dry_run: DryRun,
}

/// The answer to the dry run of each group.
pub enum DryRun {
    NotAsked,
    Allowed,
    Refused(Failure),
}

impl RegionFacts {
    /// Removes all resources, as in a new account.
    pub fn clear(&mut self) {
        self.images.clear();
        self.key_pairs.clear();
        self.groups.clear();
        self.subnets.clear();
        self.vpcs.clear();
        self.tables.clear();
        self.peerings.clear();
        self.offerings.clear();
    }
}

/// Renders a finding in short form: level, check, subject, title.
pub fn short(finding: &Finding) -> String {
    let Finding { level, check, subject, title, .. } = finding;
    format!("{} {check} {subject}: {title}", level.mark())
}

impl World {
    /// Returns three regions, each with a head and two workers, all connected.
    pub fn healthy() -> Self {
        Self::of(&REGIONS)
    }

    /// The same with these regions.
    pub fn of(regions: &[&str]) -> Self {
        let facts =
            |(i, name): (usize, &&str)| (Region::from(*name), region_facts(i, name, regions));
        Self {
            project: project(regions),
            local_key: Fact::Known(key("AAAAown")),
            other_key: None,
            copied_keys_last: None,
            regions: regions.iter().enumerate().map(facts).collect(),
            unreadable: Vec::new(),
        }
    }

    pub fn region(&mut self, name: &str) -> &mut RegionFacts {
        self.regions.get_mut(&Region::from(name)).unwrap()
    }

    pub fn config(&mut self, name: &str) -> &mut RegionConfig {
        self.project.regions.iter_mut().find(|config| config.region.as_str() == name).unwrap()
    }

    /// The first Ray config of a region.
    pub fn own(&mut self, name: &str) -> &mut RayConfig {
        &mut self.config(name).configs[0]
    }

    /// Adds a second config in `region` with the same nodes: the cluster `gpu`, in the
    /// file `gpu.yaml`.
    pub fn join(&mut self, region: &str) {
        let in_gpu = |location: &Location| Location {
            file: Path::new("gpu.yaml").into(),
            ..location.clone()
        };
        let config = self.config(region);
        let mut second = own(region, Path::new("gpu.yaml").into(), "gpu");
        let place = |origin: &mut Origin| {
            if let Origin::File(location) = origin {
                *location = in_gpu(location);
            }
        };
        place(&mut second.cluster_name.origin);
        place(&mut second.region.origin);
        let mut groups = config.groups.clone();
        for group in &mut groups {
            let template = &mut group.template;
            group.config = 1;
            place(&mut group.node_type.origin);
            template.image.iter_mut().for_each(|one| place(&mut one.origin));
            template.key_name.iter_mut().for_each(|one| place(&mut one.origin));
            template.security_groups.iter_mut().for_each(|one| place(&mut one.origin));
            template.subnets.iter_mut().for_each(|one| place(&mut one.origin));
        }
        config.configs.push(second);
        config.groups.extend(groups);
    }

    /// Changes the template of every group of `region`.
    pub fn templates(&mut self, region: &str, change: impl Fn(&mut NodeTemplate)) {
        self.config(region).groups.iter_mut().for_each(|group| change(&mut group.template));
    }

    /// Marks `fact` of `region` as refused.
    pub fn unreadable(&mut self, region: &str, fact: &'static str) {
        self.unreadable.push((region.into(), fact));
    }

    /// Marks all facts as unreadable.
    pub fn nothing_read(&mut self) {
        for region in self.regions.keys() {
            self.unreadable.push((region.clone(), "all"));
        }
    }

    pub fn run(&self) -> Vec<Finding> {
        check::run(&self.project, &self.survey(), Some(&ClusterId::from(OWN)))
    }

    /// Returns the findings that did not pass, in short form, in order.
    pub fn bad(&self) -> Vec<String> {
        let findings = self.run();
        findings.iter().filter(|finding| finding.level != Level::Pass).map(short).collect()
    }

    /// Returns the only finding of `check` about `subject`.
    pub fn finding(&self, check: &str, subject: &str) -> Finding {
        let mut findings = self.run();
        findings.retain(|it| it.check == check && it.subject.to_string() == subject);
        assert_eq!(findings.len(), 1, "{findings:#?}");
        findings.remove(0)
    }

    pub fn survey(&self) -> Survey {
        let regions =
            self.regions.iter().map(|(name, given)| (name.clone(), self.facts(name, given)));
        let own = ("/home/me/.ssh/quokka.pem".into(), self.local_key.clone());
        let other = |path: &PathBuf| (path.clone(), Fact::Known(key("AAAAelse")));
        Survey {
            at: NOW.parse().unwrap(),
            local_keys: iter::once(own).chain(self.other_key.as_ref().map(other)).collect(),
            regions: regions.collect(),
            copied_keys_last: self.copied_keys_last.clone(),
            not_asked: None,
        }
    }

    fn facts(&self, name: &Region, given: &RegionFacts) -> RegionSurvey {
        RegionSurvey {
            not_asked: None,
            opt_in: self.fact(name, "opt_in", &given.opt_in),
            images: self.fact(name, "images", &given.images),
            key_pairs: self.fact(name, "key_pairs", &given.key_pairs),
            security_groups: self.fact(name, "groups", &given.groups),
            prefix_lists: given.prefix_lists.clone(),
            subnets: self.fact(name, "subnets", &given.subnets),
            default_subnets: self.fact(
                name,
                "subnets",
                &given.default_subnets.iter().map(|id| (*id).into()).collect(),
            ),
            vpcs: self.fact(name, "vpcs", &given.vpcs),
            route_tables: self.fact(name, "tables", &given.tables),
            peerings: self.fact(name, "peerings", &given.peerings),
            instance_types: self.fact(name, "types", &given.types),
            offerings: self.fact(name, "offerings", &given.offerings),
            instances: self.fact(name, "instances", &given.instances),
            dry_runs: self.dry_runs(name, given),
        }
    }

    fn fact<T: Clone>(&self, region: &Region, name: &str, value: &T) -> Fact<T> {
        let denied = |(at, fact): &(Region, &str)| at == region && [name, "all"].contains(fact);
        if self.unreadable.iter().any(denied) {
            return Fact::Unknown(
                Failure::new(format!("{name}: denied")).hint("ask for the right"),
            );
        }
        Fact::Known(value.clone())
    }

    fn dry_runs(
        &self,
        name: &Region,
        given: &RegionFacts,
    ) -> BTreeMap<GroupKey, Fact<Option<Failure>>> {
        let config = self.project.region(name).unwrap();
        let answer = match &given.dry_run {
            DryRun::NotAsked => return BTreeMap::new(),
            DryRun::Allowed => self.fact(name, "dry_run", &None),
            DryRun::Refused(failure) => self.fact(name, "dry_run", &Some(failure.clone())),
        };
        let keys = config.groups.iter().map(|group| config.key_of(group));
        keys.map(|key| (key, answer.clone())).collect()
    }
}

/// A public key.
pub fn key(base64: &str) -> PublicKey {
    PublicKey { algorithm: "ssh-rsa".into(), base64: base64.into() }
}

/// Returns an id with the region's short name: `us-west-2` → `us`.
pub fn id(kind: &str, region: &str) -> String {
    format!("{kind}-{}", &region[..2])
}

/// Returns the id of the peering of two regions, in the given order.
fn pcx(a: &str, b: &str) -> String {
    format!("pcx-{}-{}", &a[..2], &b[..2])
}

fn region_facts(index: usize, region: &str, all: &[&str]) -> RegionFacts {
    let others = || all.iter().enumerate().filter(move |(other, _)| *other != index);
    let peer = |(other, name): (usize, &&str)| {
        let ((a, i), (b, j)) = if index < other {
            ((region, index), (*name, other))
        } else {
            ((*name, other), (region, index))
        };
        peering(&pcx(a, b), side(a, i), side(b, j))
    };
    RegionFacts {
        opt_in: Some(OptIn::NotRequired),
        images: vec![image(&id("ami", region))],
        key_pairs: vec![KeyPair {
            name: "quokka".into(),
            fingerprint: "12:34".into(),
            public_key: Some(key("AAAAown")),
        }],
        groups: vec![SecurityGroup {
            id: id("sg", region).into(),
            name: "quokka".into(),
            vpc: id("vpc", region).into(),
            inbound: rules(region, &others().map(|(other, _)| cidr(other)).collect::<Vec<_>>()),
        }],
        prefix_lists: BTreeMap::new(),
        subnets: vec![Subnet {
            id: id("subnet", region).into(),
            vpc: id("vpc", region).into(),
            zone: format!("{region}a").as_str().into(),
            cidr: format!("10.{}.1.0/24", index + 1).parse().unwrap(),
            public_ip_on_launch: true,
            available_ips: 250,
        }],
        default_subnets: Vec::new(),
        vpcs: vec![Vpc {
            id: id("vpc", region).into(),
            cidrs: vec![cidr(index).parse().unwrap()],
            is_default: false,
            name: Some("quokka".into()),
        }],
        tables: vec![RouteTable {
            id: id("rtb", region).into(),
            vpc: id("vpc", region).into(),
            is_main: true,
            subnets: Vec::new(),
            routes: routes(index, region, all),
        }],
        peerings: others().map(peer).collect(),
        types: vec![InstanceTypeInfo {
            name: "m5.large".into(),
            vcpus: 2,
            memory_mib: 8192,
            architectures: vec!["x86_64".into()],
            usd_per_hour: Some(0.096),
        }],
        offerings: vec![Offering {
            instance_type: "m5.large".into(),
            zone: format!("{region}a").as_str().into(),
        }],
        instances: Vec::new(),
        dry_run: DryRun::Allowed,
    }
}

/// An x86 image.
pub fn image(id: &str) -> Image {
    Image {
        id: id.into(),
        name: "ubuntu-22.04".into(),
        owner: "099720109477".into(),
        state: ImageState::Available,
        architecture: "x86_64".into(),
        deprecation: None,
    }
}

/// The CIDR of the VPC of the region of this index.
pub fn cidr(index: usize) -> String {
    format!("10.{}.0.0/16", index + 1)
}

/// A rule for TCP.
pub fn rule(from: u16, to: u16, cidrs: &[&str], groups: &[&str]) -> IpPermission {
    IpPermission {
        protocol: "tcp".into(),
        ports: Some(PortRange { from, to }),
        cidrs: cidrs.iter().map(|cidr| cidr.parse().unwrap()).collect(),
        ipv6_cidrs: Vec::new(),
        prefix_lists: Vec::new(),
        groups: groups.iter().map(|id| (*id).into()).collect(),
    }
}

fn rules(region: &str, peers: &[String]) -> Vec<IpPermission> {
    let peers: Vec<_> = peers.iter().map(String::as_str).collect();
    vec![
        rule(22, 22, &["203.0.113.0/24"], &[]),
        rule(0, 65535, &[], &[&id("sg", region)]),
        rule(0, 65535, &peers, &[]),
    ]
}

/// A route.
pub fn route(destination: &str, target: RouteTarget, state: RouteState) -> Route {
    Route { destination: destination.parse().unwrap(), target, state }
}

fn routes(index: usize, region: &str, all: &[&str]) -> Vec<Route> {
    let internet = RouteTarget::Other("igw-1".into());
    let mut routes = vec![
        route(&cidr(index), RouteTarget::Local, RouteState::Active),
        route("0.0.0.0/0", internet, RouteState::Active),
    ];
    for (other, name) in all.iter().enumerate().filter(|(other, _)| *other != index) {
        let pcx = if index < other { pcx(region, name) } else { pcx(name, region) };
        let target = RouteTarget::Peering(pcx.as_str().into());
        routes.push(route(&cidr(other), target, RouteState::Active));
    }
    routes
}

fn side(region: &str, index: usize) -> PeeringSide {
    PeeringSide {
        vpc: id("vpc", region).into(),
        region: region.into(),
        cidrs: vec![cidr(index).parse().unwrap()],
    }
}

fn peering(id: &str, requester: PeeringSide, accepter: PeeringSide) -> Peering {
    Peering {
        id: id.into(),
        requester,
        accepter,
        state: PeeringState::Active,
        message: "Active".into(),
        expires: None,
    }
}

/// Returns a running instance with this Ray cluster name and muster cluster id.
pub fn instance(id: &str, name: &str, cluster: Option<&str>) -> Instance {
    let mut tags = Tags::from([("ray-cluster-name".into(), name.into())]);
    tags.extend(cluster.map(|id| ("muster:cluster".into(), id.into())));
    Instance {
        id: id.into(),
        state: InstanceState::Running,
        state_reason: None,
        instance_type: "m5.large".into(),
        zone: "us-west-2a".into(),
        private_ip: None,
        public_ip: None,
        launched: None,
        spot: false,
        ebs_root: true,
        launch_index: 0,
        token: None,
        tags,
    }
}

fn project(regions: &[&str]) -> Project {
    Project {
        name: Sourced::default("tpch-demo".into(), "test"),
        folder: ".".into(),
        regions: regions.iter().map(|region| config(region)).collect(),
        leader: Sourced::default(regions[0].into(), "the first"),
        key_name: None,
        recipe: Recipe { name: "test".into(), steps: Vec::new() },
        requirements: Vec::new(),
        spill_dir: Sourced::default("/data".into(), "test"),
        quokka: Quokka {
            python: Sourced::default(Python::V3_11, "test"),
            versions: [].into(),
            aws_credentials: Sourced::default(AwsCredentials::InstanceProfile, "test"),
            ray: Sourced::default(RayStart::BuiltIn, "test"),
        },
        ssh_config: None,
        host_keys: Sourced::default(HostKeyPolicy::Verify, "test"),
        operator_cidr: Some(Sourced::default("203.0.113.7/32".parse().unwrap(), "test")),
        operator_ports: Vec::new(),
        sources: Vec::new(),
    }
}

fn at(region: &str, line: u32) -> Location {
    Location {
        file: Path::new(&format!("{}.yaml", &region[..2])).into(),
        line,
        column: 9,
        width: 6,
    }
}

fn written<T>(region: &str, line: u32, value: T) -> Sourced<T> {
    Sourced::written(value, at(region, line))
}

fn config(region: &str) -> RegionConfig {
    RegionConfig {
        region: written(region, 4, region.into()),
        configs: vec![own(region, at(region, 1).file, "tpch")],
        groups: vec![
            group(region, NodeKind::Head, "ray.head.default", 1),
            group(region, NodeKind::Worker, "ray.worker.default", 2),
        ],
    }
}

fn own(region: &str, path: Arc<Path>, name: &str) -> RayConfig {
    RayConfig {
        source: Source { path, text: "".into() },
        cluster_name: written(region, 1, name.into()),
        region: written(region, 4, region.into()),
        zones: Vec::new(),
        use_internal_ips: false,
        ssh_user: written(region, 6, "ubuntu".into()),
        ssh_private_key: Some(written(region, 7, "/home/me/.ssh/quokka.pem".into())),
        commands: Commands::default(),
        file_mounts: FileMounts::default(),
        ssh_proxy: None,
        group_to_make: GroupToMake::default(),
        unsupported: Vec::new(),
    }
}

fn group(region: &str, kind: NodeKind, node_type: &str, count: u32) -> NodeGroup {
    NodeGroup {
        config: 0,
        kind,
        node_type: written(region, 10, node_type.into()),
        count,
        resources: BTreeMap::new(),
        template: NodeTemplate {
            instance_type: written(region, 12, "m5.large".into()),
            image: Some(written(region, 13, id("ami", region).into())),
            key_name: Some(written(region, 14, "quokka".into())),
            security_groups: vec![written(region, 15, id("sg", region).into())],
            named_groups: Vec::new(),
            subnets: vec![written(region, 16, id("subnet", region).into())],
            iam_profile: None,
            more: muster::cloud::Arguments::new(),
            tags: Tags::new(),
            user_data: None,
            market: Market::OnDemand,
        },
    }
}

/// `NOW`, some hours later or earlier.
pub fn hours_from_now(hours: i64) -> Timestamp {
    let now: Timestamp = NOW.parse().unwrap();
    now.checked_add(jiff::SignedDuration::from_hours(hours)).unwrap()
}
