//! [`Remote`] whose every connection is registered while it is awaited.

use std::{path::Path, sync::Arc};

use super::{Host, Remote, Result, Session};
use crate::{
    cloud::PublicKey,
    model::{Failure, Fingerprint},
    waits::Waits,
};

/// The way to the nodes and the registry that its connections enter.
pub struct Registered {
    inner: Arc<dyn Remote>,
    waits: Waits,
}

impl Registered {
    /// Registers each connection that `inner` makes in `waits`.
    pub fn new(inner: Arc<dyn Remote>, waits: Waits) -> Self {
        Self { inner, waits }
    }
}

#[async_trait::async_trait]
impl Remote for Registered {
    async fn public_key(&self, private_key: &Path) -> std::result::Result<PublicKey, Failure> {
        self.inner.public_key(private_key).await
    }

    async fn connect(&self, host: &Host) -> Result<Box<dyn Session>> {
        let what = format!("SSH connection to {}", host.target());
        let _wait = self.waits.connection(&host.node, what);
        self.inner.connect(host).await
    }

    fn pinned_host_keys(&self, host: &Host) -> std::result::Result<Vec<Fingerprint>, Failure> {
        self.inner.pinned_host_keys(host)
    }
}
