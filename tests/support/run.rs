//! An engine on a simulated world, driven as by a front end.

use std::sync::Arc;

use muster::{
    check::Finding,
    cloud::{Cloud, Instance, InstanceFilter},
    config::{Files, Overrides, Project},
    engine::{
        self, Command, DownPlan, Event, FixPlan, Handle, NodeState, Phase, RunState, StartPlan,
        StopPlan, Unfinished, UpPlan, Update,
    },
    journal::Store,
    model::{ClusterId, NodeName, Region},
    sim::{Scenario, World},
};

/// A running engine and the world around it.
pub struct Run {
    pub world: Arc<World>,
    pub project: Arc<Project>,
    pub files: Files,
    pub handle: Handle,
    pub state: RunState,
    pub findings: Arc<[Finding]>,
    /// Another handle on the engine's store.
    pub store: Store,
    /// Every event received, in order.
    pub events: Vec<Event>,
    pub notices: Vec<String>,
}

impl Run {
    /// Starts an engine on a new world of `scenario`.
    pub fn new(scenario: &Scenario) -> Self {
        let files = scenario.files(Overrides::default());
        let loaded = files.load();
        assert_eq!(loaded.diagnostics, [], "the scenario's own configs are clean");
        let project = Arc::new(loaded.project.expect("a project"));
        let store = Store::in_memory(ClusterId::new("test-000001"));
        Self::on(World::new(scenario), project, files, store)
    }

    /// Starts an engine on an existing world.
    pub fn on(world: Arc<World>, project: Arc<Project>, files: Files, store: Store) -> Self {
        let shared = store.share().expect("a store in memory");
        let handle = engine::start(engine::Parts {
            project: project.clone(),
            files: files.clone(),
            cloud: world.cloud(),
            remote: world.remote(),
            clock: world.clock(),
            store,
        });
        Self {
            world,
            project,
            files,
            state: handle.state.clone(),
            handle,
            findings: Arc::new([]),
            store: shared,
            events: Vec::new(),
            notices: Vec::new(),
        }
    }

    /// Kills the engine and starts the next process, with the written records and the
    /// current world.
    pub async fn killed_and_restarted(self) -> Self {
        self.handle.task.abort();
        // Until the engine and its tasks have ended.
        assert!(self.handle.task.await.expect_err("killed").is_cancelled());
        let store = self.store.reopened(self.store.written());
        Self::on(self.world, self.project, self.files, store)
    }

    pub fn send(&self, command: Command) {
        self.handle.commands.send(command).expect("the engine runs");
    }

    /// Receives and applies the next update; `None` once the engine has ended.
    pub async fn next(&mut self) -> Option<Update> {
        let update = self.handle.updates.recv().await?;
        match &update {
            Update::Event(stamped) => {
                self.state.apply(stamped);
                self.events.push(stamped.event.clone());
            }
            Update::Project(project) => {
                self.state.plan(&project.planned_nodes());
                self.project = project.clone();
            }
            Update::Refreshed { findings, .. } => self.findings = findings.clone(),
            Update::Notice(failure) | Update::Refused(failure) => {
                self.notices.push(failure.to_string());
            }
            _ => {}
        }
        Some(update)
    }

    /// Receives updates until one fits.
    pub async fn until(&mut self, fits: impl Fn(&Update, &RunState) -> bool) -> Update {
        loop {
            let update = self.next().await.expect("the engine ended before it came");
            if fits(&update, &self.state) {
                return update;
            }
        }
    }

    /// The plan of changes that was asked for.
    pub async fn planned(&mut self) -> Arc<FixPlan> {
        match self.until(|update, _| matches!(update, Update::FixPlan(_))).await {
            Update::FixPlan(plan) => plan,
            _ => unreachable!(),
        }
    }

    pub async fn look(&mut self) {
        self.send(Command::Refresh);
        self.until(|update, _| matches!(update, Update::Refreshed { .. })).await;
    }

    pub async fn up(&mut self) {
        self.send(Command::Up);
        self.up_ended().await;
    }

    pub async fn up_ended(&mut self) {
        self.until(|update, _| matches!(update, Update::UpEnded)).await;
    }

