//! The hand-over as environment variables, for `eval "$(muster export --env)"`.

use super::{Handover, joined, quote};

impl Handover {
    /// One `export NAME='value'` a line; lists are words with a space between.
    pub fn env(&self) -> String {
        let address = |ip: Option<String>| ip.unwrap_or_default();
        let mut pairs = vec![
            ("RAY_ADDRESS", self.ray_address()),
            ("MUSTER_CLUSTER", self.cluster.to_string()),
            ("MUSTER_REDIS", joined(&self.endpoint(|ports| ports.redis))),
            ("MUSTER_LEADER_PUBLIC_IP", address(self.leader_public_ip().map(|ip| ip.to_string()))),
            (
                "MUSTER_LEADER_PRIVATE_IP",
                address(self.leader_private_ip().map(|ip| ip.to_string())),
            ),
            ("MUSTER_INSTANCE_IDS", self.instance_ids().join(" ")),
            ("MUSTER_PUBLIC_IPS", self.public_ips().join(" ")),
            ("MUSTER_PRIVATE_IPS", self.private_ips().join(" ")),
            ("MUSTER_CPU_COUNT", self.cpu_count.to_string()),
            ("MUSTER_SPILL_DIR", self.spill_dir.clone()),
        ];
        if let Some(forwarded) = &self.forwarded {
            let dashboard = format!("http://127.0.0.1:{}", forwarded.ports.dashboard);
            pairs.push(("MUSTER_RAY_DASHBOARD", dashboard));
        }
        let line =
            |(name, value): (&str, String)| format!("export {name}={}\n", quote::shell(&value));
        pairs.into_iter().map(line).collect()
    }
}
