//! sg.exists, sg.same-vpc, sg.operator-ssh, sg.peers; tests/checks/ports.rs has the others.

use muster::{
    check::Level,
    cloud::{SecurityGroup, Vpc},
    config::Sourced,
};

use super::world::{World, rule};

#[test]
fn a_missing_group_fails_once() {
    let mut world = World::healthy();
    world.region("eu-west-1").groups.clear();
    let bad = world.bad();
    assert_eq!(
        bad[..5],
        [
            "✗ sg.exists eu-west-1: security group sg-eu is missing",
            "- sg.same-vpc eu-west-1: not judged: sg-eu is missing",
            "- sg.operator-ssh eu-west-1: not judged: sg-eu is missing",
            "- sg.peers eu-west-1: not judged: sg-eu is missing",
            "- sg.exposed eu-west-1: not judged: sg-eu is missing",
        ]
    );
    assert!(bad[5..].iter().all(|line| line.starts_with("- iam.launch")), "{bad:#?}");
}

#[test]
fn no_group_named() {
    let mut world = World::healthy();
    world.config("eu-west-1").groups[1].template.security_groups.clear();
    assert_eq!(world.bad(), ["✗ sg.exists eu-west-1: no SecurityGroupIds for ray.worker.default"]);
}

/// Returns a healthy world in which one region's groups are given by name.
fn by_name(names: &[&str]) -> World {
    let mut world = World::healthy();
    world.templates("eu-west-1", |template| {
        template.security_groups.clear();
        template.subnets.clear();
        template.named_groups =
            names.iter().map(|name| Sourced::default((*name).to_owned(), "test")).collect();
        template.more.insert("SecurityGroups".into(), serde_json::json!(names));
    });
    world.region("eu-west-1").default_subnets = vec!["subnet-eu"];
    world
}

#[test]
fn groups_by_name_are_judged_as_those_of_the_default_vpc() {
    let mut world = by_name(&["quokka"]);
    let finding = world.finding("sg.exists", "eu-west-1");
    assert_eq!(finding.title, "security group quokka is sg-eu");
    assert_eq!(
        finding.evidence,
        ["the group of that name in vpc-eu (quokka), where EC2 resolves SecurityGroups"]
    );
    assert_eq!(world.bad(), [""; 0]);
    // So what it blocks is found.
    world.region("eu-west-1").groups[0].inbound.clear();
    let failing = ["sg.operator-ssh", "sg.peers"].map(|check| world.finding(check, "eu-west-1"));
    assert!(failing.iter().all(|finding| finding.level == Level::Fail), "{failing:#?}");
}

#[test]
fn a_name_that_is_no_group_of_the_vpc_fails_once() {
    let mut world = by_name(&["quokka", "ssh"]);
    let other = SecurityGroup { name: "ssh".into(), ..group("sg-ssh", "vpc-other") };
    world.region("eu-west-1").groups.push(other);
    let bad = world.bad();
    assert_eq!(bad[0], "✗ sg.exists eu-west-1: no security group ssh in vpc-eu (quokka)");
    assert!(bad[1..].iter().all(|line| line.starts_with("- iam.launch")), "{bad:#?}");
    let finding = world.run().into_iter().find(|one| one.title.contains("no security")).unwrap();
    assert_eq!(finding.evidence, ["it is the name of sg-ssh in vpc-other"]);
    assert!(finding.impact.unwrap().contains("InvalidGroup.NotFound"));
    world.region("eu-west-1").default_subnets.clear();
    let found = world.run();
    let titles: Vec<_> = found.iter().filter(|one| one.check == "sg.exists").collect();
    assert!(
        titles.iter().any(|one| {
            one.title
                == "security group ssh can't be found for ray.head.default and ray.worker.default"
        }),
        "{titles:#?}"
    );
}

