//! The ports that a fix opens, and to whom: SSH to the operator, the pinned ports to
//! the subnets of the nodes, and nothing else unless the project requests it.
#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

use super::{
    account::{Account, id},
    harness::{FixHarness, OPERATOR},
    network::nothing,
    site::{Flaw, flawed},
};
use muster::{
    cloud::{Change, InboundRule, Source, Tags},
    remedy::{Action, FixScope, Plan},
};

const US: &str = "us-west-2";
const EU: &str = "eu-west-1";

/// Renders every rule of a plan: `eu-west-1 22-22 203.0.113.7/32`.
fn rules(plan: &Plan) -> Vec<String> {
    let changes = plan.steps.iter().filter_map(|step| match &step.action {
        Action::Change { region, change: Change::AuthorizeIngress { group, rules, .. } } => {
            Some((region, group, rules))
        }
        _ => None,
    });
    let line = |region: &str, group: &muster::cloud::Ref, rule: &InboundRule| {
        let source = match &rule.source {
            Source::Cidr(cidr) => cidr.to_string(),
            Source::Group(other) if other == group => "itself".into(),
            Source::Group(other) => other.to_string(),
        };
        format!("{region} {}-{} {source}", rule.ports.from, rule.ports.to)
    };
    let lines = changes.flat_map(|(region, group, rules)| {
        rules.iter().map(|rule| line(region.as_str(), group, rule)).collect::<Vec<_>>()
    });
    lines.collect()
}

const MEMBERS: [&str; 3] = ["5005-5005", "6381-6385", "10100-19999"];
const LEADER: [&str; 4] = ["5005-5005", "6380-6386", "6800-6800", "10100-19999"];

#[tokio::test(start_paused = true)]
async fn peers_are_let_in_at_the_pinned_ports_from_their_subnets() {
    let harness = flawed(Account::simulated(), Some(Flaw::PeersKeptOut)).await;
    let plan = harness.plan(FixScope::default()).await;
    let expected = MEMBERS.map(|ports| format!("{EU} {ports} 10.1.0.0/20"));
    let rules = rules(&plan.plan);
    assert_eq!(rules, expected, "subnets, not VPCs");
}

#[tokio::test(start_paused = true)]
async fn the_operator_is_let_in_by_ssh_alone() {
    let harness = flawed(Account::simulated(), Some(Flaw::OperatorKeptOut)).await;
    let mut rules = rules(&harness.plan(FixScope::default()).await.plan);
    rules.retain(|rule| rule.starts_with(EU) || rule.starts_with(US));
    assert!(!rules.is_empty());
    let ssh = format!("22-22 {OPERATOR}");
    assert!(rules.iter().all(|rule| rule.ends_with(&ssh)), "{rules:#?}");
}

/// Also for a network created from nothing.
#[tokio::test(start_paused = true)]
async fn a_new_group_opens_the_pinned_ports_and_ssh() {
    let harness = nothing(Account::simulated()).await;
    let rules = rules(&harness.plan(FixScope::default()).await.plan);
    let ports = |rule: &String| rule.split(' ').nth(1).unwrap().to_owned();
    for rule in &rules {
        let known = [&LEADER[..], &MEMBERS[..], &["22-22"]].concat();
        assert!(known.contains(&ports(rule).as_str()), "{rule}");
        // Subnets are /20, merged if adjacent; a VPC is a /16.
        assert!(!rule.ends_with("/16") && !rule.ends_with("/0"), "{rule}");
    }
    let operator: Vec<_> = rules.iter().filter(|rule| rule.ends_with(OPERATOR)).collect();
    assert_eq!(operator.len(), 3, "port 22 in each region: {operator:#?}");
    for ports in LEADER {
        let itself = format!("{US} {ports} itself");
        assert!(rules.contains(&itself), "{itself}: {rules:#?}");
    }
    let redis: Vec<_> = rules.iter().filter(|rule| ports(rule) == "6800-6800").collect();
    assert!(redis.iter().all(|rule| rule.starts_with(US)), "{redis:#?}");
}

#[tokio::test(start_paused = true)]
async fn half_of_the_internet_is_nobody_s_address() {
    let mut harness = flawed(Account::simulated(), Some(Flaw::OperatorKeptOut)).await;
    harness.operator = Some("0.0.0.0/1");
    let plan = harness.plan(FixScope::default()).await;
    assert_eq!(rules(&plan.plan), [""; 0]);
    let left: Vec<_> =
        plan.plan.left.iter().filter(|one| one.problem.check == "sg.operator-ssh").collect();
    assert!(!left.is_empty(), "{:#?}", plan.plan.left);
    assert!(left.iter().all(|one| one.why.contains("a large part of the internet")), "{left:#?}");
}

