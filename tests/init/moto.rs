//! From only default VPCs to a project that passes every check, with the real binary
//! on moto.

use super::{init, read};
use crate::support::{moto::Moto, muster::Muster, sshd::keygen};

/// An image that has the same id in every region of moto.
const IMAGE: &str = "ami-1e749f67";

/// Returns a folder with only a key, and an empty account.
fn account() -> (Moto, Muster) {
    let moto = Moto::start();
    let muster = Muster::new()
        .env("AWS_ACCESS_KEY_ID", "AKIATEST")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_ENDPOINT_URL", moto.url());
    keygen(&muster.folder().join("key"), &["-t", "ed25519"]);
    (moto, muster)
}

/// Asserts that `check` fails with `fails`, and passes after `fix`.
fn fix_all(muster: &Muster, fails: &[&str]) {
    let ran = muster.run(&["check"]);
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    for check in fails {
        assert!(ran.out.contains(check), "{check} is missing: {}", ran.out);
    }
    let ran = muster.run(&["fix", "--yes"]);
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    let ran = muster.run(&["check"]);
    assert_eq!(ran.code, Some(0), "{ran:#?}");
}

#[test]
fn the_first_configs_of_three_regions_and_fix_pass_every_check() {
    let (_moto, muster) = account();
    let args = ["--regions", "us-west-2,eu-west-1,ap-southeast-2", "--image", IMAGE, "--workers"];
    let more = ["1", "--instance-type", "m5.large", "--key-name", "tpch", "--key-location", "key"];
    let ran = init(
        &muster,
        &[&args[..], &more, &["--operator-cidr", "203.0.113.7/32", "--yes"]].concat(),
    );
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    let ap = read(&muster, "ap.yaml");
    assert!(ap.contains("ImageId: ami-1e749f67 # ubuntu/images/hvm-ssd/ubuntu-trusty"), "{ap}");
    fix_all(&muster, &["vpc.default", "key.exists"]);
    assert!(read(&muster, "ap.yaml").contains("SubnetIds: [subnet-"));
}

#[test]
fn one_config_made_into_three_and_fix_pass_every_check() {
    let (_moto, muster) = account();
    muster.file(
        "us.yaml",
        format!(
            "cluster_name: tpch # ours\nmax_workers: 2\n\
             provider: {{type: aws, region: us-west-2, availability_zone: us-west-2b}}\n\
             auth: {{ssh_user: ubuntu, ssh_private_key: key}}\navailable_node_types:\n  \
             ray.head.default:\n    node_config: &node\n      InstanceType: m5.large\n      \
             ImageId: {IMAGE}\n      KeyName: tpch\n      SubnetIds:\n        - subnet-0123456789abcdef0 # north\n      \
             SecurityGroupIds: [sg-0123456789abcdef0]\n  ray.worker.default:\n    min_workers: 1\n    node_config: *node\n"
        ),
    );
    let args = ["--from", "us.yaml", "--regions", "eu-west-1,ap-southeast-2"];
    let ran = init(&muster, &[&args[..], &["--operator-cidr", "203.0.113.7/32", "--yes"]].concat());
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    let eu = read(&muster, "eu.yaml");
    assert!(eu.contains("availability_zone: eu-west-1a}"), "{eu}");
    assert!(eu.contains(&format!("ImageId: {IMAGE}\n")), "moto has it there too: {eu}");
    assert!(eu.contains("SubnetIds:  # muster: of us-west-2;"), "{eu}");
    fix_all(&muster, &["subnet.exists", "key.exists"]);
    let eu = read(&muster, "eu.yaml");
    assert!(!eu.contains("# muster:"), "{eu}");
    assert!(eu.contains("cluster_name: tpch-eu-west-1 # ours\n"), "{eu}");
}
