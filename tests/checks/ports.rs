//! sg.exposed and sg.operator-ports, prefix lists, and the ports of Ray as the
//! configs start it.

use muster::{
    check::Level,
    cloud::{IpPermission, SecurityGroup},
    config::{RayStart, Sourced, ports},
    model::Failure,
    survey::Fact,
};

use super::world::{World, rule};

const US: &str = "us-west-2";

/// Returns a healthy world in which the group of the leader's region has one more rule.
fn with(rule: IpPermission) -> World {
    let mut world = World::healthy();
    world.region(US).groups[0].inbound.push(rule);
    world
}

/// A rule for IPv6.
fn v6(from: u16, to: u16, cidr: &str) -> IpPermission {
    IpPermission { ipv6_cidrs: vec![cidr.parse().unwrap()], ..rule(from, to, &[], &[]) }
}

/// A rule for a prefix list.
fn listed(from: u16, to: u16) -> IpPermission {
    IpPermission { prefix_lists: vec!["pl-0a1b".into()], ..rule(from, to, &[], &[]) }
}

#[test]
fn every_port_of_ray_redis_and_flight_is_judged() {
    for port in [5005, 6379, 6380, 6381, 6382, 6384, 6385, 6800, 8265, 10001, 10100, 15000, 19999] {
        for opening in [
            rule(port, port, &["0.0.0.0/0"], &[]),
            rule(port, port, &["0.0.0.0/1"], &[]),
            rule(port, port, &["203.0.113.7/32", "54.0.0.0/8"], &[]),
            v6(port, port, "::/0"),
            v6(port, port, "2000::/3"),
        ] {
            let world = with(opening.clone());
            let finding = world.finding("sg.exposed", US);
            assert_eq!(finding.level, Level::Fail, "{opening:?}");
            assert_eq!(world.bad().len(), 1, "{:#?}", world.bad());
        }
        let narrow =
            [rule(port, port, &["203.0.113.0/24", "10.0.0.0/8"], &[]), v6(port, port, "fd00::/8")];
        for rule in narrow {
            assert_eq!(with(rule).finding("sg.exposed", US).level, Level::Pass);
        }
    }
}

#[test]
fn an_open_port_is_reported_with_its_rule_and_how_to_close_it() {
    let finding = with(rule(6800, 6800, &["0.0.0.0/0"], &[])).finding("sg.exposed", US);
    assert_eq!(finding.title, "port 6800 (Redis) is open to the internet");
    assert_eq!(finding.evidence, ["sg-us admits TCP 6800 from 0.0.0.0/0: Redis"]);
    let impact = finding.impact.unwrap();
    assert_eq!(impact, "anyone who connects reads and changes what the queries compute");
    assert_eq!(
        finding.todo.unwrap(),
        "aws ec2 revoke-security-group-ingress --region us-west-2 --group-id sg-us \
         --ip-permissions 'IpProtocol=tcp,FromPort=6800,ToPort=6800,IpRanges=[{CidrIp=0.0.0.0/0}]'; \
         `muster forward` brings the leader's ports to you over SSH"
    );
}

#[test]
fn all_traffic_from_everybody_opens_everything() {
    let all =
        IpPermission { protocol: "-1".into(), ports: None, ..rule(0, 0, &["0.0.0.0/0"], &[]) };
    let world = with(all);
    let finding = world.finding("sg.exposed", US);
    let kinds = ports::sensitive().count();
    assert_eq!(finding.title, format!("{kinds} kinds of ports are open to the internet"));
    assert!(
        finding.evidence[0].starts_with("sg-us admits all traffic from 0.0.0.0/0: Arrow Flight")
    );
    assert!(finding.impact.unwrap().contains("runs code on the nodes"));
    let ssh = "! sg.operator-ssh us-west-2: port 22 is open to the whole internet";
    assert!(world.bad().iter().any(|line| line == ssh), "{:#?}", world.bad());
}

#[test]
fn ssh_open_by_ipv6_or_to_half_of_the_internet_is_a_warning() {
    let title = |rule| with(rule).finding("sg.operator-ssh", US).title;
    assert_eq!(title(v6(22, 22, "::/0")), "port 22 is open to the whole internet");
    assert_eq!(title(rule(22, 22, &["128.0.0.0/1"], &[])), "port 22 is open to 128.0.0.0/1");
    assert_eq!(with(v6(22, 22, "::/0")).finding("sg.exposed", US).level, Level::Pass);
}

#[test]
fn the_contents_of_a_prefix_list_are_unknown_and_never_pass() {
    let finding = with(listed(10001, 10001)).finding("sg.exposed", US);
    assert_eq!(finding.level, Level::Unknown);
    assert_eq!(
        finding.title,
        "whom the cluster's ports are open to depends on pl-0a1b, which could not be read"
    );
    assert_eq!(
        finding.todo.unwrap(),
        "allow ec2:GetManagedPrefixListEntries, or judge it yourself: \
         aws ec2 get-managed-prefix-list-entries --region us-west-2 --prefix-list-id pl-0a1b"
    );
    // It may admit the operator, and the nodes of the other regions.
    let mut world = World::healthy();
    world.region(US).groups[0].inbound = vec![listed(0, 65535), rule(0, 65535, &[], &["sg-us"])];
    for check in ["sg.operator-ssh", "sg.peers", "sg.exposed"] {
        assert_eq!(world.finding(check, US).level, Level::Unknown, "{check}");
    }
}

