//! From nothing to a running cluster and back.

use muster::{
    cloud::tags,
    engine::{ClusterPhase, Command, Event, Manifest, Phase, StepOutcome, Update},
    model::{NodeName, Region},
};

use super::two_regions;
use crate::support::run::Run;

#[tokio::test(start_paused = true)]
async fn up_leaves_six_ready_nodes_and_down_leaves_none() {
    let mut run = Run::new(&two_regions(""));
    run.up().await;

    assert!(run.all_ready(), "{:?} {:?}", run.phases(), run.notices);
    assert_eq!(run.state.phase, ClusterPhase::Ready);
    let live = run.live().await;
    assert_eq!(live.len(), 6);
    assert_eq!(run.world.calls("RunInstances"), 4, "one call for each group");
    for (region, instance) in &live {
        let node = run.state.node_of(&instance.id).unwrap();
        assert_eq!(node.group.region, *region);
        assert_eq!(instance.tags[tags::RAY_CLUSTER_NAME], "story");
        assert_eq!(instance.tags[tags::RAY_NODE_TYPE], node.group.kind.as_str());
        assert_eq!(instance.tags[tags::RAY_USER_NODE_TYPE], node.group.node_type);
    }

    assert!(run.down().await);
    assert_eq!(run.state.phase, ClusterPhase::Terminated);
    assert_eq!(run.live().await, []);
    assert!(run.state.nodes.values().all(|node| node.phase == Phase::Terminated));
    assert_eq!(run.events.last(), Some(&Event::ClusterGone));
}

#[tokio::test(start_paused = true)]
async fn the_manifest_holds_what_quokka_asks_for() {
    let mut run = Run::new(&two_regions(""));
    run.up().await;

    let json: serde_json::Value = serde_json::from_str(&run.store.manifest().unwrap()).unwrap();
    assert_eq!(json, serde_json::to_value(Manifest::of(&run.state)).unwrap());
    assert_eq!(json["leader"], "us-west-2/head");
    for region in ["us-west-2", "eu-west-1"] {
        let info = &json["regions"][region];
        assert_eq!(info["vcpu_per_node"], 2);
        let head = run.node(&format!("{region}/head")).instance.clone().unwrap();
        assert_eq!(info["instance_ids"][0], head.id.as_str());
        assert_eq!(info["public_ips"][0], head.public_ip.unwrap().to_string());
        assert_eq!(info["private_ips"][0], head.private_ip.unwrap().to_string());
        assert_eq!(info["instance_ids"].as_array().unwrap().len(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn members_wait_for_the_leader_and_find_its_address() {
    let mut run = Run::new(&two_regions(""));
    run.up().await;

    let ended = |wanted: &str| {
        let at = run.events.iter().position(|event| {
            matches!(event, Event::StepEnded { step, outcome: StepOutcome::Succeeded, .. } if step == wanted)
        });
        at.unwrap_or_else(|| panic!("{wanted} did not succeed"))
    };
    let begun = run.events.iter().position(
        |event| matches!(event, Event::StepStarted { step, .. } if step == "ray-members"),
    );
    assert!(ended("ray-leader") < begun.unwrap());
}

#[tokio::test(start_paused = true)]
async fn down_shows_first_and_touches_nothing_else() {
    let mut run = Run::new(&two_regions(""));
    run.up().await;

    let plan = run.plan_down().await;
    assert_eq!(plan.terminate.len(), 6);
    assert_eq!(plan.foreign.len(), 1);
    assert_eq!(plan.foreign[0].1.id.as_str(), "i-0f0f0f0f0f0f0f0f0");
    assert_eq!(plan.unknown, []);

    assert!(run.down().await);
    let plan = run.plan_down().await;
    assert_eq!((plan.terminate.len(), plan.foreign.len()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn down_in_the_middle_of_a_launch_leaves_nothing() {
    for after in 0..40 {
        let mut run = Run::new(&two_regions(""));
        run.send(Command::Up);
        for _ in 0..after {
            run.next().await;
        }
        assert!(run.down().await, "down after {after} updates");
        assert_eq!(run.live().await, [], "down after {after} updates");
    }
}

#[tokio::test(start_paused = true)]
async fn up_again_changes_nothing() {
    let mut run = Run::new(&two_regions(""));
    run.up().await;
    let before = run.live().await;
    run.up().await;
    assert_eq!(run.live().await, before);
    assert_eq!(run.world.calls("RunInstances"), 4);
    assert!(run.all_ready());
}

#[tokio::test(start_paused = true)]
async fn stopping_waits_for_a_launch_under_way_and_keeps_its_answer() {
    let mut run = Run::new(&two_regions(""));
    run.send(Command::Up);
    run.until(|update, _| matches!(update, Update::Event(stamped) if matches!(stamped.event, Event::LaunchIntended { .. })))
        .await;
    run.send(Command::Shutdown);
    while run.next().await.is_some() {}
    let intended = run.events.iter().filter(|event| matches!(event, Event::LaunchIntended { .. }));
    let answered = run.events.iter().filter(|event| matches!(event, Event::LaunchSucceeded { .. }));
    assert_eq!(intended.count(), answered.count());
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_taken_away_is_noticed_and_replaced() {
    let mut run = Run::new(&two_regions(
        r#"
        [nodes."eu-west-1/worker-1"]
        reclaimed_after_s = 5
        "#,
    ));
    run.up().await;
    let taken = run.node("eu-west-1/worker-1");
    assert_eq!(taken.phase, Phase::Terminated);
    let why = taken.failure.as_ref().unwrap().to_string();
    assert!(why.contains("Server.SpotInstanceTermination"), "{why}");
    assert_eq!(run.state.phase, ClusterPhase::Degraded);
    assert_eq!(run.live().await.len(), 5);
    let others = run.state.nodes.values().filter(|node| node.phase == Phase::Ready);
    assert_eq!(others.count(), 5, "{:?}", run.phases());
}

#[tokio::test(start_paused = true)]
async fn a_refresh_reports_the_state_of_our_own_instances() {
    let mut run = Run::new(&two_regions(""));
    run.up().await;
    let region = Region::new("eu-west-1");
    let id = run.node("eu-west-1/worker-2").instance.clone().unwrap().id;
    run.world.cloud().terminate(&region, &[id]).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_mins(1)).await;
    run.look().await;
    run.up().await;
    assert!(run.all_ready(), "{:?}", run.phases());
    assert_eq!(run.live().await.len(), 6);
    assert!(run.state.nodes.contains_key(&NodeName::new("eu-west-1/worker-2")));
}
