//! The network that the cluster will be in once the plan is carried out:
//! each region's VPC as it is, or a new one where the present one can never
//! be joined with the others'.

use std::collections::BTreeSet;

use ipnet::Ipv4Net;

use crate::{
    check::{
        Finding, Level, Subject,
        context::{Context, RegionView},
        network::{table_of, wide},
    },
    cloud::{Change, Ref, Route, StepId, Tags, Via},
    config::{NodeGroup, RayConfig},
    model::{Region, Zone},
};

use super::{
    addresses::{self, Pool},
    builder::Builder,
    facts::RegionFacts,
    group::NewGroup,
    plan::{Problem, Rewrite, Target, Written},
};

/// A region's network as it will be.
pub(super) struct Network<'a> {
    pub place: RegionView<'a>,
    pub vpc: Ref,
    /// The CIDRs of the VPC that hold the nodes.
    pub cidrs: Vec<Ipv4Net>,
    /// The CIDRs of the nodes' subnets, neighbours as one.
    pub subnets: Vec<Ipv4Net>,
    /// The tables that apply to the nodes' subnets.
    pub tables: Vec<Table>,
    /// What of it the plan has to make, if it is a new one; else empty.
    pub new: Option<New>,
}

/// A route table and what it holds by now.
pub(super) struct Table {
    pub id: Ref,
    /// A name for it in the names of steps.
    pub name: String,
    pub routes: Vec<Route>,
}

/// What a new network is for.
pub(super) struct New {
    /// The findings that it fixes.
    pub fixes: Vec<Problem>,
    /// Its subnets and their zones: they are to be written into the configs.
    pub subnets: Vec<(Zone, Ref)>,
    /// The steps after which nodes there can reach the internet.
    pub ready: Vec<StepId>,
}

impl New {
    /// Those of its subnets that are in `zones`.
    fn subnets_of(&self, zones: &BTreeSet<Zone>) -> Vec<Ref> {
        let own = self.subnets.iter().filter(|(zone, _)| zones.contains(zone));
        own.map(|(_, subnet)| subnet.clone()).collect()
    }
}

const DEFAULT: &str = "vpc.default";
const OVERLAP: &str = "vpc.cidr-overlap";
const SUBNETS: &str = "subnet.exists";
/// What else a new network fixes.
const WITH_IT: [&str; 3] = ["subnet.reachable", "sg.exists", "sg.same-vpc"];

/// The networks of all regions, and what their completeness is judged by.
pub(super) struct Networks<'a> {
    pub all: Vec<Network<'a>>,
    /// The number of the first step that belongs to them.
    first_step: usize,
    /// Regions that need another network for which none could be planned.
    unplanned: Vec<&'a Region>,
}

/// Plans new networks where they are needed, and returns all of them.
pub(super) fn plan<'a>(ctx: &'a Context<'a>, plan: &mut Builder<'_>) -> Networks<'a> {
    let places = ctx.places("network");
    let moving = moving(&places, plan);
    let mut pool = Pool::of(plan.facts);
    let mut networks = Networks { all: Vec::new(), first_step: plan.len(), unplanned: Vec::new() };
    for place in places {
        let region = place.region();
        let Some((_, fixes)) = moving.iter().find(|(moves, _)| *moves == region) else {
            if plan.undecided.contains(&region) {
                leave_undecided(region, plan);
                networks.unplanned.push(region);
            } else {
                networks.all.extend(present(place));
            }
            continue;
        };
        match build(ctx, place, plan, &mut pool, fixes) {
            Some(network) => networks.all.push(network),
            None => networks.unplanned.push(region),
        }
    }
    networks
}

/// The regions of which is not known whether they need another network.
pub(super) fn undecided(findings: &[Finding]) -> Vec<&Region> {
    let open = findings.iter().filter(|one| one.check == DEFAULT && one.level == Level::Unknown);
    open.filter_map(
        |one| if let Subject::Region(region) = &one.subject { Some(region) } else { None },
    )
    .collect()
}

/// What a region lacks depends on its network: a group in the wrong one would be left over.
fn leave_undecided(region: &Region, plan: &mut Builder<'_>) {
    let open: Vec<_> = WITH_IT.iter().filter_map(|check| plan.wants_in(check, region)).collect();
    plan.leave(&open, "whether the nodes can stay in this VPC is not known: see vpc.default");
}

