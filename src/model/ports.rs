//! The leader's ports that Python connects to, and where they are forwarded.

use serde::{Deserialize, Serialize};

/// One port for each of the leader's services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ports {
    /// Ray's client server.
    pub client: u16,
    /// Quokka's Redis.
    pub redis: u16,
    /// Ray's dashboard.
    pub dashboard: u16,
}

impl Ports {
    /// Those on the leader; pyquokka knows no others.
    pub const ON_THE_LEADER: Self = Self { client: 10001, redis: 6800, dashboard: 8265 };

    /// With the names of the services.
    pub fn named(self) -> [(&'static str, u16); 3] {
        [
            ("Ray client", self.client),
            ("Quokka's Redis", self.redis),
            ("Ray's dashboard", self.dashboard),
        ]
    }
}

/// A `muster forward` that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forwarded {
    /// Its process.
    pub pid: u32,
    /// Where it listens on this machine's loopback.
    #[serde(flatten)]
    pub ports: Ports,
}
