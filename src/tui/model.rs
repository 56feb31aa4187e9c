//! What the screens show: everything that the engine has reported, and nothing
//! that a key has done.

use std::{
    collections::{BTreeMap, VecDeque},
    path::Path,
    sync::Arc,
};

use jiff::{Timestamp, tz::TimeZone};

use crate::{
    check::{Finding, Level, Subject, Summary},
    config::{Diagnostic, Project, Reading},
    engine::{
        ClusterPhase, Command, DownPlan, Event, FixPlan, Leftovers, LogStore, NodeState, Phase,
        RunState, Unfinished, Update,
    },
    handover::Forwarded,
    model::{Clock, Failure, Region},
    remedy::Plan,
    report,
    survey::Survey,
    tui::{as_of::AsOf, lifecycle::Plans, text},
    waits::Waits,
};

/// Notices kept; older ones are in the journal and the logs.
const NOTICES: usize = 100;

/// What the dashboard knows.
pub struct Model {
    /// What is to be assembled.
    pub project: Arc<Project>,
    /// The cluster.
    pub state: RunState,
    /// The last survey.
    pub survey: Option<Arc<Survey>>,
    /// What the checks say of it; none before the first survey ended.
    pub findings: Option<Arc<[Finding]>>,
    /// Since when a survey is under way.
    pub refreshing: Option<Timestamp>,
    /// When EC2 listed the cluster's instances last, by region.
    pub as_of: BTreeMap<Region, AsOf>,
    /// What the engine waits for.
    pub busy: Vec<String>,
    /// What happened that the user should know, oldest first.
    pub notices: VecDeque<Notice>,
    /// The answer to the last question of what `down` would do; none while it is awaited.
    pub down_plan: Option<Arc<DownPlan>>,
    /// The same of stopping, starting and taking over.
    pub plans: Plans,
    /// The plan of changes that was asked for last, once it is there.
    pub fix_plan: Option<Arc<FixPlan>>,
    /// Whether a plan of changes is being made.
    pub planning: bool,
    /// Why no plan could be made.
    pub fix_refused: Option<String>,
    /// The fix plan for the findings of the last refresh, once it is computed.
    pub fix_preview: Option<Arc<Plan>>,
    /// What muster made and the last `Down` left.
    pub leftovers: Option<Leftovers>,
    /// What is being waited for.
    pub waits: Waits,
    /// The nodes' logs.
    pub logs: Arc<LogStore>,
    /// The diagnostics of the configs, as last read.
    pub configs: Arc<Reading>,
    /// Configs that differ from what was read of them.
    pub changed_files: Vec<Arc<Path>>,
    /// What a `muster forward` leads to this machine, if one runs.
    pub forwarded: Option<Forwarded>,
    /// The time.
    pub clock: Clock,
    /// The time zone of the times shown.
    pub zone: TimeZone,
    /// Whether the world is simulated.
    pub simulated: bool,
    /// Who else holds the cluster, if anyone: then everything but reading is refused.
    pub read_only: Option<String>,
    /// Simulated worlds to choose from: name and description.
    pub scenarios: Vec<(String, String)>,
    /// The one this is.
    pub scenario: Option<String>,
    /// What this muster's engine was asked to do and has not ended yet.
    pub work: Work,
    /// What that was before the last command.
    pub work_before: Work,
    /// Whether the engine was asked to end.
    pub ending: bool,
}

/// What the engine is at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Work {
    /// None: what the journal shows was started by an earlier muster.
    #[default]
    None,
    /// Launching and bootstrapping.
    Up,
    /// Stopping the machines.
    Stop,
    /// Ending the cluster.
    Down,
    /// Applying a fix plan.
    Fix,
}

/// Something that the user should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// When.
    pub at: Timestamp,
    /// How bad.
    pub tone: Tone,
    /// What.
    pub text: String,
}

/// How bad a notice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Good news.
    Good,
    /// Worth knowing.
    Plain,
    /// Something failed or was refused.
    Bad,
}

