//! subnet.exists, vpc.cidr-overlap, vpc.default, peering.active, route.peering.

use muster::{
    check::Level,
    cloud::{Peering, PeeringState, RouteState, RouteTable, RouteTarget, Subnet, Vpc},
    config::Sourced,
};

use super::world::{World, cidr, hours_from_now, route};

const US_EU: &str = "us-west-2 ↔ eu-west-1";
const EU_US: &str = "eu-west-1 ↔ us-west-2";

/// Changes the peering of `us-west-2` and `eu-west-1` on both sides.
fn us_eu(world: &mut World, change: impl Fn(&mut Peering)) {
    for region in ["us-west-2", "eu-west-1"] {
        let peerings = &mut world.region(region).peerings;
        change(peerings.iter_mut().find(|peering| peering.id.as_str() == "pcx-us-eu").unwrap());
    }
}

/// The main table's route from `region` to the region of index `to`.
fn set_route(world: &mut World, region: &str, to: usize, state: RouteState) {
    let destination = cidr(to).parse().unwrap();
    let routes = &mut world.region(region).tables[0].routes;
    routes.iter_mut().find(|route| route.destination == destination).unwrap().state = state;
}

fn remove_route(world: &mut World, region: &str, to: usize) {
    let destination: ipnet::Ipv4Net = cidr(to).parse().unwrap();
    world.region(region).tables[0].routes.retain(|route| route.destination != destination);
}

#[test]
fn a_missing_subnet_is_reported_once() {
    let mut world = World::healthy();
    world.region("eu-west-1").subnets.clear();
    let findings = world.bad();
    assert_eq!(findings[0], "✗ subnet.exists eu-west-1: subnet subnet-eu is missing");
    assert!(findings[1..].iter().all(|line| line.starts_with("- ")), "{findings:#?}");
    let skipped = world.finding("peering.active", US_EU);
    assert_eq!(skipped.title, "not judged: the subnets of eu-west-1 have to exist first");
}

#[test]
fn unreadable_subnets_leave_nothing_about_the_network_known() {
    let mut world = World::healthy();
    world.unreadable("eu-west-1", "subnets");
    for check in ["subnet.exists", "sg.same-vpc", "vpc.default", "type.offered"] {
        assert_eq!(world.finding(check, "eu-west-1").level, Level::Unknown, "{check}");
    }
    for check in ["vpc.cidr-overlap", "peering.active", "route.peering"] {
        assert_eq!(world.finding(check, US_EU).level, Level::Unknown, "{check}");
        assert_eq!(world.finding(check, "us-west-2 ↔ ap-southeast-2").level, Level::Pass);
    }
}

#[test]
fn a_full_subnet() {
    let mut world = World::healthy();
    world.region("eu-west-1").subnets[0].available_ips = 1;
    assert_eq!(
        world.bad(),
        ["✗ subnet.exists eu-west-1: subnet subnet-eu has no room for 2 nodes"]
    );
    assert!(world.run()[0].impact.as_ref().unwrap().contains("InsufficientFreeAddressesInSubnet"));
}

#[test]
fn default_subnets_are_taken_where_none_is_named() {
    let mut world = World::healthy();
    world.templates("eu-west-1", |template| template.subnets.clear());
    world.region("eu-west-1").default_subnets = vec!["subnet-eu"];
    assert!(world.bad().is_empty(), "{:#?}", world.bad());
    world.own("eu-west-1").zones = vec![Sourced::default("eu-west-1c".into(), "test")];
    assert_eq!(
        world.bad()[0],
        "✗ subnet.exists eu-west-1: no subnet is named, and there is no default one in eu-west-1c"
    );
    world.own("eu-west-1").zones.clear();
    world.region("eu-west-1").default_subnets.clear();
    assert_eq!(
        world.bad()[0],
        "✗ subnet.exists eu-west-1: no subnet is named, and there is no default one"
    );
}

#[test]
fn subnets_of_two_vpcs() {
    let mut world = World::healthy();
    let facts = world.region("eu-west-1");
    facts.subnets.push(Subnet {
        id: "subnet-2".into(),
        vpc: "vpc-2".into(),
        cidr: "10.9.1.0/24".parse().unwrap(),
        ..facts.subnets[0].clone()
    });
    facts.vpcs.push(Vpc {
        id: "vpc-2".into(),
        cidrs: vec!["10.9.0.0/16".parse().unwrap()],
        ..facts.vpcs[0].clone()
    });
    world.config("eu-west-1").groups[1].template.subnets =
        vec![Sourced::default("subnet-2".into(), "test")];
    let bad = world.bad();
    assert!(
        bad.contains(&"✗ subnet.exists eu-west-1: the subnets are in 2 VPCs".to_owned()),
        "{bad:#?}"
    );
}

