//! The dispatcher: the one owner of the journal and the only one to change
//! the state. It starts the tasks that do the work and stops on request.

mod backlog;
mod commands;
mod lifecycle;
mod record;
mod tasks;
mod up;

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::{
    sync::mpsc,
    task::{AbortHandle, Id, JoinSet},
};

use crate::{journal::Store, model::Failure, survey::Survey};

use super::{
    Command, StartPlan, Update,
    barrier::Barriers,
    shared::{Message, Shared},
};
use backlog::Backlog;
use tasks::Task;

/// How soon after a change the manifest is written again.
const MANIFEST: Duration = Duration::from_millis(500);
/// How often a reader reads what the writer has added.
const FOLLOW: Duration = Duration::from_secs(1);

pub(super) struct Dispatcher {
    shared: Arc<Shared>,
    store: Store,
    backlog: Backlog,
    updates: mpsc::UnboundedSender<Update>,
    tasks: JoinSet<()>,
    running: HashMap<Id, (Task, AbortHandle)>,
    barriers: Barriers,
    survey: Option<Arc<Survey>>,
    /// Whether an `Up` has begun and its end has not been reported.
    up_running: bool,
    manifest_due: Option<tokio::time::Instant>,
}

impl Dispatcher {
    pub(super) fn new(
        shared: Arc<Shared>,
        store: Store,
        updates: mpsc::UnboundedSender<Update>,
    ) -> Self {
        Self {
            shared,
            store,
            backlog: Backlog::default(),
            updates,
            tasks: JoinSet::new(),
            running: HashMap::new(),
            barriers: Barriers::default(),
            survey: None,
            up_running: false,
            manifest_due: None,
        }
    }

    /// Runs until [`Command::Shutdown`], or until all front ends have disconnected.
    pub(super) async fn run(
        mut self,
        mut commands: mpsc::UnboundedReceiver<Command>,
        mut inbox: mpsc::UnboundedReceiver<Message>,
    ) {
        let mut busy = self.shared.must.changes();
        loop {
            let due = self.manifest_due;
            tokio::select! {
                biased;
                Some(message) = inbox.recv() => self.message(message),
                command = commands.recv() => match command {
                    None | Some(Command::Shutdown) => break,
                    Some(command) => self.command(command),
                },
                Some(ended) = self.tasks.join_next_with_id() => self.task_ended(ended),
                Ok(()) = busy.changed() => self.send_busy(),
                () = until(due) => self.write_manifest(),
                () = tokio::time::sleep(FOLLOW), if self.store.read_only().is_some() => {
                    self.follow();
                }
            }
            self.settle();
        }
        self.stop(inbox, busy).await;
    }

    /// Drops what may be dropped, and waits for what may not.
    async fn stop(
        mut self,
        mut inbox: mpsc::UnboundedReceiver<Message>,
        mut busy: tokio::sync::watch::Receiver<u64>,
    ) {
        self.shared.halted.send_replace(true);
        for (_, abort) in self.running.values() {
            abort.abort();
        }
        self.send_busy();
        while !self.shared.must.list().is_empty() {
            tokio::select! {
                Some(message) = inbox.recv() => self.message(message),
                Ok(()) = busy.changed() => self.send_busy(),
            }
        }
        while let Ok(message) = inbox.try_recv() {
            self.message(message);
        }
        self.tasks.shutdown().await;
        self.write_last();
    }

    fn send(&self, update: Update) {
        // An error means that the front end has disconnected.
        let _ = self.updates.send(update);
    }

    fn send_busy(&self) {
        self.send(Update::Busy(self.shared.must.list()));
    }

    fn message(&mut self, message: Message) {
        match message {
            Message::Record(event, answer) => {
                let recorded = self.record(event);
                // The requesting task may have been dropped meanwhile.
                let _ = answer.send(recorded);
            }
            Message::Event(event) => {
                self.note(event);
            }
            Message::Unwritten(failure) => self.unwritten(failure),
            Message::StartNode(name) => self.start_node(&name),
            Message::GivenUp(nodes) => self.barriers.give_up(&nodes),
            Message::Refreshed(project, survey, findings) => {
                // The project has been replaced since; a refresh of the new one is under way.
                if !Arc::ptr_eq(&project, &self.shared.project()) {
                    return;
                }
                self.survey = Some(survey.clone());
                self.send(Update::Refreshed { survey, findings });
            }
            Message::Reload(answer) => {
                // The requesting fix may have been dropped meanwhile.
                let _ = answer.send(self.replan());
            }
            Message::Adopted => self.start_without_launch(&StartPlan::default()),
            Message::IsIdle(answer) => {
                // The timer may have been dropped meanwhile.
                let _ = answer.send(!self.is_busy() && !self.is_running(&Task::Refresh));
            }
            Message::Flush(answer) => {
                let _ = answer.send(());
            }
            Message::Update(update) => {
                let again = matches!(update, Update::FixEnded { .. });
                self.send(update);
                if again {
                    self.refresh();
                }
            }
        }
    }

    fn refuse(&self, why: &str) {
        self.send(Update::Refused(Failure::new(why)));
    }
}

async fn until(due: Option<tokio::time::Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
