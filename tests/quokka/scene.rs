//! Two regions in moto with machines behind their instances, a folder with the
//! project, the real binary, and the operator's Python.
#![expect(clippy::panic, reason = "a test fails by panicking")]

use std::{
    fmt::Write as _,
    fs,
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::{process::Command, time::timeout};

use super::{network::OPERATOR, sandbox, site::Site};
use crate::{
    moto_story::scene::{IMAGE, Place},
    support::{
        moto::Moto,
        muster::{Muster, Ran},
        sshd::keygen,
    },
};

const SUMS: &str = include_str!("sums.py");
/// Where the nodes spill to.
const SPILL: &str = "/data";
/// Redis and the Ray client's server, which Quokka's own client speaks to.
const CLIENT_PORTS: [i32; 2] = [6800, 10001];

/// The nodes that the project asks for.
const NODES: [&str; 4] =
    ["us-west-2/head", "us-west-2/worker-1", "eu-west-1/head", "eu-west-1/worker-1"];
const PROJECT: &str = "name: computes
regions: [us-west-2.yaml, eu-west-1.yaml]
leader: us-west-2
key_name: quokka
key_location: key
operator_cidr: 203.0.113.10/32
recipe: recipe.yaml
";

/// The scene.
pub struct Scene {
    site: Site,
    muster: Muster,
    _moto: Moto,
}

impl Scene {
    /// Everything right, and nothing launched.
    pub async fn new() -> Self {
        let moto = Moto::start();
        let us = Place::new(&moto, "us-west-2", "10.1.0.0/16", "10.2.0.0/16").await;
        let eu = Place::new(&moto, "eu-west-1", "10.2.0.0/16", "10.1.0.0/16").await;
        peer(&us, &eu).await;
        let bin = sandbox::python().parent().unwrap().to_owned();
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        let muster = Muster::new()
            .env("PATH", path)
            .env("AWS_ENDPOINT_URL", moto.url())
            .env("AWS_ACCESS_KEY_ID", "AKIAQUOKKA")
            .env("AWS_SECRET_ACCESS_KEY", "quokka")
            .env("XDG_RUNTIME_DIR", sandbox::folder().display().to_string())
            .env("RAY_TMPDIR", sandbox::folder().display().to_string());
        let key = muster.folder().join("key");
        keygen(&key, &["-t", "ed25519"]);
        let public = fs::read_to_string(key.with_extension("pub")).unwrap();
        for place in [&us, &eu] {
            place.import_key(&public).await;
            place.admit_nodes().await;
            place.route_out().await;
            for port in CLIENT_PORTS.into_iter().chain([22]) {
                place.admit_to(port, OPERATOR).await;
            }
            muster.file(&format!("{}.yaml", place.region), region(place));
        }
        muster.file("muster.yaml", PROJECT);
        muster.file("recipe.yaml", recipe());
        let site = Site::start(vec![us.ec2.clone(), eu.ec2.clone()], public);
        Self { site, muster, _moto: moto }
    }

    /// Runs muster to its end.
    pub async fn muster(&self, arguments: &[&str]) -> Ran {
        let command = Command::from(self.muster.command(arguments));
        self.run(command, arguments, Duration::from_mins(4)).await
    }

    /// Runs the operator's Python on `script` to its end.
    async fn python(&self, script: &str, arguments: &[&str]) -> Ran {
        let mut command = Command::new(sandbox::python());
        let program = self.muster.file("script.py", script);
        command.arg(program).args(arguments).env_clear().envs(self.muster.environment());
        command.current_dir(self.muster.folder());
        self.run(command, &["python"], Duration::from_mins(2)).await
    }

    async fn run(&self, mut command: Command, what: &[&str], limit: Duration) -> Ran {
        let began = Instant::now();
        command.stdin(Stdio::null()).kill_on_drop(true);
        let output = timeout(limit, command.output()).await;
        let Ok(output) = output else { panic!("{what:?} does not end:\n{}", self.tell()) };
        println!("{}: {:.1} s", what.join(" "), began.elapsed().as_secs_f64());
        output.unwrap().into()
    }

    /// Fails with all that is known, if it did not do as asked.
    pub fn succeeded(&self, ran: &Ran) {
        assert_eq!(ran.code, Some(0), "{}\n{}\n{}", ran.out, ran.err, self.tell());
    }

    /// The manifest of the one cluster.
    fn manifest(&self) -> Value {
        serde_json::from_str(&fs::read_to_string(self.manifest_path()).unwrap()).unwrap()
    }

    fn manifest_path(&self) -> PathBuf {
        self.cluster_folder().join("manifest.json")
    }

    fn cluster_folder(&self) -> PathBuf {
        let entries = fs::read_dir(self.muster.state().join("computes")).unwrap();
        let mut folders = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
        folders.next().expect("a cluster")
    }

    /// Ray counts every node, under the address that it has.
    pub async fn all_in_ray(&self) {
        let ran = self.on("us-west-2/head", "ray status").await;
        self.succeeded(&ran);
        let nodes = ran.out.lines().filter(|line| line.trim().starts_with("1 node_")).count();
        assert_eq!(nodes, NODES.len(), "{}", ran.out);
    }

    /// Runs a command on a node as whoever has the key, over SSH and without muster.
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

    /// A node as the manifest has it.
    fn node(&self, name: &str) -> Value {
        let manifest = self.manifest();
        let mut nodes = manifest["nodes"].as_array().unwrap().iter();
        nodes.find(|one| one["name"] == name).expect(name).clone()
    }

    /// A group-by by Quokka's own means gives the right sums.
    pub async fn sums_are_right(&self) {
        let manifest = self.manifest_path();
        let ran = self.python(SUMS, &[manifest.to_str().unwrap(), SPILL]).await;
        self.succeeded(&ran);
        let expected = r#"sums {"0": 1498500.0, "1": 1499500.0, "2": 1500500.0}"#;
        assert!(ran.out.lines().any(|line| line == expected), "{}\n{}", ran.out, ran.err);
    }

    /// What everybody involved has said.
    fn tell(&self) -> String {
        let mut text = self.site.consoles();
        for region in ["us-west-2", "eu-west-1"] {
            let Ok(logs) = fs::read_dir(self.cluster_folder().join("logs").join(region)) else {
                continue;
            };
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

/// The region's config: a head and a worker.
fn region(place: &Place) -> String {
    format!(
        "cluster_name: computes-{}
max_workers: 2
provider: {{type: aws, region: {}}}
auth: {{ssh_user: root}}
head_node_type: ray.head.default
available_node_types:
  ray.head.default:
    min_workers: 0
    max_workers: 0
    node_config: &node
      InstanceType: m5.large
      ImageId: {IMAGE}
      KeyName: quokka
      SubnetId: {}
      SecurityGroupIds: [{}]
  ray.worker.default:
    min_workers: 1
    max_workers: 2
    node_config: *node
",
        place.region, place.region, place.subnet, place.group
    )
}

fn recipe() -> String {
    let bin = sandbox::python().parent().unwrap().display().to_string();
    include_str!("recipe.yaml").replace("BIN", &bin)
}
