//! Two regions in moto with machines behind their instances, a folder with the
//! project, the real binary, and the operator's Python.
#![expect(clippy::panic, reason = "a test fails by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

use muster::config::ports::{self, Listener, Nodes, Peer};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::TcpStream,
    process::{Child, Command},
    time::{sleep, timeout},
};

use super::{
    network::{API, OPERATOR, proxy_api},
    project::{CONFIGS_RAY, PROJECT, ray_up_s_ray, recipe, recipe_without_redirect, region},
    sandbox,
    site::Site,
};
use crate::{
    moto_story::scene::Place,
    support::{
        moto::Moto,
        muster::{Muster, Ran},
        sshd::keygen,
    },
};

const SUMS: &str = concat!(include_str!("plain.py"), include_str!("sums.py"));
const EXPORTED: &str = concat!(include_str!("exported.py"), include_str!("sums.py"));
/// The spill folder of the nodes.
const SPILL: &str = "/data";
/// The ports of Redis and Ray's client server, which Quokka's client uses.
const CLIENT_PORTS: [i32; 2] = [6800, 10001];

/// The ports between nodes in addition to the recipe's, if the configs start Ray.
const CONFIGS_PORTS: [(i32, i32); 3] = [(6379, 6379), (8076, 8077), (10002, 10099)];

/// Returns the ports between nodes that the recipe pins and the groups admit.
fn pinned(leader: bool) -> Vec<(i32, i32)> {
    let is_node = |one: &&Listener| matches!(one.from, Peer::Nodes | Peer::NodesAndForward);
    let here = |one: &&Listener| leader || one.on == Nodes::Every;
    let rows = ports::ALL.iter().filter(is_node).filter(here);
    rows.map(|one| (one.ports.from.into(), one.ports.to.into())).collect()
}

/// The planned nodes.
const NODES: [&str; 4] =
    ["us-west-2/head", "us-west-2/worker-1", "eu-west-1/head", "eu-west-1/worker-1"];
/// The scene.
pub struct Scene {
    us: Place,
    eu: Place,
    site: Site,
    muster: Muster,
    _moto: Moto,
}

impl Scene {
    /// Creates a correct setup with nothing launched.
    pub async fn new() -> Self {
        let moto = Moto::start();
        let us = Place::new(&moto, "us-west-2", "10.1.0.0/16", "10.2.0.0/16").await;
        let eu = Place::new(&moto, "eu-west-1", "10.2.0.0/16", "10.1.0.0/16").await;
        peer(&us, &eu).await;
        let bin = sandbox::python().parent().unwrap().to_owned();
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        let muster = Muster::new()
            .env("PATH", path)
            .env("AWS_ENDPOINT_URL", format!("http://{API}"))
            .env("AWS_ACCESS_KEY_ID", "AKIAQUOKKA")
            .env("AWS_SECRET_ACCESS_KEY", "quokka");
        let key = muster.folder().join("key");
        keygen(&key, &["-t", "ed25519"]);
        let public = fs::read_to_string(key.with_extension("pub")).unwrap();
        for place in [&us, &eu] {
            place.import_key(&public).await;
            place.admit_nodes_to(&pinned(place.region == us.region)).await;
            place.route_out().await;
            for port in CLIENT_PORTS.into_iter().chain([22]) {
                place.admit_to(port, OPERATOR).await;
            }
            muster.file(&format!("{}.yaml", place.region), region(place, &key, &ray_up_s_ray()));
        }
        muster.file("muster.yaml", PROJECT);
        muster.file("recipe.yaml", recipe());
        let site = Site::start(vec![us.ec2.clone(), eu.ec2.clone()], public);
        tokio::spawn(proxy_api(moto.url().trim_start_matches("http://").to_owned()));
        Self { us, eu, site, muster, _moto: moto }
    }

    /// Runs muster until it exits.
    pub async fn muster(&self, arguments: &[&str]) -> Ran {
        let command = Command::from(self.muster.command(arguments));
        self.run(command, arguments, Duration::from_mins(5)).await
    }

