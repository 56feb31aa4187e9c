//! An engine as the text front ends hold it: its updates printed as they
//! come, and a signal turned into an orderly end.

use std::{collections::BTreeMap, time::Duration};

use futures_util::StreamExt;
use jiff::tz::TimeZone;
use serde::Serialize;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use super::{CliError, Exit, ProjectSession};
use crate::{
    cli::Format,
    engine::{
        self, Command, Handle, LogLine, LogStore, RunState, Unfinished, UnresolvedLaunch, Update,
    },
    journal::Store,
    model::{Clock, ClusterId, Failure, InstanceId, NodeName, Region},
    report::{EventLines, Out},
    signals::{Signal, Signals},
    waits::Waits,
};

/// How often the nodes' new lines are looked for. Nothing waits for them.
const LINES: Duration = Duration::from_millis(100);

/// How long droppable work may take to end after a signal: a task that hangs
/// in a blocking call must not keep muster alive.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// The two streams that a command writes to.
pub struct Streams {
    /// Results.
    pub out: Out,
    /// Everything else.
    pub err: Out,
    /// What is reported where nothing else is for a while.
    pub waits: Waits,
}

/// What `--format json` prints in addition to events; the tag is theirs.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum JsonEvent<'a> {
    /// A failure after which muster continues.
    Notice {
        /// When.
        at: jiff::Timestamp,
        /// What.
        failure: &'a Failure,
    },
    /// What the checks say before a launch.
    Checked {
        /// Findings of each level.
        summary: crate::check::Summary,
        /// Those that are not passed.
        findings: Vec<&'a crate::check::Finding>,
    },
    /// What `down` is about to do.
    DownPlan {
        /// Instances on record.
        terminate: Vec<&'a InstanceId>,
        /// Launches without a known outcome: what they create is terminated too.
        unresolved: &'a [UnresolvedLaunch],
        /// Instances that carry the cluster's id and are on no record.
        unrecorded: Vec<&'a InstanceId>,
        /// Instances that only share a name with the cluster: never touched.
        foreign: Vec<&'a InstanceId>,
        /// Regions that could not be asked, and why.
        unknown: &'a [(Region, Failure)],
    },
    /// What `stop` is about to do.
    StopPlan {
        /// Instances that run and would be stopped.
        stop: Vec<&'a InstanceId>,
        /// Launches without a known outcome: what they create is stopped too.
        unresolved: &'a [UnresolvedLaunch],
        /// Those that are stopping.
        stopping: Vec<&'a InstanceId>,
        /// Those that are stopped already.
        stopped: Vec<&'a InstanceId>,
        /// Those that can't be stopped, and why.
        stay: Vec<(&'a InstanceId, &'a str)>,
        /// Regions that could not be asked, and why.
        unknown: &'a [(Region, Failure)],
    },
    /// What a termination or a stop left.
    Unfinished(&'a Unfinished),
    /// What `up` is about to do.
    UpPlan {
        /// The nodes to launch.
        launch: Vec<&'a NodeName>,
        /// Instances on no record, after the nodes that they become.
        take_over: Vec<(&'a NodeName, &'a InstanceId)>,
        /// Launches without a known outcome, which are resolved first.
        unresolved: &'a [UnresolvedLaunch],
        /// Regions where nothing is launched, and why.
        refused: &'a [(Region, Failure)],
        /// Regions that could not be read, and why.
        unknown: &'a [(Region, Failure)],
    },
    /// What `start` is about to do.
    StartPlan {
        /// Instances that are stopped and would be started.
        start: Vec<&'a InstanceId>,
        /// Those that run.
        running: Vec<&'a InstanceId>,
        /// Those of both that are on no record, after the nodes that they become.
        take_over: Vec<(&'a NodeName, &'a InstanceId)>,
        /// Those that run with the cluster's id, and whose node is not certain.
        unplaced: Vec<&'a InstanceId>,
        /// Those that are stopped and stay so, and why.
        stay: Vec<(&'a InstanceId, &'a str)>,
        /// Regions that could not be asked, and why.
        unknown: &'a [(Region, Failure)],
    },
    /// What `up --adopt` is about to do.
    AdoptPlan {
        /// The machines and the nodes that they would be.
        nodes: Vec<(&'a NodeName, &'a InstanceId)>,
        /// What is not as the configs have it.
        notes: &'a [String],
        /// Why it can't be done.
        refused: &'a [Failure],
    },
    /// What muster made and `down` left.
    Leftovers {
        /// By region.
        found: &'a [(Region, crate::cloud::Tagged)],
        /// What carries the project's name as a tag, and is in none of its journals.
        unrecorded: &'a [(Region, crate::cloud::Tagged)],
        /// Routes through its peering connections in tables of others'.
        routes: &'a [(Region, crate::engine::LeftRoute)],
        /// Regions that could not be asked, and why.
        unknown: &'a [(Region, Failure)],
    },
    /// What `fix` is about to change.
    FixPlan {
        /// The plan.
        plan: &'a crate::remedy::Plan,
        /// The configs before and after.
        diffs: &'a [crate::config::edit::FileDiff],
    },
    /// What came of the query at the end of an `up`.
    Queried {
        /// The sums, and whether they are right.
        #[serde(flatten)]
        result: &'a crate::handover::QueryResult,
    },
    /// A line that a node printed.
    Line {
        /// The node.
        node: &'a NodeName,
        /// The line.
        #[serde(flatten)]
        line: &'a LogLine,
    },
}

