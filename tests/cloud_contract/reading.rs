//! Describing existing resources.
#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

use ipnet::Ipv4Net;
use muster::{
    cloud::{
        Change, ImageState, InstanceFilter, OptIn, PeeringState, PortRange, PublicKey, RouteState,
        RouteTarget, SubnetFilter, Tags,
    },
    model::Region,
};

use super::world::{IMAGE, IMAGE_NAME, KEY, PUBLIC_KEY, World};

pub async fn what_does_not_exist_is_absent_and_no_error(world: &World) {
    let (cloud, here) = (&world.cloud, &world.west.region);
    let images = cloud.images(here, &["ami-0123456789abcdef0".into(), IMAGE.into()]).await;
    assert_eq!(images.unwrap().len(), 1);
    let keys = cloud.key_pairs(here, &["nobodys".into(), KEY.into()]).await;
    assert_eq!(keys.unwrap().len(), 1);
    let groups = [world.west.group.clone(), "sg-0123456789abcdef0".into()];
    assert_eq!(cloud.security_groups(here, &groups).await.unwrap().len(), 1);
    let subnets = [world.west.subnet_a.clone(), "subnet-0123456789abcdef0".into()];
    let subnets = cloud.subnets(here, &SubnetFilter::Ids(subnets.to_vec())).await;
    assert_eq!(subnets.unwrap().len(), 1);
    let vpcs = [world.west.vpc.clone(), "vpc-0123456789abcdef0".into()];
    assert_eq!(cloud.vpcs(here, &vpcs).await.unwrap().len(), 1);
    assert_eq!(cloud.route_tables(here, &vpcs[1..]).await.unwrap(), []);
    let types = ["m5.large".into(), "m5.lagre".into()];
    assert_eq!(cloud.instance_types(here, &types).await.unwrap().len(), 1);
    assert_eq!(cloud.offerings(here, &types[1..]).await.unwrap(), []);
    let ids = InstanceFilter::Ids(vec!["i-0123456789abcdef0".into()]);
    assert_eq!(cloud.instances(here, &ids).await.unwrap(), []);
    let tag = InstanceFilter::Tag("muster:cluster".into(), "nobodys".into());
    assert_eq!(cloud.instances(here, &tag).await.unwrap(), []);
}

pub async fn nothing_asked_for_is_nothing_found(world: &World) {
    let (cloud, here) = (&world.cloud, &world.east.region);
    assert_eq!(cloud.images(here, &[]).await.unwrap(), []);
    assert_eq!(cloud.key_pairs(here, &[]).await.unwrap(), []);
    assert_eq!(cloud.security_groups(here, &[]).await.unwrap(), []);
    assert_eq!(cloud.subnets(here, &SubnetFilter::Ids(Vec::new())).await.unwrap(), []);
    assert_eq!(cloud.vpcs(here, &[]).await.unwrap(), []);
    assert_eq!(cloud.route_tables(here, &[]).await.unwrap(), []);
    assert_eq!(cloud.peerings(here, &[]).await.unwrap(), []);
    assert_eq!(cloud.instance_types(here, &[]).await.unwrap(), []);
    assert_eq!(cloud.offerings(here, &[]).await.unwrap(), []);
    assert_eq!(cloud.instances(here, &InstanceFilter::Ids(Vec::new())).await.unwrap(), []);
    assert_eq!(cloud.terminate(here, &[]).await.unwrap(), []);
    // What belongs to one region is absent from the other.
    let elsewhere = [world.west.group.clone()];
    assert_eq!(cloud.security_groups(here, &elsewhere).await.unwrap(), []);
}

pub async fn every_region_knows_all_regions(world: &World) {
    let from_west = world.cloud.regions(&world.west.region).await.unwrap();
    let from_east = world.cloud.regions(&world.east.region).await.unwrap();
    assert_eq!(from_west, from_east);
    for site in [&world.west, &world.east] {
        let info = from_west.iter().find(|info| info.name == site.region).unwrap();
        assert_eq!(info.opt_in, OptIn::NotRequired);
    }
    let closed = from_west.iter().find(|info| info.name == Region::from("ap-east-1")).unwrap();
    assert_eq!(closed.opt_in, OptIn::NotOptedIn);
    assert!(from_west.iter().all(|info| info.name != Region::from("mars-north-1")));
}

pub async fn an_image_has_its_owner_and_architecture(world: &World) {
    let images = world.cloud.images(&world.west.region, &[IMAGE.into()]).await.unwrap();
    let [image] = &images[..] else { unreachable!("one image: {images:?}") };
    assert_eq!((image.name.as_str(), image.owner.as_str()), (IMAGE_NAME, "099720109477"));
    assert_eq!((image.architecture.as_str(), &image.state), ("x86_64", &ImageState::Available));
}

pub async fn a_key_pair_comes_with_its_public_key(world: &World) {
    for site in [&world.west, &world.east] {
        let pairs = world.cloud.key_pairs(&site.region, &[KEY.into()]).await.unwrap();
        let [pair] = &pairs[..] else { unreachable!("one pair: {pairs:?}") };
        assert_eq!(pair.name.as_str(), KEY);
        assert_eq!(pair.public_key, PublicKey::parse(PUBLIC_KEY));
        assert!(!pair.fingerprint.is_empty());
    }
}

