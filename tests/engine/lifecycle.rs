//! Stop, start and restart: nothing is installed twice, nothing is forgotten, and
//! instances stopped by others are named.

use std::collections::BTreeMap;

use muster::{
    cloud::InstanceState,
    engine::{ClusterPhase, Command, Event, Phase, Update},
    sim::Scenario,
};

use crate::support::run::Run;

/// Returns two regions with a recipe that installs and then starts services.
pub fn with_services(extra: &str) -> Scenario {
    let recipe = r#"[files]
"services.yaml" = """
steps:
  - {name: install, run: echo installing}
  - {name: lead, on: leader, run: echo leading, again: start}
  - {name: join, on: members, run: echo joining, needs: [lead], again: start}
  - {name: verify, run: echo all there, needs: [join], again: start}
"""
"#;
    let world = include_str!("two_regions.toml").replacen("[files]\n", recipe, 1);
    let own = "recipe = \"recipe.yaml\"";
    assert!(world.contains(own));
    let text = format!("{}\n{extra}", world.replacen(own, "recipe = \"services.yaml\"", 1));
    Scenario::parse(&text).unwrap_or_else(|error| panic!("{error}"))
}

/// Returns the last try of `step`, by node.
pub fn tries(run: &Run, step: &str) -> BTreeMap<String, u32> {
    let nodes = run.state.nodes.values();
    let of_step =
        nodes.filter_map(|node| Some((node.name.to_string(), node.steps.get(step)?.attempt)));
    of_step.collect()
}

pub fn all_tries(run: &Run, step: &str) -> Vec<u32> {
    tries(run, step).into_values().collect()
}

pub fn state_of(run: &Run, node: &str) -> InstanceState {
    run.node(node).instance.as_ref().unwrap().state
}

