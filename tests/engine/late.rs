//! What a call without an answer created, and EC2 shows only after muster has stopped
//! waiting for it: nothing is stuck, and nothing is left over.

use muster::{engine::Command, remedy::FixScope, sim::Scenario};

use super::lives::{by_step, fix, leftovers};
use crate::support::run::Run;

/// A world where the first `operation` in eu-west-1 has its effect without an
/// answer, and where tags show a minute late.
fn world(operation: &str) -> Run {
    let text = format!(
        "{}\n[[faults]]\noperation = '{operation}'\nregion = 'eu-west-1'\ncalls = [1]\n\
         answer = 'lost-reset'\n[hazards]\nseed = 1\ntag_lag_s = [60, 60]\n",
        include_str!("lives.toml")
    );
    Run::new(&Scenario::parse(&text).unwrap())
}

async fn fixed(run: &mut Run) {
    for _ in 0..4 {
        if fix(run, Command::PlanFix(FixScope::default())).await {
            return;
        }
    }
    panic!("stuck: {:?}", run.notices);
}

/// EC2 refuses a second one of these: it is found by its tags and used.
#[tokio::test(start_paused = true)]
async fn what_is_unique_is_not_created_twice() {
    for operation in ["CreateSubnet", "CreateSecurityGroup", "CreateVpcPeeringConnection"] {
        let mut run = world(operation);
        fixed(&mut run).await;
        for (step, ids) in by_step(&run.world.snapshot()) {
            assert_eq!(ids.len(), 1, "{operation}: {step}: {ids:?}");
        }
        assert!(fix(&mut run, Command::PlanTeardown).await, "{operation}: {:?}", run.notices);
        assert_eq!(leftovers(&run.world.snapshot()), [] as [String; 0], "{operation}");
    }
}

/// Of these EC2 creates a second one. A notice reports that nothing shows, the first
/// one is listed once it does, and both are deleted.
#[tokio::test(start_paused = true)]
async fn what_shows_late_is_listed_and_deleted() {
    for (operation, step) in [("CreateVpc", "vpc"), ("CreateInternetGateway", "gateway")] {
        let mut run = world(operation);
        fixed(&mut run).await;
        let notices = run.notices.join("\n");
        assert!(notices.contains("EC2 shows nothing of it after 20 s"), "{operation}: {notices}");
        let truth = by_step(&run.world.snapshot());
        assert_eq!(
            truth[&format!("eu-west-1: eu-west-1/{step}")].len(),
            2,
            "{operation}: {truth:?}"
        );
        tokio::time::sleep(std::time::Duration::from_mins(2)).await;
        run.send(Command::PlanFix(FixScope::default()));
        let surplus = run.planned().await.plan.surplus.clone();
        assert_eq!(surplus.len(), 1, "{operation}: {surplus:?}");
        assert_eq!(surplus[0].slot.0, format!("eu-west-1/{step}"));
        assert!(fix(&mut run, Command::PlanTeardown).await, "{operation}: {:?}", run.notices);
        assert_eq!(leftovers(&run.world.snapshot()), [] as [String; 0], "{operation}");
    }
}

/// A region whose VPCs can't be read may be in its default VPC as well: what the other
/// one lacks is not created where its nodes may have to leave.
#[tokio::test(start_paused = true)]
async fn no_group_is_created_where_the_nodes_may_not_stay() {
    let text = format!(
        "{}\n[[faults]]\noperation = 'DescribeVpcs'\nregion = 'eu-west-1'\ncalls = [1, 2]\n\
         answer = {{ error = 'UnauthorizedOperation' }}\n",
        include_str!("lives.toml")
    );
    let mut run = Run::new(&Scenario::parse(&text).unwrap());
    run.send(Command::PlanFix(FixScope::default()));
    let plan = run.planned().await.plan.clone();
    let steps: Vec<_> = plan.steps.iter().map(|step| step.slot.0.as_str()).collect();
    assert!(!steps.iter().any(|slot| slot.contains("group")), "{steps:?}");
    let why = "whether the nodes can stay in this VPC is not known: see vpc.default";
    assert!(plan.left.iter().any(|left| left.why == why), "{:?}", plan.left);
}