pub async fn a_group_comes_with_its_inbound_rules(world: &World) {
    let site = &world.west;
    let groups = [site.group.clone()];
    let groups = world.cloud.security_groups(&site.region, &groups).await.unwrap();
    let [group] = &groups[..] else { unreachable!("one group: {groups:?}") };
    assert_eq!((&group.id, group.name.as_str(), &group.vpc), (&site.group, "contract", &site.vpc));

    let ssh = PortRange { from: 22, to: 22 };
    let from = |cidr: &str| vec![cidr.parse::<Ipv4Net>().unwrap()];
    let admits_ssh = |rule: &&muster::cloud::IpPermission| rule.covers_tcp(ssh);
    let [operators] =
        &group.inbound.iter().filter(|rule| rule.ports.is_some()).collect::<Vec<_>>()[..]
    else {
        unreachable!("one rule with ports: {:?}", group.inbound)
    };
    assert_eq!((operators.protocol.as_str(), operators.ports), ("tcp", Some(ssh)));
    assert_eq!((&operators.cidrs, operators.groups.len()), (&from("203.0.113.0/24"), 0));

    let all: Vec<_> = group.inbound.iter().filter(|rule| rule.protocol == "-1").collect();
    assert!(all.iter().all(|rule| rule.ports.is_none()), "-1 has no ports: {all:?}");
    assert!(all.iter().any(|rule| rule.groups == [site.group.clone()]), "itself: {all:?}");
    assert!(all.iter().any(|rule| rule.cidrs == from("10.2.0.0/16")), "the peer: {all:?}");
    assert_eq!(group.inbound.iter().filter(admits_ssh).count(), group.inbound.len());
}

pub async fn a_prefix_list_is_read_with_its_entries(world: &World) {
    let here = &world.west.region;
    let mut nets = world.cloud.prefix_list(here, &world.list).await.unwrap();
    nets.sort();
    let texts: Vec<_> = nets.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["198.51.100.7/32", "203.0.113.0/24"]);
}

pub async fn groups_are_found_by_name_in_every_vpc(world: &World) {
    let site = &world.east;
    let named = async |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let found = world.cloud.security_groups_named(&site.region, &names).await.unwrap();
        found.into_iter().map(|group| (group.vpc, group.id)).collect::<Vec<_>>()
    };
    assert_eq!(named(&["nobodys", "contract"]).await, [(site.vpc.clone(), site.group.clone())]);
    assert_eq!(named(&["contrac*"]).await, [], "a name is not a pattern");
    assert_eq!(named(&[]).await, []);
    // Another VPC may have a group of the same name.
    let group = Change::CreateSecurityGroup {
        name: "contract".into(),
        description: "another".into(),
        vpc: world.third.as_str().into(),
        tags: Tags::new(),
    };
    let other = world.make(&site.region, group).await;
    let both = named(&["contract"]).await;
    assert_eq!(both.len(), 2, "{both:?}");
    assert!(both.contains(&(world.third.clone(), other.as_str().into())), "{both:?}");
    // The worlds are shared, so restore it.
    world.change(&site.region, Change::DeleteSecurityGroup { group: other.as_str().into() }).await;
}

pub async fn subnets_are_found_by_id(world: &World) {
    let site = &world.west;
    let ids = SubnetFilter::Ids(vec![site.subnet_a.clone(), site.subnet_b.clone()]);
    let mut subnets = world.cloud.subnets(&site.region, &ids).await.unwrap();
    subnets.sort_by(|a, b| a.zone.cmp(&b.zone));
    let [a, b] = &subnets[..] else { unreachable!("two subnets: {subnets:?}") };
    assert_eq!((&a.id, &a.vpc, a.zone.as_str()), (&site.subnet_a, &site.vpc, "us-west-2a"));
    assert_eq!((&b.id, &b.vpc, b.zone.as_str()), (&site.subnet_b, &site.vpc, "us-west-2b"));
    assert_eq!(a.cidr.to_string(), "10.1.1.0/24");
    // EC2 reserves five addresses of every subnet.
    assert_eq!((a.available_ips, a.public_ip_on_launch), (251, false));
}

pub async fn default_subnets_are_found_without_an_id(world: &World) {
    let here = &world.west.region;
    let subnets = world.cloud.subnets(here, &SubnetFilter::DefaultForZones).await.unwrap();
    let mut zones: Vec<_> = subnets.iter().map(|subnet| subnet.zone.clone()).collect();
    zones.sort();
    zones.dedup();
    assert_eq!(zones.len(), subnets.len(), "one a zone: {subnets:?}");
    assert!(zones.contains(&"us-west-2a".into()));
    assert!(subnets.iter().all(|subnet| subnet.public_ip_on_launch));
    let vpcs = world.cloud.vpcs(here, &[subnets[0].vpc.clone()]).await.unwrap();
    assert!(vpcs[0].is_default);
    assert_eq!(vpcs[0].cidrs, ["172.31.0.0/16".parse::<Ipv4Net>().unwrap()]);
}

