//! A network of two regions: created call by call, read back, and deleted.
#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

use std::time::Duration;

use ipnet::Ipv4Net;
use muster::{
    cloud::{
        Change, InternetGateway, IpPermission, Peering, PeeringState, PortRange, Ref, RouteState,
        RouteTarget, SubnetFilter, Tags, Via, tags,
    },
    model::Region,
};
use tokio::time::{sleep, timeout};

use super::world::{World, cidr, rule, rule_from, tagged_as};

/// One region's half, by ids.
pub struct Half {
    region: Region,
    pub vpc: String,
    pub subnet: String,
    pub gateway: String,
    pub table: String,
    pub group: String,
    own: Ipv4Net,
}

/// A whole network.
pub struct Network {
    pub west: Half,
    pub east: Half,
    pub peering: String,
}

/// Creates a network with the addresses 10.`number`.0.0/16 and the next.
pub async fn make(world: &World, number: u8) -> Network {
    let network = make_unbound(world, number).await;
    for half in [&network.west, &network.east] {
        let (table, subnet) = (Ref::Id(half.table.clone()), Ref::Id(half.subnet.clone()));
        world.change(&half.region, Change::AssociateRouteTable { table, subnet }).await;
    }
    network
}

/// The same, but no subnet uses the tables.
async fn make_unbound(world: &World, number: u8) -> Network {
    let (west, east) = (&world.west.region, &world.east.region);
    let west = half(world, west, number, number + 1).await;
    let east = half(world, east, number + 1, number).await;
    let peering = Change::CreatePeering {
        vpc: Ref::Id(west.vpc.clone()),
        peer_region: east.region.clone(),
        peer_vpc: Ref::Id(east.vpc.clone()),
        tags: tagged_as("peering"),
    };
    let peering = world.make(&west.region, peering).await;
    let accept = Change::AcceptPeering { peering: Ref::Id(peering.clone()) };
    world.until_peered(&west, &peering, PeeringState::PendingAcceptance).await;
    world.change(&east.region, accept).await;
    let network = Network { west, east, peering };
    for (half, other) in [(&network.west, &network.east), (&network.east, &network.west)] {
        let via = Via::Peering(Ref::Id(network.peering.clone()));
        let table = Ref::Id(half.table.clone());
        let route = Change::CreateRoute { table, destination: other.own, via };
        world.change(&half.region, route).await;
    }
    network
}

async fn half(world: &World, region: &Region, number: u8, other: u8) -> Half {
    let own = cidr(&format!("10.{number}.0.0/16"));
    let vpc = world.make(region, Change::CreateVpc { cidr: own, tags: tagged_as("vpc") }).await;
    let at = || Ref::Id(vpc.clone());
    let subnet = Change::CreateSubnet {
        vpc: at(),
        zone: format!("{region}b").as_str().into(),
        cidr: cidr(&format!("10.{number}.1.0/24")),
        tags: tagged_as("subnet"),
    };
    let subnet = world.make(region, subnet).await;
    world.change(region, Change::MapPublicIp { subnet: Ref::Id(subnet.clone()) }).await;
    let gateway = Change::CreateInternetGateway { tags: tagged_as("gateway") };
    let gateway = world.make(region, gateway).await;
    let through = || Ref::Id(gateway.clone());
    world.change(region, Change::AttachInternetGateway { gateway: through(), vpc: at() }).await;
    let table = Change::CreateRouteTable { vpc: at(), tags: tagged_as("table") };
    let table = world.make(region, table).await;
    let way_out = Change::CreateRoute {
        table: Ref::Id(table.clone()),
        destination: cidr("0.0.0.0/0"),
        via: Via::Gateway(through()),
    };
    world.change(region, way_out).await;
    let group = Change::CreateSecurityGroup {
        name: "nodes".into(),
        description: "of the contract".into(),
        vpc: at(),
        tags: tagged_as("group"),
    };
    let group = world.make(region, group).await;
    let admit = Change::AuthorizeIngress {
        group: Ref::Id(group.clone()),
        rules: vec![
            rule([22, 22], "203.0.113.0/24"),
            rule_from([0, 65535], &group),
            rule([0, 65535], &format!("10.{other}.0.0/16")),
        ],
        tags: tagged_as("rules"),
    };
    world.change(region, admit).await;
    let described = world.cloud.internet_gateways(region, &[gateway.clone(), "igw-0".into()]).await;
    let attached = InternetGateway { id: gateway.clone(), vpc: Some(vpc.as_str().into()) };
    assert_eq!(described.unwrap(), [attached], "missing resources are omitted");
    Half { region: region.clone(), vpc, subnet, gateway, table, group, own }
}

