//! The files of the project: muster.yaml, one config per region, and the recipe.

use std::path::Path;

use muster::config::Recipe;

use super::{network::API, sandbox};
use crate::moto_story::scene::{IMAGE, Place};

/// muster.yaml.
pub const PROJECT: &str = "name: computes
host_keys: pin
regions: [us-west-2.yaml, eu-west-1.yaml]
leader: us-west-2
key_name: quokka
key_location: key
operator_cidr: 203.0.113.10/32
recipe: recipe.yaml
";

/// The region's config: a head and a worker, and the commands that start Ray.
pub fn region(place: &Place, key: &Path, ray: &str) -> String {
    format!(
        "cluster_name: computes-{}
max_workers: 2
provider: {{type: aws, region: {}}}
auth: {{ssh_user: root, ssh_private_key: {}}}
head_node_type: ray.head.default
available_node_types:
  ray.head.default:
    min_workers: 0
    max_workers: 0
    node_config: &node
      InstanceType: m5.large
      ImageId: {IMAGE}
      KeyName: quokka
      SubnetIds: [{}]
      SecurityGroupIds: [{}]
  ray.worker.default:
    min_workers: 1
    max_workers: 2
    node_config: *node
setup_commands: []
head_setup_commands: []
worker_setup_commands: []
{ray}",
        place.region,
        place.region,
        key.display(),
        place.subnet,
        place.group
    )
}

/// Returns the commands that start Ray for `ray up`, from the same installation.
pub fn ray_up_s_ray() -> String {
    let ray = sandbox::ray_up_python().with_file_name("ray").display().to_string();
    format!(
        "head_start_ray_commands:
  - {ray} stop
  - AWS_ENDPOINT_URL=http://{API} AWS_ACCESS_KEY_ID=AKIAHEAD AWS_SECRET_ACCESS_KEY=head
    {ray} start --head --port=6379 --autoscaling-config=~/ray_bootstrap_config.yaml
worker_start_ray_commands:
  - {ray} stop
  - {ray} start --address=$RAY_HEAD_IP:6379
"
    )
}

/// The commands that start Ray for Quokka under `ray: config`, on ports other than muster's.
pub const CONFIGS_RAY: &str = "head_start_ray_commands:
  - ray stop
  - ulimit -n 65536; ray start --head --port=6379 --object-manager-port=8076 --node-manager-port=8077
    --dashboard-host=0.0.0.0
worker_start_ray_commands:
  - ray stop
  - ulimit -n 65536; ray start --address=$RAY_HEAD_IP:6379 --object-manager-port=8076 --node-manager-port=8077
";

/// Returns the built-in recipe, with the existing environment in place of the step
/// that creates one, which needs the internet.
pub fn recipe() -> String {
    let venv = sandbox::python().parent().unwrap().parent().unwrap().display().to_string();
    let make = "    script: built-in/python.sh\n";
    let text = Recipe::built_in_source().text;
    assert!(text.contains(make), "{text}");
    text.replace(make, &format!("    run: ln -sfn {venv} ~/.muster/venv\n"))
}

/// The same without its step `redirect`.
pub fn recipe_without_redirect() -> String {
    let recipe = recipe();
    let (before, rest) = recipe.split_once("  - name: redirect\n").unwrap();
    let (step, after) = rest.split_once("\n\n").unwrap();
    assert!(step.contains("built-in/redirect.sh"), "{step}");
    format!("{before}{after}")
}
