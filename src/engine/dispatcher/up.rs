//! An `Up` from its first record to its end, and running again what failed.

use crate::{
    engine::{Event, NodeState, Phase, Update, barrier::Barriers, node, region},
    journal::FORMAT,
    model::{Failure, NodeName, Region},
};

use super::{Dispatcher, lifecycle::Launches, tasks::Task};

impl Dispatcher {
    pub(super) fn up(&mut self) {
        if let Some(why) = self.up_refusal() {
            return self.send(Update::Refused(why));
        }
        if let Err(failure) = self.open_run() {
            return self.send(Update::Refused(failure));
        }
        self.start_regions();
    }

    /// Starts all regions, once the run is on record.
    pub(super) fn start_regions(&mut self) {
        self.begin_launching(Launches::Missing);
        for region in self.shared.project().region_names() {
            self.start_region(region);
        }
    }

    /// The records that a run begins with, synced before anything is done.
    pub(super) fn open_run(&mut self) -> Result<(), Failure> {
        if self.shared.state().cluster.is_none() {
            let project = self.shared.project();
            let created = Event::ClusterCreated {
                cluster: self.shared.cluster.clone(),
                project: project.name.value.clone(),
                leader: project.leader.value.clone(),
                regions: project.region_names(),
            };
            self.record(created)?;
        }
        let version = env!("CARGO_PKG_VERSION").into();
        self.record(Event::RunStarted { version, format: FORMAT })
    }

    /// Resets the steps that the members ran after a leader that is lost: a new leader has no
    /// state of them.
    pub(super) fn void_after_lost_leader(&mut self) {
        let project = self.shared.project();
        let steps = project.recipe.steps.iter();
        let dependent: Vec<_> = steps.filter(|step| step.waits()).collect();
        let again: Vec<_> = {
            let state = self.shared.state();
            let lost = state.nodes.values().any(|node| node.leader && !node.is_live());
            let live = state.nodes.values().filter(|node| lost && node.is_live());
            live.flat_map(|node| dependent.iter().map(move |step| (node, &step.name)))
                .filter(|(node, step)| node.has_done(step))
                .map(|(node, step)| (node.name.clone(), step.clone()))
                .collect()
        };
        for (node, step) in again {
            self.note(Event::StepReset { node: node.clone(), step });
            self.note(Event::NodePhase { node, phase: Phase::Booting });
        }
    }

    /// Resets nodes with an instance to the phase where the watch picks them up.
    pub(super) fn unsettle_failed(&mut self) {
        let again: Vec<_> = {
            let state = self.shared.state();
            let broken = state.nodes.values().filter(|node| {
                node.is_up() && !matches!(node.phase, Phase::Ready | Phase::Booting)
            });
            broken.map(|node| node.name.clone()).collect()
        };
        for node in again {
            self.note(Event::NodePhase { node, phase: Phase::Booting });
        }
    }

    fn start_region(&mut self, region: Region) {
        let task = Task::Region(region.clone());
        if !self.is_running(&task) {
            self.spawn(task, region::run(self.shared.clone(), region));
        }
    }

    pub(super) fn start_node(&mut self, name: &NodeName) {
        let task = Task::Node(name.clone());
        let stopping = self.ends() || self.shared.is_halted();
        if stopping || self.is_running(&task) {
            return;
        }
        // Folded here and not by the task, so that no second start is requested.
        let work = node::run(self.shared.clone(), name.clone(), self.barriers.watches());
        self.spawn(task, work);
    }

    /// The node's failed step again, and with it the nodes that wait for it.
    pub(super) fn retry(&mut self, name: &NodeName) {
        let again: Vec<_> = {
            let state = self.shared.state();
            let failed = |node: &&NodeState| node.phase == Phase::Failed && node.is_up();
            let of_name = |node: &&NodeState| node.name == *name || node.is_blocked();
            let nodes = state.nodes.values().filter(failed).filter(of_name);
            nodes.map(|node| node.name.clone()).collect()
        };
        if !again.contains(name) {
            return self.refuse(&format!(
                "{name} has no failed step on a running instance; `up` launches what is missing"
            ));
        }
        self.restart(again);
    }

    pub(super) fn retry_step(&mut self, name: &NodeName, step: &str) {
        let settled = self.shared.state().nodes.get(name).is_some_and(|node| {
            node.is_up() && node.phase.is_settled() && node.steps.contains_key(step)
        });
        if !settled {
            return self.refuse(&format!("{step} can't be run again on {name} now"));
        }
        self.note(Event::StepReset { node: name.clone(), step: step.to_owned() });
        self.restart(vec![name.clone()]);
    }

    fn restart(&mut self, nodes: Vec<NodeName>) {
        if !self.up_running {
            let project = self.shared.project();
            self.barriers = Barriers::of(&project, &self.shared.state()).only(&nodes);
            self.up_running = true;
        }
        for node in nodes {
            self.note(Event::NodePhase { node: node.clone(), phase: Phase::Connecting });
            self.start_node(&node);
        }
    }

    /// Reports the end of an `Up` once none of its tasks runs any more.
    pub(super) fn settle(&mut self) {
        let works = |task: &Task| matches!(task, Task::Region(_) | Task::Node(_));
        if !self.up_running || self.running.values().any(|(task, _)| works(task)) {
            return;
        }
        self.up_running = false;
        if !self.shared.is_halted() {
            let (ready, failed) = self.shared.state().count();
            self.note(Event::BootstrapEnded { ready, failed });
        }
        self.write_manifest();
        self.send(Update::UpEnded);
    }
}
