//! The tags on everything that muster creates, in addition to Ray's own.

/// The cluster's id; `down` selects instances by it.
pub const CLUSTER: &str = "muster:cluster";
/// The project's name, for finding clusters whose journal is lost.
pub const PROJECT: &str = "muster:project";
/// The project's random id, kept in its state folder: projects of one name
/// that two people have differ by it.
pub const PROJECT_ID: &str = "muster:project-id";
/// The `ClientToken` of the call that launched the instance, so that what an
/// unanswered call made can be found by tag as well.
pub const LAUNCH: &str = "muster:launch";
/// The step of a remedy that made the resource: `eu-west-1/vpc`. A later run
/// finds by it what an earlier one made.
pub const REMEDY: &str = "muster:remedy";
/// Ray: the config's `cluster_name`. Ray's tools and pyquokka find nodes by it.
pub const RAY_CLUSTER_NAME: &str = "ray-cluster-name";
/// Ray: `head` or `worker`.
pub const RAY_NODE_TYPE: &str = "ray-node-type";
/// Ray: the key under `available_node_types`.
pub const RAY_USER_NODE_TYPE: &str = "ray-user-node-type";
/// Ray: what the node is doing.
pub const RAY_NODE_STATUS: &str = "ray-node-status";
/// Ray: a hash of the launch config.
pub const RAY_LAUNCH_CONFIG: &str = "ray-launch-config";
/// The console's name column: `ray-<cluster>-<kind>`, as Ray writes it.
pub const NAME: &str = "Name";