/// `provider.security_group`: what Ray would find in the nodes' VPC, or create.
#[test]
fn ray_s_group_is_looked_for_in_the_nodes_vpc() {
    let mut world = World::healthy();
    world.templates("eu-west-1", |template| template.security_groups.clear());
    let name = |name: &str| Some(Sourced::default(name.to_owned(), "test"));
    world.config("eu-west-1").configs[0].group_to_make.name = name("quokka");
    assert_eq!(world.bad(), [""; 0]);
    let finding = world.finding("sg.exists", "eu-west-1");
    assert_eq!(finding.evidence, ["the group of that name in vpc-eu (quokka), the nodes' VPC"]);
    world.config("eu-west-1").configs[0].group_to_make.name = name("mine");
    let finding = world.finding("sg.exists", "eu-west-1");
    assert_eq!(finding.title, "no security group mine in vpc-eu (quokka)");
    assert!(finding.impact.unwrap().contains("Ray would create it"));
}

/// Returns a group without inbound rules.
fn group(id: &str, vpc: &str) -> SecurityGroup {
    SecurityGroup { id: id.into(), name: id.into(), vpc: vpc.into(), inbound: Vec::new() }
}

#[test]
fn unreadable_groups_are_unknown() {
    let mut world = World::healthy();
    world.unreadable("eu-west-1", "groups");
    let unknown = "eu-west-1: the security groups could not be read";
    let checks = ["sg.exists", "sg.same-vpc", "sg.operator-ssh", "sg.peers", "sg.exposed"];
    assert_eq!(world.bad(), checks.map(|check| format!("? {check} {unknown}")));
}

#[test]
fn a_group_of_another_vpc_fails_once() {
    let mut world = World::healthy();
    let facts = world.region("eu-west-1");
    facts.groups[0].vpc = "vpc-default".into();
    facts.vpcs.push(Vpc {
        id: "vpc-default".into(),
        is_default: true,
        name: None,
        cidrs: vec!["172.31.0.0/16".parse().unwrap()],
    });
    let bad = world.bad();
    assert_eq!(
        bad[..4],
        [
            "✗ sg.same-vpc eu-west-1: security group sg-eu is in the default VPC",
            "- sg.operator-ssh eu-west-1: not judged: sg-eu is in another VPC",
            "- sg.peers eu-west-1: not judged: sg-eu is in another VPC",
            "- sg.exposed eu-west-1: not judged: sg-eu is in another VPC",
        ]
    );
    assert!(bad[4..].iter().all(|line| line.starts_with("- iam.launch")), "{bad:#?}");
    let finding = world.run().remove(0);
    assert_eq!(
        finding.evidence,
        [
            "the group is in vpc-default (the default VPC)",
            "the nodes' subnets are in vpc-eu (quokka)",
        ]
    );
    assert!(finding.impact.unwrap().contains("InvalidGroup.NotFound"));
    assert!(finding.todo.unwrap().contains("Name=vpc-id,Values=vpc-eu"));
}

#[test]
fn the_operator_is_let_in_by_what_covers_all_of_the_cidr() {
    let mut world = World::healthy();
    world.region("us-west-2").groups[0].inbound[0] = rule(20, 23, &["203.0.113.7/32"], &[]);
    assert!(world.bad().is_empty());
    world.region("us-west-2").groups[0].inbound[0] = rule(22, 22, &["203.0.113.8/32"], &[]);
    assert_eq!(world.bad(), ["✗ sg.operator-ssh us-west-2: port 22 is closed to 203.0.113.7/32"]);
    let finding = world.run().remove(0);
    assert_eq!(finding.impact.as_deref(), Some("SSH to 3 nodes would time out"));
    let todo = finding.todo.unwrap();
    assert!(
        todo.ends_with("--group-id sg-us --protocol tcp --port 22 --cidr 203.0.113.7/32"),
        "{todo}"
    );
}

