//! What a `down` lists at its end: everything that muster made and that is
//! still there, of every kind, each with what removes it.
#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

use std::{collections::BTreeMap, sync::Arc};

use super::{
    account::Account,
    bench::{Bench, stop},
    on_both,
    site::{Flaw, flawed},
};
use muster::{
    cloud::{LaunchRequest, Market, Tags, tags},
    engine::{Command, Remains, Update},
    remedy::Wish,
    report::{self, Paint},
};

const EU: &str = "eu-west-1";

/// What a `down` tells at its end.
async fn remains(bench: &Bench) -> Remains {
    let mut engine = bench.engine(bench.store());
    engine.commands.send(Command::Down(Arc::default())).unwrap();
    let remains = loop {
        if let Update::Remains(remains) = engine.updates.recv().await.unwrap() {
            break remains;
        }
    };
    stop(engine).await;
    assert_eq!(remains.unknown, []);
    remains
}

/// How many of each kind.
fn kinds(remains: &Remains) -> BTreeMap<&str, usize> {
    let mut kinds = BTreeMap::new();
    for (_, one) in &remains.found {
        *kinds.entry(one.kind.as_str()).or_default() += 1;
    }
    kinds
}

/// The commands that it says.
fn commands(remains: &Remains) -> Vec<String> {
    let lines = report::remains(remains, Paint::PLAIN);
    let of_line = |line: String| line.find("aws ec2").map(|at| line[at..].to_owned());
    lines.iter().map(ToString::to_string).filter_map(of_line).collect()
}

/// Mends `flaw`; what is left of it then.
async fn mended(account: Account, flaw: Flaw) -> (Bench, Remains) {
    let bench = flawed(account, Some(flaw)).await;
    assert_eq!(kinds(&remains(&bench).await), BTreeMap::new(), "nothing is muster's yet");
    assert!(bench.fix(Wish::default()).await.complete);
    let left = remains(&bench).await;
    (bench, left)
}

async fn key(account: Account) {
    let (_, left) = mended(account, Flaw::KeyMissing).await;
    assert_eq!(kinds(&left), [("key-pair", 1)].into());
    let commands = commands(&left);
    assert!(commands[0].starts_with("aws ec2 delete-key-pair --region eu-west-1"), "{commands:?}");
}
on_both!(a_key_is_listed, super::key);

/// Their group is the user's: the rules in it are told with its id.
async fn rules(account: Account) {
    let (bench, left) = mended(account, Flaw::OperatorKeptOut).await;
    assert_eq!(kinds(&left), [("security-group-rule", 1)].into());
    let group = bench.config(EU).lines().find_map(|line| {
        let ids = line.trim().strip_prefix("SecurityGroupIds: [")?;
        Some(ids.trim_end_matches(']').to_owned())
    });
    let commands = commands(&left);
    let way = format!(
        "aws ec2 revoke-security-group-ingress --region {EU} --group-id {} ",
        group.unwrap()
    );
    assert!(commands.iter().all(|command| command.starts_with(&way)), "{commands:#?}");
    assert_eq!(commands.len(), 1, "port 22 alone");
}
on_both!(rules_in_a_group_of_the_users_are_listed, super::rules);

async fn group(account: Account) {
    let (_, left) = mended(account, Flaw::GroupMissing).await;
    let kinds = kinds(&left);
    assert_eq!(kinds["security-group"], 1);
    assert!(kinds["security-group-rule"] > 1, "{kinds:?}");
    let commands = commands(&left);
    assert_eq!(commands.len(), 1, "its rules go with it: {commands:#?}");
    assert!(commands[0].starts_with("aws ec2 delete-security-group --region eu-west-1"));
}
on_both!(a_group_is_listed, super::group);

async fn peering(account: Account) {
    let (_, left) = mended(account, Flaw::NotPeered).await;
    assert_eq!(kinds(&left), [("vpc-peering-connection", 2)].into(), "told on both sides");
    let told: Vec<_> = left.routes.iter().map(|(_, one)| one.destination.to_string()).collect();
    assert_eq!(told, ["10.1.0.0/16", "10.2.0.0/16"], "in tables of the user's");
    let commands = commands(&left);
    let count = |what: &str| commands.iter().filter(|one| one.contains(what)).count();
    assert_eq!((count("delete-vpc-peering-connection"), count("delete-route")), (2, 2));
}
on_both!(a_peering_and_the_routes_through_it_are_listed, super::peering);