/// The regions that need another network, and the findings that say so.
fn moving<'a>(places: &[RegionView<'a>], plan: &Builder<'_>) -> Vec<(&'a Region, Vec<Problem>)> {
    let mut moving: Vec<(&'a Region, Vec<Problem>)> = Vec::new();
    for place in places {
        let region = place.region();
        let own = [DEFAULT, SUBNETS].iter().filter_map(|check| plan.wants_in(check, region));
        let own: Vec<_> = own.collect();
        if !own.is_empty() {
            // A new network has all that the old one lacked as well.
            let more = WITH_IT.iter().filter_map(|check| plan.wants_in(check, region));
            moving.push((region, own.into_iter().chain(more).collect()));
        }
    }
    for finding in plan.wanted(OVERLAP) {
        let Subject::Pair(a, b) = &finding.subject else { continue };
        let problem = Problem::of(finding);
        // One of the two has to move: the one that does anyway, else not the leader.
        let index = moving.iter().position(|(region, _)| *region == a || *region == b);
        if let Some(index) = index {
            moving[index].1.push(problem);
        } else {
            let second = places.iter().map(RegionView::region).find(|region| *region == b);
            moving.extend(second.map(|region| (region, vec![problem])));
        }
    }
    moving
}

/// The network as it is; `None` where it is not known or not one.
fn present(place: RegionView<'_>) -> Option<Network<'_>> {
    let (vpcs, subnets) = (place.vpcs().ok()?, place.subnets().ok()?);
    let [vpc] = vpcs.as_slice() else { return None };
    let all = place.facts.route_tables.known()?;
    let mut tables: Vec<_> = subnets.iter().filter_map(|subnet| table_of(all, subnet)).collect();
    tables.sort_by(|a, b| a.id.cmp(&b.id));
    tables.dedup_by(|a, b| a.id == b.id);
    let cidrs: BTreeSet<_> = subnets.iter().map(|subnet| wide(&place, subnet)).collect();
    let table = |table: &&crate::cloud::RouteTable| Table {
        id: table.id.as_str().into(),
        name: table.id.to_string(),
        routes: table.routes.clone(),
    };
    Some(Network {
        place,
        vpc: vpc.id.as_str().into(),
        cidrs: cidrs.into_iter().collect(),
        subnets: Ipv4Net::aggregate(&subnets.iter().map(|one| one.cidr).collect()),
        tables: tables.iter().map(table).collect(),
        new: None,
    })
}

fn build<'a>(
    ctx: &Context<'_>,
    place: RegionView<'a>,
    plan: &mut Builder<'_>,
    pool: &mut Pool,
    fixes: &[Problem],
) -> Option<Network<'a>> {
    let region = place.region();
    let facts = plan.facts_of(region, fixes)?;
    let per_config = place.config.configs.iter().map(|config| zones(&place, config));
    let per_config: Vec<_> = per_config.collect();
    if per_config.iter().any(BTreeSet::is_empty) {
        plan.leave(fixes, "no zone here is known to offer the instance types");
        return None;
    }
    let zones: BTreeSet<_> = per_config.into_iter().flatten().collect();
    let named = Tags::from([("Name".to_owned(), format!("muster {}", ctx.project.name.value))]);
    let tags = || named.clone();
    let (vpc, cidr) = match new_vpc(plan, region, facts, pool, fixes, &tags) {
        Ok(vpc) => vpc,
        Err(why) => {
            plan.leave(fixes, &why);
            return None;
        }
    };
    let (id, ready) = way_out(plan, region, &vpc, fixes, &tags);
    let mut network = New { fixes: fixes.to_vec(), subnets: Vec::new(), ready };
    let mut shares = addresses::shares(cidr);
    let mut subnets = Vec::new();
    for zone in zones {
        let Some(cidr) = shares.find(|cidr| is_free(facts, &vpc, &zone, *cidr)) else { break };
        subnets.push(cidr);
        subnet(plan, region, (&vpc, &id), Subnet { zone, cidr }, &mut network, &tags);
    }
    let routes = present_routes(facts, &id);
    let table = Table { id, name: "new".into(), routes };
    let subnets = Ipv4Net::aggregate(&subnets);
    let tables = vec![table];
    Some(Network { place, vpc, cidrs: vec![cidr], subnets, tables, new: Some(network) })
}

