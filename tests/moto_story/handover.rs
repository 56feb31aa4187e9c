//! Work with a running cluster: log in, run commands, forward ports, hand over to
//! Python. moto's public addresses are invented, so nothing may connect to them:
//! Python uses only the forwarded ports.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Command, Output},
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines},
    net::TcpStream,
    process::{Child, ChildStderr, ChildStdout},
    time::{sleep, timeout},
};

use super::scene::{NODES, Scene, until};
use crate::support::{
    muster::Ran,
    python::{StandIn, answer},
    sshd::kill,
};

async fn up() -> Scene {
    let scene = Scene::healthy().await;
    scene.open_gate();
    let ran = scene.run(&["up", "--yes", "--query"]).await;
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    let skipped = "no query was run: what the recipe installed is not known to muster";
    assert!(ran.err.contains(skipped), "{}", ran.err);
    scene
}

#[tokio::test]
async fn ssh_and_exec_on_the_nodes_of_a_cluster() {
    let scene = up().await;
    logs_in(&scene).await;
    plain_ssh_takes_the_config(&scene).await;
    commands_fail_and_are_summed_up(&scene).await;
    an_interrupt_ends_what_runs_there(&scene).await;
}

async fn logs_in(scene: &Scene) {
    let ran = scene.run(&["ssh", "us-west-2/worker-1", "--", "echo $((40 + 2));", "exit 7"]).await;
    assert_eq!((ran.code, ran.out.as_str()), (Some(7), "42\n"), "{ran:#?}");
    let id = scene.manifest()["nodes"][0]["id"].as_str().unwrap().to_owned();
    for name in [id.as_str(), "eu-west-1/h", "eu-west-1-worker-2", "leader"] {
        let ran = scene.run(&["ssh", name, "--", "true"]).await;
        assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""), "{name}: {ran:#?}");
    }
    let ran = scene.run(&["ssh", "us-west-2/wroker-1"]).await;
    assert_eq!(ran.code, Some(2), "{ran:#?}");
    assert!(ran.err.contains("the nearest are us-west-2/worker-1"), "{}", ran.err);
    let ran = scene.run(&["ssh", "us-west-2"]).await;
    assert!(ran.err.contains("may be any of 3 nodes"), "{}", ran.err);
}

async fn plain_ssh_takes_the_config(scene: &Scene) {
    let ran = scene.run(&["ssh-config"]).await;
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    let config = scene.muster().file("nodes", &ran.out);
    let ssh = |name: &str, command: &str| -> Output {
        let mut ssh = Command::new("ssh");
        ssh.arg("-F").arg(&config).args(["-o", "BatchMode=yes", name, command]);
        ssh.env_clear().envs(scene.muster().environment()).output().unwrap()
    };
    let blocks: Vec<_> = ran.out.lines().filter(|line| line.starts_with("Host ")).collect();
    assert_eq!(blocks.len(), NODES.len(), "{}", ran.out);
    for node in NODES {
        for name in [node, &node.replace('/', "-")] {
            let output = ssh(name, "echo in");
            assert_eq!(String::from_utf8_lossy(&output.stdout), "in\n", "{name}: {output:?}");
        }
    }
    // The pinned host keys are enforced: with a different one, the login fails.
    let known_hosts = scene.cluster_folder().unwrap().join("known_hosts");
    let pinned = fs::read_to_string(&known_hosts).unwrap();
    assert_eq!(pinned.lines().count(), NODES.len(), "none was pinned again: {pinned}");
    let id = pinned.split(' ').next().unwrap();
    let other = scene.other_public_key();
    let other = other.split(' ').take(2).collect::<Vec<_>>().join(" ");
    fs::write(&known_hosts, format!("{id} {other}\n")).unwrap();
    let output = ssh(id, "echo in");
    assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
    let ran = scene.run(&["ssh", id, "--", "echo in"]).await;
    assert_eq!((ran.code, ran.out.as_str()), (Some(255), ""), "{ran:#?}");
    fs::write(&known_hosts, pinned).unwrap();
}

async fn commands_fail_and_are_summed_up(scene: &Scene) {
    // All nodes are one sshd: the first one to connect succeeds.
    let command = "cd && mkdir mine && echo got it || { echo taken >&2; exit 3; }";
    let ran = scene.run(&["exec", "--format", "json", "--", command]).await;
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    let records: Vec<Value> =
        ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let lines = |stream: &str, text: &str| {
        records.iter().filter(|line| line["stream"] == stream && line["text"] == text).count()
    };
    assert_eq!((lines("stdout", "got it"), lines("stderr", "taken")), (1, 5), "{}", ran.out);
    let last = records.last().unwrap();
    assert_eq!((&last["nodes"], last["failed"].as_array().unwrap().len()), (&6.into(), 5));

    let ran = scene.run(&["exec", "--on", "eu-west-1", "--", command]).await;
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    assert!(ran.err.contains("failed on 3 of 3 nodes"), "{}", ran.err);
    assert!(ran.err.contains("eu-west-1/worker-2  exit status 3"), "{}", ran.err);
    let ran =
        scene.run(&["exec", "--on", "members", "--", "printf", "%s\\n", "two  words", "$HOME"]);
    let ran = ran.await;
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert_eq!(ran.out.matches("| two  words\n").count(), 5, "{}", ran.out);
    assert_eq!(ran.out.matches("| $HOME\n").count(), 5, "words arrive as they are: {}", ran.out);
}

