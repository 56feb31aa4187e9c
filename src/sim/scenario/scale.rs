//! A healthy world of any size, for measuring and for tests of scale.

use std::fmt::Write as _;

use super::{Scenario, ScenarioError};

/// Regions that every account can use without opting in.
const REGIONS: [&str; 17] = [
    "us-west-2",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "ca-central-1",
    "sa-east-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-central-1",
    "eu-north-1",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
];

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHpz8RAWQ7yZy2QK2k8bQEphHmdBEt+5IXesx/6JvjDL";

impl Scenario {
    /// A world of `regions` peered regions in which everything is right, and a
    /// project that wants one head and `nodes_per_region - 1` workers in each;
    /// at full speed. `Err` where there are not that many regions, or a region
    /// is to have no node.
    pub fn scale(regions: usize, nodes_per_region: u32) -> Result<Self, ScenarioError> {
        let names = REGIONS.get(..regions).filter(|_| regions > 0 && nodes_per_region > 0);
        let names = names.ok_or_else(|| {
            ScenarioError::Contents(vec![format!(
                "there are 1 to {} regions of at least one node, not {regions} of {nodes_per_region}",
                REGIONS.len()
            )])
        })?;
        Self::named("scale", &text(names, nodes_per_region))
    }
}

fn text(regions: &[&str], nodes: u32) -> String {
    let mut text = head(regions);
    for (index, region) in (0..).zip(regions) {
        text += &region_text(index, region, regions.len());
    }
    for (a, one) in (0..).zip(regions) {
        for (b, other) in (0..).zip(regions).skip(a + 1) {
            text += &peering(a, one, b, other);
        }
    }
    text += "[files]\n";
    for (index, region) in (0..).zip(regions) {
        let _ = writeln!(text, "\"{region}.yaml\" = '''\n{}'''", config(index, region, nodes));
    }
    text
}

fn head(regions: &[&str]) -> String {
    let configs: Vec<String> = regions.iter().map(|name| format!("\"{name}.yaml\"")).collect();
    format!(
        r#"summary = "a healthy world of any size"
configs = [{}]

[boot]
pending_s = [15, 30]
ssh_s = [3, 8]

[[operator.keys]]
path = "~/.ssh/quokka.pem"
public_key = "{KEY}"

# Every step of every node, whatever the recipe.
[[steps]]
output = "one\ntwo\nthree\nfour\nfive"
takes_s = [4, 8]

"#,
        configs.join(", ")
    )
}

fn region_text(index: usize, region: &str, regions: usize) -> String {
    let peers = (0..regions).filter(|peer| *peer != index);
    let route = |peer: usize| {
        let via = pcx(index, peer);
        format!("    {{ to = \"10.{peer}.0.0/16\", via = \"{via}\" }},")
    };
    let routes = peers.map(route).collect::<Vec<_>>().join("\n");
    format!(
        r#"[regions.{region}]
zones = ["a", "b"]
vpcs = [{{ id = "vpc-{index}", cidrs = ["10.{index}.0.0/16"] }}]
subnets = [{{ id = "subnet-{index}", vpc = "vpc-{index}", zone = "{region}a", cidr = "10.{index}.0.0/17" }}]
route_tables = [
  {{ id = "rtb-{index}", vpc = "vpc-{index}", main = true, routes = [
    {{ to = "0.0.0.0/0", via = "igw-{index}" }},
{routes}
  ] }},
]
security_groups = [
  {{ id = "sg-{index}", name = "quokka", vpc = "vpc-{index}", inbound = [
    {{ ports = [22, 22], cidrs = ["192.0.2.0/24"] }},
    {{ protocol = "-1", cidrs = ["10.0.0.0/8"] }},
  ] }},
]
key_pairs = [{{ name = "quokka", public_key = "{KEY}" }}]
images = [{{ id = "ami-{index}", name = "ubuntu" }}]

"#
    )
}

fn pcx(one: usize, other: usize) -> String {
    format!("pcx-{}-{}", one.min(other), one.max(other))
}

fn peering(a: usize, one: &str, b: usize, other: &str) -> String {
    format!(
        "[[peerings]]\nid = \"{}\"\nrequester = \"{one}/vpc-{a}\"\naccepter = \"{other}/vpc-{b}\"\n\n",
        pcx(a, b)
    )
}

fn config(index: usize, region: &str, nodes: u32) -> String {
    let workers = nodes - 1;
    let most = nodes;
    format!(
        r"cluster_name: scale-{region}
max_workers: {most}
provider: {{type: aws, region: {region}}}
auth: {{ssh_user: ubuntu, ssh_private_key: ~/.ssh/quokka.pem}}
head_node_type: ray.head.default
available_node_types:
  ray.head.default:
    min_workers: 0
    max_workers: 0
    node_config: &node
      InstanceType: m5.large
      ImageId: ami-{index}
      KeyName: quokka
      SubnetIds: [subnet-{index}]
      SecurityGroupIds: [sg-{index}]
  ray.worker.default:
    min_workers: {workers}
    max_workers: {most}
    node_config: *node
setup_commands: [echo setting up]
# Members wait for the leader before they start Ray: left out, so that each
# node's time is its own.
head_start_ray_commands: []
worker_start_ray_commands: []
"
    )
}
