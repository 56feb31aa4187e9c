//! Stop, start and restart; and adoption of a `ray up` cluster.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    sync::{Arc, Mutex},
};

use serde_json::Value;

use super::scene::{IMAGE, NODES, Place, Scene};
use crate::support::{
    endpoint::{Answer, Endpoint},
    sshd::kill,
};

const RECIPE: &str = "steps:
  - {name: install, run: echo installing}
  - {name: lead, on: leader, run: echo leading from $MUSTER_LEADER_IP, again: start}
  - {name: join, on: members, needs: [lead], run: echo joining $MUSTER_LEADER_IP, again: start}
";

fn lines(scene: &Scene, node: &str, key: &str) -> usize {
    scene.log(node).iter().filter(|line| line.step == key).count()
}

fn addresses(scene: &Scene, key: &str) -> Vec<String> {
    let manifest = scene.manifest();
    let nodes = manifest["nodes"].as_array().unwrap();
    nodes.iter().filter_map(|node| Some(node[key].as_str()?.to_owned())).collect()
}

#[tokio::test]
async fn stopped_started_and_restarted() {
    let scene = Scene::healthy().await;
    scene.write_recipe(RECIPE);
    let ran = scene.run(&["up", "--yes"]).await;
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    let all = scene.live().await;
    let (public, private) = (addresses(&scene, "public_ip"), addresses(&scene, "private_ip"));

    let ran = scene.run(&["stop"]).await;
    assert_eq!(ran.code, Some(2), "no prompt: {ran:#?}");
    assert_eq!(scene.live().await, all);
    let ran = scene.run(&["stop", "--yes"]).await;
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert!(ran.out.contains("go on being billed"), "{}", ran.out);
    assert_eq!(scene.live().await, [""; 0], "none runs");
    let status = scene.run(&["status", "--format", "json"]).await.json();
    assert_eq!(status["state"]["phase"], "stopped");
    let nodes = status["state"]["nodes"].as_object().unwrap();
    assert!(nodes.values().all(|node| node["phase"] == "stopped"), "{nodes:?}");
    let ran = scene.run(&["status"]).await;
    assert!(ran.out.contains("0 instances billed · 6 stopped"), "{}", ran.out);

    let ran = scene.run(&["up", "--yes"]).await;
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    assert!(ran.err.contains("muster start"), "{ran:#?}");
    assert_eq!(scene.live().await, [""; 0]);

    let ran = scene.run(&["start", "--yes"]).await;
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert_eq!(scene.live().await, all, "the same instances");
    assert_eq!(addresses(&scene, "private_ip"), private);
    let now = addresses(&scene, "public_ip");
    assert!(now.len() == 6 && now.iter().all(|ip| !public.contains(ip)), "{public:?} {now:?}");
    assert_eq!(lines(&scene, "us-west-2/head", "lead.2"), 1);

    let ran = scene.run(&["up", "--restart", "--yes"]).await;
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert!(ran.out.contains("What runs on the cluster now is lost"), "{}", ran.out);
    assert_eq!(lines(&scene, "us-west-2/head", "lead.3"), 1);
    for node in NODES.into_iter().skip(1) {
        assert_eq!(lines(&scene, node, "join.3"), 1, "{node}");
        assert_eq!((lines(&scene, node, "install.1"), lines(&scene, node, "install.2")), (1, 0));
    }

    let one = scene.eu.live().await.pop().unwrap();
    scene.eu.ec2.stop_instances().instance_ids(&one).send().await.unwrap();
    let ran = scene.run(&["status"]).await;
    assert!(ran.out.contains("stopped, and not by muster"), "{}", ran.out);
    assert!(ran.out.contains("not complete · 5 of 6 nodes ready, 1 stopped"), "{}", ran.out);
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    let ran = scene.run(&["start", "--yes"]).await;
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert_eq!(scene.live().await.len(), 6);

    let ran = scene.run(&["stop", "--yes"]).await;
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    let ran = scene.run(&["down", "--yes"]).await;
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    for place in [&scene.us, &scene.eu] {
        assert_eq!(
            place.states().await,
            ["terminated"; 3],
            "stopped instances are terminated as well"
        );
    }
}

/// A process in place of Ray's monitor, and a `ps` that lists only processes of
/// the test: others may run Ray on this machine.
struct Head {
    folder: tempfile::TempDir,
    monitor: std::process::Child,
    raylet: std::process::Child,
}