pub async fn a_vpc_has_all_its_cidrs(world: &World) {
    let site = &world.west;
    let vpcs = world.cloud.vpcs(&site.region, std::slice::from_ref(&site.vpc)).await.unwrap();
    let [vpc] = &vpcs[..] else { unreachable!("one VPC: {vpcs:?}") };
    let cidrs: Vec<_> = vpc.cidrs.iter().map(ToString::to_string).collect();
    assert_eq!(cidrs, ["10.1.0.0/16", "10.9.0.0/16"], "the primary one first");
    assert_eq!((vpc.is_default, vpc.name.as_deref()), (false, Some("contract")));
}

pub async fn route_tables_name_their_subnets(world: &World) {
    let site = &world.west;
    let vpcs = [site.vpc.clone()];
    let tables = world.cloud.route_tables(&site.region, &vpcs).await.unwrap();
    assert!(tables.iter().all(|table| table.vpc == site.vpc));
    let [main] = &tables.iter().filter(|table| table.is_main).collect::<Vec<_>>()[..] else {
        unreachable!("one main table: {tables:?}")
    };
    assert_eq!(main.id, site.main_table);
    assert!(!main.subnets.contains(&site.subnet_b));
    let own = tables.iter().find(|table| table.id == site.own_table).unwrap();
    assert_eq!((own.is_main, &own.subnets[..]), (false, &[site.subnet_b.clone()][..]));

    let to = |cidr: &str| {
        let cidr: Ipv4Net = cidr.parse().unwrap();
        main.routes.iter().find(|route| route.destination == cidr).unwrap()
    };
    assert_eq!(to("10.1.0.0/16").target, RouteTarget::Local);
    let peer = to("10.2.0.0/16");
    assert_eq!(peer.target, RouteTarget::Peering(world.active.clone()));
    assert_eq!(peer.state, RouteState::Active);
}

pub async fn a_peering_is_seen_from_both_sides(world: &World) {
    let (west, east) = (&world.west, &world.east);
    for (region, vpcs) in [
        (&west.region, [west.vpc.clone(), "vpc-0123456789abcdef0".into()]),
        (&east.region, [east.vpc.clone(), world.third.clone()]),
    ] {
        let mut found = world.cloud.peerings(region, &vpcs).await.unwrap();
        found.sort_by_key(|peering| peering.id != world.active);
        let [active, waiting] = &found[..] else { unreachable!("two, once each: {found:?}") };
        assert_eq!((&active.id, active.state), (&world.active, PeeringState::Active));
        assert_eq!((&waiting.id, waiting.state), (&world.waiting, PeeringState::PendingAcceptance));
        assert_eq!((&active.requester.region, &active.requester.vpc), (&west.region, &west.vpc));
        assert_eq!((&active.accepter.region, &active.accepter.vpc), (&east.region, &east.vpc));
        assert_eq!(active.accepter.cidrs, ["10.2.0.0/16".parse::<Ipv4Net>().unwrap()]);
        assert_eq!(waiting.accepter.vpc, world.third);
    }
}

pub async fn types_and_where_they_are_offered(world: &World) {
    let (cloud, here) = (&world.cloud, &world.west.region);
    let names = ["m5.large".into(), "m6g.large".into()];
    let mut types = cloud.instance_types(here, &names).await.unwrap();
    types.sort_by(|a, b| a.name.cmp(&b.name));
    let [intel, arm] = &types[..] else { unreachable!("two types: {types:?}") };
    assert_eq!((intel.vcpus, intel.memory_mib), (2, 8192));
    assert_eq!(
        (&intel.architectures[..], &arm.architectures[..]),
        (&["x86_64".to_owned()][..], &["arm64".to_owned()][..])
    );

    let offered = cloud.offerings(here, &names[..1]).await.unwrap();
    assert!(offered.iter().all(|offer| offer.instance_type == names[0]));
    assert!(offered.iter().any(|offer| offer.zone.as_str() == "us-west-2a"), "{offered:?}");
}

pub async fn peerings_of_other_vpcs_are_left_out(world: &World) {
    let (cloud, east) = (&world.cloud, &world.east);
    let third = cloud.peerings(&east.region, std::slice::from_ref(&world.third)).await.unwrap();
    let ids: Vec<_> = third.iter().map(|peering| &peering.id).collect();
    assert_eq!(ids, [&world.waiting]);
    let nobodys = ["vpc-0123456789abcdef0".into()];
    assert_eq!(cloud.peerings(&east.region, &nobodys).await.unwrap(), []);
}

/// Until the other side has accepted, packets along the route are dropped.
pub async fn a_route_through_a_waiting_peering_is_a_black_hole(world: &World) {
    let site = &world.west;
    let vpcs = [site.vpc.clone()];
    let tables = world.cloud.route_tables(&site.region, &vpcs).await.unwrap();
    let own = tables.iter().find(|table| table.id == site.own_table).unwrap();
    let waiting = RouteTarget::Peering(world.waiting.clone());
    let route = own.routes.iter().find(|route| route.target == waiting).unwrap();
    assert_eq!(route.state, RouteState::Blackhole);
}