#[test]
fn without_operator_cidr_any_outside_source_counts() {
    let mut world = World::healthy();
    world.project.operator_cidr = None;
    assert!(world.bad().is_empty());
    let finding = world.finding("sg.operator-ssh", "us-west-2");
    assert_eq!(finding.evidence[0], "operator_cidr is not given, so whether to you is not known");
    let ssh = |world: &mut World, cidrs: &[&str], groups: &[&str]| {
        world.region("us-west-2").groups[0].inbound[0] = rule(22, 22, cidrs, groups);
        world.finding("sg.operator-ssh", "us-west-2").level
    };
    assert_eq!(ssh(&mut world, &["10.9.0.0/16"], &["sg-bastion"]), Level::Fail, "from inside only");
    world.own("us-west-2").use_internal_ips = true;
    assert_eq!(ssh(&mut world, &["10.9.0.0/16"], &[]), Level::Pass);
    assert_eq!(ssh(&mut world, &[], &["sg-bastion"]), Level::Pass);
}

#[test]
fn ssh_closed_to_everybody() {
    let mut world = World::healthy();
    world.project.operator_cidr = None;
    world.region("us-west-2").groups[0].inbound =
        vec![rule(1024, 65535, &["10.0.0.0/8"], &["sg-us"])];
    assert_eq!(world.bad(), ["✗ sg.operator-ssh us-west-2: port 22 is closed to you"]);
    assert_eq!(world.run()[0].evidence, ["sg-us admits port 22 from nobody"]);
}

#[test]
fn ssh_open_to_the_world_is_a_warning() {
    let mut world = World::healthy();
    world.region("us-west-2").groups[0].inbound[0] = rule(22, 22, &["0.0.0.0/0"], &[]);
    assert_eq!(world.bad(), ["! sg.operator-ssh us-west-2: port 22 is open to the whole internet"]);
}

#[test]
fn a_region_that_is_kept_out() {
    let mut world = World::healthy();
    world.region("us-west-2").groups[0].inbound[2] = rule(0, 65535, &["10.3.0.0/16"], &[]);
    let ports = "5005, 6380-6386, 6800 and 10100-19999";
    let title = format!("TCP {ports} is closed from eu-west-1 10.2.1.0/24");
    assert_eq!(world.bad(), [format!("✗ sg.peers us-west-2: {title}")]);
    let finding = world.run().remove(0);
    assert_eq!(
        finding.evidence,
        [format!("sg-us does not admit TCP {ports} from eu-west-1 10.2.1.0/24")]
    );
    let rule = |from: u16, to: u16| {
        format!("'IpProtocol=tcp,FromPort={from},ToPort={to},IpRanges=[{{CidrIp=10.2.1.0/24}}]'")
    };
    let rules = [rule(5005, 5005), rule(6380, 6386), rule(6800, 6800), rule(10100, 19999)];
    assert_eq!(
        finding.todo,
        Some(format!(
            "aws ec2 authorize-security-group-ingress --region us-west-2 --group-id sg-us \
             --ip-permissions {}",
            rules.join(" ")
        ))
    );
}

#[test]
fn ray_needs_more_than_its_head_port() {
    let mut world = World::healthy();
    world.region("us-west-2").groups[0].inbound[2] =
        rule(6380, 6380, &["10.2.0.0/16", "10.3.0.0/16"], &[]);
    assert_eq!(
        world.bad(),
        ["✗ sg.peers us-west-2: TCP is closed from 2 sources that it is needed from"]
    );
}

