//! The connection to a node while a step runs: its loss and its recovery are
//! events, so that nobody wonders why nothing moves.

use tokio::time::Instant;

use crate::{
    model::{Failure, NodeName},
    remote::RemoteError,
};

use super::{Event, shared::Shared};

/// Whether the connection to a node holds.
pub(super) struct Connection {
    node: NodeName,
    lost: Option<Instant>,
}

impl Connection {
    /// A connection that holds.
    pub(super) fn of(node: &NodeName) -> Self {
        Self { node: node.clone(), lost: None }
    }

    /// Records that it was lost, once until it is restored.
    pub(super) fn lost(&mut self, shared: &Shared, error: &RemoteError) {
        if self.lost.replace(self.lost.unwrap_or_else(Instant::now)).is_none() {
            let (node, failure) = (self.node.clone(), Failure::new(error.message.clone()));
            shared.tell(Event::ConnectionLost { node, failure });
        }
    }

    /// Records that it holds again, if it was lost.
    pub(super) fn restored(&mut self, shared: &Shared) {
        if let Some(lost) = self.lost.take() {
            let (node, after_s) = (self.node.clone(), lost.elapsed().as_secs());
            shared.tell(Event::ConnectionRestored { node, after_s });
        }
    }
}
