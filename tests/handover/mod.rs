//! The handover of a cluster to Python: the generated texts, and their effect in a
//! real Python. Ray and pyquokka are stand-ins (`stand_in`), unless
//! `MUSTER_QUOKKA_PYTHON` names a Python that has them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that can't go on should fail")]

mod module;
mod real;
mod texts;

use std::{fmt::Write as _, net::Ipv4Addr, path::Path};

use jiff::Timestamp;
use muster::{
    cloud::InstanceState,
    config::{self, Overrides, Project, Source},
    engine::{Event, LaunchedInstance, LinkCheck, Phase, Probe, RunState, Stamped},
    handover::{Forwarded, Handover, Ports},
    model::{GroupKey, NodeKind, NodeName},
};

/// A project of two regions: two workers of 8 vCPUs, and eleven of 4.
fn project(spill_dir: &str) -> Project {
    project_of("us-west-2", spill_dir)
}

fn project_of(leader: &str, spill_dir: &str) -> Project {
    let source =
        |name: &str, text: String| Source { path: Path::new(name).into(), text: text.into() };
    let spill = spill_dir.replace('\\', "\\\\").replace('"', "\\\"");
    let own = format!(
        "name: tpch\nregions: [us.yaml, eu.yaml]\nleader: {leader}\nkey_name: quokka\n\
         spill_dir: \"{spill}\"\n"
    );
    let regions = vec![
        source("us.yaml", region("us-west-2", "ubuntu", 2)),
        source("eu.yaml", region("eu-west-1", "ec2-user", 11)),
    ];
    let own = Some(source("muster.yaml", own));
    let folder = Path::new("/home/ada/tpch");
    let loaded = config::load_sources(folder, own, regions, None, &Overrides::default());
    loaded.project.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics))
}

/// The same with a second config in us-west-2, of another user.
fn project_of_two_configs() -> Project {
    let source =
        |name: &str, text: String| Source { path: Path::new(name).into(), text: text.into() };
    let gpu = region("us-west-2", "ec2-user", 1).replace("tpch-us-west-2", "gpu");
    let regions = vec![
        source("us.yaml", region("us-west-2", "ubuntu", 2)),
        source("eu.yaml", region("eu-west-1", "ubuntu", 1)),
        source("gpu.yaml", gpu),
    ];
    let folder = Path::new("/home/ada/tpch");
    let loaded = config::load_sources(folder, None, regions, None, &Overrides::default());
    loaded.project.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics))
}

fn region(name: &str, user: &str, workers: u32) -> String {
    let mut text = format!(
        "cluster_name: tpch-{name}\nmax_workers: 20\nprovider: {{type: aws, region: {name}}}\n\
         auth: {{ssh_user: {user}, ssh_private_key: ~/.ssh/quokka.pem}}\n\
         head_node_type: head\navailable_node_types:\n"
    );
    for (kind, count, max) in [("head", 0, 0), ("worker", workers, 20)] {
        writeln!(
            text,
            "  {kind}:\n    min_workers: {count}\n    max_workers: {max}\n    resources: {{}}\n    \
             node_config: {{InstanceType: m5.large, ImageId: ami-0530ca8899fac469f, \
             KeyName: quokka, SecurityGroupIds: [sg-01f4b7c2a9d83e650]}}"
        )
        .unwrap();
    }
    text
}

/// A cluster that muster follows.
struct Cluster {
    project: Project,
    state: RunState,
}

impl Cluster {
    /// Returns `project` launched and bootstrapped; the leader's public address is
    /// `leader`.
    fn ready(project: Project, leader: Ipv4Addr) -> Self {
        let mut cluster = Self { state: RunState::default(), project };
        cluster.apply(Event::ClusterCreated {
            cluster: "tpch-1a2b3c".into(),
            project: "tpch".into(),
            leader: cluster.project.leader.value.clone(),
            regions: cluster.project.region_names(),
        });
        let planned = cluster.project.planned_nodes();
        cluster.state.plan(&planned);
        for (number, node) in (10..).zip(planned) {
            let public_ip = if node.leader { leader } else { Ipv4Addr::new(203, 0, 113, number) };
            cluster.launch(&node.group, &node.name, number, public_ip);
        }
        cluster
    }

    fn launch(&mut self, group: &GroupKey, node: &NodeName, number: u8, public_ip: Ipv4Addr) {
        let token = format!("token-{number}");
        self.apply(Event::LaunchIntended {
            token: token.as_str().into(),
            group: group.clone(),
            nodes: vec![node.clone()],
            subnet: None,
            request: None,
        });
        let vcpus = if group.kind == NodeKind::Head { 2 } else { 8 };
        let private_ip =
            Ipv4Addr::new(10, if group.region.as_str() == "us-west-2" { 1 } else { 2 }, 0, number);
        let made = LaunchedInstance {
            node: node.clone(),
            id: format!("i-0a1b2c3d4e5f60{number:03}").into(),
            instance_type: "m5.large".into(),
            vcpus: Some(if group.region.as_str() == "us-west-2" { vcpus } else { vcpus / 2 }),
            zone: format!("{}a", group.region).into(),
            private_ip: Some(private_ip),
            public_ip: Some(public_ip.into()),
        };
        let id = made.id.clone();
        self.apply(Event::LaunchSucceeded { token: token.as_str().into(), instances: vec![made] });
        self.apply(Event::InstanceChanged {
            instance: id,
            region: group.region.clone(),
            state: InstanceState::Running,
            reason: None,
            private_ip: Some(private_ip),
            public_ip: Some(public_ip.into()),
        });
        self.enter(node, Phase::Ready);
    }

    fn enter(&mut self, node: &NodeName, phase: Phase) {
        self.apply(Event::NodePhase { node: node.clone(), phase });
    }

    /// Records that a node has verified its versions.
    fn verified(mut self) -> Self {
        let checks = vec![LinkCheck {
            probe: Probe::Versions,
            to: None,
            ok: true,
            detail: "Python 3.11, ray 2.6.3, pyquokka 0.3.2".into(),
        }];
        let node = NodeName::new("us-west-2/worker-1");
        self.apply(Event::NodeVerified { node, step: "verify".into(), checks });
        self
    }

    fn apply(&mut self, event: Event) {
        let seq = self.state.seq + 1;
        self.state.apply(&Stamped { seq, at: Timestamp::UNIX_EPOCH, event });
    }

    fn handover(&self, forwarded: Option<Forwarded>) -> Handover {
        Handover::of(&self.project, &self.state, forwarded, false).unwrap()
    }
}

const LEADER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 7);

const FORWARDED: Forwarded =
    Forwarded { pid: 4711, ports: Ports { client: 10001, redis: 16800, dashboard: 18265 } };
