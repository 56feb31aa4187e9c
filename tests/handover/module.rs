//! The module in a real Python, with stand-ins for Ray and pyquokka that record
//! their calls.

use std::{
    net::{Ipv4Addr, TcpListener},
    process::{Command, Output},
};

use muster::handover::{Answer, Forwarded, Ports, query_program};
use serde_json::Value;

use super::{Cluster, LEADER, project};
use crate::support::python::{StandIn, answer, listener};

/// Prints the calls of the stand-ins and their results.
const ASKED: &str = r#"
import json, sys
import tpch
from tpch import *
import pyquokka.quokka_runtime, pyquokka.utils, ray, redis
qc = context(io_per_node=3)
outside = cluster.leader_public_ip
pyquokka.quokka_runtime.TaskGraph(qc)
plain = __import__("pyquokka.df").df.QuokkaContext(cluster)
pyquokka.quokka_runtime.TaskGraph(plain)
print("asked " + json.dumps({
    "type": type(cluster) is pyquokka.utils.EC2Cluster,
    "public_ips": cluster.public_ips, "private_ips": cluster.private_ips,
    "instance_ids": cluster.instance_ids, "cpu_count": cluster.cpu_count,
    "spill_dir": cluster.spill_dir, "tags": cluster.tags, "num_node": cluster.num_node,
    "outside": outside, "leader_private_ip": cluster.leader_private_ip,
    "ray": ray.asked, "redis": redis.asked, "region_info": region_info,
    "context": type(qc).__name__, "io_per_node": qc.io_per_node,
    "managers": sorted({(one.coordinator_ip, one.hbq_path, one.configs["hbq_path"]) for one in qc.task_managers}),
    "names": sorted(name for name in dir() if name in ("cluster", "region_info", "context", "_connect")),
}))
"#;

fn python(stand_in: &StandIn, program: &str) -> Output {
    let mut python = Command::new("python3");
    python.args(["-c", program]).env("PYTHONPATH", stand_in.path());
    python.env("PYTHONDONTWRITEBYTECODE", "1").output().unwrap()
}

fn asked(stand_in: &StandIn) -> Value {
    let output = python(stand_in, ASKED);
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let line = out.lines().find_map(|line| line.strip_prefix("asked "));
    serde_json::from_str(line.unwrap_or_else(|| panic!("{out}{err}"))).unwrap()
}

/// The forwarded ports, behind which the leader answers.
fn forwarded() -> Forwarded {
    let [client, redis] = [(); 2].map(|()| {
        let (listener, port) = listener();
        answer(listener);
        port
    });
    Forwarded { pid: std::process::id(), ports: Ports { client, redis, dashboard: 8265 } }
}

#[test]
fn quokka_gets_what_its_own_manager_would_give() {
    let cluster = Cluster::ready(project("/data"), LEADER);
    let forwarded = forwarded();
    let handover = cluster.handover(Some(forwarded));
    let stand_in = StandIn::new("2.6.3", "0.3.2");
    stand_in.module("tpch", &handover.python());
    let asked = asked(&stand_in);
    let document: Value = serde_json::from_str(&handover.json()).unwrap();

    assert_eq!(asked["type"], true, "pyquokka compares types");
    for list in ["public_ips", "private_ips", "instance_ids"] {
        let numbered: serde_json::Map<_, _> = document[list]
            .as_array()
            .unwrap()
            .iter()
            .enumerate()
            .map(|(number, value)| (number.to_string(), value.clone()))
            .collect();
        assert_eq!(asked[list], Value::Object(numbered), "{list}");
    }
    assert_eq!(asked["region_info"], document["region_info"]);
    assert_eq!((&asked["cpu_count"], &asked["spill_dir"]), (&4.into(), &"/data".into()));
    assert_eq!(asked["tags"], serde_json::json!({}));
    assert_eq!(asked["num_node"], 15);
    assert_eq!(asked["ray"][0][0], format!("ray://127.0.0.1:{}", forwarded.ports.client));
    assert_eq!(asked["ray"].as_array().unwrap().len(), 1, "connected once");
    assert!(
        asked["ray"][0][1]["runtime_env"]["py_modules"][0]
            .as_str()
            .unwrap()
            .ends_with("/pyquokka/")
    );
}

#[test]
fn nodes_get_the_private_address_and_the_client_its_own_route() {
    let cluster = Cluster::ready(project("/mnt/spill"), LEADER);
    let forwarded = forwarded();
    let stand_in = StandIn::new("2.6.3", "0.3.2");
    stand_in.module("tpch", &cluster.handover(Some(forwarded)).python());
    let asked = asked(&stand_in);
    assert_eq!(asked["managers"], serde_json::json!([["10.1.0.10", "/mnt/spill/", "/mnt/spill/"]]));
    assert_eq!(asked["outside"], "203.0.113.7");
    assert_eq!(asked["leader_private_ip"], "10.1.0.10");
    let here = serde_json::json!(["127.0.0.1", forwarded.ports.redis, 0]);
    assert_eq!(asked["redis"], serde_json::json!([here, here]), "with context() and without");
    assert_eq!((&asked["context"], &asked["io_per_node"]), (&"QuokkaContext".into(), &3.into()));
    assert_eq!(asked["names"], serde_json::json!(["cluster", "context", "region_info"]));
}