impl Model {
    /// Takes one update in.
    pub fn fold(&mut self, update: Update) {
        match update {
            Update::Event(stamped) => {
                self.state.apply(&stamped);
                self.report(&stamped.event);
            }
            Update::Project(project) => self.replan(project),
            Update::Configs(reading) => {
                self.configs = reading;
                self.changed_files.clear();
            }
            Update::FilesChanged(files) => self.changed_files = files,
            Update::Forwarded(forwarded) => self.forwarded = forwarded,
            Update::Refreshing => self.looks(),
            Update::Refreshed { survey, findings } => {
                self.refreshing = None;
                self.survey = Some(survey);
                self.findings = Some(findings);
                self.fix_preview = None;
            }
            Update::DownPlan(plan) => self.down_plan = Some(plan),
            Update::Refused(failure) => self.refuse(&failure),
            Update::Notice(failure) | Update::Unwritten(failure) => self.warn(&failure),
            Update::Busy(busy) => self.busy = busy,
            Update::ReadOnly(holder) => self.reads_for(holder),
            Update::UpEnded => self.up_ended(),
            Update::DownEnded(left) => self.down_ended(&left),
            Update::StopEnded(left) => self.stop_ended(&left),
            Update::InstancesRead { region, at } => {
                self.as_of.insert(region, AsOf { at: Some(at), failure: None });
            }
            Update::InstancesNotRead { region, failure } => {
                self.as_of.entry(region).or_default().failure = Some(failure);
            }
            Update::StopPlan(plan) => self.plans.stop = Some(plan),
            Update::StartPlan(plan) => self.plans.start = Some(plan),
            Update::AdoptPlan(plan) => self.plans.adopt = Some(plan),
            Update::FixPlan(plan) => {
                self.fix_plan = Some(plan);
                self.planning = false;
            }
            Update::FixPreview(plan) => self.fix_preview = Some(plan),
            // The dashboard takes nothing over and plans from what it has; the command line asks.
            Update::TakenOver | Update::UpPlan(_) => {}
            Update::FixEnded { complete } => self.fix_ended(complete),
            Update::Leftovers(leftovers) => self.leftovers = Some(leftovers),
        }
    }

    /// Another process writes, or this one does from now on.
    fn reads_for(&mut self, holder: Option<String>) {
        if holder.is_none() {
            self.notice(Tone::Good, "the other muster has ended; from here on this one writes");
        }
        self.read_only = holder;
    }

    /// Whether something fails that a remedy may be known for.
    pub fn wants_fix_preview(&self) -> bool {
        self.work == Work::None && !self.ending && self.summary().fail > 0
    }

    /// Another project is planned; what was found of the last one is void.
    fn replan(&mut self, project: Arc<Project>) {
        self.state.plan(&project.planned_nodes());
        self.project = project;
        self.findings = None;
        self.notice(Tone::Plain, "the configs are loaded again");
    }

    /// A survey has begun, or is about to.
    pub fn looks(&mut self) {
        let now = self.now();
        self.refreshing.get_or_insert(now);
    }

