//! The keys of a region config: Ray's cluster-launcher YAML for AWS.

use super::{
    Row,
    Use::{Ignored, NotYet, Open, Used},
};

const AUTOSCALING: &str =
    "muster launches `min_workers` of each type and keeps that number; nothing scales by itself";
const RULES: &str =
    "`fix` makes rules of IPv4 addresses: add this one by hand once the group is there";
const OTHER_CLOUD: &str = "it belongs to another cloud than AWS";
const DOCKER: &str = "muster runs every command on the node itself and not in a container: remove \
                      it, and install what the image holds in `setup_commands`";

/// Keys that older examples of Ray have: the map, and what they were and are called.
const FORMER: [(&str, &str, &str); 2] =
    [("", "max_worker_nodes", "max_workers"), ("docker", "pull", "pull_before_run")];

/// What the key `key` of `map` is called since some version of Ray.
pub(super) fn now_called(map: &str, key: &str) -> Option<&'static str> {
    let found = FORMER.iter().find(|(own, then, _)| *own == map && *then == key);
    found.map(|(.., now)| *now)
}

/// Every key of a region config, `node_config` left to its own table.
pub(in crate::config) const REGION: &[Row] = &[
    ("cluster_name", Used),
    ("max_workers", Used),
    ("provider", Used),
    ("provider.type", Used),
    ("provider.region", Used),
    ("provider.availability_zone", Used),
    ("provider.use_internal_ips", Used),
    ("provider.security_group", Used),
    ("provider.security_group.GroupName", Used),
    ("provider.security_group.IpPermissions", Used),
    ("provider.security_group.IpPermissions.IpProtocol", Used),
    ("provider.security_group.IpPermissions.FromPort", Used),
    ("provider.security_group.IpPermissions.ToPort", Used),
    ("provider.security_group.IpPermissions.IpRanges", Used),
    ("provider.security_group.IpPermissions.IpRanges.CidrIp", Used),
    ("provider.security_group.IpPermissions.IpRanges.Description", Used),
    ("provider.security_group.IpPermissions.Ipv6Ranges", Ignored(RULES)),
    ("provider.security_group.IpPermissions.PrefixListIds", Ignored(RULES)),
    ("provider.security_group.IpPermissions.UserIdGroupPairs", Ignored(RULES)),
    ("provider.key_pair", Used),
    ("provider.key_pair.key_name", Used),
    (
        "provider.aws_credentials",
        Ignored(
            "credentials come from AWS_PROFILE, the environment or ~/.aws, as for the aws command; take them out of this file",
        ),
    ),
    (
        "provider.cache_stopped_nodes",
        Ignored(
            "whatever its value, `muster down` terminates nodes and `muster stop` stops them, which keeps their volumes",
        ),
    ),
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
    ("auth.ssh_proxy_command", Used),
    ("auth.ssh_proxy_use_node_id", Used),
    ("available_node_types", Used),
    ("available_node_types.*", Used),
    ("available_node_types.*.min_workers", Used),
    ("available_node_types.*.max_workers", Used),
    ("available_node_types.*.resources", Open),
    ("available_node_types.*.node_config", Open),
    ("available_node_types.*.labels", Ignored("pass labels to `ray start` in the start commands")),
    ("available_node_types.*.idle_timeout_s", Ignored(AUTOSCALING)),
    ("available_node_types.*.priority", Ignored(AUTOSCALING)),
    ("available_node_types.*.docker", Used),
    ("available_node_types.*.docker.worker_image", NotYet(DOCKER)),
    ("available_node_types.*.docker.head_image", NotYet(DOCKER)),
    ("available_node_types.*.docker.image", NotYet(DOCKER)),
    ("available_node_types.*.docker.pull_before_run", Open),
    ("available_node_types.*.docker.worker_run_options", Open),
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
    ("min_workers", Used),
    (
        "initial_workers",
        Ignored("Ray dropped it: give `min_workers` under each of `available_node_types`"),
    ),
    ("autoscaling_mode", Ignored(AUTOSCALING)),
    ("target_utilization_fraction", Ignored(AUTOSCALING)),
    ("upscaling_speed", Ignored(AUTOSCALING)),
    ("idle_timeout_minutes", Ignored("idle nodes are kept, and billed, until `muster down`")),
    // Without an image Ray starts no container, whatever else is given.
    ("docker", Used),
    ("docker.image", NotYet(DOCKER)),
    ("docker.head_image", NotYet(DOCKER)),
    ("docker.worker_image", NotYet(DOCKER)),
    ("docker.container_name", Open),
    ("docker.pull_before_run", Open),
    ("docker.run_options", Open),
    ("docker.head_run_options", Open),
    ("docker.worker_run_options", Open),
    ("docker.disable_automatic_runtime_detection", Open),
    ("docker.disable_shm_size_detection", Open),
    ("docker.use_podman", Open),
    ("file_mounts", Open),
    (
        "cluster_synced_files",
        Ignored("list the files in `file_mounts`, which go to every node, the workers too"),
    ),
    (
        "file_mounts_sync_continuously",
        Ignored(
            "files are copied when a node is set up; run its step `files` again to copy them again",
        ),
    ),
    ("rsync_exclude", Used),
    ("rsync_filter", Used),
    ("metadata", Open),
    ("head_node", Used),
    ("worker_nodes", Used),
    ("worker_default_node_type", Ignored("Ray 2 does not read it either: remove it")),
    ("no_restart", Ignored("it is an option of `ray up`")),
];