/// A running engine and where its updates are printed.
pub struct EngineSession<'a> {
    handle: Handle,
    cluster: ClusterId,
    clock: Clock,
    signals: Signals,
    lines: EventLines,
    format: Format,
    tail: Option<Tail>,
    tick: Interval,
    /// The command that goes on with the plan that is carried out, if one is.
    fixing: Option<&'static str>,
    /// What of the record could not be written.
    unwritten: Option<Failure>,
    /// Where to print.
    pub streams: &'a mut Streams,
}

impl<'a> EngineSession<'a> {
    /// Starts an engine on `world` and `store`. `Err` where another muster
    /// holds the cluster.
    pub fn start(
        world: &ProjectSession,
        store: Store,
        format: Format,
        streams: &'a mut Streams,
    ) -> Result<Self, CliError> {
        if let Some(holder) = store.read_only() {
            let held = match store.known_cluster() {
                Some(cluster) => format!("cluster {cluster}"),
                None => format!("project {}, which has no cluster yet", world.name()),
            };
            let failure = Failure::new(format!("{holder} holds {held}"));
            return Err(CliError::failed(failure.hint("use that one, or end it first")));
        }
        let cluster = store.cluster().clone();
        let signals = Signals::new()?;
        let handle = engine::start(world.parts(store)?);
        streams.waits.include(&handle.waits);
        if let Some(damage) = &handle.damage {
            streams.err.warning(damage)?;
        }
        let mut tick = interval(LINES);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let lines = EventLines::new(TimeZone::system(), streams.out.paint());
        let clock = world.clock;
        Ok(Self {
            handle,
            cluster,
            clock,
            signals,
            lines,
            format,
            tail: None,
            tick,
            fixing: None,
            unwritten: None,
            streams,
        })
    }

    /// The cluster's id: the one on record, or the one that a launch would give it.
    pub fn cluster(&self) -> &ClusterId {
        &self.cluster
    }

    /// The state so far.
    pub fn state(&self) -> &RunState {
        &self.handle.state
    }

    /// From here on prints the nodes' new lines as well.
    pub fn print_lines(&mut self) {
        self.tail = Some(Tail::from_now(&self.handle));
    }

    /// Sends `command` and prints what comes, until `answer` finds in an
    /// update what it waits for. `Err` also after a signal, once all that had
    /// to finish has.
    pub async fn ask<T>(
        &mut self,
        command: Command,
        answer: impl Fn(&Update) -> Option<T>,
    ) -> Result<T, CliError> {
        self.fixing = match &command {
            Command::Fix(plan) => Some(plan.command()),
            _ => None,
        };
        self.send(command);
        loop {
            let update = tokio::select! {
                update = self.handle.updates.recv() => update,
                Some(signal) = self.signals.next() => return Err(self.interrupted(signal).await?),
                _ = self.tick.tick() => { self.print_new_lines()?; continue }
            };
            let ended = || color_eyre::eyre::eyre!("the engine ended before it answered");
            let update = update.ok_or_else(ended)?;
            self.take(&update)?;
            if let Some(answer) = answer(&update) {
                return Ok(answer);
            }
            if let Update::Refused(failure) = update {
                return Err(CliError::failed(failure));
            }
        }
    }

    /// Ends the engine: what must finish is waited for. `Err` also where the
    /// record or the manifest could not be written.
    pub async fn end(self) -> Result<RunState, CliError> {
        match self.finish().await? {
            (state, None) => Ok(state),
            (_, Some(failure)) => Err(CliError::failed(failure)),
        }
    }

    /// The same; what could not be written is left to the caller.
    pub async fn finish(mut self) -> Result<(RunState, Option<Failure>), CliError> {
        self.send(Command::Shutdown);
        while let Some(update) = self.handle.updates.recv().await {
            self.take(&update)?;
        }
        self.print_new_lines()?;
        Ok((self.handle.state, self.unwritten))
    }

    fn send(&self, command: Command) {
        // An engine that has ended shows at the next update that is waited for.
        let _ = self.handle.commands.send(command);
    }

