//! One try of one step: its number, its lines, its outcome.

use std::{collections::VecDeque, time::Duration};

use tokio::sync::mpsc;

use crate::{
    config::Step,
    model::{Failure, NodeName, count, plain, shortened},
    remote::{Exit, Host, RemoteError, Script, Session},
    waits::Waiting,
};

use super::{
    Event, LinkCheck, LogLine, StepOutcome, StepState,
    operator::{self, NotDone, Work},
    script,
    shared::{Message, Shared},
};

/// Lines kept for a failed step's message and the journal, and characters of each.
const LAST_LINES: usize = 8;
const LONGEST_LAST: usize = 1000;
/// Checks that one try of a step may report; the leader reports one for each node.
const MOST_CHECKS: usize = 4096;
/// Lines under way between the connection and the log.
const BUFFER: usize = 256;

/// Which try of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Try {
    /// From 1.
    pub(super) number: u32,
    /// Whether it began in an earlier run and may still be going on over there.
    pub(super) resumes: bool,
}

/// The next try of `step`: the one that a crash left open, or a new one.
pub(super) fn next_attempt(shared: &Shared, node: &NodeName, step: &str) -> Try {
    let state = shared.state();
    let last = state.nodes.get(node).and_then(|node| node.steps.get(step));
    match last {
        None => Try { number: 1, resumes: false },
        // A lost one may still be going on over there: attach, never start a second.
        Some(StepState { attempt, outcome: None | Some(StepOutcome::Lost { .. }), .. }) => {
            Try { number: *attempt, resumes: true }
        }
        Some(last) => Try { number: last.attempt.saturating_add(1), resumes: false },
    }
}

/// Registers the try number `attempt` of `step` as running, with how much it has printed.
pub(super) fn wait(shared: &Shared, node: &NodeName, step: &Step, attempt: u32) -> Waiting {
    let wait = shared.waits.step(node, &step.name);
    let (logs, node, key) = (shared.logs.clone(), node.clone(), script::key(step, attempt));
    wait.detail_from(move || Some(count(logs.lines_of(&node, &key), "line")));
    wait
}

/// How long to wait before the try after `failed` ones: 2, 4, 8 … 30 seconds.
pub(super) fn pause_before(failed: u32) -> Duration {
    Duration::from_secs((1_u64 << failed.min(5)).min(30))
}

/// Reports that a step ended without having run.
pub(super) fn ended(shared: &Shared, host: &Host, step: &Step, outcome: StepOutcome) {
    let attempt = next_attempt(shared, &host.node, &step.name).number;
    let (node, step) = (host.node.clone(), step.name.clone());
    shared.report(Event::StepEnded { node, step, attempt, outcome });
}

/// What the try `key` (`step.attempt`) checked, by the lines that it printed:
/// those of an earlier connection count as well.
pub(super) fn checks(shared: &Shared, node: &NodeName, key: &str) -> Vec<LinkCheck> {
    shared.logs.with(node, |log| {
        let lines = log.lines().iter().filter(|line| line.step == key);
        lines.filter_map(|line| LinkCheck::parse(&line.text)).take(MOST_CHECKS).collect()
    })
}

/// What a failed step means for its node; `checks` are those of its last try.
pub(super) fn failure(step: &Step, outcome: &StepOutcome, checks: &[LinkCheck]) -> Failure {
    let name = &step.name;
    let mut failed = checks.iter().filter(|check| !check.ok);
    match outcome {
        StepOutcome::Failed { .. } if let Some(first) = failed.next() => {
            let more = match failed.count() {
                0 => String::new(),
                n => format!(" (and {n} more)"),
            };
            Failure::new(format!("{name}: {first}{more}"))
                .hint("fix the cause, then retry the node: it checks again")
        }
        StepOutcome::Failed { status, last_lines } => {
            let last = last_lines.iter().rev().find(|line| !line.trim().is_empty());
            let last = last.map(|line| format!(": {}", line.trim())).unwrap_or_default();
            Failure::new(format!("{name} ended with exit status {status}{last}"))
                .hint("read the node's log, fix the cause, then retry the node")
        }
        StepOutcome::TimedOut { after_s, .. } => {
            Failure::new(format!("{name} did not end within {after_s} s"))
                .hint("read the node's log; raise the step's timeout if it only needs longer")
        }
        StepOutcome::Lost { failure } => {
            Failure { message: format!("{name}: {}", failure.message), ..failure.clone() }
        }
        StepOutcome::Blocked { by } => Failure::new(format!("{name} waits for {by}")),
        StepOutcome::Succeeded | StepOutcome::Skipped | StepOutcome::Voided => {
            Failure::new(format!("{name} did not run"))
        }
    }
}