#[test]
fn a_subnet_without_public_addresses() {
    let mut world = World::healthy();
    world.region("eu-west-1").subnets[0].public_ip_on_launch = false;
    assert_eq!(
        world.bad(),
        ["✗ subnet.reachable eu-west-1: subnet-eu gives nodes no public address"]
    );
    let finding = world.run().remove(0);
    assert_eq!(finding.impact.as_deref(), Some("SSH to 3 nodes would time out"));
    assert!(finding.todo.unwrap().contains("--subnet-id subnet-eu --map-public-ip-on-launch"));
    world.own("eu-west-1").use_internal_ips = true;
    assert!(world.bad().is_empty(), "SSH goes to private addresses");
}

#[test]
fn a_subnet_without_a_way_to_the_internet() {
    let mut world = World::healthy();
    let nat = RouteTarget::Other("nat-1".into());
    let routes = &mut world.region("eu-west-1").tables[0].routes;
    routes.iter_mut().find(|route| route.destination.prefix_len() == 0).unwrap().target = nat;
    assert_eq!(
        world.bad(),
        ["✗ subnet.reachable eu-west-1: rtb-eu has no route to an internet gateway"]
    );
    let gateway = RouteTarget::Other("igw-1".into());
    let routes = &mut world.region("eu-west-1").tables[0].routes;
    routes.push(route("203.0.113.0/24", gateway, RouteState::Active));
    assert!(world.bad().is_empty(), "the route back to the operator applies");
}

#[test]
fn unreadable_tables_leave_the_way_out_unknown() {
    let mut world = World::healthy();
    world.unreadable("eu-west-1", "tables");
    assert_eq!(world.finding("subnet.reachable", "eu-west-1").level, Level::Unknown);
    world.region("eu-west-1").subnets[0].public_ip_on_launch = false;
    assert_eq!(world.finding("subnet.reachable", "eu-west-1").level, Level::Fail);
}

#[test]
fn an_unlisted_route_table_is_unknown() {
    let mut world = World::healthy();
    world.region("eu-west-1").tables[0].is_main = false;
    for (check, subject) in [("subnet.reachable", "eu-west-1"), ("route.peering", EU_US)] {
        let finding = world.finding(check, subject);
        assert_eq!(finding.level, Level::Unknown);
        assert_eq!(finding.title, "EC2 does not list the route table of subnet-eu");
    }
}

#[test]
fn overlapping_vpcs_are_reported_once() {
    let mut world = World::healthy();
    world.region("eu-west-1").vpcs[0].cidrs = vec!["10.1.128.0/17".parse().unwrap()];
    world.region("eu-west-1").subnets[0].cidr = "10.1.129.0/24".parse().unwrap();
    let fails: Vec<_> = world.bad().into_iter().filter(|line| line.contains("us-west-2")).collect();
    assert_eq!(
        fails,
        [
            "✗ vpc.cidr-overlap us-west-2 ↔ eu-west-1: 10.1.0.0/16 overlaps 10.1.128.0/17",
            "- sg.peers us-west-2: not judged: the addresses of eu-west-1 overlap with these",
            "- sg.peers eu-west-1: not judged: the addresses of us-west-2 overlap with these",
            "- peering.active us-west-2 ↔ eu-west-1: not judged: the addresses overlap",
            "- route.peering us-west-2 ↔ eu-west-1: not judged: the addresses overlap",
            "- route.peering eu-west-1 ↔ us-west-2: not judged: the addresses overlap",
        ]
    );
}

#[test]
fn a_secondary_cidr_overlaps_too() {
    let mut world = World::healthy();
    world.region("eu-west-1").vpcs[0].cidrs.push("10.3.4.0/22".parse().unwrap());
    let finding = world.finding("vpc.cidr-overlap", "eu-west-1 ↔ ap-southeast-2");
    assert_eq!(
        (finding.level, finding.title.as_str()),
        (Level::Fail, "10.3.4.0/22 overlaps 10.3.0.0/16")
    );
}

fn use_default_vpc(world: &mut World, region: &str) {
    let facts = world.region(region);
    facts.vpcs[0].is_default = true;
    facts.vpcs[0].cidrs = vec!["172.31.0.0/16".parse().unwrap()];
    facts.subnets[0].cidr = "172.31.16.0/20".parse().unwrap();
}

#[test]
fn one_default_vpc_is_a_warning_two_fail() {
    let mut world = World::healthy();
    use_default_vpc(&mut world, "us-west-2");
    assert_eq!(world.finding("vpc.default", "us-west-2").level, Level::Warn);
    assert_eq!(world.finding("vpc.default", "eu-west-1").level, Level::Pass);
    use_default_vpc(&mut world, "eu-west-1");
    for region in ["us-west-2", "eu-west-1"] {
        let finding = world.finding("vpc.default", region);
        assert_eq!(finding.level, Level::Fail);
        assert_eq!(finding.title, "the nodes are in the default VPC, as other regions' are");
    }
    let overlap = world.finding("vpc.cidr-overlap", US_EU);
    assert_eq!(overlap.level, Level::Skipped, "vpc.default reports it");
}