    /// Folds and prints one update.
    fn take(&mut self, update: &Update) -> Result<(), CliError> {
        self.print_new_lines()?;
        match update {
            Update::Event(stamped) => {
                let text = self.lines.event(stamped, &self.handle.state);
                self.handle.state.apply(stamped);
                match (self.format, text) {
                    (Format::Json, _) => self.streams.out.json_line(stamped)?,
                    (Format::Text, Some(text)) => self.streams.out.line(text)?,
                    (Format::Text, None) => {}
                }
            }
            Update::Unwritten(failure) => self.unwritten = Some(failure.clone()),
            Update::Project(project) => self.handle.state.plan(&project.planned_nodes()),
            Update::Notice(failure) => {
                let at = self.clock.now();
                match self.format {
                    Format::Json => self.json_event(&JsonEvent::Notice { at, failure })?,
                    Format::Text => self.streams.out.line(self.lines.notice(at, failure))?,
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Prints a line of JSON that is no event.
    pub fn json_event(&mut self, aside: &JsonEvent<'_>) -> Result<(), CliError> {
        Ok(self.streams.out.json_line(aside)?)
    }

    fn print_new_lines(&mut self) -> Result<(), CliError> {
        let Some(tail) = &mut self.tail else { return Ok(()) };
        for (node, line) in tail.new_lines(&self.handle.logs, &self.handle.state) {
            match self.format {
                Format::Json => {
                    self.streams.out.json_line(&JsonEvent::Line { node: &node, line: &line })?;
                }
                Format::Text => self.streams.out.line(self.lines.log(&node, &line))?,
            }
        }
        Ok(())
    }

    /// Ends in order: prints what continues without muster, then waits for what
    /// must finish, unless a second signal comes.
    async fn interrupted(&mut self, signal: Signal) -> Result<CliError, CliError> {
        self.streams.err.lines(&[String::new(), farewell(&self.handle.state)])?;
        self.send(Command::Shutdown);
        // Set once nothing is under way that must finish.
        let mut idle_until = None;
        loop {
            tokio::select! {
                update = self.handle.updates.recv() => match update {
                    Some(update) => {
                        if let Update::Busy(list) = &update {
                            idle_until = list.is_empty().then(|| Instant::now() + STOP_WITHIN);
                        }
                        self.take(&update)?;
                    }
                    None => break,
                },
                Some(_) = self.signals.next() => break,
                () = until(idle_until) => break,
            }
        }
        let failure = stopped(&self.handle.state, self.fixing);
        Ok(CliError::Failed { exit: Exit::signal(signal), failure })
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

fn farewell(state: &RunState) -> String {
    let billed = match state.billed().count() {
        0 => String::new(),
        billed => format!("; {billed} instances are billed"),
    };
    format!(
        "stopping: nothing new is begun, calls under way are waited for{billed} \
         (once more to leave at once)"
    )
}

/// How far it came, what goes on without muster, and what to do about it.
fn stopped(state: &RunState, fixing: Option<&str>) -> Failure {
    let billed = state.billed().count();
    match (&state.fix, fixing) {
        (Some(fix), Some(command)) => {
            let (done, all) = (fix.done(), fix.steps.len());
            Failure::new(format!("stopped; {done} of {all} changes are made"))
                .hint(format!("`{command}` again makes those that are left"))
        }
        _ if billed > 0 => {
            Failure::new(format!("stopped; {billed} instances go on and are billed"))
                .hint("`muster up` goes on from here, `muster down` terminates them")
        }
        _ => Failure::new("stopped; no instance of this cluster is billed"),
    }
}

/// How much of each node's log has been printed.
struct Tail {
    printed: BTreeMap<NodeName, u64>,
    version: u64,
}

impl Tail {
    fn from_now(handle: &Handle) -> Self {
        let version = handle.logs.version();
        let nodes = handle.state.nodes.keys();
        let written = |node: &NodeName| {
            handle.logs.with(node, |log| log.not_in_memory() + log.lines().len() as u64)
        };
        Self { printed: nodes.map(|node| (node.clone(), written(node))).collect(), version }
    }

    fn new_lines(&mut self, logs: &LogStore, state: &RunState) -> Vec<(NodeName, LogLine)> {
        let version = logs.version();
        if version == self.version {
            return Vec::new();
        }
        self.version = version;
        let mut new = Vec::new();
        for node in state.nodes.keys() {
            let printed = self.printed.entry(node.clone()).or_default();
            logs.with(node, |log| {
                let skip = printed.saturating_sub(log.not_in_memory());
                let lines = log.lines().iter().skip(usize::try_from(skip).unwrap_or(usize::MAX));
                new.extend(lines.map(|line| (node.clone(), line.clone())));
                *printed = log.not_in_memory() + log.lines().len() as u64;
            });
        }
        new.sort_by_key(|(_, line)| line.at);
        new
    }
}
