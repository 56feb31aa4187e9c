//! The machines behind moto's instances: each running instance has one; a
//! terminated instance loses its machine and disk.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_sdk_ec2::{
    Client,
    types::{self, InstanceStateName, VpcPeeringConnectionStateReasonCode},
};
use tokio::{task::JoinHandle, time::sleep};

use super::{
    filter::{Admission, Instance, Network},
    machine::{self, Machine},
    network, sandbox,
};

/// Follows moto until dropped.
pub struct Site {
    machines: Arc<Mutex<Machines>>,
    follows: JoinHandle<()>,
}

/// The machines, by instance id.
struct Machines {
    public_key: String,
    running: BTreeMap<String, Machine>,
    boots: u32,
    network: Network,
}

impl Site {
    /// Starts without machines; `public_key` is what they will accept.
    pub fn start(regions: Vec<Client>, public_key: String) -> Self {
        network::lay();
        fs::create_dir(disks()).unwrap();
        let machines = Machines {
            public_key,
            running: BTreeMap::new(),
            boots: 0,
            network: Network::default(),
        };
        let machines = Arc::new(Mutex::new(machines));
        let follows = tokio::spawn(follow(regions, machines.clone()));
        Self { machines, follows }
    }

    /// Power-cycles a machine that EC2 believes to be running.
    pub fn reset(&self, id: &str) {
        let mut machines = self.machines.lock().unwrap();
        assert!(machines.running.remove(id).is_some(), "{id} does not run");
        let instance = machines.network.instances.iter().find(|one| one.id == id).cloned().unwrap();
        machines.boot(&instance);
    }

    /// Returns the ids of running machines.
    pub fn ids(&self) -> BTreeSet<String> {
        self.machines.lock().unwrap().running.keys().cloned().collect()
    }

    /// Returns the consoles of the machines, for troubleshooting.
    pub fn consoles(&self) -> String {
        let machines = self.machines.lock().unwrap();
        let console = |one: &Instance| {
            let text = fs::read_to_string(machine::console(&disks().join(&one.id)));
            format!("{} {}:\n{}\n", one.id, one.private, text.unwrap_or_default())
        };
        machines.network.instances.iter().map(console).collect()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.follows.abort();
    }
}

impl Machines {
    fn boot(&mut self, instance: &Instance) {
        self.boots += 1;
        let folder = disks().join(&instance.id);
        let machine = Machine::boot(&folder, self.boots, instance.private, &self.public_key);
        self.running.insert(instance.id.clone(), machine);
    }

    /// Boots and removes machines until they match `network`.
    fn follow(&mut self, network: Network, kept: &[String]) {
        if network == self.network {
            return;
        }
        let is_listed = |id: &String| network.instances.iter().any(|one| one.id == *id);
        self.running.retain(|id, _| is_listed(id));
        for id in self.network.instances.iter().map(|one| &one.id).filter(|id| !kept.contains(id)) {
            drop(fs::remove_dir_all(disks().join(id)));
        }
        let new = network.instances.iter().filter(|one| !self.running.contains_key(&one.id));
        for instance in new.cloned().collect::<Vec<_>>() {
            self.boot(&instance);
        }
        network::decide(&network.ruleset());
        self.network = network;
    }
}

fn disks() -> PathBuf {
    sandbox::folder().join("disks")
}

async fn follow(regions: Vec<Client>, machines: Arc<Mutex<Machines>>) {
    loop {
        let (mut network, mut kept) = (Network::default(), Vec::new());
        for region in &regions {
            ask(region, &mut network, &mut kept).await;
        }
        machines.lock().unwrap().follow(network, &kept);
        sleep(Duration::from_millis(300)).await;
    }
}

/// Adds the network of one region; instances that have a disk go into `kept`.
async fn ask(ec2: &Client, network: &mut Network, kept: &mut Vec<String>) {
    let answer = ec2.describe_instances().send().await.unwrap();
    for one in
        answer.reservations.unwrap_or_default().into_iter().flat_map(|all| all.instances.unwrap())
    {
        match one.state.as_ref().and_then(|state| state.name.as_ref()).unwrap() {
            InstanceStateName::Terminated => continue,
            InstanceStateName::Running => network.instances.push(instance(&one)),
            _ => {}
        }
        kept.extend(one.instance_id);
    }
    let answer = ec2.describe_security_groups().send().await.unwrap();
    for group in answer.security_groups.unwrap() {
        let id = group.group_id.unwrap();
        network
            .admissions
            .extend(group.ip_permissions.unwrap().iter().map(|one| admission(&id, one)));
    }
    network.ways.extend(ways(ec2).await);
}

fn instance(one: &types::Instance) -> Instance {
    let groups = one.security_groups.iter().flatten().filter_map(|group| group.group_id.clone());
    Instance {
        id: one.instance_id.clone().unwrap(),
        private: one.private_ip_address.as_ref().unwrap().parse().unwrap(),
        public: one.public_ip_address.as_ref().map(|address| address.parse().unwrap()),
        vpc: one.vpc_id.clone().unwrap_or_default(),
        groups: groups.collect(),
    }
}

fn admission(group: &str, one: &types::IpPermission) -> Admission {
    let others = one.user_id_group_pairs.iter().flatten();
    Admission {
        group: group.to_owned(),
        protocol: one.ip_protocol.clone().unwrap(),
        ports: one.from_port.zip(one.to_port),
        cidrs: one.ip_ranges.iter().flatten().filter_map(|range| range.cidr_ip.clone()).collect(),
        groups: others.filter_map(|pair| pair.group_id.clone()).collect(),
    }
}

/// Returns the VPCs of this region with a route to another one over an active connection.
async fn ways(ec2: &Client) -> Vec<(String, String)> {
    let answer = ec2.describe_vpc_peering_connections().send().await.unwrap();
    let mut active = answer.vpc_peering_connections.unwrap_or_default();
    active.retain(|one| {
        let code = one.status.as_ref().and_then(|status| status.code.as_ref());
        code == Some(&VpcPeeringConnectionStateReasonCode::Active)
    });
    let answer = ec2.describe_route_tables().send().await.unwrap();
    let mut ways = Vec::new();
    for table in answer.route_tables.unwrap_or_default() {
        let own = table.vpc_id.unwrap();
        for route in table.routes.unwrap_or_default() {
            let over = active.iter().find(|one| {
                route.vpc_peering_connection_id.is_some()
                    && one.vpc_peering_connection_id == route.vpc_peering_connection_id
            });
            let Some(over) = over else { continue };
            let sides = [&over.requester_vpc_info, &over.accepter_vpc_info];
            let ids = sides.into_iter().flatten().filter_map(|side| side.vpc_id.clone());
            ways.extend(ids.filter(|id| *id != own).map(|id| (own.clone(), id)));
        }
    }
    ways
}
