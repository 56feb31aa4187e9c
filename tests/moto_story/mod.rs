//! End to end: the real binary, moto's EC2 API, and real SSH. Two regions with a head
//! and two workers each.
//!
//! One sshd on 127.0.0.1 stands for all nodes: moto invents public addresses, and
//! the ssh config maps every host to the sshd.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "in a test, an error is a failure")]

mod handover;
mod host_keys;
mod lifecycle;
mod lost;
pub mod scene;

use std::{collections::BTreeSet, sync::Arc, time::Instant};

use serde_json::Value;
use tokio::{process::Child, sync::Notify};

use self::scene::{IMAGE, LINES, NODES, Place, Scene, until};
use crate::support::{
    endpoint::{Answer, Endpoint, Request},
    muster::Ran,
};

#[tokio::test]
async fn from_a_broken_start_to_six_nodes_and_back_to_none() {
    let scene = Scene::bare().await;
    break_it(&scene).await;
    let (failing, code) = scene.failing().await;
    assert_eq!(failing, MISTAKES);
    assert_eq!(code, Some(1));
    let ran = scene.run(&["up", "--yes"]).await;
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    assert_eq!(scene.live().await, [""; 0], "nothing is launched into a broken world");

    fix_all(&scene).await;
    let (failing, code) = scene.failing().await;
    assert_eq!((failing, code), (vec![], Some(0)));

    scene.open_gate();
    let began = Instant::now();
    let ran = scene.run(&["up", "--yes"]).await;
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    println!("up, six nodes in two regions: {:.1} s", began.elapsed().as_secs_f64());
    is_whole(&scene).await;

    let stranger = stranger(&scene.us).await;
    let mut ours = scene.live().await;
    ours.retain(|id| *id != stranger);
    let ran = scene.run(&["down", "--yes"]).await;
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    for id in &ours {
        assert!(ran.out.contains(id.as_str()), "{id} is not shown: {}", ran.out);
    }
    assert!(ran.out.contains(&stranger), "listed, not touched: {}", ran.out);
    assert_eq!(scene.live().await, [stranger]);
}

/// A crash between the launch and its answer costs money: moto has launched two
/// unrecorded instances, and ignores tokens.
#[tokio::test]
async fn killed_before_ec2_has_answered_up_again_still_gives_six() {
    let mut scene = Scene::healthy().await;
    let done = Arc::new(Notify::new());
    let gate = withholding(&scene, &done, |request| {
        request.get("Action") == Some("RunInstances")
            && request.get("DryRun").is_none()
            && request.get("MinCount") == Some("2")
            && request.is_for("eu-west-1")
    });
    let gate = gate.await;
    scene.go_through(gate.url());
    kill_when(scene.start(&["up", "--yes"]), done.notified()).await;
    let unknown = scene.eu.live().await;
    assert!(unknown.len() >= 2, "the withheld launch took effect: {unknown:?}");

    scene.open_gate();
    let moto = scene.moto.url().to_owned();
    scene.go_through(&moto);
    let ran = scene.run(&["up", "--yes"]).await;
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    is_whole(&scene).await;
    assert!(unknown.iter().all(|id| scene.manifest().to_string().contains(id.as_str())));
}

#[tokio::test]
async fn killed_while_steps_run_up_again_goes_on_where_they_are() {
    let scene = Scene::healthy().await;
    let at_gate = until(|| NODES.iter().all(|node| scene.log(node).len() == LINES));
    kill_when(scene.start(&["up", "--yes"]), at_gate).await;
    let launched = scene.live().await;

    scene.open_gate();
    let ran = scene.run(&["up", "--yes"]).await;
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    is_whole(&scene).await;
    assert_eq!(scene.live().await, launched);
}

/// What is wrong after [`break_it`].
const MISTAKES: [&str; 9] = [
    "ami.exists eu-west-1",
    "key.exists us-west-2",
    "key.same-material eu-west-1",
    "peering.active us-west-2 eu-west-1",
    "route.peering eu-west-1 us-west-2",
    "sg.operator-ssh eu-west-1",
    "sg.peers eu-west-1",
    "sg.same-vpc us-west-2",
    "subnet.reachable eu-west-1",
];