impl Head {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sleep = || {
            let mut command = Command::new("sleep");
            command.arg("600").stdin(Stdio::null()).spawn().unwrap()
        };
        let (monitor, raylet) = (sleep(), sleep());
        let ray = "/opt/ray/lib/python3.10/site-packages/ray";
        let processes = format!(
            "{} python -u {ray}/autoscaler/_private/monitor.py --logs-dir=/tmp/ray \
             --gcs-address=10.1.0.4:6379 --autoscaling-config=/home/ubuntu/ray_bootstrap_config.yaml\n\
             {} {ray}/core/src/ray/raylet/raylet --raylet_socket_name=/tmp/ray/sockets/raylet\n",
            monitor.id(),
            raylet.id()
        );
        fs::write(folder.path().join("processes"), processes).unwrap();
        let ps = format!(
            "#!/bin/sh\n\
             while read -r pid args; do\n    \
                 case $(cut -d' ' -f3 /proc/$pid/stat 2>/dev/null) in Z|'') ;; *) echo \"$pid $args\";; esac\n\
             done <{}/processes\n",
            folder.path().display()
        );
        let path = folder.path().join("ps");
        fs::write(&path, ps).unwrap();
        let mode = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o755);
        fs::set_permissions(&path, mode).unwrap();
        Self { folder, monitor, raylet }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().to_owned()
    }
}

fn runs(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

impl Drop for Head {
    fn drop(&mut self) {
        kill("KILL", &[self.monitor.id(), self.raylet.id()]);
        drop(self.monitor.wait());
        drop(self.raylet.wait());
    }
}

/// Launches instances as `ray up` leaves them.
async fn ray_up(place: &Place, workers: usize) {
    let name = format!("story-{}", place.region);
    for number in 0..=workers {
        let (kind, node_type) = match number {
            0 => ("head", "ray.head.default"),
            _ => ("worker", "ray.worker.default"),
        };
        let tags = [
            ("ray-cluster-name", name.as_str()),
            ("ray-node-type", kind),
            ("ray-user-node-type", node_type),
            ("ray-node-status", "up-to-date"),
        ];
        place.launched_elsewhere(IMAGE, &tags).await;
    }
}

#[tokio::test]
async fn a_ray_up_cluster_is_adopted_once_its_autoscaler_has_exited() {
    let head = Head::new();
    let path = format!("PATH={}:/usr/local/bin:/usr/bin:/bin", head.path().display());
    let mut scene = Scene::healthy_with(&path).await;
    scene.write_recipe(RECIPE);
    for place in [&scene.us, &scene.eu] {
        ray_up(place, 2).await;
    }
    let all = scene.live().await;
    assert_eq!(all.len(), 6);

    // A key other than the instances' is reported before anything changes.
    let key = scene.other_key();
    let wrong = ["up", "--adopt", "--yes", "--force", "--key-location", key.to_str().unwrap()];
    let ran = scene.run(&wrong).await;
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    assert!(ran.out.contains("Permission denied"), "{ran:#?}");
    assert!(runs(head.monitor.id()));

    // From here on, every tagging call records whether the autoscaler runs.
    let ran_at_tags = Arc::new(Mutex::new(Vec::new()));
    let (seen, monitor) = (Arc::clone(&ran_at_tags), head.monitor.id());
    let moto = scene.moto.url().trim_start_matches("http://").to_owned();
    let gate = Endpoint::with(move |request, _| {
        if request.get("Action") == Some("CreateTags") {
            seen.lock().unwrap().push(runs(monitor));
        }
        Answer::From(moto.clone())
    });
    let gate = gate.await;
    scene.go_through(gate.url());

    let ran = scene.run(&["up", "--adopt"]).await;
    assert_eq!(ran.code, Some(2), "no prompt: {ran:#?}");
    assert!(ran.out.contains("autoscaler is stopped"), "{}", ran.out);
    for id in &all {
        assert!(ran.out.contains(id.as_str()), "{id} is not shown: {}", ran.out);
    }
    assert!(runs(head.monitor.id()));

    let ran = scene.run(&["up", "--adopt", "--yes"]).await;
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert!(!runs(head.monitor.id()), "the autoscaler has exited");
    assert!(runs(head.raylet.id()), "and nothing else");
    assert_eq!(*ran_at_tags.lock().unwrap(), [false, false]);
    assert_eq!(scene.live().await, all, "nothing is launched");
    let cluster = scene.manifest()["cluster"].as_str().unwrap().to_owned();
    for place in [&scene.us, &scene.eu] {
        for tags in place.tags().await {
            assert_eq!(tags.get("muster:cluster"), Some(&cluster));
            assert_eq!(tags.get("muster:project").map(String::as_str), Some("story"));
        }
    }
    for node in NODES {
        let key = if node == "us-west-2/head" { "lead.1" } else { "join.1" };
        assert_eq!(lines(&scene, node, key), 1, "{node}");
    }
    let status = scene.run(&["status", "--format", "json"]).await.json();
    assert_eq!(status["state"]["phase"], "ready");
    let nodes = status["state"]["nodes"].as_object().unwrap();
    let adopted = |node: &Value| node["instance"]["adopted"] == true && node["phase"] == "ready";
    assert!(nodes.len() == 6 && nodes.values().all(adopted), "{nodes:?}");

    let ran = scene.run(&["down", "--yes"]).await;
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert_eq!(scene.live().await, [""; 0]);
}
