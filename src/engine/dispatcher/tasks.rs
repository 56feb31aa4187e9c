//! The tasks that do the work: one a region, one a node, and one for each
//! thing that is looked for or carried out.

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
    Look,
    PlanDown,
    Down,
    PlanPower,
    StopMachines,
    PlanAdopt,
    Adopt,
    PlanFix,
    Cures,
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

    /// A fault of muster's own must not look like silence.
    fn task_panicked(&mut self, task: &Task) {
        let failure = Failure::new(format!("muster failed in {task:?}: a fault of its own"))
            .hint("the machines go on; `up` again picks them up, `down` ends them");
        match task {
            Task::Node(node) => self.note(Event::NodeFailed { node: node.clone(), failure }),
            Task::Down => {
                self.tell(Update::Notice(failure.clone()));
                self.tell(Update::DownEnded(self.all_unknown(&failure)));
            }
            Task::StopMachines => {
                self.tell(Update::Notice(failure.clone()));
                self.tell(Update::StopEnded(self.all_unknown(&failure)));
            }
            Task::Adopt => {
                self.tell(Update::Notice(failure));
                self.tell(Update::UpEnded);
            }
            Task::Fix => {
                self.tell(Update::Notice(failure));
                self.tell(Update::FixEnded { complete: false });
            }
            Task::Region(_)
            | Task::Look
            | Task::PlanDown
            | Task::PlanPower
            | Task::PlanAdopt
            | Task::PlanFix
            | Task::Cures
            | Task::WatchFiles
            | Task::WatchInstances
            | Task::WatchForward => self.tell(Update::Notice(failure)),
        }
    }

    /// What is left of a termination or a stop that came to no end.
    fn all_unknown(&self, failure: &Failure) -> Unfinished {
        let regions = self.shared.project().region_names().into_iter();
        let unknown = regions.map(|region| (region, failure.clone())).collect();
        Unfinished { unknown, ..Unfinished::default() }
    }
}
