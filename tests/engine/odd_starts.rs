//! Stops and starts at unusual moments: during a bootstrap, twice, without the
//! leader, by others while muster is closed, without a record.

use std::time::Duration;

use muster::{
    cloud::InstanceState,
    engine::{ClusterPhase, Command, Event, Phase, StepOutcome, Update},
};

use super::lifecycle::{all_tries, state_of, tries, with_services};
use crate::support::run::Run;

/// Whatever step is under way, it runs again on the restarted instance; the steps
/// before it do not.
#[tokio::test(start_paused = true)]
async fn stopped_during_a_bootstrap_it_is_ended_by_a_start() {
    for (step, node) in [("install", "eu-west-1/worker-1"), ("lead", "us-west-2/head")] {
        let slow =
            format!("[[steps]]\nstep = '{step}'\nnodes = ['{node}']\ntakes_s = [300, 300]\n");
        let mut run = Run::new(&with_services(&slow));
        run.send(Command::Up);
        let begins = |update: &Update| match update {
            Update::Event(stamped) => matches!(&stamped.event,
                Event::StepStarted { node: on, step: what, .. } if on.as_str() == node && what == step),
            _ => false,
        };
        run.until(|update, _| begins(update)).await;
        assert!(run.stop().await, "{step}: {:?}", run.notices);
        assert_eq!(run.state.phase, ClusterPhase::Stopped, "{step}");
        assert!(run.state.nodes.values().all(|node| node.failure.is_none()), "{step}");

        run.start().await;
        assert!(run.all_ready(), "{step}: {:?} {:?}", run.phases(), run.notices);
        assert_eq!(run.state.phase, ClusterPhase::Ready, "{step}");
        assert_eq!(run.world.calls("RunInstances"), 4, "{step}: nothing is launched");
        assert_eq!(all_tries(&run, "install"), [1; 6], "{step}");
        assert_eq!(tries(&run, step)[node], if step == "lead" { 2 } else { 1 });
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_start_waits_its_turn_and_changes_nothing() {
    let mut run = Run::new(&with_services(""));
    run.up().await;
    assert!(run.stop().await);
    let plan = run.plan_start().await;
    run.send(Command::StartMachines(plan.clone()));
    run.send(Command::StartMachines(plan));
    run.until(|update, _| matches!(update, Update::Refused(_))).await;
    assert!(run.notices[0].contains("under way"), "{:?}", run.notices);
    run.up_ended().await;
    assert!(run.all_ready(), "{:?} {:?}", run.phases(), run.notices);

    let plan = run.plan_start().await;
    assert_eq!((plan.start.len(), plan.running.len()), (0, 6));
    run.start().await;
    assert!(run.all_ready(), "{:?} {:?}", run.phases(), run.notices);
    assert_eq!(run.world.calls("StartInstances"), 2, "one call per region, once");
    assert_eq!(all_tries(&run, "join"), [2; 5]);
}

/// Its region has no capacity for it, and the others have no head to join.
#[tokio::test(start_paused = true)]
async fn without_room_for_the_leader_the_others_wait_for_the_next_start() {
    let full = "[[faults]]\noperation = 'StartInstances'\nregion = 'us-west-2'\ncalls = [1, 2, 3, 4]\n\
                answer = {error = 'InsufficientInstanceCapacity'}\n";
    let mut run = Run::new(&with_services(full));
    run.up().await;
    assert!(run.stop().await);
    run.start().await;
    let head = run.node("us-west-2/head");
    assert_eq!((head.phase, head.is_stopped()), (Phase::Failed, true));
    let failure = head.failure.clone().unwrap().to_string();
    assert!(failure.contains("InsufficientInstanceCapacity"), "{failure}");
    let member = run.node("eu-west-1/worker-1");
    assert_eq!(state_of(&run, "eu-west-1/worker-1"), InstanceState::Running);
    let blocked = StepOutcome::Blocked { by: "lead on us-west-2/head".into() };
    assert_eq!(member.steps["join"].outcome, Some(blocked), "{:?}", member.failure);
    assert_eq!(run.state.phase, ClusterPhase::Degraded);

    run.start().await;
    assert!(run.all_ready(), "{:?} {:?}", run.phases(), run.notices);
    assert_eq!(all_tries(&run, "install"), [1; 6]);
}

/// As with an AWS schedule that stops the instances overnight.
#[tokio::test(start_paused = true)]
async fn instances_restarted_by_others_while_muster_is_closed_get_their_services_back() {
    let mut run = Run::new(&with_services(""));
    run.up().await;
    tokio::time::sleep(Duration::from_hours(1)).await;
    let node = "eu-west-1/worker-2";
    let info = run.node(node).instance.clone().unwrap();
    let cloud = run.world.cloud();
    cloud.stop(&info.region, std::slice::from_ref(&info.id)).await.unwrap();
    tokio::time::sleep(Duration::from_hours(8)).await;
    cloud.start(&info.region, std::slice::from_ref(&info.id)).await.unwrap();
    tokio::time::sleep(Duration::from_mins(5)).await;

    run.look().await;
    assert_eq!(run.node(node).phase, Phase::Booting, "not ready any more");
    assert!(run.node(node).services_lost);
    let events = run.events.len();
    run.look().await;
    assert_eq!(run.events.len(), events, "it is reported once");
    run.up().await;
    assert!(run.all_ready(), "{:?} {:?}", run.phases(), run.notices);
    let again = tries(&run, "join").into_iter().filter(|(_, tries)| *tries > 1);
    assert_eq!(again.map(|(node, _)| node).collect::<Vec<_>>(), [node]);
    assert_eq!(run.world.calls("RunInstances"), 4);
}
