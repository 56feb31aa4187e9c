//! The leftovers that `down` lists at its end: every existing resource that muster
//! created, of every kind, each with the command that removes it.
#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

use std::{collections::BTreeMap, sync::Arc};

use super::{
    account::Account,
    harness::{FixHarness, stop},
    on_both,
    site::{Flaw, flawed},
};
use muster::{
    cloud::{LaunchRequest, Market, Tags, tags},
    engine::{Command, Leftovers, Update},
    remedy::FixScope,
    report::{self, Paint},
};

const EU: &str = "eu-west-1";

/// Returns the leftovers that `down` reports at its end.
async fn leftovers(harness: &FixHarness) -> Leftovers {
    let mut engine = harness.engine(harness.store());
    engine.commands.send(Command::Down(Arc::default())).unwrap();
    let leftovers = loop {
        if let Update::Leftovers(leftovers) = engine.updates.recv().await.unwrap() {
            break leftovers;
        }
    };
    stop(engine).await;
    assert_eq!(leftovers.unknown, []);
    leftovers
}

/// Counts the leftovers of each kind.
fn kinds(leftovers: &Leftovers) -> BTreeMap<&str, usize> {
    let mut kinds = BTreeMap::new();
    for (_, one) in &leftovers.found {
        *kinds.entry(one.kind.as_str()).or_default() += 1;
    }
    kinds
}

/// Returns the commands in the report.
fn commands(leftovers: &Leftovers) -> Vec<String> {
    let lines = report::leftovers(leftovers, Paint::PLAIN);
    let of_line = |line: String| line.find("aws ec2").map(|at| line[at..].to_owned());
    lines.iter().map(ToString::to_string).filter_map(of_line).collect()
}

/// Fixes `flaw`; returns its leftovers.
async fn fixed(account: Account, flaw: Flaw) -> (FixHarness, Leftovers) {
    let harness = flawed(account, Some(flaw)).await;
    assert_eq!(
        kinds(&leftovers(&harness).await),
        BTreeMap::new(),
        "muster has created nothing yet"
    );
    assert!(harness.fix(FixScope::default()).await.complete);
    let left = leftovers(&harness).await;
    (harness, left)
}

async fn key(account: Account) {
    let (_, left) = fixed(account, Flaw::KeyMissing).await;
    assert_eq!(kinds(&left), [("key-pair", 1)].into());
    let commands = commands(&left);
    assert!(commands[0].starts_with("aws ec2 delete-key-pair --region eu-west-1"), "{commands:?}");
}
on_both!(a_key_is_listed, super::key);

