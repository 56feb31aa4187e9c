//! The engine: takes [`Command`]s, does the work, sends [`Update`]s.
//!
//! One dispatcher owns the [`RunState`]. Each lifecycle [`Event`] is
//! journalled, then folded by [`RunState::apply`], then sent on. Log lines go
//! past the dispatcher: from the node's task to its file and its ring in
//! [`LogStore`], which the screen reads.

mod adopt;
mod barrier;
mod command;
mod config_order;
mod connection;
mod dispatcher;
mod down;
mod fix;
mod fix_state;
mod forward;
mod host;
mod host_keys;
mod launch;
mod leftovers;
mod listing;
mod logs;
mod manifest;
mod node;
mod operator;
mod plans;
mod recover;
mod refresh;
mod refresh_survey;
mod region;
mod reload;
mod replay;
mod resources;
mod retry;
mod script;
mod shared;
mod start;
mod state;
mod step;
mod stop;
mod targets;
mod unresolved;
mod up;
mod vcpus;

use std::sync::Arc;

use tokio::sync::mpsc;

pub use adopt::{AdoptPlan, Adoptee};
pub use command::{Command, FixPlan, Update};
pub use fix_state::{ChangeState, FixProgress, FixState};
pub use host::host_of;
pub use leftovers::{LeftRoute, Leftovers};
pub use listing::{InstanceQuery, Origin, origin};
pub use logs::{LogStore, NodeLog};
pub use manifest::{Manifest, ManifestNode, RegionInfo};
pub use plans::{DownPlan, FoundNode, StartPlan, StopPlan, Unfinished, UnresolvedLaunch, UpPlan};
pub use region::differences;
pub use replay::replay;
pub use resources::FixEvents;
pub use state::{
    ClusterPhase, Health, InstanceInfo, LaunchRecord, LaunchState, LostLeader, NodeState,
    Readiness, RunState, StepState,
};
pub use unresolved::{ListedLaunch, listed_launches};

pub use crate::{
    journal::{
        AdoptedNode, Event, FixStep, LaunchedInstance, LogLine, Phase, Stamped, StepEffect,
        StepOutcome,
    },
    model::{HostKeyCheck, LinkCheck, Probe},
};

use crate::{
    cloud::Cloud,
    config::{Files, Project},
    journal::{Damage, Store},
    model::{Clock, Failure},
    remote::Remote,
    waits::Waits,
};

/// What the engine works on and with.
pub struct Parts {
    /// What to assemble.
    pub project: Arc<Project>,
    /// Where it was loaded from, and is loaded again.
    pub files: Files,
    /// The adapter of EC2.
    pub cloud: Arc<dyn Cloud>,
    /// The adapter of the nodes.
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
    /// Receives what happens. Ends after [`Command::Shutdown`], when all that had to
    /// finish has, or when every sender of commands is dropped.
    pub updates: mpsc::UnboundedReceiver<Update>,
    /// The state as of the start: the journal replayed, planned nodes added.
    /// Fold every [`Update::Event`] into it.
    pub state: RunState,
    /// The nodes' logs.
    pub logs: Arc<LogStore>,
    /// What is being waited for. Read on the front end's own timer.
    pub waits: Waits,
    /// Ends when the engine has. Aborting it is what a kill does: for tests.
    pub task: tokio::task::JoinHandle<()>,
    /// Whether another muster holds this cluster: then everything but reading is refused.
    pub read_only: Option<String>,
    /// What of the journal could not be read, for the user to see once.
    pub damage: Option<Failure>,
}

/// Replays the journal and starts the engine on the current tokio runtime.
/// Makes no call yet.
pub fn start(mut parts: Parts) -> Handle {
    let logs = Arc::new(match parts.store.folder() {
        Some(folder) => LogStore::in_folder(folder.join("logs")),
        None => LogStore::in_memory(),
    });
    let state = replay(&mut parts.store, &parts.project);
    let damage = parts.store.damage().map(Damage::failure);
    let (commands, received) = mpsc::unbounded_channel();
    let (updates_sender, updates) = mpsc::unbounded_channel();
    let (inbox_sender, inbox) = mpsc::unbounded_channel();
    let shared = shared::Shared::new(&parts, state.clone(), logs.clone(), inbox_sender);
    let waits = shared.waits.clone();
    let read_only = parts.store.read_only().map(str::to_owned);
    let dispatcher = dispatcher::Dispatcher::new(Arc::new(shared), parts.store, updates_sender);
    let task = tokio::spawn(dispatcher.run(received, inbox));
    Handle { commands, updates, state, logs, waits, task, read_only, damage }
}
