//! The setup: two regions in moto, one sshd for all nodes, a folder with the project,
//! and the real binary.

use std::{
    collections::BTreeMap, fmt::Write as _, fs, path::PathBuf, process::Stdio, time::Duration,
};

use aws_sdk_ec2::{
    Client,
    primitives::Blob,
    types::{
        AttributeBooleanValue, Filter, Instance, InstanceType, IpPermission, IpRange, ResourceType,
        Tag, TagSpecification, UserIdGroupPair,
    },
};
use muster::engine::{LogLine, LogStore};
use serde_json::Value;
use tokio::{
    process::{Child, Command},
    time::{sleep, timeout},
};

use crate::support::{
    moto::Moto,
    muster::{Muster, Ran},
    sshd::{Sshd, keygen},
};

/// An image that moto has in both regions.
pub const IMAGE: &str = "ami-1e749f67";
/// The planned nodes.
pub const NODES: [&str; 6] = [
    "us-west-2/head",
    "us-west-2/worker-1",
    "us-west-2/worker-2",
    "eu-west-1/head",
    "eu-west-1/worker-1",
    "eu-west-1/worker-2",
];
/// The number of lines that each node prints before the gate, and again after it.
pub const LINES: usize = 100;

/// A region of the scene.
pub struct Place {
    /// Its name.
    pub region: &'static str,
    /// An SDK client for it.
    pub ec2: Client,
    /// Its VPC.
    pub vpc: String,
    /// The VPC's only subnet.
    pub subnet: String,
    /// The VPC's main route table.
    pub table: String,
    /// The nodes' security group.
    pub group: String,
    cidr: &'static str,
    peer_cidr: &'static str,
}

/// The scene.
pub struct Scene {
    /// EC2.
    pub moto: Moto,
    /// us-west-2, the leader's region: 10.1.0.0/16.
    pub us: Place,
    /// eu-west-1: 10.2.0.0/16.
    pub eu: Place,
    /// The connection between the two VPCs.
    pub peering: String,
    endpoint: String,
    sshd: Sshd,
    muster: Muster,
}

impl Scene {
    /// Creates bare VPCs with a pending peering connection, and the configs.
    pub async fn bare() -> Self {
        Self::bare_with("").await
    }

    async fn bare_with(env: &str) -> Self {
        let moto = Moto::start();
        let us = Place::new(&moto, "us-west-2", "10.1.0.0/16", "10.2.0.0/16").await;
        let eu = Place::new(&moto, "eu-west-1", "10.2.0.0/16", "10.1.0.0/16").await;
        let call = us.ec2.create_vpc_peering_connection().vpc_id(&us.vpc).peer_vpc_id(&eu.vpc);
        let asked = call.peer_region("eu-west-1").send().await.unwrap();
        let peering = asked.vpc_peering_connection.unwrap().vpc_peering_connection_id.unwrap();
        let endpoint = moto.url().to_owned();
        let sshd = Sshd::start_with(env);
        let muster = Muster::new()
            .env("AWS_ACCESS_KEY_ID", "AKIASTORY")
            .env("AWS_SECRET_ACCESS_KEY", "story");
        let scene = Self { moto, us, eu, peering, endpoint, sshd, muster };
        scene.write_project();
        scene
    }

    /// Creates the same with everything correct.
    pub async fn healthy() -> Self {
        Self::healthy_with("").await
    }

    /// Creates the same with additional environment variables on the nodes.
    pub async fn healthy_with(env: &str) -> Self {
        let scene = Self::bare_with(env).await;
        for place in [&scene.us, &scene.eu] {
            place.import_key(&scene.public_key()).await;
            place.admit_operator().await;
            place.admit_nodes().await;
            place.route_out().await;
            place.route(&scene.peering).await;
            scene.write_region(place, IMAGE, &place.group);
        }
        scene.accept_peering().await;
        scene
    }

    /// Makes muster use this endpoint in place of moto's.
    pub fn go_through(&mut self, endpoint: &str) {
        endpoint.clone_into(&mut self.endpoint);
    }

    /// Accepts the peering connection.
    pub async fn accept_peering(&self) {
        let call = self.eu.ec2.accept_vpc_peering_connection();
        call.vpc_peering_connection_id(&self.peering).send().await.unwrap();
    }

    /// Returns the sshd that stands for every node.
    pub fn sshd(&self) -> &Sshd {
        &self.sshd
    }

    /// Returns the project's folder and muster's environment.
    pub fn muster(&self) -> &Muster {
        &self.muster
    }

    /// Returns the public half of the key that the nodes accept.
    pub fn public_key(&self) -> String {
        fs::read_to_string(self.sshd.private_key().with_extension("pub")).unwrap()
    }

