//! The tasks that do the work: one per region, one per node, and one for each
//! read or operation.

use tokio::task::{Id, JoinError};

use crate::{
    engine::{Event, Unfinished, Update},
    model::{Failure, NodeName, Region},
};

use super::Dispatcher;

/// What a task does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Task {
    Region(Region),
    Node(NodeName),
    Refresh,
    PlanDown,
    Down,
    PlanLifecycle,
    StopMachines,
    PlanAdopt,
    Adopt,
    PlanFix,
    PreviewFixes,
    Fix,
    WatchFiles,
    WatchInstances,
    WatchForward,
}

impl Dispatcher {
    pub(super) fn spawn(&mut self, task: Task, work: impl Future<Output = ()> + Send + 'static) {
        let abort = self.tasks.spawn(work);
        self.running.insert(abort.id(), (task, abort));
    }

    pub(super) fn is_running(&self, task: &Task) -> bool {
        self.running.values().any(|(running, _)| running == task)
    }

    pub(super) fn abort(&self, task: &Task) {
        for (_, abort) in self.running.values().filter(|(running, _)| running == task) {
            abort.abort();
        }
    }

    pub(super) fn task_ended(&mut self, ended: Result<(Id, ()), JoinError>) {
        let id = match &ended {
            Ok((id, ())) => *id,
            Err(error) => error.id(),
        };
        let Some((task, _)) = self.running.remove(&id) else { return };
        if let Err(error) = ended
            && error.is_panic()
        {
            self.task_panicked(&task);
        }
    }

    /// Reports a panic of a task, which would otherwise go unnoticed.
    fn task_panicked(&mut self, task: &Task) {
        let failure = Failure::new(format!("muster failed in {task:?}: an internal error"))
            .hint("the instances keep running; `up` resumes them, `down` terminates them");
        match task {
            Task::Node(node) => self.note(Event::NodeFailed { node: node.clone(), failure }),
            Task::Down => {
                self.send(Update::Notice(failure.clone()));
                self.send(Update::DownEnded(self.all_unknown(&failure)));
            }
            Task::StopMachines => {
                self.send(Update::Notice(failure.clone()));
                self.send(Update::StopEnded(self.all_unknown(&failure)));
            }
            Task::Adopt => {
                self.send(Update::Notice(failure));
                self.send(Update::UpEnded);
            }
            Task::Fix => {
                self.send(Update::Notice(failure));
                self.send(Update::FixEnded { complete: false });
            }
            Task::Region(_)
            | Task::Refresh
            | Task::PlanDown
            | Task::PlanLifecycle
            | Task::PlanAdopt
            | Task::PlanFix
            | Task::PreviewFixes
            | Task::WatchFiles
            | Task::WatchInstances
            | Task::WatchForward => self.send(Update::Notice(failure)),
        }
    }

    /// What is left of a termination or a stop that came to no end.
    fn all_unknown(&self, failure: &Failure) -> Unfinished {
        let regions = self.shared.project().region_names().into_iter();
        let unknown = regions.map(|region| (region, failure.clone())).collect();
        Unfinished { unknown, ..Unfinished::default() }
    }
}