/// Deletes a network, in the order that EC2 requires.
pub async fn unmake(world: &World, network: Network) {
    let peering = Ref::Id(network.peering);
    world.change(&network.west.region, Change::DeletePeering { peering }).await;
    for half in [network.west, network.east] {
        let (gateway, vpc) = (Ref::Id(half.gateway), Ref::Id(half.vpc));
        for change in [
            Change::DeleteSecurityGroup { group: Ref::Id(half.group) },
            Change::DeleteSubnet { subnet: Ref::Id(half.subnet) },
            Change::DetachInternetGateway { gateway: gateway.clone(), vpc: vpc.clone() },
            Change::DeleteInternetGateway { gateway },
            Change::DeleteRouteTable { table: Ref::Id(half.table) },
            Change::DeleteVpc { vpc },
        ] {
            world.change(&half.region, change).await;
        }
    }
}

impl World {
    /// Polls until the connection is in `state`.
    async fn until_peered(&self, from: &Half, id: &str, state: PeeringState) -> Peering {
        let vpcs = [from.vpc.as_str().into()];
        let look = async {
            loop {
                let found = self.cloud.peerings(&from.region, &vpcs).await.unwrap();
                let one = found.into_iter().find(|one| one.id.as_str() == id);
                if let Some(one) = one.filter(|one| one.state == state) {
                    return one;
                }
                sleep(Duration::from_millis(100)).await;
            }
        };
        timeout(Duration::from_mins(1), look).await.unwrap()
    }
}

pub async fn a_network_is_described_as_it_was_created(world: &World) {
    let network = make(world, 101).await;
    let peering = &network.peering;
    let active = world.until_peered(&network.west, peering, PeeringState::Active).await;
    assert_eq!(active.requester.vpc.as_str(), network.west.vpc);
    assert_eq!(active.accepter.vpc.as_str(), network.east.vpc);
    assert_eq!(active.accepter.cidrs, [network.east.own]);
    for (half, other) in [(&network.west, &network.east), (&network.east, &network.west)] {
        assert_described(world, half, other, peering).await;
    }
}

async fn assert_described(world: &World, half: &Half, other: &Half, peering: &str) {
    let (cloud, region) = (&world.cloud, &half.region);
    let vpcs = cloud.all_vpcs(region).await.unwrap();
    let vpc = vpcs.iter().find(|vpc| vpc.id.as_str() == half.vpc).unwrap();
    assert_eq!((&vpc.cidrs[..], vpc.is_default), (&[half.own][..], false));
    assert_eq!(vpc.name.as_deref(), Some("muster"), "by its tag");

    let ids = SubnetFilter::Ids(vec![half.subnet.as_str().into()]);
    let subnets = cloud.subnets(region, &ids).await.unwrap();
    let [subnet] = &subnets[..] else { unreachable!("one subnet: {subnets:?}") };
    assert_eq!((subnet.vpc.as_str(), subnet.available_ips), (half.vpc.as_str(), 251));
    assert_eq!(subnet.zone.as_str(), format!("{region}b"));
    assert!(subnet.public_ip_on_launch);
    routed(world, half, other, peering).await;
    grouped(world, half, other).await;
}

async fn routed(world: &World, half: &Half, other: &Half, peering: &str) {
    let vpcs = [half.vpc.as_str().into()];
    let mut tables = world.cloud.route_tables(&half.region, &vpcs).await.unwrap();
    tables.sort_by_key(|table| table.is_main);
    let [own, main] = &tables[..] else { unreachable!("two tables: {tables:?}") };
    assert_eq!((own.id.as_str(), own.is_main), (half.table.as_str(), false));
    assert_eq!(own.subnets, [half.subnet.as_str().into()]);
    let to = |destination: Ipv4Net| {
        let route = own.routes.iter().find(|route| route.destination == destination).unwrap();
        assert_eq!(route.state, RouteState::Active);
        route.target.clone()
    };
    assert_eq!(own.routes.len(), 3);
    assert_eq!(to(half.own), RouteTarget::Local);
    assert_eq!(to(other.own), RouteTarget::Peering(peering.into()));
    assert_eq!(to(cidr("0.0.0.0/0")), RouteTarget::Other(half.gateway.clone()));
    let main: Vec<_> = main.routes.iter().map(|route| route.target.clone()).collect();
    assert_eq!(main, [RouteTarget::Local], "came with the VPC");
}