    /// Returns the public half of an unused key.
    pub fn other_public_key(&self) -> String {
        fs::read_to_string(self.other_key().with_extension("pub")).unwrap()
    }

    /// Returns a private key that no node accepts.
    pub fn other_key(&self) -> PathBuf {
        let path = self.muster.folder().join("other_key");
        keygen(&path, &["-t", "ed25519"]);
        path
    }

    /// Replaces the recipe.
    pub fn write_recipe(&self, text: &str) {
        self.muster.file("recipe.yaml", text);
    }

    /// Opens the gate in the middle of the nodes' step.
    pub fn open_gate(&self) {
        self.muster.file("gate", "");
    }

    fn write_project(&self) {
        let (key, ssh) = (self.sshd.private_key(), self.sshd.ssh_config());
        let project = format!(
            "name: story\nregions: [us-west-2.yaml, eu-west-1.yaml]\nleader: us-west-2\n\
             key_name: quokka\nkey_location: {}\nrecipe: recipe.yaml\n\
             ssh: {{config: {}}}\noperator_cidr: 127.0.0.1/32\nhost_keys: pin\n",
            key.display(),
            ssh.display()
        );
        self.muster.file("muster.yaml", project);
        let gate = self.muster.folder().join("gate");
        let count = |word: &str, from: usize| {
            format!(
                "      for n in $(seq {from} {}); do echo \"{word} $n\"; done\n",
                from + LINES - 1
            )
        };
        let mut recipe = String::from("steps:\n  - name: count\n    run: |\n");
        recipe += &count("line", 1);
        writeln!(recipe, "      while [ ! -e {} ]; do sleep 0.05; done", gate.display()).unwrap();
        recipe += &count("line", LINES + 1);
        recipe += "  - name: lead\n    on: leader\n    run: echo leading $MUSTER_NODE\n";
        recipe += "  - name: join\n    on: members\n    needs: [lead]\n";
        recipe += "    run: echo joining $MUSTER_LEADER_IP >&2\n";
        self.muster.file("recipe.yaml", recipe);
    }

    /// The region's config.
    pub fn write_region(&self, place: &Place, image: &str, group: &str) {
        let (region, subnet, user) = (place.region, &place.subnet, Sshd::user());
        let text = format!(
            "cluster_name: story-{region}\n\
             max_workers: 4\n\
             provider: {{type: aws, region: {region}}}\n\
             auth: {{ssh_user: {user}}}\n\
             head_node_type: ray.head.default\n\
             available_node_types:\n  \
               ray.head.default:\n    \
                 min_workers: 0\n    \
                 max_workers: 0\n    \
                 node_config: &node\n      \
                   InstanceType: m5.large\n      \
                   ImageId: {image}\n      \
                   KeyName: quokka\n      \
                   SubnetId: {subnet}\n      \
                   SecurityGroupIds: [{group}]\n  \
               ray.worker.default:\n    \
                 min_workers: 2\n    \
                 max_workers: 4\n    \
                 node_config: *node\n"
        );
        self.muster.file(&format!("{region}.yaml"), text);
    }

    /// Starts the real binary in the project's folder.
    pub fn start(&self, arguments: &[&str]) -> Child {
        Command::from(self.muster.command(arguments))
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    }

    /// Runs it until it exits.
    pub async fn run(&self, arguments: &[&str]) -> Ran {
        let ended = timeout(Duration::from_mins(2), self.start(arguments).wait_with_output()).await;
        ended.expect("muster does not end").unwrap().into()
    }

    /// Returns the failures, as `check:subject`, and the exit code.
    pub async fn failing(&self) -> (Vec<String>, Option<i32>) {
        let ran = self.run(&["check", "--format", "json"]).await;
        let document = ran.json();
        let findings = document["findings"].as_array().unwrap();
        let failing = findings.iter().filter(|finding| finding["level"] == "fail");
        let name = |finding: &Value| {
            format!("{} {}", finding["check"].as_str().unwrap(), subject(&finding["subject"]))
        };
        let mut names: Vec<_> = failing.map(name).collect();
        names.sort();
        (names, ran.code)
    }

