//! What the dispatcher and its tasks share.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard},
};

use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    check::Finding,
    cloud::{CallPace, Cloud, Registered},
    config::{Files, Project},
    model::{Clock, ClusterId, Failure, NodeName},
    remote::Remote,
    survey::Survey,
    waits::Waits,
};

use super::{Event, LogStore, RunState, Update};

/// What tasks say to the dispatcher.
pub(super) enum Message {
    /// Journal, fold and send on; answered once that is done.
    Record(Event, oneshot::Sender<Result<(), Failure>>),
    /// Journal, fold and send on, without an answer.
    Event(Event),
    /// The node's machine runs and has an address: bootstrap it.
    StartNode(NodeName),
    /// Their launch has failed and is not tried again: what waits for them waits in vain.
    GivenUp(Vec<NodeName>),
    /// A survey of this project ended, with what the checks say of it.
    Refreshed(Arc<Project>, Arc<Survey>, Arc<[Finding]>),
    /// The configs were rewritten: plan what they say now; answered once that is done.
    Reload(oneshot::Sender<Result<(), Failure>>),
    /// What was to be taken over is: bootstrap it.
    Adopted,
    /// Whether nothing reads or changes the cluster's instances now.
    IsIdle(oneshot::Sender<bool>),
    /// Answered once all earlier messages are folded.
    Flush(oneshot::Sender<()>),
    /// Something could not be written to this machine's disk.
    Unwritten(Failure),
    /// Send on as it is.
    Update(Update),
}

/// Everything that a task needs.
pub(super) struct Shared {
    pub(super) files: Files,
    pub(super) cloud: Arc<dyn Cloud>,
    pub(super) remote: Arc<dyn Remote>,
    pub(super) clock: Clock,
    pub(super) cluster: ClusterId,
    /// The cluster's folder; none where it is kept in memory alone.
    pub(super) folder: Option<PathBuf>,
    pub(super) logs: Arc<LogStore>,
    pub(super) must: MustFinish,
    /// What is being waited for; calls to `cloud` enter it by themselves.
    pub(super) waits: Waits,
    /// Paces launches and their dry runs.
    pub(super) launch_pace: Arc<CallPace>,
    /// Paces reads of console outputs.
    pub(super) console_pace: CallPace,
    /// Set when nothing new may be launched any more.
    pub(super) halted: watch::Sender<bool>,
    /// Notified whenever a node has settled.
    pub(super) settled: watch::Sender<()>,
    project: RwLock<Arc<Project>>,
    state: RwLock<RunState>,
    inbox: mpsc::UnboundedSender<Message>,
}

impl Shared {
    pub(super) fn new(
        parts: &super::Parts,
        state: RunState,
        logs: Arc<LogStore>,
        inbox: mpsc::UnboundedSender<Message>,
    ) -> Self {
        let waits = Waits::default();
        Self {
            files: parts.files.clone(),
            cloud: Arc::new(Registered::new(parts.cloud.clone(), waits.clone())),
            remote: parts.remote.clone(),
            clock: parts.clock,
            cluster: parts.store.cluster().clone(),
            folder: parts.store.folder().map(Path::to_owned),
            logs,
            must: MustFinish::default(),
            waits,
            launch_pace: Arc::default(),
            console_pace: CallPace::of_reads(),
            halted: watch::Sender::new(false),
            settled: watch::Sender::new(()),
            project: RwLock::new(parts.project.clone()),
            state: RwLock::new(state),
            inbox,
        }
    }

    /// What is planned now. It changes only while nothing is launched or ended,
    /// so that each task sees one.
    pub(super) fn project(&self) -> Arc<Project> {
        self.project.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Plans `project` from here on; the dispatcher alone calls this.
    pub(super) fn replan(&self, project: Arc<Project>) {
        self.change(|state| state.plan(&project.planned_nodes()));
        *self.project.write().unwrap_or_else(PoisonError::into_inner) = project;
    }

    /// The state now. Never held across an await.
    pub(super) fn state(&self) -> RwLockReadGuard<'_, RunState> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state; the dispatcher alone calls this.
    pub(super) fn change(&self, change: impl FnOnce(&mut RunState)) {
        change(&mut self.state.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// Returns once the event is on disk. `Err`: it is not, so what it
    /// announces must not be done.
    pub(super) async fn record(&self, event: Event) -> Result<(), Failure> {
        let (answer, answered) = oneshot::channel();
        let lost = || Failure::new("the journal is closed");
        self.inbox.send(Message::Record(event, answer)).map_err(|_| lost())?;
        answered.await.map_err(|_| lost())?
    }

    /// Returns once what the configs say now is planned.
    pub(super) async fn reload(&self) -> Result<(), Failure> {
        let (answer, answered) = oneshot::channel();
        let lost = || Failure::new("the engine has ended");
        self.inbox.send(Message::Reload(answer)).map_err(|_| lost())?;
        answered.await.map_err(|_| lost())?
    }

    /// Returns once all earlier reports are folded.
    pub(super) async fn flush(&self) {
        let (answer, answered) = oneshot::channel();
        self.send(Message::Flush(answer));
        // An engine that has ended folds nothing more.
        let _ = answered.await;
    }

    /// Reports what has happened already.
    pub(super) fn report(&self, event: Event) {
        self.send(Message::Event(event));
    }

    /// Records that each of `nodes` has failed.
    pub(super) fn fail(&self, nodes: impl IntoIterator<Item = NodeName>, failure: &Failure) {
        for node in nodes {
            self.send(Message::Event(Event::NodeFailed { node, failure: failure.clone() }));
        }
    }

    /// Sends an update that is no event.
    pub(super) fn update(&self, update: Update) {
        self.send(Message::Update(update));
    }

    pub(super) fn send(&self, message: Message) {
        // The dispatcher ends only with the engine.
        let _ = self.inbox.send(message);
    }

    /// Whether nothing new may be launched: muster was asked to stop, or the
    /// dispatcher has ended, so that the outcome could not be recorded.
    pub(super) fn is_halted(&self) -> bool {
        *self.halted.borrow() || self.inbox.is_closed()
    }

    /// Returns once the engine has ended, after which nothing can be recorded.
    pub(super) async fn ended(&self) {
        self.inbox.closed().await;
    }
}

/// Work that has to end by itself before the process may: a launch whose
/// answer would be lost otherwise. The words are for the user who quits.
#[derive(Clone, Debug, Default)]
pub(super) struct MustFinish {
    running: Arc<Mutex<BTreeMap<u64, String>>>,
    version: Arc<watch::Sender<u64>>,
}

/// Work under way; ends when dropped.
pub(super) struct Underway {
    of: MustFinish,
    number: u64,
}

impl MustFinish {
    /// Registers `what` as under way until the returned guard is dropped.
    pub(super) fn begin(&self, what: String) -> Underway {
        let number = self.bump();
        self.running.lock().unwrap_or_else(PoisonError::into_inner).insert(number, what);
        Underway { of: self.clone(), number }
    }

    /// What is under way.
    pub(super) fn list(&self) -> Vec<String> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Returns once nothing is under way.
    pub(super) async fn all_ended(&self) {
        let mut changes = self.changes();
        while !self.list().is_empty() {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Changes whenever the list does.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    fn bump(&self) -> u64 {
        let mut number = 0;
        self.version.send_modify(|version| {
            *version += 1;
            number = *version;
        });
        number
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        self.of.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
        self.of.bump();
    }
}
