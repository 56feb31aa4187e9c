//! Stopping and starting the instances, and restarting the services on them.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    engine::{
        AdoptPlan, ClusterPhase, Event, FoundNode, NodeState, RunState, StartPlan, StopPlan,
        Update, adopt, barrier::Barriers, config_order::by_record, start, stop, up,
    },
    model::{Failure, NodeName},
};

use super::{Dispatcher, tasks::Task};

/// What an `Up` does about nodes without an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Launches {
    /// Launches them.
    Missing,
    /// Goes on without them.
    None,
}

impl Dispatcher {
    pub(super) fn plan_up(&mut self) {
        let shared = self.shared.clone();
        let plan = async move { Update::UpPlan(Arc::new(up::plan(&shared).await)) };
        self.plan(Task::PlanLifecycle, plan);
    }

    pub(super) fn plan_stop(&mut self) {
        let (shared, launching) = (self.shared.clone(), self.up_running);
        let plan = async move { Update::StopPlan(Arc::new(stop::plan(&shared, launching).await)) };
        self.plan(Task::PlanLifecycle, plan);
    }

    pub(super) fn plan_start(&mut self) {
        let shared = self.shared.clone();
        let plan = async move { Update::StartPlan(Arc::new(start::plan(&shared).await)) };
        self.plan(Task::PlanLifecycle, plan);
    }

    pub(super) fn plan_adopt(&mut self) {
        let shared = self.shared.clone();
        let plan = async move { Update::AdoptPlan(Arc::new(adopt::plan(&shared).await)) };
        self.plan(Task::PlanAdopt, plan);
    }

    /// Runs `plan` as `task` in place of an earlier one, and sends its result.
    fn plan(&mut self, task: Task, plan: impl Future<Output = Update> + Send + 'static) {
        let shared = self.shared.clone();
        self.abort(&task);
        self.spawn(task, async move { shared.update(plan.await) });
    }

    /// As with `Down`: nothing new is begun from here on, and calls under way
    /// are waited for, since what they make has to be stopped as well.
    pub(super) fn stop_machines(&mut self, plan: Arc<StopPlan>) {
        if self.ends() || self.is_running(&Task::Fix) || self.is_running(&Task::Adopt) {
            return self.refuse("a termination, a stop, a fix or an adoption is under way");
        }
        if plan.is_empty() && plan.stopping.is_empty() && plan.stopped.is_empty() {
            return self.refuse("there is no instance to stop");
        }
        if let Err(failure) = self.open_run() {
            return self.send(Update::Refused(failure));
        }
        self.drop_launches();
        let shared = self.shared.clone();
        self.spawn(Task::StopMachines, async move {
            shared.must.all_ended().await;
            stop::run(shared, plan).await;
        });
    }

    pub(super) fn start_machines(&mut self, plan: &StartPlan) {
        if self.is_busy() {
            return self.refuse("a launch, a termination, a stop or a fix is under way");
        }
        if plan.take_over.is_empty() && self.shared.state().live().next().is_none() {
            return self.refuse("there is no machine to start; `up` launches a cluster");
        }
        if let Some(failure) = by_record(&self.shared.project(), &self.shared.state()) {
            return self.send(Update::Refused(failure));
        }
        let instances = plan.start.iter().map(|(_, found)| found.id.clone()).collect();
        let intended = Event::StartIntended { instances };
        let recorded = self.open_run().and_then(|()| self.record_found(&plan.take_over));
        if let Err(failure) = recorded.and_then(|()| self.record(intended)) {
            return self.send(Update::Refused(failure));
        }
        self.start_without_launch(plan);
    }

    /// What was on no record is the cluster's from here on.
    fn record_found(&mut self, found: &[FoundNode]) -> Result<(), Failure> {
        let mut by_region = BTreeMap::<_, Vec<_>>::new();
        for FoundNode { adopted, .. } in found {
            by_region.entry(adopted.group.region.clone()).or_default().push(adopted.clone());
        }
        by_region
            .into_iter()
            .try_for_each(|(region, nodes)| self.record(Event::Recovered { region, nodes }))
    }

    /// The nodes that have an instance, in all regions; those of `plan` are started.
    pub(super) fn start_without_launch(&mut self, plan: &StartPlan) {
        self.begin_launching(Launches::None);
        for region in self.shared.project().region_names() {
            let ids = plan.ids_in(&region);
            let work = start::run(self.shared.clone(), region.clone(), ids);
            self.spawn(Task::Region(region), work);
        }
    }