async fn network(account: Account) {
    let (_, left) = mended(account, Flaw::SameAddresses).await;
    let kinds = kinds(&left);
    for kind in ["vpc", "internet-gateway", "route-table", "security-group"] {
        assert_eq!(kinds[kind], 1, "{kinds:?}");
    }
    assert!(kinds["subnet"] > 0, "{kinds:?}");
    assert_eq!(left.routes.len(), 1, "of the other side's, whose table is the user's");
    let lines = report::remains(&left, Paint::PLAIN);
    assert!(
        lines.iter().any(|line| line.to_string().contains("muster down --network")),
        "{lines:#?}"
    );
}
on_both!(a_network_is_listed, super::network);

/// moto gives copied images and their snapshots no tags.
#[tokio::test(start_paused = true)]
async fn a_copied_image_and_its_snapshot_are_listed() {
    let (_, left) = mended(Account::simulated(), Flaw::ImageOnlyThere).await;
    assert_eq!(kinds(&left), [("image", 1), ("snapshot", 1)].into());
    let commands = commands(&left);
    assert!(commands[0].starts_with("aws ec2 deregister-image --region eu-west-1"), "{commands:?}");
    assert!(commands[1].starts_with("aws ec2 delete-snapshot --region eu-west-1"), "{commands:?}");
}

/// A volume that the config keeps outlives its machine, and costs.
async fn volume(account: Account) {
    let bench = flawed(account, None).await;
    let subnet = bench.config(EU).lines().find_map(|line| {
        let ids = line.trim().strip_prefix("SubnetIds: [")?;
        ids.split(']').next().map(Into::into)
    });
    let device = serde_json::json!([
        {"DeviceName": "/dev/sdb", "Ebs": {"VolumeSize": 3, "DeleteOnTermination": false}},
    ]);
    let mut tags = Tags::from([(tags::PROJECT.into(), "bench".into())]);
    tags.insert(tags::CLUSTER.into(), super::bench::CLUSTER.into());
    let request = LaunchRequest {
        image: bench.image(EU, "kept").await.into(),
        instance_type: "m5.large".into(),
        key_name: None,
        subnet,
        security_groups: Vec::new(),
        iam_profile: None,
        more: [("BlockDeviceMappings".to_owned(), device)].into_iter().collect(),
        user_data: None,
        market: Market::OnDemand,
        tags,
        count: 1,
        token: "kept".into(),
    };
    assert!(bench.account.cloud.launch(&EU.into(), &request).await.is_ok());
    let left = remains(&bench).await;
    assert_eq!(kinds(&left), [("volume", 1)].into());
    let commands = commands(&left);
    assert!(commands[0].starts_with("aws ec2 delete-volume --region eu-west-1"), "{commands:?}");
}
on_both!(a_volume_that_outlives_its_machine_is_listed, super::volume);

/// The commands that are told, run by the real `aws`, leave the account as it
/// was before the fix. moto deletes key pairs by their names alone.
#[cfg(feature = "aws")]
#[tokio::test]
async fn what_it_says_removes_what_is_left() {
    use super::{account::difference, script::run};
    let flaws = [Flaw::OperatorKeptOut, Flaw::GroupMissing, Flaw::NotPeered];
    for flaw in flaws {
        let bench = flawed(Account::moto(), Some(flaw)).await;
        let before = bench.account.snapshot().await;
        assert!(bench.fix(Wish::default()).await.complete);
        let mut lines = commands(&remains(&bench).await);
        // A connection is told on both sides, and goes with either.
        let mut seen = false;
        lines.retain(|line| {
            let again = line.contains("delete-vpc-peering") && std::mem::replace(&mut seen, true);
            !again
        });
        run(&bench, &format!("set -eu\n{}\n", lines.join("\n"))).await;
        let left = difference(&before, &bench.account.snapshot().await);
        // moto keeps the tags of what is deleted.
        let left: Vec<_> = left.iter().filter(|line| !line.contains("/tags/")).collect();
        assert!(left.is_empty(), "{flaw:?}: {left:#?}");
    }
}