#[test]
fn a_default_vpc_is_unknown_where_another_region_can_not_be_read() {
    let mut world = World::healthy();
    use_default_vpc(&mut world, "us-west-2");
    world.unreadable("eu-west-1", "vpcs");
    let finding = world.finding("vpc.default", "us-west-2");
    assert_eq!(finding.level, Level::Unknown, "eu-west-1 may be in its own: {finding:?}");
    assert_eq!(finding.evidence, ["the VPCs of eu-west-1 could not be read"]);
}

#[test]
fn unreadable_vpcs_are_unknown() {
    let mut world = World::healthy();
    world.unreadable("eu-west-1", "vpcs");
    assert_eq!(world.finding("vpc.default", "eu-west-1").level, Level::Unknown);
    let finding = world.finding("vpc.cidr-overlap", US_EU);
    assert_eq!(
        (finding.level, finding.title.as_str()),
        (Level::Unknown, "the VPCs of eu-west-1 could not be read")
    );
}

#[test]
fn a_request_that_waits_for_acceptance() {
    let mut world = World::healthy();
    us_eu(&mut world, |peering| {
        peering.state = PeeringState::PendingAcceptance;
        peering.expires = Some(hours_from_now(4 * 24 + 1));
    });
    set_route(&mut world, "us-west-2", 1, RouteState::Blackhole);
    set_route(&mut world, "eu-west-1", 0, RouteState::Blackhole);
    assert_eq!(
        world.bad(),
        [
            "✗ peering.active us-west-2 ↔ eu-west-1: peering is pending acceptance",
            "- route.peering us-west-2 ↔ eu-west-1: the route works once the peering does",
            "- route.peering eu-west-1 ↔ us-west-2: the route works once the peering does",
        ]
    );
    let finding = world.run().remove(0);
    assert_eq!(
        finding.evidence,
        [
            "pcx-us-eu requested by us-west-2, to be accepted in eu-west-1",
            "since 2 days, expires in 4 days",
        ]
    );
    assert_eq!(
        finding.todo.as_deref(),
        Some(
            "aws ec2 accept-vpc-peering-connection --region eu-west-1 \
             --vpc-peering-connection-id pcx-us-eu"
        )
    );
}

#[test]
fn a_route_that_is_missing_fails_also_while_the_peering_waits() {
    let mut world = World::healthy();
    us_eu(&mut world, |peering| peering.state = PeeringState::PendingAcceptance);
    remove_route(&mut world, "us-west-2", 1);
    assert_eq!(world.finding("route.peering", US_EU).level, Level::Fail);
}

#[test]
fn ended_connections_are_reported() {
    let mut world = World::healthy();
    us_eu(&mut world, |peering| {
        peering.state = PeeringState::Expired;
        peering.message = String::new();
    });
    let finding = world.finding("peering.active", US_EU);
    assert_eq!((finding.level, finding.title.as_str()), (Level::Fail, "no peering connection"));
    assert_eq!(
        finding.evidence,
        ["none between vpc-us and vpc-eu", "pcx-us-eu expired: nobody accepted it in seven days",]
    );
    assert_eq!(world.finding("route.peering", US_EU).level, Level::Skipped);
    assert_eq!(world.finding("route.peering", EU_US).level, Level::Skipped);
}

#[test]
fn the_best_of_several_connections_counts() {
    let mut world = World::healthy();
    let old = Peering {
        id: "pcx-old".into(),
        state: PeeringState::Deleted,
        ..world.region("us-west-2").peerings[0].clone()
    };
    world.region("us-west-2").peerings.insert(0, old);
    assert!(world.bad().is_empty(), "{:#?}", world.bad());
}

#[test]
fn a_connection_being_set_up_is_a_warning() {
    let mut world = World::healthy();
    us_eu(&mut world, |peering| peering.state = PeeringState::Provisioning);
    assert_eq!(world.finding("peering.active", US_EU).level, Level::Warn);
}

#[test]
fn one_readable_side_is_enough() {
    let mut world = World::healthy();
    world.unreadable("eu-west-1", "peerings");
    assert_eq!(world.finding("peering.active", US_EU).level, Level::Pass);
    world.unreadable("us-west-2", "peerings");
    assert_eq!(world.finding("peering.active", US_EU).level, Level::Unknown);
    assert_eq!(world.finding("route.peering", US_EU).level, Level::Unknown);
}