    /// Records the intent before any call that changes an instance.
    pub(super) fn adopt(&mut self, plan: Arc<AdoptPlan>) {
        if self.is_busy() {
            return self.refuse("a launch, a termination, a stop or a fix is under way");
        }
        if let Some(failure) = plan.refused.first() {
            return self.send(Update::Refused(failure.clone()));
        }
        let regions = plan.regions();
        let instances = regions.iter().flat_map(|region| plan.ids_in(region)).collect();
        let intended = Event::AdoptIntended { regions, instances };
        if let Err(failure) = self.open_run().and_then(|()| self.record(intended)) {
            return self.send(Update::Refused(failure));
        }
        self.shared.halted.send_replace(false);
        self.spawn(Task::Adopt, adopt::run(self.shared.clone(), plan));
    }

    /// Runs an `Up` that restarts all services.
    pub(super) fn restart_services(&mut self) {
        if let Some(why) = self.up_refusal() {
            return self.send(Update::Refused(why));
        }
        let nodes: Vec<_> = named(&self.shared.state(), NodeState::is_live);
        if nodes.is_empty() {
            return self.refuse("there is no running node; `up` launches a cluster");
        }
        if self.shared.project().recipe.again_on_start().next().is_none() {
            let failure = Failure::new("no step of the recipe is marked `again: start`")
                .hint("mark those that start services, so that muster knows what to run again");
            return self.send(Update::Refused(failure));
        }
        if let Err(failure) = self.open_run().and_then(|()| self.void_services(nodes)) {
            return self.send(Update::Refused(failure));
        }
        self.start_regions();
    }

    /// Voids the services that a stop has ended: on the nodes whose instances were stopped, and
    /// on all nodes if the leader is one of them, since all depend on its services.
    pub(super) fn void_lost_services(&mut self) {
        let nodes = {
            let state = self.shared.state();
            let lost = |node: &NodeState| node.is_live() && node.services_lost;
            let leader = state.nodes.values().any(|node| node.leader && lost(node));
            if leader { named(&state, NodeState::is_live) } else { named(&state, lost) }
        };
        if nodes.is_empty() {
            return;
        }
        if let Err(failure) = self.void_services(nodes) {
            self.send(Update::Notice(failure));
        }
    }

    fn void_services(&mut self, nodes: Vec<NodeName>) -> Result<(), Failure> {
        let project = self.shared.project();
        let steps = project.recipe.again_on_start().map(str::to_owned).collect();
        self.record(Event::ServicesVoided { nodes, steps })
    }

    /// Prepares an `Up`, once it is journalled.
    pub(super) fn begin_launching(&mut self, launches: Launches) {
        self.shared.halted.send_replace(false);
        self.void_after_lost_leader();
        self.void_lost_services();
        let barriers = Barriers::of(&self.shared.project(), &self.shared.state());
        self.barriers = match launches {
            Launches::Missing => barriers,
            Launches::None => barriers.only(&named(&self.shared.state(), NodeState::is_live)),
        };
        self.up_running = true;
        self.unsettle_failed();
    }

    /// Returns why no `Up` can begin now.
    pub(super) fn up_refusal(&self) -> Option<Failure> {
        if self.is_busy() {
            return Some(Failure::new("a launch, a termination, a stop or a fix is under way"));
        }
        let state = self.shared.state();
        if state.phase == ClusterPhase::Terminated {
            let why = "this cluster is terminated; start muster again to launch a new one";
            return Some(Failure::new(why));
        }
        if let Some(region) = state.adopting.first() {
            let failure = Failure::new(format!(
                "adopting the instances of {region} was interrupted, and a launch would add others \
                 next to them"
            ));
            return Some(failure.hint("`muster up --adopt` resumes it"));
        }
        if let Some(failure) = by_record(&self.shared.project(), &state) {
            return Some(failure);
        }
        let stopped = named(&state, |node| node.is_live() && node.is_stopped());
        let what = match &stopped[..] {
            [] => return None,
            [one] => format!("the instance of {one} is stopped"),
            [first, rest @ ..] => {
                format!("the instances of {first} and {} more are stopped", rest.len())
            }
        };
        Some(Failure::new(what).hint("`muster start` starts what is stopped"))
    }

    /// Whether anything is under way that changes instances or the account.
    pub(super) fn is_busy(&self) -> bool {
        let tasks = [Task::Fix, Task::Adopt];
        self.up_running || self.ends() || tasks.iter().any(|task| self.is_running(task))
    }

    /// Whether instances are being terminated or stopped.
    pub(super) fn ends(&self) -> bool {
        self.is_running(&Task::Down) || self.is_running(&Task::StopMachines)
    }

    /// From here on nothing new is launched or bootstrapped.
    pub(super) fn drop_launches(&mut self) {
        self.shared.halted.send_replace(true);
        let work: Vec<_> = self.running.values().map(|(task, _)| task.clone()).collect();
        for task in work.iter().filter(|task| matches!(task, Task::Region(_) | Task::Node(_))) {
            self.abort(task);
        }
    }
}

fn named(state: &RunState, fits: impl Fn(&NodeState) -> bool) -> Vec<NodeName> {
    state.nodes.values().filter(|node| fits(node)).map(|node| node.name.clone()).collect()
}