/// Stops the instance of `node` outside of muster.
async fn stopped_elsewhere(run: &Run, node: &str) {
    let info = run.node(node).instance.clone().unwrap();
    run.world.cloud().stop(&info.region, &[info.id]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn stopped_and_started_again_the_services_run_again_and_nothing_else() {
    let mut run = Run::new(&with_services(""));
    run.up().await;
    let before = run.state.clone();

    assert!(run.stop().await, "{:?}", run.notices);
    assert_eq!(run.state.phase, ClusterPhase::Stopped);
    assert!(
        run.state.nodes.values().all(|node| node.phase == Phase::Stopped),
        "{:?}",
        run.phases()
    );
    assert!(run.state.nodes.values().all(|node| node.failure.is_none()), "it was requested");
    assert_eq!((run.state.billed().count(), run.state.stopped().count()), (0, 6));
    assert_eq!(run.world.calls("StopInstances"), 2, "one call per region");
    let intent = run.events.iter().position(|event| matches!(event, Event::StopIntended { .. }));
    let first = run.events.iter().position(|event| {
        matches!(event, Event::InstanceChanged { state: InstanceState::Stopping, .. })
    });
    assert!(intent.unwrap() < first.unwrap());

    run.start().await;
    assert!(run.all_ready(), "{:?} {:?}", run.phases(), run.notices);
    assert_eq!(run.state.phase, ClusterPhase::Ready);
    assert_eq!(run.live().await.len(), 6);
    assert_eq!((run.world.calls("RunInstances"), run.world.calls("StartInstances")), (4, 2));
    for (name, node) in &run.state.nodes {
        let (was, is) =
            (before.nodes[name].instance.clone().unwrap(), node.instance.clone().unwrap());
        assert_eq!((&was.id, was.private_ip), (&is.id, is.private_ip));
        assert_ne!(was.public_ip, is.public_ip, "{name} has another public address");
        assert!(is.public_ip.is_some());
    }
    assert_eq!(all_tries(&run, "install"), [1; 6]);
    assert_eq!(all_tries(&run, "lead"), [2]);
    assert_eq!(all_tries(&run, "join"), [2; 5]);
    assert_eq!(all_tries(&run, "verify"), [2; 6]);
    let manifest: serde_json::Value = serde_json::from_str(&run.store.manifest().unwrap()).unwrap();
    let head = run.node("us-west-2/head").instance.clone().unwrap();
    let public = head.public_ip.unwrap().to_string();
    assert_eq!(manifest["regions"]["us-west-2"]["public_ips"][0], public.as_str());

    assert!(run.down().await);
    assert_eq!(run.live().await, []);
}

#[tokio::test(start_paused = true)]
async fn stopped_instances_are_not_billed_and_can_be_terminated() {
    let mut run = Run::new(&with_services(""));
    run.up().await;
    assert!(run.stop().await);
    let info = run.node("us-west-2/head").instance.clone().unwrap();
    let now = run.world.clock().now();
    let later = now + jiff::SignedDuration::from_hours(100);
    assert_eq!(info.billed_for(now), info.billed_for(later));
    assert!(info.billed_for(now).as_secs() >= 60);

    let plan = run.plan_down().await;
    assert_eq!(plan.terminate.len(), 6, "stopped instances still exist");
    assert!(run.down().await);
    assert_eq!(run.live().await, []);
    assert_eq!(run.state.phase, ClusterPhase::Terminated);
}

#[tokio::test(start_paused = true)]
async fn up_does_not_launch_while_instances_are_stopped() {
    let mut run = Run::new(&with_services(""));
    run.up().await;
    assert!(run.stop().await);
    for command in [Command::Up, Command::Restart] {
        run.send(command);
        let refused = run.until(|update, _| matches!(update, Update::Refused(_))).await;
        let Update::Refused(failure) = refused else { unreachable!() };
        assert!(failure.message.contains("stopped"), "{failure}");
        assert!(failure.hint.unwrap().contains("muster start"));
    }
    assert_eq!(run.world.calls("RunInstances"), 4);
}

#[tokio::test(start_paused = true)]
async fn killed_after_each_record_of_a_stop_it_is_ended_by_the_next() {
    let whole = {
        let mut run = Run::new(&with_services(""));
        run.up().await;
        let up = run.store.written();
        run.stop().await;
        run.store.written() - up
    };
    assert!(whole > 8, "a stop has {whole} records");
    for kill_after in 1..=whole {
        let mut run = Run::new(&with_services(""));
        run.up().await;
        let plan = run.plan_stop().await;
        run.send_and_see(Command::StopMachines(plan), kill_after).await;
        let mut run = run.killed_and_restarted().await;
        assert!(run.stop().await, "after record {kill_after}: {:?}", run.notices);
        assert_eq!(run.state.phase, ClusterPhase::Stopped, "after record {kill_after}");
        assert!(run.state.nodes.values().all(|node| node.failure.is_none()));
        run.start().await;
        assert!(run.all_ready(), "after record {kill_after}: {:?} {:?}", run.phases(), run.notices);
        assert_eq!(run.live().await.len(), 6);
        assert!(all_tries(&run, "join").iter().all(|tries| *tries == 2), "after {kill_after}");
    }
}

#[tokio::test(start_paused = true)]
async fn killed_after_each_record_of_a_start_it_is_ended_by_the_next() {
    let whole = {
        let mut run = Run::new(&with_services(""));
        run.up().await;
        run.stop().await;
        let stopped = run.store.written();
        run.start().await;
        run.store.written() - stopped
    };
    assert!(whole > 40, "a start has {whole} records");
    for kill_after in 1..=whole {
        let mut run = Run::new(&with_services(""));
        run.up().await;
        run.stop().await;
        let plan = run.plan_start().await;
        run.send_and_see(Command::StartMachines(plan), kill_after).await;
        let mut run = run.killed_and_restarted().await;
        run.look().await;
        run.start().await;
        assert!(run.all_ready(), "after record {kill_after}: {:?} {:?}", run.phases(), run.notices);
        assert_eq!(run.live().await.len(), 6, "after record {kill_after}");
        assert_eq!(run.world.calls("RunInstances"), 4);
        assert_eq!(all_tries(&run, "install"), [1; 6], "after record {kill_after}");
        assert!(all_tries(&run, "join").iter().all(|tries| *tries >= 2), "after {kill_after}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_member_that_somebody_else_stops_is_named_and_started_alone() {
    let mut run = Run::new(&with_services(""));
    run.up().await;
    stopped_elsewhere(&run, "eu-west-1/worker-2").await;
    tokio::time::sleep(std::time::Duration::from_mins(2)).await;
    run.look().await;
    let node = run.node("eu-west-1/worker-2");
    assert_eq!(node.phase, Phase::Stopped, "not terminated");
    let failure = node.failure.clone().unwrap();
    assert!(failure.message.contains("stopped, and not by muster"), "{failure}");
    assert!(failure.hint.unwrap().contains("muster start"));
    assert_eq!(run.state.billed().count(), 5);

    run.start().await;
    assert!(run.all_ready(), "{:?} {:?}", run.phases(), run.notices);
    assert_eq!(all_tries(&run, "lead"), [1], "the leader kept running");
    let again = |step: &str| {
        let tries = tries(&run, step).into_iter().filter(|(_, tries)| *tries > 1);
        tries.map(|(node, _)| node).collect::<Vec<_>>()
    };
    assert_eq!(again("join"), ["eu-west-1/worker-2"]);
    assert_eq!(again("verify"), ["eu-west-1/worker-2"]);
}

#[tokio::test(start_paused = true)]
async fn without_its_leader_every_node_joins_again() {
    let mut run = Run::new(&with_services(""));
    run.up().await;
    stopped_elsewhere(&run, "us-west-2/head").await;
    tokio::time::sleep(std::time::Duration::from_mins(2)).await;
    run.look().await;
    run.start().await;
    assert!(run.all_ready(), "{:?} {:?}", run.phases(), run.notices);
    assert_eq!(all_tries(&run, "lead"), [2]);
    assert_eq!(all_tries(&run, "join"), [2; 5]);
}

/// muster is not informed of the stop or of the start.
#[tokio::test(start_paused = true)]
async fn an_instance_restarted_by_others_gets_its_services_back() {
    let mut run = Run::new(&with_services(""));
    run.up().await;
    stopped_elsewhere(&run, "eu-west-1/head").await;
    tokio::time::sleep(std::time::Duration::from_mins(2)).await;
    run.look().await;
    let info = run.node("eu-west-1/head").instance.clone().unwrap();
    run.world.cloud().start(&info.region, &[info.id]).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_mins(2)).await;
    run.look().await;
    run.up().await;
    assert!(run.all_ready(), "{:?} {:?}", run.phases(), run.notices);
    assert_eq!(tries(&run, "join")["eu-west-1/head"], 2);
    assert_eq!(tries(&run, "join")["eu-west-1/worker-1"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_stopped_during_a_launch_does_not_hold_it_up() {
    let hangs =
        "[[steps]]\nstep = 'install'\nnodes = ['eu-west-1/worker-1']\ntakes_s = [300, 300]\n";
    let mut run = Run::new(&with_services(hangs));
    run.send(Command::Up);
    run.until(|_, state| state.nodes[&"eu-west-1/worker-1".into()].phase == Phase::Bootstrapping)
        .await;
    stopped_elsewhere(&run, "eu-west-1/worker-1").await;
    run.up_ended().await;
    assert_eq!(run.node("eu-west-1/worker-1").phase, Phase::Stopped);
    assert_eq!(run.state.phase, ClusterPhase::Degraded);
    run.start().await;
    assert!(run.all_ready(), "{:?} {:?}", run.phases(), run.notices);
}

#[tokio::test(start_paused = true)]
async fn restart_runs_the_services_again_on_every_node() {
    let mut run = Run::new(&with_services(""));
    run.up().await;
    let whole = {
        let before = run.store.written();
        run.send(Command::Restart);
        run.up_ended().await;
        run.store.written() - before
    };
    assert!(run.all_ready(), "{:?} {:?}", run.phases(), run.notices);
    assert_eq!(all_tries(&run, "install"), [1; 6]);
    assert_eq!(all_tries(&run, "lead"), [2]);
    assert_eq!(all_tries(&run, "verify"), [2; 6]);
    assert_eq!(run.live().await.len(), 6);
    for kill_after in (1..=whole).step_by(3) {
        let mut run = Run::new(&with_services(""));
        run.up().await;
        run.send_and_see(Command::Restart, kill_after).await;
        let mut run = run.killed_and_restarted().await;
        run.up().await;
        assert!(run.all_ready(), "after record {kill_after}: {:?} {:?}", run.phases(), run.notices);
        assert_eq!(all_tries(&run, "lead"), [2], "after record {kill_after}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_services_steps_nothing_is_restarted() {
    let mut run = Run::new(&with_services(""));
    run.send(Command::Restart);
    run.until(|update, _| matches!(update, Update::Refused(_))).await;
    assert!(run.notices[0].contains("no running node"), "{:?}", run.notices);
}

#[tokio::test(start_paused = true)]
async fn spot_instances_go_on_and_are_named() {
    let world = include_str!("two_regions.toml");
    let spot = "&node\n      InstanceMarketOptions: {MarketType: spot}\n";
    let (first, second) = world.split_at(world.find("\n\"eu.yaml\"").unwrap());
    let text = format!("{first}{}", second.replacen("&node\n", spot, 1));
    let mut run = Run::new(&Scenario::parse(&text).unwrap_or_else(|error| panic!("{error}")));
    run.up().await;
    let plan = run.plan_stop().await;
    assert_eq!((plan.stop.len(), plan.stay.len()), (3, 3));
    assert!(
        plan.stay
            .iter()
            .all(|(region, _, why)| { region.as_str() == "eu-west-1" && why.contains("spot") })
    );

    assert!(!run.stop().await, "not everything can be stopped");
    assert_eq!(run.state.phase, ClusterPhase::Degraded);
    assert_eq!(state_of(&run, "us-west-2/head"), InstanceState::Stopped);
    assert_eq!(state_of(&run, "eu-west-1/head"), InstanceState::Running);
    assert_eq!(run.state.billed().count(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_node_without_capacity_fails_alone_and_starts_the_next_time() {
    let full = "[[faults]]\noperation = 'StartInstances'\nregion = 'eu-west-1'\ncalls = [1, 3]\n\
                answer = {error = 'InsufficientInstanceCapacity'}\n";
    let mut run = Run::new(&with_services(full));
    run.up().await;
    assert!(run.stop().await);
    run.start().await;
    let failed: Vec<_> =
        run.state.nodes.values().filter(|node| node.phase == Phase::Failed).collect();
    let full = failed.iter().filter(|node| node.is_stopped()).count();
    assert_eq!(full, 1, "of three that were tried alone: {:?}", run.phases());
    assert_eq!(run.state.phase, ClusterPhase::Degraded);
    run.start().await;
    assert!(run.all_ready(), "{:?} {:?}", run.phases(), run.notices);
}

#[tokio::test(start_paused = true)]
async fn a_start_retries_earlier_failures() {
    let fails =
        "[[steps]]\nstep = 'install'\nnodes = ['eu-west-1/worker-1']\nattempts = [1]\nexit = 1\n";
    let mut run = Run::new(&with_services(fails));
    run.up().await;
    assert_eq!(run.node("eu-west-1/worker-1").phase, Phase::Failed);
    assert!(run.stop().await);
    run.start().await;
    assert!(run.all_ready(), "{:?} {:?}", run.phases(), run.notices);
    assert_eq!(tries(&run, "install")["eu-west-1/worker-1"], 2);
}

#[tokio::test(start_paused = true)]
async fn booting_instances_are_stopped_once_they_run() {
    let mut run = Run::new(&with_services(""));
    run.send(Command::Up);
    run.until(|update, _| {
        matches!(update, Update::Event(stamped) if matches!(stamped.event, Event::LaunchSucceeded { .. }))
    })
    .await;
    assert!(run.stop().await, "{:?}", run.notices);
    assert_eq!(run.live().await.len(), 6, "calls under way were waited for");
    assert_eq!(run.state.phase, ClusterPhase::Stopped);
    run.start().await;
    assert!(run.all_ready(), "{:?} {:?}", run.phases(), run.notices);
}
