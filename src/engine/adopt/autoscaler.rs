//! Stops Ray's autoscaler on a head: it relaunches instances that others terminate.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    engine::{
        Event, StepOutcome,
        node::connect,
        shared::Shared,
        step::{self, Try},
    },
    model::Failure,
    remote::Script,
};

use super::{
    Adoptee,
    plan::{PATIENCE, host},
};

/// The script that stops the autoscaler and waits until it has exited.
const TEXT: &str = include_str!("../../../assets/adopt/stop-autoscaler.sh");
/// Its step name in logs.
const STEP: &str = "autoscaler";
const TIMEOUT: Duration = Duration::from_mins(2);

/// Returns once no autoscaler runs on `head`. Its lines go to the node's log.
pub(super) async fn end(shared: &Shared, head: &Adoptee) -> Result<(), Failure> {
    let name = &head.node;
    let Try { number, resumes } = step::next_attempt(shared, name, STEP);
    if !resumes {
        let (node, step) = (name.clone(), STEP.to_owned());
        shared.report(Event::StepStarted { node, step, attempt: number });
    }
    let script = Script {
        key: format!("{STEP}.{number}"),
        text: TEXT.to_owned(),
        env: BTreeMap::new(),
        timeout: TIMEOUT,
    };
    let outcome = run(shared, head, &script).await;
    let (node, step) = (name.clone(), STEP.to_owned());
    shared.report(Event::StepEnded { node, step, attempt: number, outcome: outcome.clone() });
    let why = match outcome {
        StepOutcome::Succeeded => return Ok(()),
        StepOutcome::Failed { last_lines, .. } | StepOutcome::TimedOut { last_lines, .. } => {
            last_lines.last().cloned().unwrap_or_default()
        }
        StepOutcome::Lost { failure } => failure.message,
        _ => String::new(),
    };
    Err(Failure::new(format!("the autoscaler on {name} could not be stopped: {why}"))
        .hint("nothing was tagged; stop it manually (`ray stop` on that head), then try again"))
}

async fn run(shared: &Shared, head: &Adoptee, script: &Script) -> StepOutcome {
    let lost = |failure| StepOutcome::Lost { failure };
    let host = match host(shared, head) {
        Ok(host) => host,
        Err(failure) => return lost(failure),
    };
    let session = match connect(shared, &host, PATIENCE).await {
        Ok(session) => session,
        Err(failure) => return lost(failure),
    };
    let ran = step::stream(shared, &host, session.as_ref(), script).await;
    session.close().await;
    ran.unwrap_or_else(|error| lost(Failure::from(&error)))
}