#[test]
fn without_a_forward_the_leader_is_asked_at_its_public_address() {
    // A separate loopback address, since the ports are fixed.
    let leader = Ipv4Addr::new(127, 77, 1, 1);
    for port in [10001, 6800] {
        answer(TcpListener::bind((leader, port)).unwrap());
    }
    let cluster = Cluster::ready(project("/data"), leader);
    let stand_in = StandIn::new("2.6.3", "0.3.2");
    stand_in.module("tpch", &cluster.handover(None).python());
    let asked = asked(&stand_in);
    assert_eq!(asked["ray"][0][0], "ray://127.77.1.1:10001");
    assert_eq!(asked["redis"][0], serde_json::json!(["127.77.1.1", 6800, 0]));
    assert_eq!(asked["outside"], "127.77.1.1");
}

#[test]
fn names_that_need_quoting_arrive_as_they_are() {
    let spill = "/mnt/it's \"new\" \\ {x} %s $HOME ä";
    let cluster = Cluster::ready(project(spill), LEADER);
    let stand_in = StandIn::new("2.6.3", "0.3.2");
    let handover = cluster.handover(Some(forwarded()));
    stand_in.module("tpch", &handover.python());
    assert_eq!(asked(&stand_in)["spill_dir"], spill);

    let script = format!("{}printf %s \"$MUSTER_SPILL_DIR\"", handover.env());
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), spill);
}

/// Returns the last line that Python prints; fails on a chained traceback.
fn refused(stand_in: &StandIn) -> String {
    let output = python(stand_in, "import tpch");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{stderr}");
    assert!(!stderr.contains("During handling"), "{stderr}");
    let (frames, error) =
        stderr.split_once("tpch.ClusterError: ").unwrap_or_else(|| panic!("{stderr}"));
    assert!(frames.lines().count() < 20, "{stderr}");
    error.to_owned()
}

#[test]
fn version_mismatches_are_reported_before_any_query() {
    let cluster = Cluster::ready(project("/data"), LEADER).verified();
    let text = cluster.handover(None).python();
    let stand_in = StandIn::new("2.8.0", "0.3.2");
    stand_in.module("tpch", &text);
    let stderr = refused(&stand_in);
    assert!(stderr.contains("ray is 2.8.0 here and 2.6.3 on the nodes"), "{stderr}");
    assert!(!stderr.contains("pyquokka is"), "{stderr}");
    assert!(stderr.contains("python3.11 -m pip install pyquokka==0.3.2 ray==2.6.3 "), "{stderr}");

    let stand_in = StandIn::new("2.6.3", "");
    stand_in.module("tpch", &text.replace("'Python': '3.11'", "'Python': '3.2'"));
    let stderr = refused(&stand_in);
    assert!(stderr.contains("pyquokka is not installed here and 0.3.2 on the nodes"), "{stderr}");
    assert!(stderr.contains("and 3.2 on the nodes"), "{stderr}");
}

#[test]
fn a_service_that_does_not_answer_is_named_with_what_to_do() {
    let cluster = Cluster::ready(project("/data"), LEADER);
    let mut forwarded = forwarded();
    let (closed, port) = listener();
    drop(closed);
    let client = std::mem::replace(&mut forwarded.ports.client, port);
    let stand_in = StandIn::new("2.6.3", "0.3.2");
    stand_in.module("tpch", &cluster.handover(Some(forwarded)).python());
    let stderr = refused(&stand_in);
    let what = format!("Ray's client server of tpch-1a2b3c does not answer at 127.0.0.1:{port}");
    assert!(
        stderr.contains(&what) && stderr.contains("is `muster forward` still running?"),
        "{stderr}"
    );

    // Not Redis: pyquokka's client would retry forever.
    forwarded.ports.client = client;
    let (other, port) = listener();
    std::thread::spawn(move || other.incoming().for_each(drop));
    forwarded.ports.redis = port;
    stand_in.module("tpch", &cluster.handover(Some(forwarded)).python());
    let output = python(
        &stand_in,
        "import tpch, pyquokka.quokka_runtime as runtime\nimport types\n\
        runtime.TaskGraph(types.SimpleNamespace(cluster=tpch.cluster))",
    );
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("Redis of tpch-1a2b3c does not answer"), "{stderr}");
}

#[test]
fn a_query_prints_its_sums() {
    let cluster = Cluster::ready(project("/data"), LEADER);
    let program = query_program(&cluster.handover(Some(forwarded())));
    for (lost, right) in [("", true), ("loses-rows", false)] {
        let stand_in = StandIn::new("2.6.3", "0.3.2");
        let mut python = Command::new("python3");
        python.args(["-c", &program]).env("PYTHONPATH", stand_in.path());
        let output = python.env("STAND_IN", lost).output().unwrap();
        let out = String::from_utf8_lossy(&output.stdout);
        let answers: Vec<_> = out.lines().filter_map(Answer::parse).collect();
        let Some(Answer::Result(result)) = answers.last() else {
            panic!("{out}{}", String::from_utf8_lossy(&output.stderr))
        };
        assert_eq!(result.right, right);
        let known: i64 = result.sums.iter().filter_map(|(_, _, known)| *known).sum();
        assert_eq!(known, (0..200_000).sum::<i64>(), "the expected sum is correct");
        let wrong = result.sums.iter().filter(|(_, found, known)| found != known).count();
        assert_eq!(wrong, usize::from(!right));
    }
}