    /// Closes all ports of the leader to the operator, except SSH.
    pub async fn shut_client_ports(&self) {
        for port in CLIENT_PORTS {
            self.us.shut(port, OPERATOR).await;
            let address = format!("{}:{port}", self.public_ip("us-west-2/head"));
            let open = async || {
                let connecting = TcpStream::connect(&address);
                timeout(Duration::from_millis(500), connecting).await.is_ok_and(|done| done.is_ok())
            };
            while open().await {}
        }
    }

    /// Starts `muster forward`, which ends when dropped, and waits until it is ready.
    pub async fn forward(&self) -> Child {
        let mut forward = Command::from(self.muster.command(&["forward"]));
        let mut forward = forward.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(forward.stdout.take().unwrap()).lines();
        let mut output = String::new();
        while let Some(line) = lines.next_line().await.unwrap() {
            output = output + &line + "\n";
            if line.contains("is the dashboard") {
                println!("{output}");
                return forward;
            }
        }
        panic!("muster forward ended: {output}\n{}", self.diagnostics())
    }

    /// Queries Ray's dashboard through the forward.
    pub async fn dashboard(&self) -> Ran {
        let ask = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8265/api/version').read())";
        self.python(ask, &[]).await
    }

    /// Runs a group-by with the module that `muster export` writes.
    pub async fn exported_sums_are_right(&self) {
        let ran = self.muster(&["export", "--python", "-o", "cluster.py"]).await;
        self.succeeded(&ran);
        let ran = self.python(EXPORTED, &[]).await;
        self.are_sums(&ran);
    }

    /// Returns whether that module connects to local ports.
    pub fn export_goes_through_a_forward(&self) -> bool {
        fs::read_to_string(self.muster.folder().join("cluster.py")).unwrap().contains("127.0.0.1")
    }

    /// Power-cycles a node's machine.
    pub fn reset(&self, node: &str) {
        self.site.reset(self.node(node)["id"].as_str().unwrap());
    }

    /// Terminates a node's instance, as EC2 does with spot instances.
    pub async fn terminate(&self, node: &str) {
        let id = self.node(node)["id"].as_str().unwrap().to_owned();
        let places = [&self.us, &self.eu];
        let place = places.into_iter().find(|place| node.starts_with(place.region)).unwrap();
        place.ec2.terminate_instances().instance_ids(id).send().await.unwrap();
        self.until_running(NODES.len() - 1).await;
    }

    /// Removes nft and its rules from all nodes.
    pub async fn take_nft_away(&self) {
        for node in NODES {
            let ran = self.on(node, "nft flush ruleset && rm $(command -v nft)").await;
            self.succeeded(&ran);
        }
    }

    /// From here on, the configs' own commands start Ray: those of Ray's example, without
    /// the autoscaler.
    pub async fn take_the_configs_ray(&self) {
        let key = self.muster.folder().join("key");
        for place in [&self.us, &self.eu] {
            place.admit_nodes_to(&CONFIGS_PORTS).await;
            let config = region(place, &key, CONFIGS_RAY);
            self.muster.file(&format!("{}.yaml", place.region), config);
        }
        self.muster.file("muster.yaml", format!("{PROJECT}ray: config\n"));
    }

    /// Asserts that the node has exactly one redirect, from the leader's current address.
    pub async fn redirects_to_the_leader_alone(&self, node: &str) {
        let ran = self.on(node, "nft list ruleset").await;
        self.succeeded(&ran);
        let leader = self.public_ip("us-west-2/head");
        let to = format!("ip daddr {leader} tcp dport 6800 dnat to ");
        let all = ran.out.matches("dnat to").count();
        assert!(ran.out.contains(&to) && all == 1, "{node}: {}", ran.out);
    }

