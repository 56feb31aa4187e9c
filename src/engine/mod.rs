//! The engine: takes [`Command`]s, does the work, tells [`Update`]s.
//!
//! One dispatcher owns the [`RunState`]. Each lifecycle [`Event`] is
//! journalled, then folded by [`RunState::apply`], then sent on. Log lines go
//! past the dispatcher: from the node's task to its file and its ring in
//! [`LogStore`], which the screen reads.

mod command;
mod event;
mod logs;
mod state;

use std::sync::Arc;

use tokio::sync::mpsc;

pub use command::{Command, DownPlan, Update};
pub use event::{Event, LaunchedInstance, LogLine, Phase, Stamped, StepOutcome};
pub use logs::{LogStore, NodeLog};
pub use state::{
    ClusterPhase, InstanceInfo, LaunchRecord, LaunchState, NodeState, RunState, StepState,
};

use crate::{cloud::Cloud, config::Project, journal::Store, model::Clock, remote::Remote};

/// What the engine works on and with.
pub struct Parts {
    /// What to assemble.
    pub project: Arc<Project>,
    /// The door to EC2.
    pub cloud: Arc<dyn Cloud>,
    /// The door to the nodes.
    pub remote: Arc<dyn Remote>,
    /// The time.
    pub clock: Clock,
    /// Where the cluster's journal, manifest and logs are kept.
    pub store: Store,
}

/// A running engine, as a front end holds it.
pub struct Handle {
    /// Takes commands; never blocks the sender.
    pub commands: mpsc::UnboundedSender<Command>,
    /// Tells what happens. Ends after [`Command::Stop`], when all that had to
    /// finish has, or when every sender of commands is gone.
    pub updates: mpsc::UnboundedReceiver<Update>,
    /// The state as of the start: the journal replayed, planned nodes added.
    /// Fold every [`Update::Event`] into it.
    pub state: RunState,
    /// The nodes' logs.
    pub logs: Arc<LogStore>,
    /// Whether another muster holds this cluster: then everything but looking is refused.
    pub read_only: Option<String>,
}
