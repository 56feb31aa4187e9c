//! Host keys with a real ssh and sshd, and console outputs that come late or
//! are another machine's.

use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, Mutex},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use muster::model::Fingerprint;
use serde_json::Value;

use super::scene::{IMAGE, NODES, Scene};
use crate::support::endpoint::{Answer, Endpoint};

/// The nodes share one home folder, so that one alone may get the credentials.
const RECIPE: &str = "steps:
  - {name: before, run: echo before}
  - {name: files, do: file-mounts}
  - {name: credentials, on: leader, do: credentials}
";

/// A scene that sends a file and AWS credentials to its nodes, and verifies them first.
async fn scene() -> Scene {
    let scene = Scene::healthy().await;
    scene.write_recipe(RECIPE);
    let (muster, folder) = (scene.muster(), scene.muster().folder());
    let file = muster.file("query.txt", "select 1");
    let project = fs::read_to_string(folder.join("muster.yaml")).unwrap();
    let verifying = project.replace("host_keys: pin", "host_keys: verify");
    muster.file("muster.yaml", verifying + "aws_credentials: copy\n");
    for place in [&scene.us, &scene.eu] {
        scene.write_region(place, IMAGE, &place.group);
        let name = format!("{}.yaml", place.region);
        let text = fs::read_to_string(folder.join(&name)).unwrap();
        muster.file(&name, format!("{text}file_mounts:\n  ~/query.txt: {}\n", file.display()));
    }
    scene
}

/// Sends muster through an endpoint in which every instance prints `key` on its
/// console, which EC2 has at the read of this number (from 1) of each.
async fn printing(scene: &mut Scene, key: String, at: usize) -> Endpoint {
    let moto = scene.moto.url().trim_start_matches("http://").to_owned();
    let reads: Arc<Mutex<BTreeMap<String, usize>>> = Arc::default();
    let endpoint = Endpoint::with(move |request, _| {
        if request.get("Action") != Some("GetConsoleOutput") {
            return Answer::From(moto.clone());
        }
        let id = request.get("InstanceId").unwrap_or_default().to_owned();
        if request.get("Latest") == Some("true") {
            return Answer::error(400, "UnsupportedOperation", "not of the Nitro system");
        }
        let mut reads = reads.lock().unwrap();
        let number = reads.entry(id.clone()).or_default();
        *number += 1;
        let block = format!(
            "-----BEGIN SSH HOST KEY KEYS-----\r\n{key}\r\n-----END SSH HOST KEY KEYS-----\r\n"
        );
        let text = if *number < at { "Linux version 6.8.0\r\n" } else { block.as_str() };
        let output = STANDARD.encode(text);
        let elements = format!("<instanceId>{id}</instanceId><output>{output}</output>");
        Answer::ok("GetConsoleOutput", &elements)
    });
    let endpoint = endpoint.await;
    scene.go_through(endpoint.url());
    endpoint
}

fn print_of(key: &str) -> String {
    Fingerprint::of_public_key(key).unwrap().to_string()
}

/// The events of `node` in the journal: their names, with the step or the result.
fn events(scene: &Scene, node: &str) -> Vec<String> {
    let journal = scene.cluster_folder().unwrap().join("journal.jsonl");
    let text = fs::read_to_string(journal).unwrap();
    let records = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let of_node = records.filter(|record| record["node"] == node);
    let name = |record: Value| {
        let more = record["step"].as_str().or(record["check"]["result"].as_str());
        format!("{} {}", record["event"].as_str().unwrap(), more.unwrap_or_default())
    };
    of_node.map(name).collect()
}

#[tokio::test]
async fn what_is_sent_waits_until_the_console_shows_the_key_that_answers() {
    let mut scene = scene().await;
    let key = scene.sshd().host_key();
    let _endpoint = printing(&mut scene, key.clone(), 2).await;
    let ran = scene.run(&["up", "--yes"]).await;
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    for node in NODES {
        let events = events(&scene, node);
        let place = |name: &str| events.iter().position(|event| event == name);
        let verified = place("host-key-checked verified");
        assert!(place("host-key-checked pending") < verified, "{node}: {events:?}");
        assert!(place("step-ended before") < verified, "it needs nothing secret: {events:?}");
        assert!(verified < place("step-started files"), "{node}: {events:?}");
    }
    assert_eq!(fs::read_to_string(scene.sshd().home().join("query.txt")).unwrap(), "select 1");
    assert!(scene.sshd().home().join(".aws/credentials").exists());
    let status = scene.run(&["status", "--format", "json"]).await.json();
    for node in NODES {
        let check = &status["state"]["nodes"][node]["instance"]["host_key"];
        assert_eq!(check["result"], "verified", "{check}");
        assert_eq!(check["key"], print_of(&key));
    }
    let status = scene.run(&["status"]).await.out;
    assert_eq!(status.matches(" verified\n").count(), NODES.len(), "{status}");
}

#[tokio::test]
async fn a_key_that_the_instance_did_not_print_fails_the_node_and_sends_nothing() {
    let mut scene = scene().await;
    let other = scene.other_public_key();
    let _endpoint = printing(&mut scene, other.clone(), 1).await;
    let ran = scene.run(&["up", "--yes"]).await;
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    assert_eq!(ran.out.matches("HOST KEY MISMATCH").count(), NODES.len(), "{}", ran.out);
    for key in [&scene.sshd().host_key(), &other] {
        assert!(ran.out.contains(&print_of(key)), "{}", ran.out);
    }
    assert!(!scene.sshd().home().join("query.txt").exists());
    assert!(!scene.sshd().home().join(".aws/credentials").exists());
    let status = scene.run(&["status"]).await.out;
    assert!(status.contains("MISMATCH"), "{status}");
}