    /// Returns the nodes' public and private addresses by name.
    pub fn addresses(&self) -> BTreeMap<&'static str, (String, String)> {
        let of = |name| {
            let node = self.node(name);
            let address = |key: &str| node[key].as_str().unwrap().to_owned();
            (name, (address("public_ip"), address("private_ip")))
        };
        NODES.into_iter().map(of).collect()
    }

    /// Adds the redirect to the recipe, or removes it.
    pub fn set_redirect(&self, is_there: bool) {
        let text = if is_there { recipe() } else { recipe_without_redirect() };
        self.muster.file("recipe.yaml", text);
    }

    /// Runs `ray up` for one region, as users do without muster.
    pub async fn ray_up(&self, region: &str) -> Ran {
        // Its Ray uses random ports.
        let mut places = [&self.us, &self.eu].into_iter();
        places.find(|place| place.region == region).unwrap().admit_own_nodes().await;
        let mut ray = Command::new(sandbox::ray_up_python().with_file_name("ray"));
        let config = format!("{region}.yaml");
        let arguments = ["up", "--yes", "--no-config-cache", "--disable-usage-stats", &config];
        ray.args(arguments).env_clear().envs(self.muster.environment());
        ray.current_dir(self.muster.folder());
        self.run(ray, &["ray up", region], Duration::from_mins(5)).await
    }

    /// Waits until the heads have launched their workers; returns the ids of all.
    pub async fn all_launched_by_ray(&self) -> BTreeSet<String> {
        self.until_running(NODES.len()).await
    }

    /// Waits until no machine runs.
    pub async fn nothing_runs(&self) {
        self.until_running(0).await;
    }

    /// Waits until `count` machines run; returns their ids.
    async fn until_running(&self, count: usize) -> BTreeSet<String> {
        let running = async {
            while self.site.ids().len() != count {
                sleep(Duration::from_millis(300)).await;
            }
            self.site.ids()
        };
        let running = timeout(Duration::from_mins(2), running).await;
        running.unwrap_or_else(|_| panic!("not {count} machines: {:?}", self.site.ids()))
    }

    /// Returns the ids of all nodes in the manifest.
    pub fn instances(&self) -> BTreeSet<String> {
        let manifest = self.manifest();
        let nodes = manifest["nodes"].as_array().unwrap().iter();
        nodes.map(|node| node["id"].as_str().unwrap().to_owned()).collect()
    }

    /// Runs `script` with the operator's Python until it exits.
    async fn python(&self, script: &str, arguments: &[&str]) -> Ran {
        let mut command = Command::new(sandbox::python());
        let program = self.muster.file("script.py", script);
        command.arg(program).args(arguments).env_clear().envs(self.muster.environment());
        command.current_dir(self.muster.folder());
        self.run(command, &["python"], Duration::from_mins(4)).await
    }

    async fn run(&self, mut command: Command, what: &[&str], limit: Duration) -> Ran {
        let began = Instant::now();
        command.stdin(Stdio::null()).kill_on_drop(true);
        let output = timeout(limit, command.output()).await;
        let Ok(output) = output else { panic!("{what:?} does not end:\n{}", self.diagnostics()) };
        println!("{}: {:.1} s", what.join(" "), began.elapsed().as_secs_f64());
        output.unwrap().into()
    }

    /// Fails with all diagnostics, unless the run succeeded.
    pub fn succeeded(&self, ran: &Ran) {
        assert_eq!(ran.code, Some(0), "{}\n{}\n{}", ran.out, ran.err, self.diagnostics());
    }

    /// Returns the manifest of the only cluster.
    fn manifest(&self) -> Value {
        serde_json::from_str(&fs::read_to_string(self.manifest_path()).unwrap()).unwrap()
    }

    fn manifest_path(&self) -> PathBuf {
        self.cluster_folder().expect("a cluster").join("manifest.json")
    }

    fn cluster_folder(&self) -> Option<PathBuf> {
        let entries = fs::read_dir(self.muster.state().join("computes")).ok()?;
        entries.map(|entry| entry.unwrap().path()).find(|path| path.is_dir())
    }

    /// Asserts that Ray lists every node, under its current address.
    pub async fn all_in_ray(&self) {
        let (count, text) = self.in_ray().await;
        assert_eq!(count, NODES.len(), "{text}");
    }

    /// The same after Ray has given up on a node that vanished without a goodbye,
    /// which takes more than half a minute.
    pub async fn all_in_ray_and_no_other(&self) {
        let counted = async { while self.in_ray().await.0 != NODES.len() {} };
        let counted = timeout(Duration::from_mins(2), counted).await;
        assert!(counted.is_ok(), "{}", self.in_ray().await.1);
    }

    /// Returns the number of nodes in Ray, and Ray's output.
    async fn in_ray(&self) -> (usize, String) {
        let ran = self.on("us-west-2/head", "ray status").await;
        self.succeeded(&ran);
        let nodes = ran.out.lines().filter(|line| line.trim().starts_with("1 node_"));
        (nodes.count(), ran.out)
    }

    /// Runs a command on a node over SSH with the key, without muster.
    pub async fn on(&self, node: &str, text: &str) -> Ran {
        let address = self.public_ip(node);
        let bin = sandbox::python().parent().unwrap().display().to_string();
        let mut ssh = Command::new("ssh");
        ssh.args(["-F", "none", "-o", "LogLevel=ERROR", "-o", "StrictHostKeyChecking=no"]);
        ssh.args(["-o", "UserKnownHostsFile=/dev/null", "-l", "root", "-i"]);
        ssh.arg(self.muster.folder().join("key")).arg(address);
        ssh.arg(format!("export PATH={bin}:$PATH; {text}"));
        self.run(ssh, &[node, text], Duration::from_mins(1)).await
    }

    /// A node's public address.
    pub fn public_ip(&self, name: &str) -> String {
        self.node(name)["public_ip"].as_str().unwrap().to_owned()
    }

    /// Returns a node's entry in the manifest.
    fn node(&self, name: &str) -> Value {
        let manifest = self.manifest();
        let mut nodes = manifest["nodes"].as_array().unwrap().iter();
        nodes.find(|one| one["name"] == name).expect(name).clone()
    }

    /// Asserts that a group-by without muster's module returns the right sums.
    pub async fn sums_are_right(&self) {
        let manifest = self.manifest_path();
        let ran = self.python(SUMS, &[manifest.to_str().unwrap(), SPILL]).await;
        self.are_sums(&ran);
    }

    fn are_sums(&self, ran: &Ran) {
        self.succeeded(ran);
        let expected = r#"sums {"0": 1498500.0, "1": 1499500.0, "2": 1500500.0}"#;
        assert!(ran.out.lines().any(|line| line == expected), "{}\n{}", ran.out, ran.err);
    }

    /// Returns the consoles of all machines and the ends of all logs.
    fn diagnostics(&self) -> String {
        let mut text = self.site.consoles();
        let Some(folder) = self.cluster_folder() else { return text };
        for region in ["us-west-2", "eu-west-1"] {
            let Ok(logs) = fs::read_dir(folder.join("logs").join(region)) else { continue };
            for path in logs.map(|entry| entry.unwrap().path()) {
                let log = fs::read_to_string(&path).unwrap_or_default();
                let lines: Vec<_> = log.lines().collect();
                let tail = lines[lines.len().saturating_sub(60)..].join("\n");
                writeln!(text, "{}:\n{tail}", path.display()).unwrap();
            }
        }
        text
    }
}

async fn peer(us: &Place, eu: &Place) {
    let call = us.ec2.create_vpc_peering_connection().vpc_id(&us.vpc).peer_vpc_id(&eu.vpc);
    let asked = call.peer_region(eu.region).send().await.unwrap();
    let id = asked.vpc_peering_connection.unwrap().vpc_peering_connection_id.unwrap();
    let accept = eu.ec2.accept_vpc_peering_connection().vpc_peering_connection_id(&id);
    accept.send().await.unwrap();
    us.route(&id).await;
    eu.route(&id).await;
}
