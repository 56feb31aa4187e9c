//! The connection to a node while a step runs: its loss and its recovery are
//! events and lines of the node's log, so that nobody wonders why nothing moves.

use tokio::time::Instant;

use crate::{
    model::{Failure, NodeName, plain},
    remote::RemoteError,
};

use super::{Event, shared::Shared, step};

/// What the node's log has in place of a step.
const LOG: &str = "ssh";

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
            let line = plain(&format!("connection lost: {failure}")).into_owned();
            step::log_line(shared, &node, LOG, line);
            shared.report(Event::ConnectionLost { node, failure });
        }
    }

    /// Records that it holds again, if it was lost.
    pub(super) fn restored(&mut self, shared: &Shared) {
        if let Some(lost) = self.lost.take() {
            let (node, after_s) = (self.node.clone(), lost.elapsed().as_secs());
            let line = format!("connected again after {after_s} s");
            step::log_line(shared, &node, LOG, line);
            shared.report(Event::ConnectionRestored { node, after_s });
        }
    }
}
