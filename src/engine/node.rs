//! One node's bootstrap: connect, then the recipe's steps in order.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::{
    config::Step,
    model::{Failure, NodeName},
    remote::{Host, RemoteError, RemoteErrorKind, Session},
};

use super::{
    Event, Phase, StepOutcome,
    barrier::{Gate, Watch},
    connection::Connection,
    host::host_of,
    host_keys::{self, HostKeys},
    operator::{self, NotDone, Work},
    script,
    shared::Shared,
    step::{self, Try},
};

/// How long a running instance may take until it accepts SSH. Bare-metal
/// types take many minutes; an instance that never answers is billed meanwhile.
const CONNECT: Duration = Duration::from_mins(10);
/// How long `Permission denied` may last while cloud-init writes `authorized_keys`.
const DENIED: Duration = Duration::from_mins(1);
/// The same for a node that was connected before.
const RECONNECT: Duration = Duration::from_mins(2);
/// How long after its own limit a step may take to answer: the node ends it,
/// and an answer that is under way still counts.
const GRACE: Duration = Duration::from_secs(90);
/// Connections in a row that may break soon after they were made and without
/// a line of the step.
const BREAKS: u32 = 8;
/// A connection that holds this long did not break at once.
const HELD: Duration = Duration::from_secs(30);
const LONGEST_BREAK: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The steps that other steps wait for.
pub(super) type Gates = std::collections::BTreeMap<String, Watch>;

/// Bootstraps `node` from its first step that is not done.
pub(super) async fn run(shared: Arc<Shared>, node: NodeName, gates: Gates) {
    shared.report(Event::NodePhase { node: node.clone(), phase: Phase::Connecting });
    let end = match bootstrap(&shared, &node, gates).await {
        Ok(()) => Event::NodePhase { node, phase: Phase::Ready },
        Err(failure) => Event::NodeFailed { node, failure },
    };
    shared.report(end);
}

async fn bootstrap(shared: &Shared, node: &NodeName, gates: Gates) -> Result<(), Failure> {
    let host = host(shared, node)?;
    let mut session = Some(connect(shared, &host, CONNECT).await?);
    shared.report(Event::NodePhase { node: node.clone(), phase: Phase::Bootstrapping });
    let (checker, mut keys) = host_keys::check(shared, &host);
    // A mismatch ends the node's steps wherever they are.
    let ended = tokio::select! {
        biased;
        mismatch = checker.mismatch() => Err(mismatch),
        ended = steps(shared, &host, &mut session, gates, &mut keys) => ended,
    };
    if let Some(session) = session {
        session.close().await;
    }
    ended
}

fn host(shared: &Shared, node: &NodeName) -> Result<Host, Failure> {
    let state = shared.state();
    let node = state.nodes.get(node).ok_or_else(|| Failure::new("the node has no instance"))?;
    host_of(&shared.project(), node)
}

