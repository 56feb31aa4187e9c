//! The dispatcher: the one owner of the journal and the only one to change
//! the state. It starts the tasks that do the work and ends when told to.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::{
    sync::mpsc,
    task::{AbortHandle, Id, JoinError, JoinSet},
};

use crate::{
    journal::Store,
    model::{Failure, NodeName, Region},
    remedy::{Plan, Wish},
    survey::Survey,
};

use super::{
    ClusterPhase, Command, Event, Manifest, Phase, Stamped, Update,
    barrier::Barriers,
    down, fix, look, node, region, reload,
    shared::{Message, Shared},
};

/// How soon after a change the manifest is written again.
const MANIFEST: Duration = Duration::from_millis(500);
/// How often a reader looks for what the writer has added.
const FOLLOW: Duration = Duration::from_secs(1);

/// What a task does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Task {
    Region(Region),
    Node(NodeName),
    Look,
    PlanDown,
    Down,
    PlanFix,
    Cures,
    Fix,
}

pub(super) struct Dispatcher {
    shared: Arc<Shared>,
    store: Store,
    updates: mpsc::UnboundedSender<Update>,
    tasks: JoinSet<()>,
    running: HashMap<Id, (Task, AbortHandle)>,
    barriers: Barriers,
    survey: Option<Arc<Survey>>,
    /// Whether an `Up` has been begun and its end not been told.
    rising: bool,
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
            updates,
            tasks: JoinSet::new(),
            running: HashMap::new(),
            barriers: Barriers::default(),
            survey: None,
            rising: false,
            manifest_due: None,
        }
    }

    /// Works until told to stop, or until nobody is left to tell.
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
                    None | Some(Command::Stop) => break,
                    Some(command) => self.command(command),
                },
                Some(ended) = self.tasks.join_next_with_id() => self.task_ended(ended),
                Ok(()) = busy.changed() => self.tell_busy(),
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
        self.tell_busy();
        while !self.shared.must.list().is_empty() {
            tokio::select! {
                Some(message) = inbox.recv() => self.message(message),
                Ok(()) = busy.changed() => self.tell_busy(),
            }
        }
        while let Ok(message) = inbox.try_recv() {
            self.message(message);
        }
        self.tasks.shutdown().await;
        if self.manifest_due.is_some() {
            self.write_manifest();
        }
    }

    fn tell(&self, update: Update) {
        // A front end that is gone needs no telling.
        let _ = self.updates.send(update);
    }

    fn tell_busy(&self) {
        self.tell(Update::Busy(self.shared.must.list()));
    }

    fn message(&mut self, message: Message) {
        match message {
            Message::Record(event, answer) => {
                let recorded = self.record(event);
                // The task that asked may have been dropped meanwhile.
                let _ = answer.send(recorded);
            }
            Message::Tell(event) => {
                self.note(event);
            }
            Message::StartNode(name) => self.start_node(&name),
            Message::Looked(project, survey, findings) => {
                // Of a project that is planned no more; a new look is under way.
                if !Arc::ptr_eq(&project, &self.shared.project()) {
                    return;
                }
                self.survey = Some(survey.clone());
                self.tell(Update::Looked { survey, findings });
            }
            Message::Reload(answer) => {
                // The fix that asked may have been dropped meanwhile.
                let _ = answer.send(self.replan());
            }
            Message::Update(update) => {
                let again = matches!(update, Update::FixEnded { .. });
                self.tell(update);
                if again {
                    self.look();
                }
            }
        }
    }

    /// Journals, folds, sends on. An intent that can't be journalled is
    /// refused. What tells of the past is folded and sent on even then: the
    /// screen must not lie.
    fn record(&mut self, event: Event) -> Result<(), Failure> {
        let reads = self.store.read_only().is_some();
        // What a reader sees for itself takes no number: the writer gives those.
        let seq = self.shared.state().seq + u64::from(!reads);
        let stamped = Stamped { seq, at: self.shared.clock.now(), event };
        let written = if reads {
            Ok(())
        } else {
            self.store.append(&stamped, stamped.event.is_durable()).map_err(|error| {
                Failure::new(format!("the journal can't be written: {error}"))
                    .hint("nothing new is launched until it can; free some space")
            })
        };
        if stamped.event.is_intent() {
            written.clone()?;
        }
        self.barriers.apply(&stamped.event, &self.shared.state());
        self.shared.change(|state| state.apply(&stamped));
        self.end_node_without_machine(&stamped.event);
        if stamped.event.may_settle() {
            self.shared.settled.send_replace(());
        }
        self.manifest_due.get_or_insert(tokio::time::Instant::now() + MANIFEST);
        self.tell(Update::Event(stamped));
        written
    }

    /// Takes over what the writer has journalled meanwhile.
    fn follow(&mut self) {
        self.shared.logs.read_further();
        let seq = self.shared.state().seq;
        match self.store.records_after(seq) {
            Ok(records) => {
                for stamped in records {
                    self.shared.change(|state| state.apply(&stamped));
                    self.tell(Update::Event(stamped));
                }
            }
            Err(error) => self.tell(Update::Notice(Failure::new(error.to_string()))),
        }
    }

    /// A machine that is gone needs no more SSH.
    fn end_node_without_machine(&self, event: &Event) {
        let Event::InstanceChanged { instance, state, .. } = event else { return };
        if state.is_live() {
            return;
        }
        let name = self.shared.state().node_of(instance).map(|node| node.name.clone());
        if let Some(name) = name {
            self.abort(&Task::Node(name));
        }
    }

    fn write_manifest(&mut self) {
        self.manifest_due = None;
        if self.store.read_only().is_some() || self.shared.state().cluster.is_none() {
            return;
        }
        let manifest = Manifest::of(&self.shared.state());
        let written = serde_json::to_string_pretty(&manifest)
            .map_err(|error| error.to_string())
            .and_then(|json| self.store.write_manifest(&json).map_err(|error| error.to_string()));
        if let Err(error) = written {
            self.tell(Update::Notice(Failure::new(format!("manifest.json: {error}"))));
        }
    }

    fn command(&mut self, command: Command) {
        let looks = matches!(
            command,
            Command::Look
                | Command::Reload
                | Command::PlanDown
                | Command::PlanFix(_)
                | Command::Cures
                | Command::PlanTeardown
        );
        if let Some(holder) = self.store.read_only().filter(|_| !looks) {
            let failure = Failure::new(format!("{holder} holds this cluster; this one only looks"));
            return self.tell(Update::Refused(failure.hint("use that one, or end it first")));
        }
        match command {
            Command::Look => self.look(),
            Command::Reload => self.reload(),
            Command::Up => self.up(),
            Command::RetryNode(name) => self.retry(&name),
            Command::RetryStep(name, step) => self.retry_step(&name, &step),
            Command::PlanDown => self.plan_down(),
            Command::Down => self.down(),
            Command::PlanFix(wish) => self.plan_fix(Some(wish)),
            Command::PlanTeardown => self.plan_fix(None),
            Command::Cures => self.cures(),
            Command::Fix(plan) => self.fix(plan),
            Command::Stop => {}
        }
    }

    fn look(&mut self) {
        self.abort(&Task::Look);
        self.tell(Update::Looking);
        let work = look::run(self.shared.clone(), self.survey.clone(), !self.rising);
        self.spawn(Task::Look, work);
    }

    /// Reads the files on the spot, as it writes the journal: what is asked
    /// after it is asked of the new project.
    fn reload(&mut self) {
        if self.rising || self.is_running(&Task::Down) || self.is_running(&Task::Fix) {
            return self.refuse("a launch, a termination or a fix is under way");
        }
        match self.replan() {
            Ok(()) => self.look(),
            Err(failure) => self.tell(Update::Refused(failure)),
        }
    }

    /// Plans what the files say now.
    fn replan(&mut self) -> Result<(), Failure> {
        let project = reload::load(&self.shared)?;
        self.shared.replan(project.clone());
        // What was allowed was another launch, perhaps.
        self.survey = None;
        self.tell(Update::Project(project));
        Ok(())
    }

    fn up(&mut self) {
        if self.rising || self.is_running(&Task::Down) || self.is_running(&Task::Fix) {
            return self.refuse("a launch, a termination or a fix is under way");
        }
        if self.shared.state().phase == ClusterPhase::Gone {
            return self.refuse("this cluster is gone; start muster again to launch a new one");
        }
        if let Err(failure) = self.open_run() {
            return self.tell(Update::Refused(failure));
        }
        self.shared.halted.send_replace(false);
        self.void_after_lost_leader();
        self.barriers = Barriers::of(&self.shared.project().recipe, &self.shared.state());
        self.rising = true;
        self.unsettle_failed();
        for region in self.shared.project().region_names() {
            self.start_region(region);
        }
    }

    /// The records that a run begins with, synced before anything is done.
    fn open_run(&mut self) -> Result<(), Failure> {
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
        self.record(Event::RunStarted { version: env!("CARGO_PKG_VERSION").into() })
    }

    /// A new leader knows nothing of the members: what they did after it has
    /// to be done again.
    fn void_after_lost_leader(&mut self) {
        let project = self.shared.project();
        let steps = project.recipe.steps.iter();
        let dependent: Vec<_> = steps.filter(|step| !step.needs.is_empty()).collect();
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

    /// Nodes with a machine go back to where the watch picks them up.
    fn unsettle_failed(&mut self) {
        let again: Vec<_> = {
            let state = self.shared.state();
            let broken = state.nodes.values().filter(|node| {
                node.is_live() && !matches!(node.phase, Phase::Ready | Phase::Booting)
            });
            broken.map(|node| node.name.clone()).collect()
        };
        for node in again {
            self.note(Event::NodePhase { node, phase: Phase::Booting });
        }
    }

    fn note(&mut self, event: Event) {
        if let Err(failure) = self.record(event) {
            self.tell(Update::Notice(failure));
        }
    }

    fn start_region(&mut self, region: Region) {
        let task = Task::Region(region.clone());
        if !self.is_running(&task) {
            self.spawn(task, region::run(self.shared.clone(), region));
        }
    }

    fn start_node(&mut self, name: &NodeName) {
        let task = Task::Node(name.clone());
        let stopping = self.is_running(&Task::Down) || self.shared.is_halted();
        if stopping || self.is_running(&task) {
            return;
        }
        // Folded here and not by the task, so that a second start is not asked for.
        let project = self.shared.project();
        let needs = project.recipe.steps.iter().flat_map(|step| &step.needs);
        let gates = needs.filter_map(|need| Some((need.clone(), self.barriers.gate(need)?)));
        let work = node::run(self.shared.clone(), name.clone(), gates.collect());
        self.spawn(task, work);
    }

    /// The node's failed step again, and with it the nodes that wait for it.
    fn retry(&mut self, name: &NodeName) {
        let again: Vec<_> = {
            let state = self.shared.state();
            let failed = |node: &&super::NodeState| node.phase == Phase::Failed && node.is_live();
            let of_name = |node: &&super::NodeState| node.name == *name || node.is_blocked();
            let nodes = state.nodes.values().filter(failed).filter(of_name);
            nodes.map(|node| node.name.clone()).collect()
        };
        if !again.contains(name) {
            return self.refuse(&format!(
                "{name} has no failed step on a running machine; `up` launches what is missing"
            ));
        }
        self.restart(again);
    }

    fn retry_step(&mut self, name: &NodeName, step: &str) {
        let settled = self.shared.state().nodes.get(name).is_some_and(|node| {
            node.is_live() && node.phase.is_settled() && node.steps.contains_key(step)
        });
        if !settled {
            return self.refuse(&format!("{step} can't be run again on {name} now"));
        }
        self.note(Event::StepReset { node: name.clone(), step: step.to_owned() });
        self.restart(vec![name.clone()]);
    }

    fn restart(&mut self, nodes: Vec<NodeName>) {
        if !self.rising {
            self.barriers = Barriers::of(&self.shared.project().recipe, &self.shared.state());
            self.rising = true;
        }
        for node in nodes {
            self.note(Event::NodePhase { node: node.clone(), phase: Phase::Connecting });
            self.start_node(&node);
        }
    }

    fn plan_down(&mut self) {
        let shared = self.shared.clone();
        self.abort(&Task::PlanDown);
        self.spawn(Task::PlanDown, async move {
            let plan = down::plan(&shared).await;
            shared.update(Update::DownPlan(plan));
        });
    }

    /// `None`: what would take the networks away that muster made.
    fn plan_fix(&mut self, wish: Option<Wish>) {
        let (shared, last) = (self.shared.clone(), self.survey.clone());
        self.abort(&Task::PlanFix);
        self.spawn(Task::PlanFix, async move {
            match wish {
                Some(wish) => fix::plan(&shared, last.as_deref(), &wish).await,
                None => fix::plan_teardown(&shared).await,
            }
        });
    }

    fn cures(&mut self) {
        let Some(survey) = self.survey.clone() else { return };
        let shared = self.shared.clone();
        self.abort(&Task::Cures);
        self.spawn(Task::Cures, async move { fix::cures(&shared, &survey).await });
    }

    fn fix(&mut self, plan: Arc<Plan>) {
        let busy = [Task::Down, Task::Fix].iter().any(|task| self.is_running(task));
        if self.rising || busy {
            return self.refuse("a launch, a termination or a fix is under way");
        }
        if let Err(failure) = self.open_run() {
            return self.tell(Update::Refused(failure));
        }
        self.shared.halted.send_replace(false);
        self.spawn(Task::Fix, fix::run(self.shared.clone(), plan));
    }

    /// Nothing new is launched from here on; calls under way are waited for,
    /// since what they make has to be terminated as well.
    fn down(&mut self) {
        if self.is_running(&Task::Down) {
            return self.refuse("the termination is under way");
        }
        if self.is_running(&Task::Fix) {
            return self.refuse("a fix is under way; it ends by itself");
        }
        self.shared.halted.send_replace(true);
        let work: Vec<_> = self.running.values().map(|(task, _)| task.clone()).collect();
        for task in work.iter().filter(|task| matches!(task, Task::Region(_) | Task::Node(_))) {
            self.abort(task);
        }
        let shared = self.shared.clone();
        self.spawn(Task::Down, async move {
            let mut busy = shared.must.changes();
            while !shared.must.list().is_empty() {
                if busy.changed().await.is_err() {
                    break;
                }
            }
            down::run(shared).await;
        });
    }

    fn refuse(&self, why: &str) {
        self.tell(Update::Refused(Failure::new(why)));
    }

    fn spawn(&mut self, task: Task, work: impl Future<Output = ()> + Send + 'static) {
        let abort = self.tasks.spawn(work);
        self.running.insert(abort.id(), (task, abort));
    }

    fn is_running(&self, task: &Task) -> bool {
        self.running.values().any(|(running, _)| running == task)
    }

    fn abort(&self, task: &Task) {
        for (_, abort) in self.running.values().filter(|(running, _)| running == task) {
            abort.abort();
        }
    }

    fn task_ended(&mut self, ended: Result<(Id, ()), JoinError>) {
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
                self.tell(Update::Notice(failure));
                self.tell(Update::DownEnded { gone: false });
            }
            Task::Fix => {
                self.tell(Update::Notice(failure));
                self.tell(Update::FixEnded { complete: false });
            }
            Task::Region(_) | Task::Look | Task::PlanDown | Task::PlanFix | Task::Cures => {
                self.tell(Update::Notice(failure));
            }
        }
    }

    /// Tells the end of an `Up` once nothing of it runs any more.
    fn settle(&mut self) {
        let works = |task: &Task| matches!(task, Task::Region(_) | Task::Node(_));
        if !self.rising || self.running.values().any(|(task, _)| works(task)) {
            return;
        }
        self.rising = false;
        if !self.shared.is_halted() {
            let (ready, failed) = self.shared.state().count();
            self.note(Event::BootstrapEnded { ready, failed });
        }
        self.write_manifest();
        self.tell(Update::UpEnded);
    }
}

async fn until(due: Option<tokio::time::Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