async fn break_it(scene: &Scene) {
    let misplaced = scene.us.misplaced_group().await;
    scene.write_region(&scene.us, IMAGE, &misplaced);
    scene.us.route_out().await;
    scene.us.route(&scene.peering).await;
    scene.eu.import_key(&scene.other_public_key()).await;
    scene.write_region(&scene.eu, "ami-0123456789abcdef0", &scene.eu.group);
}

async fn fix_all(scene: &Scene) {
    for place in [&scene.us, &scene.eu] {
        place.import_key(&scene.public_key()).await;
        place.admit_operator().await;
        place.admit_nodes().await;
        scene.write_region(place, IMAGE, &place.group);
    }
    scene.eu.route_out().await;
    scene.eu.route(&scene.peering).await;
    scene.accept_peering().await;
}

/// Kills the run once `ready` completes; fails if it exited before.
async fn kill_when(mut run: Child, ready: impl Future<Output = ()>) {
    tokio::select! {
        () = ready => run.kill().await.unwrap(),
        ended = run.wait() => {
            ended.unwrap();
            let ran = Ran::from(run.wait_with_output().await.unwrap());
            unreachable!("exited before the kill: {ran:#?}");
        }
    }
}

/// Asserts that six nodes run and that everything muster reports of them is true.
async fn is_whole(scene: &Scene) {
    let live: BTreeSet<_> = scene.live().await.into_iter().collect();
    assert_eq!(live.len(), NODES.len(), "nothing twice, nothing forgotten: {live:?}");

    let manifest = scene.manifest();
    let ids = |list: &Value, key: &str| -> BTreeSet<String> {
        let text = |item: &Value| item[key].as_str().unwrap().to_owned();
        list.as_array().unwrap().iter().map(text).collect()
    };
    assert_eq!(ids(&manifest["nodes"], "id"), live);
    assert_eq!(ids(&manifest["nodes"], "name"), NODES.map(str::to_owned).into());
    assert_eq!(manifest["leader"], "us-west-2/head");
    for place in [&scene.us, &scene.eu] {
        let region = &manifest["regions"][place.region];
        let listed = region["instance_ids"].as_array().unwrap();
        let listed: BTreeSet<_> = listed.iter().map(|id| id.as_str().unwrap().to_owned()).collect();
        assert_eq!(listed, place.live().await.into_iter().collect());
        assert_eq!(region["vcpu_per_node"], 2);
        assert_eq!(region["public_ips"].as_array().unwrap().len(), 3);
    }

    for node in NODES {
        let lines = scene.log(node);
        let counted = lines.iter().filter(|line| line.step == "count.1").map(|line| &line.text);
        let counted: Vec<_> = counted.collect();
        let expected: Vec<_> = (1..=2 * LINES).map(|n| format!("line {n}")).collect();
        assert!(counted.iter().copied().eq(expected.iter()), "{node}: {counted:?}");
        let last = lines.last().unwrap().text.clone();
        if node == "us-west-2/head" {
            assert_eq!(last, "leading us-west-2/head");
        } else {
            assert!(last.starts_with("joining 10.1.0."), "{node}: {last}");
        }
    }

    let ran = scene.run(&["status", "--format", "json"]).await;
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    let status = ran.json();
    let nodes = status["state"]["nodes"].as_object().unwrap();
    assert_eq!(nodes.len(), NODES.len());
    assert!(nodes.values().all(|node| node["phase"] == "ready"), "{nodes:?}");
    assert_eq!(status["readiness"]["health"], "ready");
}

/// Creates an instance outside of muster with the same Ray cluster name.
async fn stranger(place: &Place) -> String {
    let name = format!("story-{}", place.region);
    place.tagged(&[("ray-cluster-name", &name), ("ray-node-type", "worker")]).await
}

/// Starts an endpoint in front of moto that withholds the answers to requests that
/// `withheld` selects.
async fn withholding(
    scene: &Scene,
    done: &Arc<Notify>,
    withheld: impl Fn(&Request) -> bool + Send + Sync + 'static,
) -> Endpoint {
    let moto = scene.moto.url().trim_start_matches("http://").to_owned();
    let done = Arc::clone(done);
    Endpoint::with(move |request, _| {
        if withheld(request) {
            Answer::Withhold(moto.clone(), Arc::clone(&done))
        } else {
            Answer::From(moto.clone())
        }
    })
    .await
}