async fn an_interrupt_ends_what_runs_there(scene: &Scene) {
    let mut run = scene.start(&["exec", "--", "echo on; trap '' TERM; sleep 1234; sleep 1234"]);
    let mut lines = BufReader::new(run.stdout.take().unwrap()).lines();
    for _ in NODES {
        let line = lines.next_line().await.unwrap().unwrap();
        assert!(line.ends_with("| on"), "{line}");
    }
    kill("INT", &[run.id().unwrap()]);
    let ended = timeout(Duration::from_secs(20), run.wait()).await.unwrap().unwrap();
    assert_eq!(ended.code(), Some(130));
    let sleeps = |pid: u32| {
        let text = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        text.contains("1234")
    };
    until(|| !scene.sshd().processes().into_iter().any(sleeps)).await;
}

/// Returns a cluster whose nodes have reported their versions. Its addresses are
/// invented, because nothing connects to it yet.
async fn up_and_verified() -> Scene {
    let scene = Scene::healthy().await;
    let folder = scene.muster().folder();
    let project = fs::read_to_string(folder.join("muster.yaml")).unwrap();
    scene.muster().file("muster.yaml", project + "python: \"3.11\"\n");
    let recipe = "steps:\n  - name: verify\n    run: echo muster-check versions - ok as asked\n";
    scene.muster().file("recipe.yaml", recipe);
    let ran = scene.run(&["up", "--yes", "--no-query"]).await;
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    scene
}

#[tokio::test]
async fn a_python_goes_through_the_forwarded_ports() {
    let scene = up_and_verified().await;
    // The test host is also the leader, so its services use the leader's ports.
    for port in [10001, 6800] {
        answer(port_of_the_leader(port).await);
    }
    let before = scene.run(&["export", "--json"]).await.json();
    assert_eq!(before["forward"], Value::Null);
    assert_ne!(before["redis"], "127.0.0.1:6800");

    let mut forward = Forward::start(&scene).await;
    forward.answers().await;
    let ran = scene.run(&["forward"]).await;
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    assert!(ran.err.contains(&format!("(process {})", forward.run.id().unwrap())), "{}", ran.err);
    let document = scene.run(&["export", "--json"]).await.json();
    assert_eq!(document["ray_address"], format!("ray://127.0.0.1:{}", forward.client));
    assert_eq!(document["redis"], format!("127.0.0.1:{}", forward.redis));
    assert_eq!(document["forward"]["pid"], forward.run.id().unwrap());
    assert_eq!(document["region_info"], before["region_info"]);

    scene.sshd().cut();
    forward.prints("connecting again").await;
    // A client that connects meanwhile waits for it.
    forward.answers().await;
    forward.prints("connected again").await;
    queries(&scene).await;
    an_up_ends_with_a_query(&scene).await;

    kill("INT", &[forward.run.id().unwrap()]);
    let ended = timeout(Duration::from_secs(20), forward.run.wait()).await.unwrap().unwrap();
    assert_eq!(ended.code(), Some(130));
    let after = scene.run(&["export", "--json"]).await.json();
    assert_eq!(after["redis"], before["redis"]);
}

async fn queries(scene: &Scene) {
    let stand_in = StandIn::new("2.6.3", "0.3.2");
    let query = async |does: &str, more: &[&str]| -> Ran {
        let python = python(scene, &stand_in, does);
        let python = python.to_str().unwrap();
        scene.run(&[&["query", "--python", python], more].concat()).await
    };
    let ran = query("", &[]).await;
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert!(ran.out.contains("✓ right: the sums of 200000 rows by 5 keys"), "{}", ran.out);
    let ran = query("", &["--format", "json"]).await;
    assert_eq!(ran.json()["right"], true, "{ran:#?}");
    let ran = query("loses-rows", &[]).await;
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    assert!(ran.out.contains("✗ wrong") && ran.out.contains("  not "), "{}", ran.out);
    let ran = query("hangs", &["--timeout", "3"]).await;
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    assert!(ran.err.contains("no answer within 3 s: the query does not end"), "{}", ran.err);
    assert!(ran.err.contains(":6800 or another node's 5005"), "{}", ran.err);
    let ran = scene.run(&["query", "--python", "/nowhere/python"]).await;
    assert_eq!(ran.code, Some(2), "{ran:#?}");
    let none = StandIn::new("2.6.3", "");
    let python = python(scene, &none, "");
    let ran = scene.run(&["query", "--python", python.to_str().unwrap()]).await;
    assert_eq!(ran.code, Some(2), "{ran:#?}");
    assert!(ran.err.contains("pyquokka 0.3.2 is not installed"), "{}", ran.err);
}