    /// Returns the manifest of the only cluster.
    pub fn manifest(&self) -> Value {
        let folder = self.cluster_folder().expect("a cluster");
        let text = fs::read_to_string(folder.join("manifest.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// Returns muster's folder of clusters.
    pub fn state(&self) -> PathBuf {
        self.muster.state()
    }

    /// Returns the output of `node` so far.
    pub fn log(&self, node: &str) -> Vec<LogLine> {
        let Some(folder) = self.cluster_folder() else { return Vec::new() };
        let path = folder.join("logs").join(format!("{node}.log"));
        let text = fs::read_to_string(path).unwrap_or_default();
        text.lines().filter_map(LogStore::parse).collect()
    }

    /// Returns the folder of the only cluster, if it exists.
    pub fn cluster_folder(&self) -> Option<PathBuf> {
        let entries = fs::read_dir(self.muster.state().join("story")).ok()?;
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let mut folders: Vec<_> = paths.filter(|path| path.is_dir()).collect();
        assert!(folders.len() <= 1, "one cluster: {folders:?}");
        folders.pop()
    }

    /// Returns the live instances of both regions.
    pub async fn live(&self) -> Vec<String> {
        [self.us.live().await, self.eu.live().await].concat()
    }
}

fn subject(subject: &Value) -> String {
    match (subject["region"].as_str(), subject["pair"].as_array()) {
        (Some(region), _) => region.to_owned(),
        (_, Some(pair)) => pair.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        _ => subject.to_string(),
    }
}

impl Place {
    /// Creates a VPC with a subnet and a group without inbound rules.
    pub async fn new(
        moto: &Moto,
        region: &'static str,
        cidr: &'static str,
        peer_cidr: &'static str,
    ) -> Self {
        let ec2 = moto.client(region);
        let vpc = ec2.create_vpc().cidr_block(cidr).send().await.unwrap().vpc.unwrap();
        let vpc = vpc.vpc_id.unwrap();
        let subnet = ec2.create_subnet().vpc_id(&vpc).cidr_block(cidr.replace("/16", "/24"));
        let subnet = subnet.send().await.unwrap().subnet.unwrap().subnet_id.unwrap();
        let yes = AttributeBooleanValue::builder().value(true).build();
        let public = ec2.modify_subnet_attribute().subnet_id(&subnet);
        public.map_public_ip_on_launch(yes).send().await.unwrap();
        let tables = ec2.describe_route_tables().filters(by("vpc-id", &vpc)).send().await.unwrap();
        let table = tables.route_tables.unwrap()[0].route_table_id.clone().unwrap();
        let group = group(&ec2, &vpc).await;
        Self { region, ec2, vpc, subnet, table, group, cidr, peer_cidr }
    }

    /// Imports `public_key` as the key pair and replaces the existing one.
    pub async fn import_key(&self, public_key: &str) {
        self.ec2.delete_key_pair().key_name("quokka").send().await.unwrap();
        let call = self.ec2.import_key_pair().key_name("quokka");
        call.public_key_material(Blob::new(public_key)).send().await.unwrap();
    }

    /// Creates an instance with these tags outside of muster.
    pub async fn tagged(&self, tags: &[(&str, &str)]) -> String {
        let tag = |(key, value): &(&str, &str)| Tag::builder().key(*key).value(*value).build();
        let tags = TagSpecification::builder()
            .resource_type(ResourceType::Instance)
            .set_tags(Some(tags.iter().map(tag).collect()))
            .build();
        let call = self.ec2.run_instances().image_id(IMAGE).min_count(1).max_count(1);
        let made = call.tag_specifications(tags).send().await.unwrap();
        made.instances.unwrap()[0].instance_id.clone().unwrap()
    }

    /// The same, with all that a node needs.
    pub async fn launched_elsewhere(&self, image: &str, tags: &[(&str, &str)]) {
        let tag = |(key, value): &(&str, &str)| Tag::builder().key(*key).value(*value).build();
        let tags = TagSpecification::builder()
            .resource_type(ResourceType::Instance)
            .set_tags(Some(tags.iter().map(tag).collect()))
            .build();
        let call = self.ec2.run_instances().image_id(image).min_count(1).max_count(1);
        let call = call.instance_type(InstanceType::M5Large).key_name("quokka");
        let call = call.subnet_id(&self.subnet).security_group_ids(&self.group);
        call.tag_specifications(tags).send().await.unwrap();
    }

    async fn instances(&self) -> Vec<Instance> {
        let found = self.ec2.describe_instances().send().await.unwrap();
        let all = found.reservations.unwrap().into_iter();
        all.flat_map(|one| one.instances.unwrap()).collect()
    }

    /// Returns the states of all instances that ever existed here.
    pub async fn states(&self) -> Vec<String> {
        let name = |one: Instance| one.state.unwrap().name.unwrap().as_str().to_owned();
        self.instances().await.into_iter().map(name).collect()
    }

    /// Returns the tags of each of them.
    pub async fn tags(&self) -> Vec<BTreeMap<String, String>> {
        let pair = |tag: Tag| (tag.key.unwrap(), tag.value.unwrap());
        let tags = |one: Instance| one.tags.unwrap().into_iter().map(pair).collect();
        self.instances().await.into_iter().map(tags).collect()
    }

    /// Opens port 22 to this machine.
    pub async fn admit_operator(&self) {
        self.admit_to(22, "127.0.0.1/32").await;
    }

    /// Opens a port to a block of addresses.
    pub async fn admit_to(&self, port: i32, cidr: &str) {
        let tcp = IpPermission::builder().ip_protocol("tcp").from_port(port).to_port(port);
        self.admit(&self.group, tcp.ip_ranges(range(cidr)).build()).await;
    }

    /// Closes it again.
    pub async fn shut(&self, port: i32, cidr: &str) {
        let tcp = IpPermission::builder().ip_protocol("tcp").from_port(port).to_port(port);
        let call = self.ec2.revoke_security_group_ingress().group_id(&self.group);
        call.ip_permissions(tcp.ip_ranges(range(cidr)).build()).send().await.unwrap();
    }

    /// Opens everything to the nodes of both regions.
    pub async fn admit_nodes(&self) {
        let all = || IpPermission::builder().ip_protocol("-1");
        let own = UserIdGroupPair::builder().group_id(&self.group).build();
        self.admit(&self.group, all().user_id_group_pairs(own).build()).await;
        self.admit(&self.group, all().ip_ranges(range(self.peer_cidr)).build()).await;
    }

    /// Opens only these ports to the nodes of both regions.
    pub async fn admit_nodes_to(&self, ports: &[(i32, i32)]) {
        for (from, to) in ports {
            let tcp = IpPermission::builder().ip_protocol("tcp").from_port(*from).to_port(*to);
            let own = UserIdGroupPair::builder().group_id(&self.group).build();
            let tcp = tcp.user_id_group_pairs(own).ip_ranges(range(self.peer_cidr));
            self.admit(&self.group, tcp.build()).await;
        }
    }

    /// Opens everything to the nodes of this region, as Ray's own group does.
    pub async fn admit_own_nodes(&self) {
        let own = UserIdGroupPair::builder().group_id(&self.group).build();
        let all = IpPermission::builder().ip_protocol("-1").user_id_group_pairs(own);
        self.admit(&self.group, all.build()).await;
    }

    /// Creates a group with correct rules in another VPC.
    pub async fn misplaced_group(&self) -> String {
        let elsewhere = self.ec2.create_vpc().cidr_block("10.77.0.0/16").send().await.unwrap();
        let group = group(&self.ec2, &elsewhere.vpc.unwrap().vpc_id.unwrap()).await;
        let all = |cidr| IpPermission::builder().ip_protocol("-1").ip_ranges(range(cidr)).build();
        for cidr in ["127.0.0.1/32", self.cidr, self.peer_cidr] {
            self.admit(&group, all(cidr)).await;
        }
        group
    }

    async fn admit(&self, group: &str, permission: IpPermission) {
        let call = self.ec2.authorize_security_group_ingress().group_id(group);
        call.ip_permissions(permission).send().await.unwrap();
    }

    /// Adds a route to the internet.
    pub async fn route_out(&self) {
        let made = self.ec2.create_internet_gateway().send().await.unwrap();
        let gateway = made.internet_gateway.unwrap().internet_gateway_id.unwrap();
        let attach = self.ec2.attach_internet_gateway().internet_gateway_id(&gateway);
        attach.vpc_id(&self.vpc).send().await.unwrap();
        let call = self.ec2.create_route().route_table_id(&self.table);
        call.destination_cidr_block("0.0.0.0/0").gateway_id(gateway).send().await.unwrap();
    }

    /// Adds a route to the other region's VPC.
    pub async fn route(&self, peering: &str) {
        let call = self.ec2.create_route().route_table_id(&self.table);
        let call = call.destination_cidr_block(self.peer_cidr).vpc_peering_connection_id(peering);
        call.send().await.unwrap();
    }

    /// Returns all live instances of the region.
    pub async fn live(&self) -> Vec<String> {
        let live = by("instance-state-name", "running");
        let found = self.ec2.describe_instances().filters(live).send().await.unwrap();
        let all = found.reservations.unwrap().into_iter().flat_map(|one| one.instances.unwrap());
        all.map(|one| one.instance_id.unwrap()).collect()
    }
}

async fn group(ec2: &Client, vpc: &str) -> String {
    let call = ec2.create_security_group().vpc_id(vpc).group_name("quokka").description("nodes");
    call.send().await.unwrap().group_id.unwrap()
}

fn by(name: &str, value: &str) -> Filter {
    Filter::builder().name(name).values(value).build()
}

fn range(cidr: &str) -> IpRange {
    IpRange::builder().cidr_ip(cidr).build()
}

/// Polls until `condition` holds.
pub async fn until(mut condition: impl FnMut() -> bool) {
    while !condition() {
        sleep(Duration::from_millis(50)).await;
    }
}