    /// Shows `text` in the footer.
    pub fn notice(&mut self, tone: Tone, text: impl Into<String>) {
        if self.notices.len() == NOTICES {
            self.notices.pop_front();
        }
        let notice = Notice { at: self.now(), tone, text: text.into() };
        self.notices.push_back(notice);
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn refuse(&mut self, failure: &Failure) {
        // A refused look must not leave the screen waiting for it.
        self.refreshing = None;
        self.work = self.work_before;
        if std::mem::take(&mut self.planning) {
            self.fix_refused = Some(failure.to_string());
        }
        self.warn(failure);
    }

    fn warn(&mut self, failure: &Failure) {
        let hint = failure.hint.as_ref().map(|hint| format!(" · {hint}")).unwrap_or_default();
        self.notice(Tone::Bad, format!("{failure}{hint}"));
    }

    fn report(&mut self, event: &Event) {
        match event {
            Event::LaunchFailed { token, failure } => {
                let group = self.state.launches.get(token).map(|launch| launch.group.to_string());
                let group = group.unwrap_or_else(|| token.to_string());
                self.notice(Tone::Bad, format!("{group} was not launched: {failure}"));
            }
            Event::NodeFailed { node, failure } => {
                self.notice(Tone::Bad, format!("{node} failed: {failure}"));
            }
            Event::ConnectionLost { node, failure } => {
                let text = format!("{node}: connection lost, its step goes on: {failure}");
                self.notice(Tone::Bad, text);
            }
            Event::ConnectionRestored { node, after_s } => {
                self.notice(Tone::Good, format!("{node}: connected again after {after_s} s"));
            }
            Event::StrayFound { instance, region, .. } => self.notice(
                Tone::Bad,
                format!(
                    "{instance} in {region} is this cluster's, but no launch on record made it"
                ),
            ),
            _ => {}
        }
    }

    /// `command` is on its way to the engine.
    pub fn sends(&mut self, command: &Command) {
        self.work_before = self.work;
        match command {
            Command::Refresh | Command::Reload => self.looks(),
            Command::PlanDown => self.down_plan = None,
            Command::PlanStop => self.plans.stop = None,
            Command::PlanStart => self.plans.start = None,
            Command::PlanAdopt => self.plans.adopt = None,
            Command::Up
            | Command::Restart
            | Command::StartMachines(_)
            | Command::Adopt(_)
            | Command::RetryNode(_)
            | Command::RetryStep(..) => self.work = Work::Up,
            Command::StopMachines(_) => self.work = Work::Stop,
            Command::Down(_) => self.work = Work::Down,
            Command::PlanFix(_) | Command::PlanTeardown => {
                (self.fix_plan, self.fix_refused) = (None, None);
                self.planning = true;
            }
            Command::PreviewFixes => self.fix_preview = None,
            Command::Fix(_) => self.work = Work::Fix,
            Command::ReloadChanged
            | Command::WatchFiles
            | Command::TakeOver(_)
            | Command::PlanUp => {}
            Command::Shutdown => self.ending = true,
        }
    }

    fn down_ended(&mut self, unfinished: &Unfinished) {
        self.work = Work::None;
        self.list(unfinished, "terminated");
        if unfinished.is_empty() {
            let left = self.leftovers.as_ref().map(left_over).unwrap_or_default();
            self.notice(Tone::Good, format!("all instances of the cluster are terminated{left}"));
        } else {
            let text = "some instances may still run: press D to ask all regions again";
            self.notice(Tone::Bad, text);
        }
    }

    /// What a termination or a stop left, a notice each.
    fn list(&mut self, unfinished: &Unfinished, done: &str) {
        for line in report::unfinished(unfinished, done) {
            self.notice(Tone::Bad, line);
        }
    }

    fn stop_ended(&mut self, unfinished: &Unfinished) {
        self.work = Work::None;
        self.list(unfinished, "stopped");
        if unfinished.is_empty() {
            self.notice(Tone::Good, "every machine is stopped; only their volumes are billed");
        } else {
            self.notice(Tone::Bad, "not every machine is stopped: p asks all regions again");
        }
    }

    fn fix_ended(&mut self, complete: bool) {
        self.work = Work::None;
        if complete {
            self.notice(Tone::Good, "all changes are made");
        } else {
            self.notice(Tone::Bad, "not every change could be made; what was made stays");
        }
    }

    fn up_ended(&mut self) {
        if self.work == Work::Up {
            self.work = Work::None;
        }
        let (ready, all) = self.ready();
        if ready == all {
            self.notice(Tone::Good, format!("the cluster is ready: {ready} of {all} nodes"));
        } else {
            let text =
                format!("{ready} of {all} nodes are ready; 4 shows where the others stopped");
            self.notice(Tone::Bad, text);
        }
    }

    /// Whether something changes by itself, so that times on the screen run.
    pub fn is_moving(&self) -> bool {
        self.refreshing.is_some()
            || !self.busy.is_empty()
            || self.work != Work::None
            || (self.is_under_way() && !self.is_interrupted())
    }

    fn is_under_way(&self) -> bool {
        matches!(
            self.state.phase,
            ClusterPhase::Launching | ClusterPhase::Stopping | ClusterPhase::Terminating
        )
    }

    /// Whether an earlier muster began what nobody is at now.
    pub fn is_interrupted(&self) -> bool {
        self.is_under_way() && self.work == Work::None && self.read_only.is_none()
    }

    /// Nodes ready, and all.
    pub fn ready(&self) -> (usize, usize) {
        let readiness = self.state.readiness();
        (readiness.ready, readiness.nodes)
    }

    /// Nodes ready and all in `region`.
    pub fn ready_in(&self, region: &Region) -> (usize, usize) {
        self.nodes_in(region)
            .fold((0, 0), |(ready, all), node| (ready + usize::from(node.is_ready()), all + 1))
    }

    /// The nodes of `region`.
    pub fn nodes_in(&self, region: &Region) -> impl Iterator<Item = &NodeState> {
        self.state.nodes.values().filter(move |node| node.group.region == *region)
    }

    /// All nodes in the order of the plan: regions and their configs as given,
    /// the head first, `worker-2` before `worker-10`.
    pub fn nodes_in_order(&self) -> Vec<&NodeState> {
        let mut nodes: Vec<_> = self.state.nodes.values().collect();
        nodes.sort_by_cached_key(|node| {
            let short = node.name.short();
            let digits = short.len() - short.trim_end_matches(|c: char| c.is_ascii_digit()).len();
            let number: u32 = short[short.len() - digits..].parse().unwrap_or(0);
            (self.project.order_of(&node.group), number)
        });
        nodes
    }

    /// Whether `node` can't go on by itself: it failed, or its instance is
    /// terminated though nobody terminated the cluster.
    pub fn has_failed(&self, node: &NodeState) -> bool {
        node.phase == Phase::Failed || self.state.is_lost(node)
    }

    /// How many nodes can't go on by themselves.
    pub fn failed(&self) -> usize {
        self.state.nodes.values().filter(|node| self.has_failed(node)).count()
    }

    /// Why `node` can't go on by itself; empty where it can.
    pub fn why(&self, node: &NodeState) -> String {
        match &node.failure {
            Some(failure) => failure.to_string(),
            None if self.has_failed(node) => {
                "its instance is terminated: u launches another one".into()
            }
            None => String::new(),
        }
    }

    /// For how long the connection to `node` is lost, while a step runs there.
    pub fn disconnected(&self, node: &NodeState) -> Option<String> {
        let lost = node.lost_since.filter(|_| node.is_up())?;
        Some(text::between(lost, self.now()))
    }

    /// Nodes that `up` would launch.
    pub fn missing(&self) -> impl Iterator<Item = &NodeState> {
        self.state.nodes.values().filter(|node| {
            let live = node.instance.as_ref().is_some_and(|info| info.state.is_live());
            !live && !matches!(node.phase, Phase::Launching)
        })
    }

    /// All findings, none before the first survey ended.
    pub fn findings(&self) -> &[Finding] {
        self.findings.as_deref().unwrap_or_default()
    }

    /// Findings that are not as they should be, the worst first.
    pub fn troubles(&self) -> Vec<&Finding> {
        let bad = |finding: &&Finding| {
            matches!(finding.level, Level::Fail | Level::Unknown | Level::Warn)
        };
        let mut troubles: Vec<_> = self.findings().iter().filter(bad).collect();
        troubles.sort_by_key(|finding| finding.level);
        troubles
    }

    /// How many findings of each level.
    pub fn summary(&self) -> Summary {
        Summary::of(self.findings())
    }

    /// How many findings of each level are about `region` alone.
    pub fn summary_of(&self, region: &Region) -> Summary {
        let of_region = |finding: &&Finding| matches!(&finding.subject, Subject::Region(subject) if subject == region);
        Summary::of(self.findings().iter().filter(of_region))
    }

    /// How many errors and how many warnings the configs have.
    pub fn diagnostics(&self) -> (usize, usize) {
        let all = &self.configs.diagnostics;
        let errors = all.iter().filter(|one| Diagnostic::is_error(one)).count();
        (errors, all.len() - errors)
    }

    /// Why nothing may be changed from here, if so.
    pub fn read_only_reason(&self) -> Option<String> {
        let holder = self.read_only.as_ref()?;
        Some(format!("read-only: {holder}"))
    }
}

/// `; still there: 3 key-pair, 1 vpc`: what muster made, as `muster down` lists it.
fn left_over(leftovers: &Leftovers) -> String {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, one) in &leftovers.found {
        *kinds.entry(one.kind.as_str()).or_default() += 1;
    }
    let all: Vec<_> = kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    if all.is_empty() { String::new() } else { format!("; still there: {}", all.join(", ")) }
}