/// A healthy world in which a rule names a prefix list that holds `nets`.
fn holding(from: u16, to: u16, nets: &[&str]) -> World {
    let mut world = with(listed(from, to));
    let nets = nets.iter().map(|net| net.parse().unwrap()).collect();
    world.region(US).prefix_lists.insert("pl-0a1b".into(), Fact::Known(nets));
    world
}

#[test]
fn what_a_prefix_list_holds_is_judged_as_if_it_were_written() {
    let finding = holding(6800, 6800, &["0.0.0.0/1", "128.0.0.0/1"]).finding("sg.exposed", US);
    assert_eq!(finding.level, Level::Fail);
    assert_eq!(finding.evidence, ["sg-us admits TCP 6800 from pl-0a1b: Redis"]);
    let todo = finding.todo.unwrap();
    assert!(todo.contains("ToPort=6800,PrefixListIds=[{PrefixListId=pl-0a1b}]'"), "{todo}");
    let narrow = holding(10001, 10001, &["203.0.113.0/24", "2001:db8::/48"]);
    assert_eq!(narrow.finding("sg.exposed", US).level, Level::Pass);
    let ssh = holding(22, 22, &["::/0"]).finding("sg.operator-ssh", US);
    assert_eq!(ssh.title, "port 22 is open to the whole internet");
    // The operator and the peers may come in by a list.
    let mut world = holding(0, 65535, &["203.0.113.0/24", "10.2.0.0/16", "10.3.0.0/16"]);
    let rules = &mut world.region(US).groups[0].inbound;
    rules.retain(|rule| rule.cidrs.is_empty());
    assert!(world.bad().is_empty(), "{:#?}", world.bad());
}

#[test]
fn a_list_that_could_not_be_read_is_unknown_with_the_reason() {
    let mut world = with(listed(10001, 10001));
    let failure = Failure::new("not allowed (UnauthorizedOperation)");
    world.region(US).prefix_lists.insert("pl-0a1b".into(), Fact::Unknown(failure));
    let finding = world.finding("sg.exposed", US);
    assert_eq!(finding.level, Level::Unknown);
    assert_eq!(finding.evidence, ["pl-0a1b: not allowed (UnauthorizedOperation)"]);
}

#[test]
fn an_operator_who_is_half_of_the_internet_gets_no_port() {
    let mut world = asking(&[10001]);
    world.project.operator_cidr = Some(Sourced::default("0.0.0.0/1".parse().unwrap(), "test"));
    let finding = world.finding("sg.operator-ports", US);
    assert_eq!(finding.title, "operator_cidr 0.0.0.0/1 is a large part of the internet");
}

/// A healthy world in which muster.yaml asks for these ports.
fn asking(wanted: &[u16]) -> World {
    let mut world = World::healthy();
    world.project.operator_ports =
        wanted.iter().map(|port| Sourced::default(*port, "test")).collect();
    world
}

#[test]
fn ports_on_request_are_judged_on_the_leader_alone() {
    assert!(World::healthy().run().iter().all(|one| one.check != "sg.operator-ports"));
    let mut world = asking(&[10001, 6800]);
    let finding = world.finding("sg.operator-ports", US);
    assert_eq!(finding.title, "the leader's ports 10001 and 6800 are closed to 203.0.113.7/32");
    assert_eq!(
        finding.evidence,
        ["other nodes carry sg-us as well: a rule there opens all of them"]
    );
    assert!(finding.todo.unwrap().contains("a security group of its own"));
    // The head gets its own group in addition to the shared one.
    let own = SecurityGroup {
        id: "sg-leader".into(),
        inbound: Vec::new(),
        ..world.region(US).groups[0].clone()
    };
    world.region(US).groups.push(own);
    let head = &mut world.config(US).groups[0].template;
    head.security_groups.push(Sourced::default("sg-leader".into(), "test"));
    let finding = world.finding("sg.operator-ports", US);
    assert_eq!((finding.level, finding.evidence.len()), (Level::Fail, 0));
    assert_eq!(finding.todo.as_deref(), Some("muster fix --only sg.operator-ports"));
    world.region(US).groups[1].inbound = vec![rule(6800, 10001, &["203.0.113.0/24"], &[])];
    assert_eq!(world.finding("sg.operator-ports", US).level, Level::Pass);
    world.project.operator_cidr = None;
    assert_eq!(world.finding("sg.operator-ports", US).level, Level::Unknown);
}

#[test]
fn under_ray_config_the_start_commands_set_the_ports() {
    let mut world = World::healthy();
    world.project.quokka.ray = Sourced::default(RayStart::Config, "test");
    let pins = "--object-manager-port=8076 --node-manager-port=8077";
    let set = |world: &mut World, pins: &str| {
        for region in [US, "eu-west-1", "ap-southeast-2"] {
            let commands = &mut world.own(region).commands;
            commands.head_start_ray = vec![format!("ray start --head --port=6379 {pins}")];
            commands.worker_start_ray =
                vec![format!("ray start --address=$RAY_HEAD_IP:6379 {pins}")];
        }
    };
    set(&mut world, pins);
    assert!(world.bad().is_empty(), "{:#?}", world.bad());
    world.region(US).groups[0].inbound[2] =
        rule(10100, 19999, &["10.2.0.0/16", "10.3.0.0/16"], &[]);
    let finding = world.finding("sg.peers", US);
    assert!(
        finding.evidence[0].contains("TCP 5005, 6379, 6800, 8076-8077 and 10002-19999"),
        "{finding:?}"
    );
    // The fix never opens everything.
    set(&mut world, "");
    let finding = world.finding("sg.peers", US);
    assert!(finding.todo.unwrap().contains("--node-manager-port"));
    assert!(finding.evidence.last().unwrap().contains("Ray takes random ports"));
}