/// Their group is the user's: its rules are reported with its id.
async fn rules(account: Account) {
    let (harness, left) = fixed(account, Flaw::OperatorKeptOut).await;
    assert_eq!(kinds(&left), [("security-group-rule", 1)].into());
    let group = harness.config(EU).lines().find_map(|line| {
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
    let (_, left) = fixed(account, Flaw::GroupMissing).await;
    let kinds = kinds(&left);
    assert_eq!(kinds["security-group"], 1);
    assert!(kinds["security-group-rule"] > 1, "{kinds:?}");
    let commands = commands(&left);
    assert_eq!(commands.len(), 1, "its rules are removed with it: {commands:#?}");
    assert!(commands[0].starts_with("aws ec2 delete-security-group --region eu-west-1"));
}
on_both!(a_group_is_listed, super::group);

async fn peering(account: Account) {
    let (_, left) = fixed(account, Flaw::NotPeered).await;
    assert_eq!(kinds(&left), [("vpc-peering-connection", 2)].into(), "listed on both sides");
    let destinations: Vec<_> =
        left.routes.iter().map(|(_, one)| one.destination.to_string()).collect();
    assert_eq!(destinations, ["10.1.0.0/16", "10.2.0.0/16"], "in the user's tables");
    let commands = commands(&left);
    let count = |what: &str| commands.iter().filter(|one| one.contains(what)).count();
    assert_eq!((count("delete-vpc-peering-connection"), count("delete-route")), (2, 2));
}
on_both!(a_peering_and_the_routes_through_it_are_listed, super::peering);

async fn network(account: Account) {
    let (_, left) = fixed(account, Flaw::SameAddresses).await;
    let kinds = kinds(&left);
    for kind in ["vpc", "internet-gateway", "route-table", "security-group"] {
        assert_eq!(kinds[kind], 1, "{kinds:?}");
    }
    assert!(kinds["subnet"] > 0, "{kinds:?}");
    assert_eq!(left.routes.len(), 1, "on the other side, in the user's table");
    let lines = report::leftovers(&left, Paint::PLAIN);
    assert!(
        lines.iter().any(|line| line.to_string().contains("muster down --network")),
        "{lines:#?}"
    );
}
on_both!(a_network_is_listed, super::network);

/// Simulated only: moto does not tag copied images and their snapshots.
#[tokio::test(start_paused = true)]
async fn a_copied_image_and_its_snapshot_are_listed() {
    let (_, left) = fixed(Account::simulated(), Flaw::ImageOnlyThere).await;
    assert_eq!(kinds(&left), [("image", 1), ("snapshot", 1)].into());
    let commands = commands(&left);
    assert!(commands[0].starts_with("aws ec2 deregister-image --region eu-west-1"), "{commands:?}");
    assert!(commands[1].starts_with("aws ec2 delete-snapshot --region eu-west-1"), "{commands:?}");
}

/// A volume that the config keeps outlives its instance, and is billed.
async fn volume(account: Account) {
    let harness = flawed(account, None).await;
    let subnet = harness.config(EU).lines().find_map(|line| {
        let ids = line.trim().strip_prefix("SubnetIds: [")?;
        ids.split(']').next().map(Into::into)
    });
    let device = serde_json::json!([
        {"DeviceName": "/dev/sdb", "Ebs": {"VolumeSize": 3, "DeleteOnTermination": false}},
    ]);
    let mut tags = Tags::from([(tags::PROJECT.into(), "harness".into())]);
    tags.insert(tags::CLUSTER.into(), super::harness::CLUSTER.into());
    let request = LaunchRequest {
        image: harness.image(EU, "kept").await.into(),
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
    assert!(harness.account.cloud.launch(&EU.into(), &request).await.is_ok());
    let left = leftovers(&harness).await;
    assert_eq!(kinds(&left), [("volume", 1)].into());
    let commands = commands(&left);
    assert!(commands[0].starts_with("aws ec2 delete-volume --region eu-west-1"), "{commands:?}");
}
on_both!(a_volume_that_outlives_its_machine_is_listed, super::volume);

/// The printed commands, run by the real `aws`, restore the account to its state
/// before the fix. moto deletes key pairs only by name.
#[cfg(feature = "aws")]
#[tokio::test]
async fn the_printed_commands_remove_the_leftovers() {
    use super::{account::difference, script::run};
    let flaws = [Flaw::OperatorKeptOut, Flaw::GroupMissing, Flaw::NotPeered];
    for flaw in flaws {
        let harness = flawed(Account::moto(), Some(flaw)).await;
        let before = harness.account.snapshot().await;
        assert!(harness.fix(FixScope::default()).await.complete);
        let mut lines = commands(&leftovers(&harness).await);
        // A connection is listed on both sides; deleting either removes it.
        let mut seen = false;
        lines.retain(|line| {
            let again = line.contains("delete-vpc-peering") && std::mem::replace(&mut seen, true);
            !again
        });
        run(&harness, &format!("set -eu\n{}\n", lines.join("\n"))).await;
        let left = difference(&before, &harness.account.snapshot().await);
        // moto keeps the tags of deleted resources.
        let left: Vec<_> = left.iter().filter(|line| !line.contains("/tags/")).collect();
        assert!(left.is_empty(), "{flaw:?}: {left:#?}");
    }
}