async fn grouped(world: &World, half: &Half, other: &Half) {
    let ids = [half.group.as_str().into()];
    let groups = world.cloud.security_groups(&half.region, &ids).await.unwrap();
    let [group] = &groups[..] else { unreachable!("one group: {groups:?}") };
    assert_eq!((group.name.as_str(), group.vpc.as_str()), ("nodes", half.vpc.as_str()));
    let on = |from, to| {
        let ports = Some(PortRange { from, to });
        let rules = group.inbound.iter().filter(move |rule| rule.ports == ports);
        let rules: Vec<&IpPermission> = rules.collect();
        assert!(rules.iter().all(|rule| rule.protocol == "tcp"));
        let cidrs: Vec<_> = rules.iter().flat_map(|rule| rule.cidrs.clone()).collect();
        let groups: Vec<_> = rules.iter().flat_map(|rule| rule.groups.clone()).collect();
        (cidrs, groups)
    };
    assert_eq!(on(22, 22), (vec![cidr("203.0.113.0/24")], vec![]));
    assert_eq!(on(0, 65535), (vec![other.own], vec![half.group.as_str().into()]));
}

pub async fn what_is_made_is_found_by_its_tags(world: &World) {
    let network = make(world, 111).await;
    for half in [&network.west, &network.east] {
        let keys = [tags::REMEDY, "nobodys"];
        let tagged = world.cloud.tagged(&half.region, &keys).await.unwrap();
        let find = |id: &str| tagged.iter().find(|one| one.id == id).unwrap();
        for (id, kind, step) in [
            (&half.vpc, "vpc", "vpc"),
            (&half.subnet, "subnet", "subnet"),
            (&half.gateway, "internet-gateway", "gateway"),
            (&half.table, "route-table", "table"),
            (&half.group, "security-group", "group"),
        ] {
            let resource = find(id);
            assert_eq!(resource.kind, kind);
            assert_eq!(resource.tags, Tags::from([(tags::REMEDY.into(), step.into())]));
        }
    }
    let tagged = world.cloud.tagged(&network.west.region, &[tags::REMEDY]).await.unwrap();
    let peering = tagged.iter().find(|one| one.id == network.peering).unwrap();
    assert_eq!(peering.kind, "vpc-peering-connection");
}

pub async fn what_is_unmade_leaves_nothing(world: &World) {
    let before = seen(world).await;
    let network = make_unbound(world, 121).await;
    assert_ne!(seen(world).await, before);
    unmake(world, network).await;
    assert_eq!(seen(world).await, before);
}

pub async fn an_association_goes_with_its_subnet(world: &World) {
    let before = seen(world).await;
    let network = make(world, 181).await;
    unmake(world, network).await;
    assert_eq!(seen(world).await, before);
}

/// Returns all visible network resources of both regions.
async fn seen(world: &World) -> impl PartialEq + std::fmt::Debug + use<> {
    let mut all = Vec::new();
    for region in [&world.west.region, &world.east.region] {
        let vpcs = world.cloud.all_vpcs(region).await.unwrap();
        let ids: Vec<_> = vpcs.iter().map(|vpc| vpc.id.clone()).collect();
        let tables = world.cloud.route_tables(region, &ids).await.unwrap();
        let mut peerings = world.cloud.peerings(region, &ids).await.unwrap();
        // EC2 lists these for hours.
        peerings.retain(|one| one.state != PeeringState::Deleted);
        peerings.sort_by(|a, b| a.id.cmp(&b.id));
        all.push((vpcs, tables, peerings));
    }
    all
}

pub async fn tags_go_with_what_carries_them(world: &World) {
    let network = make(world, 161).await;
    let region = &world.west.region;
    let tagged = world.cloud.tagged(region, &[tags::REMEDY]).await.unwrap();
    let mut kinds: Vec<_> = tagged.iter().map(|one| one.kind.as_str()).collect();
    kinds.sort_unstable();
    let expected = [
        "internet-gateway",
        "route-table",
        "security-group",
        "security-group-rule",
        "security-group-rule",
        "security-group-rule",
        "subnet",
        "vpc",
        "vpc-peering-connection",
    ];
    assert_eq!(kinds, expected);
    unmake(world, network).await;
    assert_eq!(world.cloud.tagged(region, &[tags::REMEDY]).await.unwrap(), []);
}
