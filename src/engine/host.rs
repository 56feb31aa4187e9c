//! How to connect to a node: its instance from the journal, its user and key
//! from the config.

use crate::{
    config::Project,
    model::{Failure, GroupKey},
    remote::Host,
};

use super::NodeState;

/// Returns the host of `node`. Fails if it has no instance or a stopped one, no
/// address that this machine can connect to, or no config any more.
pub fn host_of(project: &Project, node: &NodeState) -> Result<Host, Failure> {
    let lost = || Failure::new(format!("{} has no instance", node.name));
    let info = node.instance.as_ref().ok_or_else(lost)?;
    if node.is_stopped() {
        let failure = Failure::new(format!("the instance of {} is stopped", node.name));
        return Err(failure.hint("`muster start` starts it"));
    }
    let config = project.config_of(&node.group).ok_or_else(|| not_planned(&node.group))?;
    let proxy_by_id = config.ssh_by_id();
    let address = info.address(config.use_internal_ips || proxy_by_id).ok_or_else(|| {
        Failure::new(format!("{} has no public address", node.name))
            .hint("use a subnet that gives public addresses, or provider.use_internal_ips: true")
    })?;
    Ok(Host {
        node: node.name.clone(),
        instance: info.id.clone(),
        address,
        user: config.ssh_user.value.clone(),
        private_key: config.ssh_private_key.as_ref().map(|path| path.value.clone()),
        proxy_command: config.ssh_proxy.as_ref().map(|proxy| proxy.command.value.clone()),
        proxy_by_id,
    })
}

/// The error for a group that no config describes any more.
pub(super) fn not_planned(key: &GroupKey) -> Failure {
    match &key.cluster_name {
        None => Failure::new(format!("{} is not in the project any more", key.region)),
        Some(name) => {
            let config = format!("the config of cluster_name {name} in {}", key.region);
            Failure::new(format!("{config} is not in the project any more"))
        }
    }
}
