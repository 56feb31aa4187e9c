//! The journal is lost: instances with the project's name are still listed, and
//! terminated by the cluster's id.

use std::fs;

use super::{
    scene::{NODES, Scene},
    stranger,
};

#[tokio::test]
async fn a_cluster_without_its_journal_is_found_and_ended_by_its_id() {
    let scene = Scene::healthy().await;
    scene.open_gate();
    let ran = scene.run(&["up", "--yes"]).await;
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    let cluster = scene.manifest()["cluster"].as_str().unwrap().to_owned();
    let stranger = stranger(&scene.us).await;
    plan_without_records(&scene).await;
    fs::remove_dir_all(scene.state()).unwrap();

    let ran = scene.run(&["status", "--format", "json"]).await;
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert_eq!(ran.json()["others"], serde_json::json!([[cluster, NODES.len()]]));
    let way = format!("muster down --cluster {cluster}");
    for command in ["status", "down", "check"] {
        let ran = scene.run(&[command]).await;
        assert!(ran.out.contains(&way), "{command}: {ran:#?}");
    }
    assert_eq!(scene.live().await.len(), NODES.len() + 1, "nothing was confirmed yet");

    let ran = scene.run(&["down"]).await;
    assert_eq!(ran.code, Some(1), "its instances still run: {ran:#?}");
    let ran = scene.run(&["down", "--yes", "--cluster", &cluster]).await;
    assert_eq!(ran.code, Some(1), "all of them are unrecorded: {ran:#?}");
    assert!(ran.err.contains("--include-unrecorded"), "{ran:#?}");
    assert_eq!(scene.live().await.len(), NODES.len() + 1, "--yes does not cover them");
    let ran = scene.run(&["down", "--yes", "--include-unrecorded", "--cluster", &cluster]).await;
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert_eq!(scene.live().await, [stranger]);
}

/// The folder names the cluster, and its journal is empty: nothing is launched, and
/// the instances that run are named.
async fn plan_without_records(scene: &Scene) {
    let journal = scene.cluster_folder().expect("a cluster").join("journal.jsonl");
    let records = fs::read(&journal).unwrap();
    fs::write(&journal, "").unwrap();
    // The instance of another cluster with the same name fails a check.
    let ran = scene.run(&["up", "--force"]).await;
    assert_eq!(ran.code, Some(2), "there is no terminal to ask on: {ran:#?}");
    assert!(ran.out.contains("already running, will be taken over"), "{}", ran.out);
    assert!(ran.out.contains("Nothing to launch"), "{}", ran.out);
    for id in scene.live().await {
        let is_node = scene.manifest().to_string().contains(&id);
        assert_eq!(ran.out.contains(&id), is_node, "{id}: {}", ran.out);
    }
    fs::write(&journal, records).unwrap();
}

/// Beside a cluster of its own, one of somebody else's.
#[tokio::test]
async fn the_instances_of_another_cluster_are_counted_and_left_alone() {
    let scene = Scene::healthy().await;
    scene.open_gate();
    let ran = scene.run(&["up", "--yes"]).await;
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    let other = scene.eu.tagged(&[("muster:project", "story"), ("muster:cluster", "story-0ther0")]);
    let other = other.await;

    let ran = scene.run(&["status", "--format", "json"]).await;
    let status = ran.json();
    assert_eq!(status["others"], serde_json::json!([["story-0ther0", 1]]));
    assert_eq!(status["state"]["nodes"].as_object().unwrap().len(), NODES.len());
    assert_eq!(status["state"]["strays"], serde_json::json!({}));
    assert_eq!(status["state"]["phase"], "ready");
    let ran = scene.run(&["status"]).await;
    assert!(ran.out.contains("6 of 6 nodes ready"), "{}", ran.out);
    assert!(ran.out.contains("muster down --cluster story-0ther0"), "{}", ran.out);
    report_losses(&scene).await;

    let ran = scene.run(&["down", "--yes"]).await;
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert_eq!(scene.live().await, [other]);
}

/// `status` where others terminated a member, then the leader.
async fn report_losses(scene: &Scene) {
    for (node, health, ready, line) in [
        ("eu-west-1/worker-1", "degraded", 5, "not complete · 5 of 6 nodes ready, 1 lost"),
        ("us-west-2/head", "no-leader", 4, "not ready · 4 of 6 nodes ready, 2 lost"),
    ] {
        let status = scene.run(&["status", "--format", "json"]).await.json();
        let id = status["state"]["nodes"][node]["instance"]["id"].as_str().unwrap().to_owned();
        let place = if node.starts_with("eu") { &scene.eu } else { &scene.us };
        place.ec2.terminate_instances().instance_ids(id).send().await.unwrap();
        let ran = scene.run(&["status", "--format", "json"]).await;
        assert_eq!(ran.code, Some(1), "{ran:#?}");
        let status = ran.json();
        assert_eq!(status["readiness"]["health"], health);
        assert_eq!(status["readiness"]["ready"], ready);
        assert_eq!(status["exit_code"], 1);
        let ran = scene.run(&["status"]).await;
        assert_eq!(ran.code, Some(1), "{ran:#?}");
        assert!(ran.out.contains(line), "{}", ran.out);
    }
    let ran = scene.run(&["status"]).await;
    assert!(ran.out.contains("the leader us-west-2/head is terminated"), "{}", ran.out);
}