#[test]
fn exactly_the_pinned_ports_are_needed_and_no_addresses_without_nodes() {
    let pinned = |leader: bool| {
        let subnets = ["10.1.1.0/24", "10.2.1.0/24", "10.3.1.0/24"];
        let (first, redis) = if leader { (6380, 6800) } else { (6381, 6381) };
        let last = if leader { 6386 } else { 6385 };
        [(5005, 5005), (first, last), (redis, redis), (10100, 19999)]
            .map(|(from, to)| rule(from, to, &subnets, &[]))
    };
    let mut world = World::healthy();
    for region in ["us-west-2", "eu-west-1", "ap-southeast-2"] {
        world.region(region).groups[0].inbound.truncate(1);
        world.region(region).groups[0].inbound.extend(pinned(region == "us-west-2"));
    }
    assert!(world.bad().is_empty(), "{:#?}", world.bad());
    // Redis and GCS run on the leader.
    world.region("us-west-2").groups[0].inbound.truncate(1);
    world.region("us-west-2").groups[0].inbound.extend(pinned(false));
    let bad = world.bad();
    assert_eq!(bad, ["✗ sg.peers us-west-2: TCP is closed from 3 sources that it is needed from"]);
    let finding = world.run().remove(0);
    assert!(finding.evidence[0].contains("does not admit TCP 6380-6386 and 6800"), "{finding:?}");
}

#[test]
fn a_group_of_a_peer_can_not_be_referenced() {
    let mut world = World::healthy();
    world.region("us-west-2").groups[0].inbound[2] = rule(0, 65535, &["10.3.0.0/16"], &["sg-eu"]);
    assert_eq!(world.bad().len(), 1);
}

#[test]
fn own_nodes_are_let_in_by_reference_or_by_cidr() {
    let mut world = World::healthy();
    world.region("us-west-2").groups[0].inbound[1] = rule(0, 65535, &["10.1.0.0/16"], &[]);
    assert!(world.bad().is_empty());
    world.region("us-west-2").groups[0].inbound.remove(1);
    assert_eq!(
        world.bad(),
        ["✗ sg.peers us-west-2: TCP 5005, 6380-6386, 6800 and 10100-19999 is closed from its own \
             nodes (sg-us)"]
    );
    let todo = world.run().remove(0).todo.unwrap();
    assert!(todo.ends_with("UserIdGroupPairs=[{GroupId=sg-us}]'"), "{todo}");
}

#[test]
fn head_and_workers_with_groups_of_their_own_need_each_other() {
    let mut world = World::healthy();
    let mut workers = world.region("us-west-2").groups[0].clone();
    workers.id = "sg-workers".into();
    world.region("us-west-2").groups.push(workers);
    world.config("us-west-2").groups[1].template.security_groups =
        vec![Sourced::default("sg-workers".into(), "test")];
    assert_eq!(
        world.bad(),
        [
            "✗ sg.peers us-west-2: TCP 5005, 6380-6386, 6800 and 10100-19999 is closed from its own \
             nodes (sg-workers)",
            "✗ sg.peers us-west-2: TCP 5005, 6381-6385 and 10100-19999 is closed from its own nodes \
             (sg-workers)",
        ],
        "the head keeps the workers out, and the workers each other, but admit the head"
    );
}

#[test]
fn rules_of_several_groups_add_up() {
    let mut world = World::healthy();
    let facts = world.region("us-west-2");
    let peers = facts.groups[0].inbound.remove(2);
    let ssh = facts.groups[0].inbound.remove(0);
    facts.groups.push(SecurityGroup {
        id: "sg-more".into(),
        inbound: vec![peers, ssh],
        ..facts.groups[0].clone()
    });
    world.templates("us-west-2", |template| {
        template.security_groups.push(Sourced::default("sg-more".into(), "test"));
    });
    assert!(world.bad().is_empty(), "{:#?}", world.bad());
}

#[test]
fn peers_whose_subnets_are_not_known_are_unknown() {
    let mut world = World::healthy();
    world.unreadable("eu-west-1", "subnets");
    let finding = world.finding("sg.peers", "us-west-2");
    assert_eq!(
        (finding.level, finding.title.as_str()),
        (Level::Unknown, "the subnets of eu-west-1 could not be read")
    );
    assert_eq!(world.finding("sg.same-vpc", "eu-west-1").level, Level::Unknown);
}
