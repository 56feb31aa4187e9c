//! The keys of a region config: Ray's cluster-launcher YAML for AWS.

use super::{
    Row,
    Use::{Ignored, NotYet, Open, Used},
};

const AUTOSCALING: &str =
    "muster launches `min_workers` of each type and keeps that number; nothing scales by itself";
const LEGACY: &str = "Ray 2 does not read it either: use `available_node_types`";
const OTHER_CLOUD: &str = "it belongs to another cloud than AWS";
const DOCKER: &str = "every command runs on the node itself, not in a container";

/// Every key of a region config, `node_config` left to its own table.
pub(in crate::config) const REGION: &[Row] = &[
    ("cluster_name", Used),
    ("max_workers", Used),
    ("provider", Used),
    ("provider.type", Used),
    ("provider.region", Used),
    ("provider.availability_zone", Used),
    ("provider.use_internal_ips", Used),
    (
        "provider.security_group",
        Ignored(
            "give `SecurityGroupIds` in each `node_config`, or `security_group` in muster.yaml",
        ),
    ),
    (
        "provider.key_pair",
        Ignored("give `KeyName` in each `node_config`, or `key_name` in muster.yaml"),
    ),
    (
        "provider.aws_credentials",
        Ignored(
            "credentials come from AWS_PROFILE, the environment or ~/.aws, as for the aws command; take them out of this file",
        ),
    ),
    ("provider.cache_stopped_nodes", Ignored("muster terminates nodes and never stops them")),
    (
        "provider.cloudwatch",
        Ignored("muster sets up no CloudWatch agent; do it in `setup_commands`"),
    ),
    ("provider.disable_node_updaters", Ignored(AUTOSCALING)),
    ("provider.disable_launch_config_check", Ignored(AUTOSCALING)),
    ("provider.foreground_node_launch", Ignored(AUTOSCALING)),
    ("provider.worker_liveness_check", Ignored(AUTOSCALING)),
    ("provider.worker_rpc_drain", Ignored(AUTOSCALING)),
    ("provider.module", Ignored("muster's own EC2 calls are used")),
    (
        "provider.tags",
        Ignored("it tags nodes on Azure; on AWS use `TagSpecifications` in `node_config`"),
    ),
    ("provider.head_ip", Ignored(OTHER_CLOUD)),
    ("provider.worker_ips", Ignored(OTHER_CLOUD)),
    ("provider.namespace", Ignored(OTHER_CLOUD)),
    ("provider.location", Ignored(OTHER_CLOUD)),
    ("provider.resource_group", Ignored(OTHER_CLOUD)),
    ("provider.subscription_id", Ignored(OTHER_CLOUD)),
    ("provider.msi_identity_id", Ignored(OTHER_CLOUD)),
    ("provider.msi_identity_principal_id", Ignored(OTHER_CLOUD)),
    ("provider.subnet_id", Ignored("it is for Azure; on AWS use `SubnetIds` in `node_config`")),
    ("provider.autoscaler_service_account", Ignored(OTHER_CLOUD)),
    ("provider.autoscaler_role", Ignored(OTHER_CLOUD)),
    ("provider.autoscaler_role_binding", Ignored(OTHER_CLOUD)),
    ("provider.gcp_credentials", Ignored(OTHER_CLOUD)),
    ("provider.project_id", Ignored(OTHER_CLOUD)),
    ("auth", Used),
    ("auth.ssh_user", Used),
    ("auth.ssh_private_key", Used),
    (
        "auth.ssh_public_key",
        Ignored("it is for Azure; on AWS the key pair `KeyName` puts the public key on the nodes"),
    ),
    (
        "auth.ssh_proxy_command",
        Ignored(
            "put `ProxyCommand` into an ssh config and name that as `ssh.config` in muster.yaml",
        ),
    ),
    ("available_node_types", Used),
    ("available_node_types.*", Used),
    ("available_node_types.*.min_workers", Used),
    ("available_node_types.*.max_workers", Used),
    ("available_node_types.*.resources", Open),
    ("available_node_types.*.node_config", Open),
    ("available_node_types.*.labels", Ignored("pass labels to `ray start` in the start commands")),
    ("available_node_types.*.docker", Ignored(DOCKER)),
    (
        "available_node_types.*.initialization_commands",
        NotYet("move them into the top-level `initialization_commands`"),
    ),
    (
        "available_node_types.*.worker_setup_commands",
        NotYet("move them into the top-level `worker_setup_commands`"),
    ),
    ("head_node_type", Used),
    ("initialization_commands", Used),
    ("setup_commands", Used),
    ("head_setup_commands", Used),
    ("worker_setup_commands", Used),
    ("head_start_ray_commands", Used),
    ("worker_start_ray_commands", Used),
    (
        "min_workers",
        Ignored("Ray dropped it: give `min_workers` under each of `available_node_types`"),
    ),
    (
        "initial_workers",
        Ignored("Ray dropped it: give `min_workers` under each of `available_node_types`"),
    ),
    ("autoscaling_mode", Ignored(AUTOSCALING)),
    ("target_utilization_fraction", Ignored(AUTOSCALING)),
    ("upscaling_speed", Ignored(AUTOSCALING)),
    ("idle_timeout_minutes", Ignored("idle nodes are kept, and billed, until `muster down`")),
    ("docker", Ignored(DOCKER)),
    ("file_mounts", Open),
    (
        "cluster_synced_files",
        Ignored("list the files in `file_mounts`, which go to every node, the workers too"),
    ),
    (
        "file_mounts_sync_continuously",
        Ignored("files are copied when a node is set up; run its step `files` again to copy anew"),
    ),
    ("rsync_exclude", Used),
    ("rsync_filter", Used),
    ("metadata", Open),
    ("head_node", Ignored(LEGACY)),
    ("worker_nodes", Ignored(LEGACY)),
    ("worker_default_node_type", Ignored(LEGACY)),
    ("no_restart", Ignored("it is an option of `ray up`")),
];
