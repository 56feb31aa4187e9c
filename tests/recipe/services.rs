//! Services that the steps start: Redis, Ray, Flight, and the redirect.

use std::{fs, time::Duration};

use muster::remote::Exit;

use super::node::{AMAZON_2023, Node, UBUNTU_22};

#[tokio::test]
async fn redis_listens_where_it_is_looked_for_and_is_started_once() {
    let node = Node::start(UBUNTU_22).await;
    let output = node.good("redis", &[]).await;
    assert!(output.contains("10.1.0.5:6800"), "{output}");
    let started = node.calls_of(&["redis-server"]);
    assert_eq!(started.len(), 1);
    let begin = "redis-server --port 6800 --bind 127.0.0.1 10.1.0.5 --protected-mode no";
    assert!(started[0].starts_with(begin), "{started:#?}");
    for command in ["CONFIG", "MODULE", "REPLICAOF", "SLAVEOF", "DEBUG", "EVAL"] {
        let renamed = format!("--rename-command {command} ");
        assert!(started[0].contains(&renamed), "{command}: {started:#?}");
    }
    node.good("redis", &[]).await;
    assert_eq!(node.calls_of(&["redis-server"]), [""; 0]);
}

#[tokio::test]
async fn the_redirect_is_one_table_of_muster_s_own() {
    let node = Node::start(AMAZON_2023).await;
    for public in ["203.0.113.9", "203.0.113.77"] {
        node.good("redirect", &[("MUSTER_LEADER_PUBLIC_IP", public)]).await;
        // And a check for rules that iptables may have created.
        let calls = node.calls_of(&["nft", "iptables"]);
        assert_eq!(calls, ["nft -f -", "iptables -w 10 -t nat -S MUSTER"]);
        let rules = fs::read_to_string(node.state("nft")).unwrap();
        let rule = format!("ip daddr {public} tcp dport 6800 dnat to 10.1.0.5:6800");
        assert!(rules.contains(&rule) && rules.contains("delete table ip muster"), "{rules}");
    }
    let output = node.good("redirect", &[("MUSTER_LEADER_PUBLIC_IP", "")]).await;
    assert!(output.contains("no public address"), "{output}");
    assert_eq!(node.calls_of(&["nft"]), ["nft -f -"]);
    let rules = fs::read_to_string(node.state("nft")).unwrap();
    assert_eq!(rules, "table ip muster\ndelete table ip muster\n", "the last one is removed");
}

#[tokio::test]
async fn ray_starts_on_its_pinned_ports_with_the_config_s_resources() {
    let node = Node::start(UBUNTU_22).await;
    node.good("python", &[]).await;
    node.calls();
    let resources = [("RAY_OVERRIDE_RESOURCES", r#"{"CPU":4}"#)];
    node.good("ray-leader", &resources).await;
    let calls = node.calls_of(&["ray"]);
    assert!(calls[0].starts_with("ray stop"), "{calls:#?}");
    for part in [
        "--head --node-ip-address=10.1.0.5 --port=6380",
        "--ray-client-server-port=10001",
        "--dashboard-host=127.0.0.1 --dashboard-port=8265 --dashboard-grpc-port=6386",
        "--node-manager-port=6381 --object-manager-port=6382",
        "--min-worker-port=10100 --max-worker-port=19999",
    ] {
        assert!(calls[1].contains(part), "{part}: {}", calls[1]);
    }
    assert_eq!(fs::read_to_string(node.state("resources")).unwrap().trim(), r#"{"CPU":4}"#);

    node.good("ray-members", &[("MUSTER_PRIVATE_IP", "10.2.0.6")]).await;
    let calls = node.calls_of(&["ray"]);
    let join = "--address=10.1.0.5:6380 --node-ip-address=10.2.0.6";
    assert!(calls[1].contains(join), "{calls:#?}");
}

/// Returns Flight's processes on the node.
fn flights(node: &Node) -> Vec<u32> {
    let is_flight = |pid: &u32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.starts_with(b"sleep\x001000")
    };
    node.sshd.processes().into_iter().filter(is_flight).collect()
}

async fn one_flight_but(node: &Node, old: &[u32]) -> Vec<u32> {
    for _ in 0..600 {
        let now = flights(node);
        if now.len() == 1 && !now.iter().any(|pid| old.contains(pid)) {
            return now;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{:?}, and before {old:?}", flights(node))
}

#[tokio::test]
async fn flight_comes_back_when_it_dies_and_is_never_there_twice() {
    let node = Node::start(UBUNTU_22).await;
    node.good("python", &[]).await;
    node.good("flight", &[]).await;
    let first = one_flight_but(&node, &[]).await;
    crate::support::sshd::kill("KILL", &first);
    let second = one_flight_but(&node, &first).await;
    node.good("flight", &[]).await;
    one_flight_but(&node, &[first, second].concat()).await;
}

#[tokio::test]
async fn steps_that_need_python_fail_without_it() {
    let node = Node::start(UBUNTU_22).await;
    let (output, exit) = node.run("flight", &[]).await;
    assert_eq!(exit, Exit::Status(1));
    assert!(output.contains("the step python makes it"), "{output}");
}
