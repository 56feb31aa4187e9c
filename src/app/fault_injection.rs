//! Faults on purpose, for the tests of what a panic leaves behind. Only in
//! debug builds, and only where `MUSTER_TEST_PANIC` asks for one:
//!
//! - `ui`: the dashboard panics at SIGUSR1.
//! - `task`: the task of every node panics once it connects.

#[cfg(not(debug_assertions))]
use std::sync::Arc;

#[cfg(not(debug_assertions))]
use crate::remote::Remote;

/// Runs the dashboard; panics in addition if requested.
#[cfg(not(debug_assertions))]
pub async fn on_screen<T>(work: impl Future<Output = T>) -> T {
    work.await
}

/// Gives `remote` back, or one whose connections panic.
#[cfg(not(debug_assertions))]
pub fn in_tasks(remote: Arc<dyn Remote>) -> Arc<dyn Remote> {
    remote
}

#[cfg(debug_assertions)]
pub use debug::{in_tasks, on_screen};

#[cfg(debug_assertions)]
#[expect(clippy::panic, reason = "that is what this is for")]
mod debug {
    use std::{path::Path, sync::Arc};

    use tokio::signal::unix::{SignalKind, signal};

    use crate::{
        cloud::PublicKey,
        model::{Failure, Fingerprint},
        remote::{Host, Remote, Result, Session},
    };

    fn asked_for(where_: &str) -> bool {
        std::env::var_os("MUSTER_TEST_PANIC").is_some_and(|asked| asked == where_)
    }

    /// Runs the dashboard; panics in addition if requested.
    pub async fn on_screen<T>(work: impl Future<Output = T>) -> T {
        let fault = async {
            match signal(SignalKind::user_defined1()) {
                Ok(mut signal) if asked_for("ui") => signal.recv().await,
                _ => std::future::pending().await,
            }
        };
        tokio::select! {
            result = work => result,
            _ = fault => panic!("injected on the dashboard"),
        }
    }

    /// Gives `remote` back, or one whose connections panic.
    pub fn in_tasks(remote: Arc<dyn Remote>) -> Arc<dyn Remote> {
        if asked_for("task") { Arc::new(Faulty(remote)) } else { remote }
    }

    struct Faulty(Arc<dyn Remote>);

    #[async_trait::async_trait]
    impl Remote for Faulty {
        async fn public_key(&self, private_key: &Path) -> std::result::Result<PublicKey, Failure> {
            self.0.public_key(private_key).await
        }

        async fn connect(&self, host: &Host) -> Result<Box<dyn Session>> {
            panic!("injected in the task of {}", host.node)
        }

        fn pinned_host_keys(&self, host: &Host) -> std::result::Result<Vec<Fingerprint>, Failure> {
            self.0.pinned_host_keys(host)
        }
    }
}