/// The failure of a step of which no end came within its limit.
pub(super) fn overdue(step: &Step, last: Option<&RemoteError>) -> Failure {
    let after = step.timeout.as_secs();
    let why = match last {
        Some(error) => format!("the connection broke ({})", error.message),
        None => "the node is connected and does not answer".to_owned(),
    };
    Failure::new(format!("no end within {after} s: {why}"))
        .hint("check the node's console output and status checks, then retry the node")
}

/// The failure of a step whose connections break as soon as they are made.
pub(super) fn broken(connections: u32, error: &RemoteError) -> Failure {
    Failure::new(format!(
        "{connections} connections in a row broke without a line of the step; the last one: {}",
        error.message
    ))
    .hint("check the node's disk, memory and sshd (`muster ssh`), then retry the node")
}

/// Runs `script` and logs each of its lines; those on record already are
/// not reported again.
pub(super) async fn stream(
    shared: &Shared,
    host: &Host,
    session: &dyn Session,
    script: &Script,
) -> Result<StepOutcome, RemoteError> {
    let skip = shared.logs.lines_of(&host.node, &script.key);
    let run = |sender| session.run(script, skip, sender);
    logged(shared, host, &script.key, script.timeout, run).await
}

/// The same of what this machine does with the node: nothing of it goes on
/// over there, so the time limit is kept here.
pub(super) async fn operate(
    shared: &Shared,
    host: &Host,
    session: &dyn Session,
    (key, limit): (&str, Duration),
    work: &Work,
) -> Result<StepOutcome, NotDone> {
    let run = |sender| async move {
        let done = tokio::time::timeout(limit, operator::run(shared, session, work, sender)).await;
        done.unwrap_or(Ok(Exit::TimedOut))
    };
    logged(shared, host, key, limit, run).await
}

/// Logs each line that `run` sends, and makes an outcome of its end.
async fn logged<E, R: Future<Output = Result<Exit, E>>>(
    shared: &Shared,
    host: &Host,
    key: &str,
    limit: Duration,
    run: impl FnOnce(mpsc::Sender<String>) -> R,
) -> Result<StepOutcome, E> {
    let (sender, mut lines) = mpsc::channel::<String>(BUFFER);
    let mut last = VecDeque::with_capacity(LAST_LINES);
    let log = async {
        while let Some(line) = lines.recv().await {
            let text = plain(&line).into_owned();
            if last.len() == LAST_LINES {
                last.pop_front();
            }
            last.push_back(shortened(&text, LONGEST_LAST));
            log_line(shared, &host.node, key, text);
        }
    };
    let (exit, ()) = tokio::join!(run(sender), log);
    let last_lines = last.into();
    Ok(match exit? {
        Exit::Status(0) => StepOutcome::Succeeded,
        Exit::Status(status) => StepOutcome::Failed { status, last_lines },
        Exit::TimedOut => StepOutcome::TimedOut { after_s: limit.as_secs(), last_lines },
    })
}

/// Adds a line of the step `key` to the log of `node`.
pub(super) fn log_line(shared: &Shared, node: &NodeName, key: &str, text: String) {
    let line = LogLine { at: shared.clock.now(), step: key.to_owned(), text };
    if let Err(error) = shared.logs.push(node, line) {
        let failure = Failure::new(format!("cannot write the log of {node}: {error}"));
        shared.send(Message::Unwritten(failure.hint("free some space")));
    }
}