#[test]
fn a_connection_of_other_vpcs_does_not_count() {
    let mut world = World::healthy();
    us_eu(&mut world, |peering| peering.accepter.vpc = "vpc-else".into());
    assert_eq!(world.finding("peering.active", US_EU).title, "no peering connection");
}

#[test]
fn a_missing_route_fails_in_its_direction() {
    let mut world = World::healthy();
    remove_route(&mut world, "eu-west-1", 0);
    assert_eq!(
        world.bad(),
        ["✗ route.peering eu-west-1 ↔ us-west-2: rtb-eu has no route to 10.1.0.0/16"]
    );
    assert_eq!(
        world.run()[0].todo.as_deref(),
        Some(
            "aws ec2 create-route --region eu-west-1 --route-table-id rtb-eu \
             --destination-cidr-block 10.1.0.0/16 --vpc-peering-connection-id pcx-us-eu"
        )
    );
}

#[test]
fn a_blackhole_to_an_active_connection_fails() {
    let mut world = World::healthy();
    set_route(&mut world, "eu-west-1", 0, RouteState::Blackhole);
    let finding = world.finding("route.peering", EU_US);
    assert_eq!(
        (finding.level, finding.title.as_str()),
        (Level::Fail, "rtb-eu has a blackhole for 10.1.0.0/16")
    );
    assert!(finding.todo.unwrap().contains("replace-route"));
}

#[test]
fn a_route_that_leads_elsewhere_is_replaced() {
    let mut world = World::healthy();
    let routes = &mut world.region("eu-west-1").tables[0].routes;
    let old = RouteTarget::Peering("pcx-old".into());
    routes
        .iter_mut()
        .find(|route| route.destination.to_string() == "10.1.0.0/16")
        .unwrap()
        .target = old;
    let finding = world.finding("route.peering", EU_US);
    assert_eq!(finding.title, "rtb-eu sends 10.1.0.0/16 to pcx-old");
    assert!(finding.todo.unwrap().contains("replace-route"));
}

#[test]
fn a_wider_route_elsewhere_gets_a_narrower_one_in_addition() {
    let mut world = World::healthy();
    remove_route(&mut world, "eu-west-1", 0);
    let transit = RouteTarget::Other("tgw-1".into());
    let wide = route("10.0.0.0/8", transit, RouteState::Active);
    world.region("eu-west-1").tables[0].routes.push(wide);
    let finding = world.finding("route.peering", EU_US);
    assert_eq!(finding.title, "rtb-eu sends 10.0.0.0/8 to tgw-1");
    let todo = finding.todo.unwrap();
    assert!(todo.contains("create-route") && todo.contains("10.1.0.0/16"), "{todo}");
}

#[test]
fn the_longest_prefix_counts() {
    let mut world = World::healthy();
    let transit = RouteTarget::Other("tgw-1".into());
    let routes = &mut world.region("eu-west-1").tables[0].routes;
    routes.push(route("10.0.0.0/8", transit.clone(), RouteState::Active));
    assert!(world.bad().is_empty(), "the /16 is longer");
    let routes = &mut world.region("eu-west-1").tables[0].routes;
    routes.push(route("10.1.1.128/25", transit, RouteState::Active));
    let finding = world.finding("route.peering", EU_US);
    assert_eq!(finding.title, "rtb-eu sends 10.1.1.128/25 to tgw-1", "half of the subnet");
}

#[test]
fn a_route_to_just_the_subnet_is_enough() {
    let mut world = World::healthy();
    let routes = &mut world.region("eu-west-1").tables[0].routes;
    let to_us = routes.iter_mut().find(|route| route.destination.to_string() == "10.1.0.0/16");
    to_us.unwrap().destination = "10.1.1.0/24".parse().unwrap();
    assert!(world.bad().is_empty(), "{:#?}", world.bad());
}

#[test]
fn the_associated_table_counts_before_the_main_one() {
    let mut world = World::healthy();
    let own = RouteTable {
        id: "rtb-own".into(),
        is_main: false,
        subnets: vec!["subnet-eu".into()],
        routes: Vec::new(),
        ..world.region("eu-west-1").tables[0].clone()
    };
    world.region("eu-west-1").tables.push(own);
    assert_eq!(world.finding("route.peering", EU_US).title, "rtb-own has no route to 10.1.0.0/16");
    world.region("eu-west-1").tables[1].subnets = vec!["subnet-other".into()];
    assert!(world.bad().is_empty(), "the main one applies");
}

#[test]
fn unreadable_tables_are_unknown_in_their_direction() {
    let mut world = World::healthy();
    world.unreadable("eu-west-1", "tables");
    assert_eq!(world.finding("route.peering", EU_US).level, Level::Unknown);
    assert_eq!(world.finding("route.peering", US_EU).level, Level::Pass);
}