    /// Plans and confirms `down`, with everything on record; returns whether everything
    /// is certainly terminated.
    pub async fn down(&mut self) -> bool {
        let plan = self.plan_down().await;
        self.down_by(plan).await.is_empty()
    }

    /// Confirms `plan`; returns what is left.
    pub async fn down_by(&mut self, plan: Arc<DownPlan>) -> Unfinished {
        self.send(Command::Down(plan));
        match self.until(|update, _| matches!(update, Update::DownEnded(_))).await {
            Update::DownEnded(unfinished) => unfinished,
            _ => unreachable!(),
        }
    }

    /// Returns whether every instance is stopped.
    pub async fn stop(&mut self) -> bool {
        let plan = self.plan_stop().await;
        self.stop_by(plan).await.is_empty()
    }

    /// Confirms `plan`; returns what is left.
    pub async fn stop_by(&mut self, plan: Arc<StopPlan>) -> Unfinished {
        self.send(Command::StopMachines(plan));
        match self.until(|update, _| matches!(update, Update::StopEnded(_))).await {
            Update::StopEnded(unfinished) => unfinished,
            _ => unreachable!(),
        }
    }

    pub async fn plan_stop(&mut self) -> Arc<StopPlan> {
        self.send(Command::PlanStop);
        match self.until(|update, _| matches!(update, Update::StopPlan(_))).await {
            Update::StopPlan(plan) => plan,
            _ => unreachable!(),
        }
    }

    pub async fn start(&mut self) {
        let plan = self.plan_start().await;
        self.send(Command::StartMachines(plan));
        self.up_ended().await;
    }

    pub async fn plan_start(&mut self) -> Arc<StartPlan> {
        self.send(Command::PlanStart);
        match self.until(|update, _| matches!(update, Update::StartPlan(_))).await {
            Update::StartPlan(plan) => plan,
            _ => unreachable!(),
        }
    }

    /// Sends `command` and receives updates until `records` events have arrived, or the
    /// answer is complete.
    pub async fn send_and_see(&mut self, command: Command, records: usize) {
        self.send(command);
        let mut seen = 0;
        while seen < records {
            match self.next().await {
                Some(Update::Event(_)) => seen += 1,
                Some(Update::UpEnded | Update::StopEnded(_)) | None => return,
                Some(_) => {}
            }
        }
    }

    pub async fn plan_up(&mut self) -> Arc<UpPlan> {
        self.send(Command::PlanUp);
        match self.until(|update, _| matches!(update, Update::UpPlan(_))).await {
            Update::UpPlan(plan) => plan,
            _ => unreachable!(),
        }
    }

    pub async fn plan_down(&mut self) -> Arc<DownPlan> {
        self.send(Command::PlanDown);
        match self.until(|update, _| matches!(update, Update::DownPlan(_))).await {
            Update::DownPlan(plan) => plan,
            _ => unreachable!(),
        }
    }

    pub fn node(&self, name: &str) -> &NodeState {
        &self.state.nodes[&NodeName::new(name)]
    }

    pub fn phases(&self) -> Vec<(&str, Phase)> {
        self.state.nodes.values().map(|node| (node.name.as_str(), node.phase)).collect()
    }

    pub fn all_ready(&self) -> bool {
        self.state.nodes.values().all(|node| node.phase == Phase::Ready)
    }

    /// Returns the cluster's billed instances, as EC2 lists them.
    pub async fn live(&self) -> Vec<(Region, Instance)> {
        let cloud: Arc<dyn Cloud> = self.world.cloud();
        let mut live = Vec::new();
        for region in self.project.region_names() {
            let filter = InstanceFilter::cluster(self.store.cluster());
            let found = cloud.instances(&region, &filter).await.expect("the world answers");
            let found = found.into_iter().filter(|instance| instance.state.is_live());
            live.extend(found.map(|instance| (region.clone(), instance)));
        }
        live
    }

    /// Returns a node's log lines, as `step.attempt | text`.
    pub fn log(&self, node: &str) -> Vec<String> {
        self.handle.logs.with(&NodeName::new(node), |log| {
            log.lines().iter().map(|line| format!("{} | {}", line.step, line.text)).collect()
        })
    }
}
