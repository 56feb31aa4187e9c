//! The texts of the three forms, and clusters that can't be handed over.

use std::net::Ipv4Addr;

use muster::{
    engine::{Phase, RunState},
    handover::Handover,
    model::NodeName,
};
use serde_json::Value;

use super::{Cluster, FORWARDED, LEADER, project, project_of, project_of_two_configs};

fn golden(name: &str, text: &str) {
    let version = concat!("written by muster ", env!("CARGO_PKG_VERSION"));
    let text = text.replace(version, "written by muster VERSION");
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, text);
    });
}

#[test]
fn the_three_forms() {
    let cluster = Cluster::ready(project("/data"), LEADER).verified();
    let handover = cluster.handover(None);
    golden("python", &handover.python());
    golden("json", &handover.json());
    golden("env", &handover.env());
}

#[test]
fn the_three_forms_while_ports_are_forwarded() {
    let cluster = Cluster::ready(project("/data"), LEADER);
    let handover = cluster.handover(Some(FORWARDED));
    let values: Vec<_> =
        handover.python().lines().take_while(|line| !line.is_empty()).map(str::to_owned).collect();
    assert!(values.iter().all(|line| line.starts_with('#')), "{values:?}");
    let python = handover.python();
    let (values, _) = python.split_once("import importlib").unwrap();
    golden("python_forwarded", values);
    golden("json_forwarded", &handover.json());
    golden("env_forwarded", &handover.env());
}

#[test]
fn the_leader_is_first_and_the_rest_as_configured() {
    let cluster = Cluster::ready(project_of("eu-west-1", "/data"), LEADER);
    let handover = cluster.handover(None);
    let regions: Vec<_> = handover.regions.iter().map(|one| one.region.as_str()).collect();
    assert_eq!(regions, ["eu-west-1", "us-west-2"]);
    assert_eq!(handover.leader_public_ip(), Some(LEADER.into()));
    let document: Value = serde_json::from_str(&handover.json()).unwrap();
    assert_eq!(document["private_ips"].as_array().unwrap().len(), 15);
    let last_octets: Vec<_> =
        handover.regions[0].private_ips.iter().map(|ip| ip.octets()[3]).collect();
    assert!(last_octets.is_sorted(), "worker-10 and worker-11 come last: {last_octets:?}");
    assert_eq!(handover.cpu_count, 4, "the smallest of all regions");
    assert_eq!((handover.regions[0].vcpu_per_node, handover.regions[1].vcpu_per_node), (4, 8));
}

#[test]
fn a_cluster_that_is_not_ready_is_reported_node_by_node() {
    let mut cluster = Cluster::ready(project("/data"), LEADER);
    for (node, phase) in
        [("eu-west-1/worker-3", Phase::Bootstrapping), ("us-west-2/worker-2", Phase::Failed)]
    {
        cluster.enter(&NodeName::new(node), phase);
    }
    let refused = Handover::of(&cluster.project, &cluster.state, None, false).unwrap_err();
    assert_eq!(
        refused.message,
        "2 of 15 nodes are not ready: eu-west-1/worker-3 (bootstrap), us-west-2/worker-2 (failed)"
    );
    assert!(refused.hint.unwrap().contains("--force"));

    let forced = Handover::of(&cluster.project, &cluster.state, None, true).unwrap();
    let all: usize = forced.regions.iter().map(|one| one.instance_ids.len()).sum();
    assert_eq!(all, cluster.state.nodes.len() - 2);
    assert!(forced.notes[0].contains("us-west-2/worker-2"), "{:?}", forced.notes);
    assert!(!forced.python().contains("203.0.113.12'"), "the failed one's address");
}

#[test]
fn without_its_leader_no_cluster_is_handed_over() {
    let mut cluster = Cluster::ready(project("/data"), LEADER);
    cluster.enter(&NodeName::new("us-west-2/head"), Phase::Failed);
    let refused = Handover::of(&cluster.project, &cluster.state, None, true).unwrap_err();
    assert!(refused.message.contains("us-west-2/head (failed)"), "{refused}");
    assert!(refused.hint.unwrap().contains("needs its leader"));
    let none = Handover::of(&cluster.project, &RunState::default(), None, true).unwrap_err();
    assert!(none.message.contains("no cluster"), "{none}");
}

#[test]
fn users_that_pyquokka_does_not_know_are_noted() {
    let handover = Cluster::ready(project("/data"), LEADER).handover(None);
    let [note] = handover.notes.as_slice() else { panic!("{:?}", handover.notes) };
    assert!(note.contains("eu-west-1 (ec2-user)") && !note.contains("us-west-2"), "{note}");
    assert!(note.contains("QuokkaClusterManager") && note.contains("launch_all"), "{note}");
}

#[test]
fn a_leader_without_a_public_address_is_reached_by_its_private_one() {
    let mut cluster = Cluster::ready(project("/data"), LEADER);
    let leader = NodeName::new("us-west-2/head");
    cluster.state.nodes.get_mut(&leader).unwrap().instance.as_mut().unwrap().public_ip = None;
    let handover = cluster.handover(None);
    assert_eq!(handover.leader_public_ip(), Some(Ipv4Addr::new(10, 1, 0, 10).into()));
    assert_eq!(handover.ray_address(), "ray://10.1.0.10:10001");
}

/// One region in `region_info`, its configs one after another.
#[test]
fn two_configs_of_a_region_are_one_region_to_quokka() {
    let cluster = Cluster::ready(project_of_two_configs(), LEADER);
    let handover = cluster.handover(None);
    let regions: Vec<_> = handover.regions.iter().map(|one| one.region.as_str()).collect();
    assert_eq!(regions, ["us-west-2", "eu-west-1"]);
    let us = &handover.regions[0];
    let octets: Vec<_> = us.private_ips.iter().map(|ip| ip.octets()[3]).collect();
    assert_eq!(octets, [10, 11, 12, 13, 14], "head, workers, then those of gpu");
    assert_eq!(us.vcpu_per_node, 8);
    assert_eq!(handover.cpu_count, 4);
    let [note] = handover.notes.as_slice() else { panic!("{:?}", handover.notes) };
    assert!(note.contains("do not work in us-west-2 gpu (ec2-user);"), "{note}");
}

/// The smallest instance type of all configs sets the size of a node.
#[test]
fn the_smallest_config_of_a_region_counts() {
    let mut cluster = Cluster::ready(project_of_two_configs(), LEADER);
    let small = NodeName::new("us-west-2/gpu-worker-1");
    let node = cluster.state.nodes.get_mut(&small).unwrap();
    node.instance.as_mut().unwrap().vcpus = Some(2);
    let handover = cluster.handover(None);
    assert_eq!((handover.regions[0].vcpu_per_node, handover.cpu_count), (2, 2));
    let manifest = muster::engine::Manifest::of(&cluster.state);
    assert_eq!(manifest.regions[&"us-west-2".into()].vcpu_per_node, Some(2));
    let ids: Vec<_> = manifest.nodes.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(ids[0], "us-west-2/head");
}