/// The VPC that an earlier run made, or one with addresses that none has.
fn new_vpc(
    plan: &mut Builder<'_>,
    region: &Region,
    facts: &RegionFacts,
    pool: &mut Pool,
    fixes: &[Problem],
    tags: &dyn Fn() -> Tags,
) -> Result<(Ref, Ipv4Net), String> {
    let name = format!("{region}/vpc");
    let create = |cidr| Change::CreateVpc { cidr, tags: tags() };
    let placeholder = create(Ipv4Net::default());
    let made = facts.reusable(&StepId(name.clone()), &placeholder);
    let made = made.and_then(|id| facts.vpcs.iter().find(|vpc| vpc.id.as_str() == id));
    let cidr = match made.and_then(|vpc| vpc.cidrs.first()) {
        Some(cidr) => *cidr,
        None => pool.take()?,
    };
    Ok((plan.change(&name, region, create(cidr), fixes), cidr))
}

/// Whether no subnet of another zone has the addresses.
fn is_free(facts: &RegionFacts, vpc: &Ref, zone: &Zone, cidr: Ipv4Net) -> bool {
    let mut others =
        facts.subnets.iter().filter(|one| vpc.id() == Some(one.vpc.as_str()) && one.zone != *zone);
    !others.any(|one| one.cidr.contains(&cidr) || cidr.contains(&one.cidr))
}

/// Gateway and route table: the way to the internet.
fn way_out(
    plan: &mut Builder<'_>,
    region: &Region,
    vpc: &Ref,
    fixes: &[Problem],
    tags: &dyn Fn() -> Tags,
) -> (Ref, Vec<StepId>) {
    let slot = |what: &str| format!("{region}/{what}");
    let facts = plan.facts.of(region).ok();
    let made = facts.and_then(|facts| facts.reusable_gateway(&StepId(slot("gateway")), vpc));
    let gateway = if let Some(id) = made {
        Ref::Id(id)
    } else {
        let change = Change::CreateInternetGateway { tags: tags() };
        plan.change(&slot("gateway"), region, change, fixes)
    };
    let attached = facts.is_some_and(|facts| {
        let mut own = facts.gateways.iter().filter(|one| gateway.id() == Some(one.id.as_str()));
        own.any(|one| one.vpc.is_some())
    });
    if !attached {
        let attach = Change::AttachInternetGateway { gateway: gateway.clone(), vpc: vpc.clone() };
        plan.change(&slot("gateway-attached"), region, attach, fixes);
    }
    let change = Change::CreateRouteTable { vpc: vpc.clone(), tags: tags() };
    let table = plan.change(&slot("routes"), region, change, fixes);
    let has_default = plan.facts.of(region).is_ok_and(|facts| {
        present_routes(facts, &table).iter().any(|route| route.destination.prefix_len() == 0)
    });
    let mut ready = Vec::new();
    if !has_default {
        let destination = crate::check::rules::WORLD;
        let via = Via::Gateway(gateway);
        let route = Change::CreateRoute { table: table.clone(), destination, via };
        plan.change(&slot("route-internet"), region, route, fixes);
        plan.after(&slot("route-internet"), [StepId(slot("gateway-attached"))]);
        ready.push(StepId(slot("route-internet")));
    }
    (table, ready)
}

/// A subnet to be.
struct Subnet {
    zone: Zone,
    cidr: Ipv4Net,
}

fn subnet(
    plan: &mut Builder<'_>,
    region: &Region,
    (vpc, table): (&Ref, &Ref),
    Subnet { zone, cidr }: Subnet,
    new: &mut New,
    tags: &dyn Fn() -> Tags,
) {
    let name = format!("{region}/subnet-{zone}");
    let create = Change::CreateSubnet { vpc: vpc.clone(), zone: zone.clone(), cidr, tags: tags() };
    let subnet = plan.change(&name, region, create, &new.fixes);
    let facts = plan.facts.of(region).ok();
    let known = |subnet: &Ref| {
        let id = subnet.id()?;
        facts?.subnets.iter().find(|one| one.id.as_str() == id)
    };
    if !known(&subnet).is_some_and(|subnet| subnet.public_ip_on_launch) {
        let change = Change::MapPublicIp { subnet: subnet.clone() };
        plan.change(&format!("{name}/public-ip"), region, change, &new.fixes);
        new.ready.push(StepId(format!("{name}/public-ip")));
    }
    let associated = facts.zip(subnet.id()).is_some_and(|(facts, id)| {
        facts.tables.iter().any(|table| table.subnets.iter().any(|one| one.as_str() == id))
    });
    if !associated {
        let change = Change::AssociateRouteTable { table: table.clone(), subnet: subnet.clone() };
        plan.change(&format!("{name}/routes"), region, change, &new.fixes);
        new.ready.push(StepId(format!("{name}/routes")));
    }
    new.subnets.push((zone, subnet));
}