/// Two configs of one region may each ask for half.
#[tokio::test(start_paused = true)]
async fn what_the_configs_ask_for_is_never_the_internet() {
    let harness = nothing(Account::simulated()).await;
    let asking = |cidrs: &[&str]| {
        let ranges: Vec<_> = cidrs.iter().map(|cidr| format!("{{CidrIp: {cidr}}}")).collect();
        let permission = "IpProtocol: tcp, FromPort: 443, ToPort: 443, IpRanges:";
        let group = format!("IpPermissions: [{{{permission} [{}]}}]", ranges.join(", "));
        let provider = format!("region: {EU}, security_group: {{{group}}}}}");
        harness.config(EU).replace(&format!("region: {EU}}}"), &provider)
    };
    for (asked, added) in [
        (&["0.0.0.0/1", "128.0.0.0/1", "203.0.113.0/24"][..], &["443-443 203.0.113.0/24"][..]),
        (
            &["198.51.100.0/24", "203.0.113.0/24"],
            &["443-443 198.51.100.0/24", "443-443 203.0.113.0/24"],
        ),
    ] {
        let before = harness.config(EU);
        harness.overwrite(EU, &asking(asked));
        let rules = rules(&harness.plan(FixScope::default()).await.plan);
        let own: Vec<_> = rules.iter().filter(|rule| rule.contains(" 443-443 ")).collect();
        assert_eq!(
            own,
            added
                .iter()
                .map(|rule| format!("{EU} {rule}"))
                .collect::<Vec<_>>()
                .iter()
                .collect::<Vec<_>>()
        );
        harness.overwrite(EU, &before);
    }
}

#[tokio::test(start_paused = true)]
async fn more_groups_than_an_interface_takes_are_left_to_the_user() {
    let harness = flawed(Account::simulated(), Some(Flaw::GroupMissing)).await;
    let text = harness.config(EU);
    let group = text.split("SecurityGroupIds: [").nth(1).unwrap().split(']').next().unwrap();
    harness.overwrite(EU, &text.replace(group, &[group; 6].join(", ")));
    let plan = harness.plan(FixScope::default()).await;
    let left = plan.plan.left.iter().find(|one| one.problem.check == "sg.exists").unwrap();
    assert!(left.why.contains("EC2 takes 5 at a network interface"), "{}", left.why);
}

/// A project that asks for the leader's client ports.
async fn asking() -> FixHarness {
    let mut harness = flawed(Account::simulated(), None).await;
    let project = format!(
        "name: harness\nregions: [{US}.yaml, {EU}.yaml]\nleader: {US}\noperator_ports: [10001, 6800]\n"
    );
    std::fs::write(harness.folder().join("muster.yaml"), project).unwrap();
    harness.adopt(&["muster"]);
    harness
}

#[tokio::test(start_paused = true)]
async fn client_ports_are_not_opened_in_a_group_that_others_carry() {
    let harness = asking().await;
    assert_eq!(harness.failing_checks().await, ["sg.operator-ports"]);
    let plan = harness.plan(FixScope::default()).await;
    assert!(plan.plan.is_empty(), "{:#?}", plan.plan);
    let [left] = &plan.plan.left[..] else { unreachable!("{:#?}", plan.plan.left) };
    assert!(left.why.contains("a security group of its own"), "{}", left.why);
}

#[tokio::test(start_paused = true)]
async fn client_ports_are_opened_in_the_leader_s_own_group() {
    let harness = asking().await;
    let snapshot = harness.account.snapshot().await;
    let at = format!("/regions/{US}/vpcs/");
    let vpc = snapshot.iter().find(|(key, value)| key.starts_with(&at) && value.contains("10.1."));
    let vpc = vpc.map(|(key, _)| key[at.len()..].to_owned()).unwrap();
    let own = Change::CreateSecurityGroup {
        name: "leader".into(),
        description: "of the test".into(),
        vpc: id(&vpc),
        tags: Tags::new(),
    };
    let own = harness.account.make(US, own).await;
    let text = harness.config(US);
    let (head, worker) = text.split_once("  worker:").unwrap();
    let line = head.lines().find(|line| line.contains("SecurityGroupIds")).unwrap();
    let shared = line.split(['[', ']']).nth(1).unwrap();
    let node = head.split_once("node_config: &node\n").unwrap().1;
    let worker = worker.replace("    node_config: *node\n", &format!("    node_config:\n{node}"));
    let head = head.replace(line, &format!("      SecurityGroupIds: [{shared}, {own}]"));
    let text = format!("{head}  worker:{worker}");
    std::fs::write(harness.folder().join(format!("{US}.yaml")), text).unwrap();
    assert_eq!(harness.failing_checks().await, ["sg.operator-ports"]);
    let plan = harness.plan(FixScope::default()).await;
    let expected = [format!("{US} 10001-10001 {OPERATOR}"), format!("{US} 6800-6800 {OPERATOR}")];
    assert_eq!(rules(&plan.plan), expected);
    assert!(harness.fix(FixScope::default()).await.complete);
    assert_eq!(harness.failing_checks().await, [""; 0]);
}
