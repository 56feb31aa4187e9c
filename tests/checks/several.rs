//! Two configs of one region: findings of the region are reported once, findings
//! of a file at its own line.

use muster::{
    check::{Finding, Level},
    cloud::{Subnet, Vpc},
    config::{Sourced, Unsupported},
};

use super::world::{World, short};

const US: &str = "us-west-2";

fn joined() -> World {
    let mut world = World::healthy();
    world.join(US);
    world
}

/// Returns the findings of `check` in the region, in short form, with their location.
fn findings_of(world: &World, check: &str) -> Vec<String> {
    let findings = world.run();
    let own = findings.iter().filter(|it| it.check == check && it.subject.to_string() == US);
    own.map(with_place).collect()
}

fn with_place(finding: &Finding) -> String {
    let place = finding.location.as_ref().map(ToString::to_string).unwrap_or_default();
    format!("{} @ {place}", short(finding))
}

#[test]
fn a_second_config_adds_nothing_to_a_healthy_region_but_its_name() {
    let (one, two) = (World::healthy(), joined());
    assert_eq!(two.bad(), [""; 0]);
    let count = |world: &World, check: &str| findings_of(world, check).len();
    for info in muster::check::all() {
        let more = usize::from(info.id == "cluster.name-taken");
        assert_eq!(count(&two, info.id), count(&one, info.id) + more, "{}", info.id);
    }
    assert_eq!(
        findings_of(&two, "cluster.name-taken"),
        [
            "✓ cluster.name-taken us-west-2: no other cluster is named tpch @ us.yaml:1:9",
            "✓ cluster.name-taken us-west-2: no other cluster is named gpu @ gpu.yaml:1:9",
        ]
    );
}

#[test]
fn the_two_configs_have_to_be_in_one_vpc() {
    let mut world = joined();
    let region = world.region(US);
    region.subnets.push(Subnet {
        id: "subnet-2".into(),
        vpc: "vpc-2".into(),
        cidr: "10.9.1.0/24".parse().unwrap(),
        ..region.subnets[0].clone()
    });
    let cidrs = vec!["10.9.0.0/16".parse().unwrap()];
    region.vpcs.push(Vpc { id: "vpc-2".into(), cidrs, ..region.vpcs[0].clone() });
    let place = world.config(US).groups[2].template.subnets[0].location().unwrap().clone();
    for group in &mut world.config(US).groups[2..] {
        group.template.subnets = vec![Sourced::written("subnet-2".into(), place.clone())];
    }
    let bad = findings_of(&world, "subnet.exists");
    let two = "✗ subnet.exists us-west-2: the subnets are in 2 VPCs @ gpu.yaml:16:9";
    assert_eq!(bad.iter().filter(|line| line.starts_with('✗')).collect::<Vec<_>>(), [two]);
}

#[test]
fn missing_keys_are_reported_for_each_file() {
    let mut world = joined();
    world.templates(US, |template| template.key_name = None);
    assert_eq!(
        findings_of(&world, "key.exists"),
        [
            "✗ key.exists us-west-2: no KeyName for ray.head.default and ray.worker.default @ us.yaml:10:9",
            "✗ key.exists us-west-2: no KeyName for ray.head.default and ray.worker.default of gpu @ gpu.yaml:10:9",
        ]
    );
    world.templates(US, |template| {
        template.image = None;
        template.security_groups.clear();
    });
    for check in ["ami.exists", "sg.exists"] {
        let places: Vec<_> = findings_of(&world, check);
        assert!(places[0].ends_with("us.yaml:10:9") && places[1].ends_with("gpu.yaml:10:9"));
        assert_eq!(places.len(), 2, "{places:#?}");
    }
}

#[test]
fn a_finding_of_two_files_is_reported_for_both() {
    let mut world = joined();
    for config in &mut world.config(US).configs {
        config.ssh_private_key = None;
        config.unsupported.push(Unsupported {
            key: "docker.image".into(),
            location: config.region.location().unwrap().clone(),
            message: "muster does not carry out `image` yet".into(),
            help: "remove it".into(),
        });
    }
    for (check, line) in [("config.unsupported", "4:9"), ("key.local", "4:9")] {
        let reported = findings_of(&world, check);
        assert_eq!(reported.len(), 2, "{reported:#?}");
        assert!(reported[0].ends_with(&format!("us.yaml:{line}")), "{reported:#?}");
        assert!(reported[1].ends_with(&format!("gpu.yaml:{line}")), "{reported:#?}");
    }
}

#[test]
fn unreadable_instances_are_reported_once() {
    let mut world = joined();
    world.unreadable(US, "instances");
    assert_eq!(world.bad(), ["? cluster.name-taken us-west-2: the instances could not be read"]);
}

#[test]
fn only_nodes_that_are_reached_from_outside_need_a_public_address() {
    let mut world = joined();
    world.region(US).subnets[0].public_ip_on_launch = false;
    world.own(US).use_internal_ips = true;
    let bad = findings_of(&world, "subnet.reachable");
    assert!(bad[0].starts_with("✗ subnet.reachable us-west-2: subnet-us gives nodes no public"));
    let finding = world.finding("subnet.reachable", US);
    assert_eq!(finding.impact.as_deref(), Some("SSH to 3 nodes would time out"));
    world.config(US).configs[1].use_internal_ips = true;
    assert_eq!(world.bad(), [""; 0]);
}

#[test]
fn zones_without_a_default_subnet_are_reported_per_config() {
    let mut world = joined();
    world.templates(US, |template| template.subnets.clear());
    world.region(US).default_subnets = vec!["subnet-us"];
    assert_eq!(findings_of(&world, "subnet.exists").len(), 1, "the same zones are reported once");
    world.config(US).configs[1].zones = vec![Sourced::default("us-west-2c".into(), "test")];
    let reported = findings_of(&world, "subnet.exists");
    assert_eq!(reported.len(), 2, "{reported:#?}");
    let bad = "✗ subnet.exists us-west-2: no subnet is named, and there is no default one in \
               us-west-2c @ gpu.yaml:10:9";
    assert!(reported.contains(&bad.to_owned()), "{reported:#?}");
}

/// One `KeyName` is one key, whichever config names it.
#[test]
fn two_private_keys_for_one_key_pair_can_t_be() {
    let mut world = joined();
    let place = world.config(US).configs[1].region.location().unwrap().clone();
    let other = Sourced::written("/home/me/.ssh/gpu.pem".into(), place);
    world.config(US).configs[1].ssh_private_key = Some(other);
    world.other_key = Some("/home/me/.ssh/gpu.pem".into());
    let reported = findings_of(&world, "key.same-material");
    assert_eq!(
        reported,
        [
            "✗ key.same-material us-west-2: key pair quokka has different key material @ gpu.yaml:4:9",
            "✓ key.same-material us-west-2: key pair quokka is your quokka.pem @ us.yaml:14:9",
        ]
    );
    let findings = world.run();
    let bad = findings.iter().find(|it| it.level == Level::Fail).unwrap();
    let todo = "quokka is one key: name its private half in every config here";
    assert_eq!(bad.todo.as_deref(), Some(todo));
}

#[test]
fn dry_runs_of_similar_groups_are_reported_by_name() {
    let findings = joined().run();
    let own = findings.iter().find(|it| it.check == "iam.launch" && it.subject.to_string() == US);
    let evidence = own.unwrap().evidence.last().unwrap();
    assert_eq!(
        evidence,
        "for head ray.head.default, worker ray.worker.default, head ray.head.default of gpu and \
         worker ray.worker.default of gpu"
    );
}