async fn an_up_ends_with_a_query(scene: &Scene) {
    let stand_in = StandIn::new("2.6.3", "0.3.2");
    let python = python(scene, &stand_in, "");
    let ran = scene.run(&["up", "--yes", "--python", python.to_str().unwrap()]).await;
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert!(!ran.out.contains("right: the sums"), "only on request: {ran:#?}");
    let ran = scene.run(&["up", "--yes", "--query", "--python", python.to_str().unwrap()]).await;
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert!(ran.out.contains("✓ right: the sums of 200000 rows"), "{ran:#?}");
    let json = ["up", "--yes", "--query", "--format", "json", "--python", python.to_str().unwrap()];
    let ran = scene.run(&json).await;
    let last: Value = serde_json::from_str(ran.out.lines().last().unwrap()).unwrap();
    assert_eq!((&last["event"], &last["right"]), (&"queried".into(), &true.into()), "{ran:#?}");

    let other = StandIn::new("2.8.0", "0.3.2");
    let python = self::python(scene, &other, "");
    let ran = scene.run(&["up", "--yes", "--query", "--python", python.to_str().unwrap()]).await;
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert!(ran.err.contains("ray 2.8.0 is not the nodes' 2.6.3; `muster query"), "{}", ran.err);
}

/// Returns a Python with the stand-ins.
fn python(scene: &Scene, stand_in: &StandIn, does: &str) -> PathBuf {
    let path = stand_in.path().to_str().unwrap();
    let text = format!(
        "#!/bin/sh\nexport PYTHONPATH={path} STAND_IN={does} PYTHONDONTWRITEBYTECODE=1\n\
         exec {} \"$@\"\n",
        real_python()
    );
    let file = scene.muster().file(&format!("python-{does}"), text);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    file
}

/// Returns the actual interpreter, not a shim that needs a home folder.
fn real_python() -> String {
    let program = "import sys; print(sys.executable)";
    let output = Command::new("python3").args(["-c", program]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Waits for a port that only one run of these tests can have on this machine.
async fn port_of_the_leader(port: u16) -> TcpListener {
    let wait = async {
        loop {
            match TcpListener::bind(("127.0.0.1", port)) {
                Ok(listener) => return listener,
                Err(_) => sleep(Duration::from_millis(200)).await,
            }
        }
    };
    let what = format!("127.0.0.1:{port} is another program's");
    timeout(Duration::from_mins(2), wait).await.expect(&what)
}

/// A running `muster forward`.
struct Forward {
    run: Child,
    out: Lines<BufReader<ChildStdout>>,
    err: Lines<BufReader<ChildStderr>>,
    client: u16,
    redis: u16,
}

impl Forward {
    async fn start(scene: &Scene) -> Self {
        let mut run = scene.start(&["forward"]);
        let out = BufReader::new(run.stdout.take().unwrap()).lines();
        let err = BufReader::new(run.stderr.take().unwrap()).lines();
        let mut forward = Self { run, out, err, client: 0, redis: 0 };
        forward.client = forward.port("Ray client").await;
        forward.redis = forward.port("Quokka's Redis").await;
        forward
    }

    /// Returns the port in the line that begins with `what`.
    async fn port(&mut self, what: &str) -> u16 {
        let line = self.out.next_line().await.unwrap().unwrap_or_default();
        let rest = line.strip_prefix(what).unwrap_or_else(|| unreachable!("{what}: {line}"));
        assert!(rest.contains("us-west-2/head:"), "{line}");
        let (_, port) = rest.split_once("127.0.0.1:").unwrap();
        port.split_whitespace().next().unwrap().parse().unwrap()
    }

    async fn prints(&mut self, what: &str) {
        let wait =
            async { while !self.err.next_line().await.unwrap().expect(what).contains(what) {} };
        timeout(Duration::from_secs(40), wait).await.expect(what);
    }

    /// Asserts that both ports reach the leader's services.
    async fn answers(&self) {
        for port in [self.client, self.redis] {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            stream.write_all(b"hello there").await.unwrap();
            let mut answer = [0; 11];
            let read = stream.read_exact(&mut answer);
            timeout(Duration::from_secs(40), read).await.expect("an answer").unwrap();
            assert_eq!(&answer, b"HELLO THERE");
        }
    }
}
