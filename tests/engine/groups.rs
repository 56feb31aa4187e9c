//! Security groups that the configs give by name instead of id.

use muster::{
    check::Level,
    engine::{Command, NodeState, Phase},
    remedy::FixScope,
    report::{self, Paint},
    sim::Scenario,
};

use crate::support::run::Run;

/// Returns the two regions, with the group of each given by `name`, plus `extra` (TOML).
pub fn by_name(name: &str, extra: &str) -> Scenario {
    let text = include_str!("two_regions.toml");
    let ids =
        ["SecurityGroupIds: [sg-00000000000000001]", "SecurityGroupIds: [sg-00000000000000002]"];
    let text = ids.iter().fold(text.to_owned(), |text, id| {
        assert!(text.contains(id));
        text.replace(id, "")
    });
    let group = format!("type: aws, security_group: {{GroupName: {name}}}");
    Scenario::parse(&format!("{}\n{extra}", text.replace("type: aws", &group))).unwrap()
}

#[tokio::test(start_paused = true)]
async fn nodes_get_the_group_of_that_name_in_their_own_vpc() {
    let mut run = Run::new(&by_name("quokka", ""));
    run.look().await;
    let of_groups = run.findings.iter().filter(|one| one.check.starts_with("sg."));
    let failing: Vec<_> = of_groups.filter(|one| one.level == Level::Fail).collect();
    assert!(failing.is_empty(), "{failing:#?}");
    run.up().await;
    // Instances of the simulated world are reachable only through what their groups admit.
    assert!(run.all_ready(), "{:?}", run.notices);
}

#[tokio::test(start_paused = true)]
async fn without_a_matching_group_in_the_vpc_nothing_is_launched() {
    let mut run = Run::new(&by_name("mine", ""));
    run.up().await;
    let failed = |node: &NodeState| {
        let why = node.failure.as_ref().map(ToString::to_string).unwrap_or_default();
        node.phase == Phase::Failed && why.contains("has no security group mine")
    };
    assert!(run.state.nodes.values().all(failed), "{:#?}", run.phases());
    assert_eq!(run.live().await, []);
}

/// EC2 refuses rule 61 only when the rest of the network exists.
#[tokio::test(start_paused = true)]
async fn more_rules_than_a_group_can_hold_are_stated_before_they_are_added() {
    let rule = |n: u32| {
        format!(
            "{{IpProtocol: tcp, FromPort: 9000, ToPort: 9000, IpRanges: [{{CidrIp: 192.0.2.{n}/32}}]}}"
        )
    };
    let plan = async |asked: u32| {
        let rules: Vec<_> = (0..asked).map(rule).collect();
        let group = format!(
            "region: us-west-2, security_group: {{GroupName: many, IpPermissions: [{}]}}",
            rules.join(", ")
        );
        let world = include_str!("lives.toml").replace("region: us-west-2", &group);
        let mut run = Run::new(&Scenario::parse(&world).unwrap());
        run.send(Command::PlanFix(FixScope::default()));
        run.planned().await
    };
    let own = plan(60).await.plan.full_groups[0].rules - 60;
    let fitting = u32::try_from(60 - own).unwrap();
    assert_eq!(plan(fitting).await.plan.full_groups, []);
    let full = plan(fitting + 1).await;
    let lines = report::fix_plan(&full, Paint::when(false));
    let text: Vec<_> = lines.iter().map(ToString::to_string).collect();
    let stated =
        "<us-west-2/group> would hold 61 inbound rules; EC2 allows 60 in a group by default";
    assert!(text.iter().any(|line| line.contains(stated)), "{text:#?}");
}
