//! key.exists, key.same-material, key.local.

use muster::{check::Level, config::Sourced, model::Failure, survey::Fact};

use super::world::{World, key};

#[test]
fn a_missing_pair_fails_once_and_is_not_compared() {
    let mut world = World::healthy();
    world.region("eu-west-1").key_pairs.clear();
    assert_eq!(
        world.bad(),
        [
            "✗ key.exists eu-west-1: key pair quokka is missing",
            "- key.same-material eu-west-1: not judged: key pair quokka is missing in eu-west-1",
            "- iam.launch eu-west-1: not checked while a named resource can't be used",
        ]
    );
    let finding = world.finding("key.exists", "eu-west-1");
    assert_eq!(
        finding.impact.as_deref(),
        Some("RunInstances would fail with InvalidKeyPair.NotFound")
    );
    assert_eq!(finding.location.unwrap().to_string(), "eu.yaml:14:9");
    let todo = finding.todo.unwrap();
    assert!(todo.contains("ssh-keygen -y -f /home/me/.ssh/quokka.pem > quokka.pub"), "{todo}");
    assert!(
        todo.contains("aws ec2 import-key-pair --region eu-west-1 --key-name quokka"),
        "{todo}"
    );
}

#[test]
fn no_key_name_fails_at_the_node_type() {
    let mut world = World::healthy();
    world.config("us-west-2").groups[1].template.key_name = None;
    assert_eq!(world.bad(), ["✗ key.exists us-west-2: no KeyName for ray.worker.default"]);
    let finding = world.run().remove(0);
    assert_eq!(
        finding.impact.as_deref(),
        Some("Permission denied (publickey) on 2 nodes, after launch")
    );
    assert_eq!(finding.location.unwrap().line, 10);
}

#[test]
fn unreadable_pairs_are_unknown_in_both_checks() {
    let mut world = World::healthy();
    world.unreadable("eu-west-1", "key_pairs");
    assert_eq!(
        world.bad(),
        [
            "? key.exists eu-west-1: the key pairs could not be read",
            "? key.same-material eu-west-1: the key pairs could not be read",
        ]
    );
    let finding = world.finding("key.exists", "eu-west-1");
    assert_eq!(finding.evidence, ["key_pairs: denied"]);
    assert_eq!(finding.todo.as_deref(), Some("ask for the right"));
}

#[test]
fn different_material_is_detected_by_keys_and_not_by_fingerprints() {
    let mut world = World::healthy();
    world.region("eu-west-1").key_pairs[0].fingerprint = "of an imported key".into();
    assert!(world.bad().is_empty());
    world.region("ap-southeast-2").key_pairs[0].public_key = Some(key("AAAAother71kPzA"));
    assert_eq!(
        world.bad(),
        ["✗ key.same-material ap-southeast-2: key pair quokka has different key material"]
    );
    let finding = world.run().remove(0);
    assert_eq!(finding.evidence[0], "your quokka.pem  ssh-rsa …AAAown");
    assert_eq!(finding.evidence[1], "ap-southeast-2  ssh-rsa …71kPzA");
    assert_eq!(
        finding.impact.as_deref(),
        Some("Permission denied (publickey) on 3 nodes, after launch")
    );
}

#[test]
fn the_local_key_is_the_truth_also_for_the_leader() {
    let mut world = World::healthy();
    world.local_key = Fact::Known(key("AAAAelse"));
    let bad = world.bad();
    assert_eq!(bad.len(), 3, "{bad:#?}");
    assert!(bad.iter().all(|line| line.starts_with("✗ key.same-material")));
}

#[test]
fn without_a_usable_local_key_the_leaders_is_the_reference() {
    let mut world = World::healthy();
    world.local_key = Fact::Unknown(Failure::new("mode 0644").hint("chmod 600"));
    world.region("ap-southeast-2").key_pairs[0].public_key = Some(key("AAAAother"));
    assert_eq!(
        world.bad(),
        [
            "✗ key.same-material ap-southeast-2: key pair quokka has different key material",
            "✗ key.local this machine: /home/me/.ssh/quokka.pem can't be used",
            "- key.same-material us-west-2: key pair quokka has nothing to be compared with: \
             /home/me/.ssh/quokka.pem could not be used",
        ]
    );
    let finding = world.finding("key.local", "this machine");
    assert_eq!(finding.evidence, ["mode 0644"]);
    assert_eq!(finding.todo.as_deref(), Some("chmod 600"));
}

#[test]
fn without_any_reference_nothing_is_judged() {
    let mut world = World::healthy();
    world.local_key = Fact::Unknown(Failure::new("missing"));
    world.region("us-west-2").key_pairs.clear();
    let finding = world.finding("key.same-material", "eu-west-1");
    assert_eq!(finding.level, Level::Skipped);
    world = World::healthy();
    world.local_key = Fact::Unknown(Failure::new("missing"));
    world.unreadable("us-west-2", "key_pairs");
    let finding = world.finding("key.same-material", "eu-west-1");
    assert_eq!(finding.level, Level::Unknown);
    assert_eq!(finding.title, "the key pairs of us-west-2 could not be read");
}

#[test]
fn a_key_that_ec2_does_not_return_is_unknown() {
    let mut world = World::healthy();
    world.region("eu-west-1").key_pairs[0].public_key = None;
    assert_eq!(
        world.bad(),
        ["? key.same-material eu-west-1: EC2 does not return the public key of quokka"]
    );
}

#[test]
fn no_private_key_at_all_is_a_warning() {
    let mut world = World::healthy();
    world.own("eu-west-1").ssh_private_key = None;
    assert_eq!(
        world.bad(),
        [
            "! key.local eu-west-1: no auth.ssh_private_key: SSH takes what your ssh config and agent offer"
        ]
    );
}

#[test]
fn each_private_key_is_reported_once() {
    let mut world = World::healthy();
    let local = |world: &World| {
        world.run().into_iter().filter(|finding| finding.check == "key.local").collect::<Vec<_>>()
    };
    assert_eq!(local(&world).len(), 1);
    world.own("eu-west-1").ssh_private_key =
        Some(Sourced::default("/home/me/other.pem".into(), "test"));
    let findings = local(&world);
    assert_eq!(findings.len(), 2);
    assert_eq!(findings[0].level, Level::Unknown, "it was not read");
}