/// Retries until the instance accepts the connection, for at most `patience`. The pauses are
/// short because the instance is billed meanwhile.
pub(super) async fn connect(
    shared: &Shared,
    host: &Host,
    patience: Duration,
) -> Result<Box<dyn Session>, Failure> {
    let begun = Instant::now();
    let wait = shared.waits.connection(&host.node, format!("SSH connection to {}", host.target()));
    let mut denied_since = None;
    let mut pause = FIRST_PAUSE;
    loop {
        let error = match shared.remote.connect(host).await {
            Ok(session) => return Ok(session),
            Err(error) => error,
        };
        if error.kind == RemoteErrorKind::Denied {
            denied_since.get_or_insert_with(Instant::now);
        }
        let denied = denied_since.is_some_and(|since: Instant| since.elapsed() >= DENIED);
        if !error.kind.is_transient() || denied || begun.elapsed() >= patience {
            return Err(gave_up(&error, begun.elapsed()));
        }
        wait.detail(&error.message);
        wait.next_in(pause);
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn gave_up(error: &RemoteError, after: Duration) -> Failure {
    let mut failure = Failure::from(error);
    failure.message = format!("no SSH after {} s: {}", after.as_secs(), failure.message);
    failure
}

async fn steps(
    shared: &Shared,
    host: &Host,
    session: &mut Option<Box<dyn Session>>,
    mut gates: Gates,
    keys: &mut HostKeys,
) -> Result<(), Failure> {
    let leader = shared.state().nodes.get(&host.node).is_some_and(|node| node.leader);
    let project = shared.project();
    for step in project.recipe.steps.iter().filter(|step| step.on.includes(leader)) {
        let done =
            shared.state().nodes.get(&host.node).is_some_and(|node| node.has_done(&step.name));
        if done {
            continue;
        }
        wait_for_needs(shared, host, step, &mut gates).await?;
        let Some(task) = task(shared, &host.node, step) else {
            step::ended(shared, host, step, StepOutcome::Skipped);
            continue;
        };
        if let Task::Send(work) = &task {
            keys.verified(shared, host, step, work.as_str()).await?;
        }
        tries(shared, host, session, step, &task).await?;
    }
    Ok(())
}

async fn wait_for_needs(
    shared: &Shared,
    host: &Host,
    step: &Step,
    gates: &mut Gates,
) -> Result<(), Failure> {
    for need in &step.needs {
        let Some(watch) = gates.get_mut(need) else { continue };
        let wait = shared.waits.barrier(&host.node, format!("step {need}"));
        wait.detail_from(watch.pending());
        let gate = watch.gate.wait_for(|gate| *gate != Gate::Closed).await;
        let gate = gate.map_or(Gate::Open, |gate| gate.clone());
        if let Gate::Blocked(by) = gate {
            let by = format!("{need} on {by}");
            step::ended(shared, host, step, StepOutcome::Blocked { by: by.clone() });
            return Err(Failure::new(format!("{} waits for {by}, which failed", step.name))
                .hint("retry that node; this one then continues by itself"));
        }
    }
    for earlier in &step.after {
        if let Some(watch) = gates.get_mut(earlier) {
            let wait = shared.waits.barrier(&host.node, format!("step {earlier} to end"));
            wait.detail_from(watch.pending());
            // The channel closes only when the engine has ended.
            let _ = watch.over.wait_for(|over| *over).await;
        }
    }
    Ok(())
}

/// Tries `step` as often as the recipe allows.
async fn tries(
    shared: &Shared,
    host: &Host,
    session: &mut Option<Box<dyn Session>>,
    step: &Step,
    task: &Task,
) -> Result<(), Failure> {
    let first = step::next_attempt(shared, &host.node, &step.name);
    let last = first.number + step.retries;
    for number in first.number..=last {
        let attempt = Try { number, resumes: first.resumes && number == first.number };
        let outcome = one_try(shared, host, session, step, task, attempt).await;
        let checks = step::checks(shared, &host.node, &script::key(step, number));
        if !checks.is_empty() {
            let (node, step) = (host.node.clone(), step.name.clone());
            shared.report(Event::NodeVerified { node, step, checks: checks.clone() });
        }
        shared.report(Event::StepEnded {
            node: host.node.clone(),
            step: step.name.clone(),
            attempt: number,
            outcome: outcome.clone(),
        });
        if outcome.is_done() {
            return Ok(());
        }
        if number == last || matches!(outcome, StepOutcome::Lost { .. }) {
            return Err(step::failure(step, &outcome, &checks));
        }
        tokio::time::sleep(step::pause_before(number + 1 - first.number)).await;
    }
    Ok(())
}

/// What a step comes down to on a node.
enum Task {
    /// This text runs there.
    Script(String),
    /// This machine sends something.
    Send(Work),
}

fn task(shared: &Shared, node: &NodeName, step: &Step) -> Option<Task> {
    match operator::work(shared, node, step) {
        Some(work) => Some(Task::Send(work)),
        None => script::text(shared, node, step).map(Task::Script),
    }
}

/// One try, over as many connections as it takes and no longer than the step's
/// limit, whether the node is connected or not. What ends without an answer
/// is lost: it may still go on there, and the next try attaches to it.
async fn one_try(
    shared: &Shared,
    host: &Host,
    session: &mut Option<Box<dyn Session>>,
    step: &Step,
    task: &Task,
    attempt: Try,
) -> StepOutcome {
    if !attempt.resumes {
        shared.report(Event::StepStarted {
            node: host.node.clone(),
            step: step.name.clone(),
            attempt: attempt.number,
        });
    }
    let _wait = step::wait(shared, &host.node, step, attempt.number);
    let mut last = None;
    let work = connections(shared, host, session, step, task, attempt.number, &mut last);
    let ended = tokio::time::timeout(step.timeout + GRACE, work).await;
    ended.unwrap_or_else(|_| StepOutcome::Lost { failure: step::overdue(step, last.as_ref()) })
}

/// Runs `task` over one connection after the other; `last` is why the last one broke.
async fn connections(
    shared: &Shared,
    host: &Host,
    session: &mut Option<Box<dyn Session>>,
    step: &Step,
    task: &Task,
    number: u32,
    last: &mut Option<RemoteError>,
) -> StepOutcome {
    let mut connection = Connection::of(&host.node);
    let mut breaks = 0;
    loop {
        let connected = match session.take() {
            Some(connected) => connected,
            None => match connect(shared, host, RECONNECT).await {
                Ok(connected) => connected,
                Err(failure) => return StepOutcome::Lost { failure },
            },
        };
        connection.restored(shared);
        let lines = || shared.logs.lines_of(&host.node, &script::key(step, number));
        let (before, begun) = (lines(), Instant::now());
        match over(shared, host, connected.as_ref(), step, task, number).await {
            Ok(outcome) => {
                *session = Some(connected);
                return outcome;
            }
            // A script goes on over there, and the next connection picks it up;
            // what was sent is sent again.
            Err(NotDone::Remote(error)) if error.kind.is_transient() => {
                connection.lost(shared, &error);
                connected.close().await;
                let at_once = lines() == before && begun.elapsed() < HELD;
                breaks = if at_once { breaks + 1 } else { 0 };
                if breaks == BREAKS {
                    return StepOutcome::Lost { failure: step::broken(breaks, &error) };
                }
                *last = Some(error);
            }
            Err(NotDone::Remote(error)) => {
                return StepOutcome::Lost { failure: Failure::from(&error) };
            }
            Err(NotDone::Here(failure)) => return StepOutcome::Lost { failure },
        }
        tokio::time::sleep((FIRST_PAUSE * 2_u32.pow(breaks)).min(LONGEST_BREAK)).await;
    }
}

/// One try over one connection.
async fn over(
    shared: &Shared,
    host: &Host,
    session: &dyn Session,
    step: &Step,
    task: &Task,
    number: u32,
) -> Result<StepOutcome, NotDone> {
    match task {
        Task::Script(text) => {
            let script = script::script(shared, &host.node, step, text, number);
            let ran = step::stream(shared, host, session, &script).await;
            ran.map_err(NotDone::Remote)
        }
        Task::Send(work) => {
            let key = script::key(step, number);
            step::operate(shared, host, session, (&key, step.timeout), work).await
        }
    }
}