/// The zones that offer every type of the config, within those that it allows.
fn zones(place: &RegionView<'_>, config: &RayConfig) -> BTreeSet<Zone> {
    let offerings = place.facts.offerings.known().into_iter().flatten();
    let all: BTreeSet<_> = offerings.clone().map(|offering| offering.zone.clone()).collect();
    let offers = |zone: &Zone| {
        place.config.groups_of(config).all(|group| {
            let wanted = &group.template.instance_type.value;
            offerings.clone().any(|one| one.zone == *zone && one.instance_type == *wanted)
        })
    };
    let allowed =
        |zone: &Zone| config.zones.is_empty() || config.zones.iter().any(|one| one.value == *zone);
    // Local zones are named us-west-2-lax-1a: opted in to one by one.
    let usual = |zone: &Zone| zone.as_str().matches('-').count() == 2;
    all.into_iter().filter(|zone| usual(zone) && allowed(zone) && offers(zone)).collect()
}

fn present_routes(facts: &RegionFacts, table: &Ref) -> Vec<Route> {
    let of = |id: &str| facts.tables.iter().find(|table| table.id.as_str() == id);
    table.id().and_then(of).map(|table| table.routes.clone()).unwrap_or_default()
}

/// Names the new networks' subnets and groups in the configs: those of all
/// regions at once, and only after every step of the mesh. Regions that move one
/// by one would leave the last one where it is, since its default VPC then
/// overlaps with no other.
pub(super) fn rewrite(networks: &Networks<'_>, groups: &[NewGroup], plan: &mut Builder<'_>) {
    let new = || networks.all.iter().filter_map(|network| Some((network, network.new.as_ref()?)));
    let (mut rewrites, mut fixes) = (Vec::<Rewrite>::new(), Vec::new());
    for (network, new) in new() {
        let mut pinned = network.place.config.groups.iter();
        if let Some(why) = pinned.find_map(|group| group.template.pinned_network()) {
            plan.leave(&new.fixes, why);
            continue;
        }
        let own = of_network(network, new, groups);
        rewrites.extend(own);
        fixes.extend(new.fixes.iter().cloned());
    }
    fixes.sort();
    fixes.dedup();
    if let Some(region) = networks.unplanned.first() {
        let why = format!("the network of {region} has to be complete first");
        return plan.leave(&fixes, &why);
    }
    if !rewrites.is_empty() {
        let after = plan.slots_from(networks.first_step);
        plan.rewrite("configs/network-ids", rewrites, after, &fixes);
    }
}

/// What names one new network in its region's configs: all of it, since EC2
/// refuses a group and a subnet of two VPCs.
fn of_network(network: &Network<'_>, new: &New, groups: &[NewGroup]) -> Vec<Rewrite> {
    let region = network.place.region();
    let Some(group) = groups.iter().find(|group| group.region == *region) else {
        return Vec::new();
    };
    let mut rewrites: Vec<Rewrite> = Vec::new();
    for node_group in &network.place.config.groups {
        let config = network.place.config.config_of(node_group);
        let subnets = new.subnets_of(&zones(&network.place, config));
        let values = [("SubnetIds", subnets), ("SecurityGroupIds", vec![group.id.clone()])];
        for (key, ids) in values {
            let rewrite = in_node_config(config, node_group, key, ids);
            if !rewrites.contains(&rewrite) {
                rewrites.push(rewrite);
            }
        }
    }
    rewrites
}

fn in_node_config(
    config: &RayConfig,
    group: &NodeGroup,
    key: &'static str,
    ids: Vec<Ref>,
) -> Rewrite {
    let (file, node_type) = (config.source.path.clone(), group.node_type.value.clone());
    Rewrite { target: Target::NodeConfig { file, node_type, key }, value: Written::List(ids) }
}
