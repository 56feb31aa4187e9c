//! The world in the realistic EC2: consistent at once, since the contract is about
//! facts and not about timing, but with everything else that moto lacks.

use std::sync::Arc;

use serde_json::json;

use super::{moto::made, world::World};
use crate::support::ec2::Ec2;

/// Starts a world in its own server.
pub async fn world() -> World {
    let ec2 = Ec2::start();
    let soon = [0.05, 0.2];
    let rules = json!({
        "buckets": false, "lag": [0, 0], "tag_lag": [0, 0], "change_lag": [0, 0], "delete_lag": [0, 0],
        "boot": soon, "stop": soon, "terminate": soon, "image": soon,
        "peering_request": soon, "peering_seen": [0, 0], "peering_provision": soon,
        "peering_delete": [0, 0], "nitro": false,
        "console_keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHpz8RAWQ7yZy2QK2k8bQEphHmdBEt+5IXesx/6JvjDL root@ip-10-1-0-4"],
    });
    let account = ec2.account("CONTRACT", 1, &rules);
    let cloud = Arc::new(account.cloud());
    made(&account.client("us-west-2"), &account.client("eu-west-1"), cloud, Box::new(ec2)).await
}
