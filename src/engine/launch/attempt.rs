//! Calling `RunInstances` until EC2 has answered clearly. Every attempt is the
//! same request with the same token, so that none launches anything twice.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use crate::{
    cloud::{CloudError, ErrorKind, Instance, InstanceFilter, LaunchRequest, tags},
    engine::{Update, shared::Shared, unresolved},
    model::{ClientToken, Failure, Region},
};

/// How long an instance of an unanswered call may take to show up.
pub(super) const APPEAR: Duration = Duration::from_secs(30);
/// The pause between reads.
const LOOK: Duration = Duration::from_secs(2);
/// For how long a call is repeated that EC2 does not take, or that does not reach it.
const PATIENCE: Duration = Duration::from_mins(5);
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Calls `RunInstances`. `Err` with an unknown outcome: neither an answer nor
/// an instance came within the patience.
pub(super) async fn call(
    shared: &Shared,
    region: &Region,
    request: &LaunchRequest,
) -> Result<Vec<Instance>, CloudError> {
    let begun = Instant::now();
    let count = usize::try_from(request.count).unwrap_or(usize::MAX);
    let (mut pause, mut noted) = (FIRST_PAUSE, None);
    // An attempt that may have had its effect, whatever later ones were answered.
    let mut unclear: Option<CloudError> = None;
    loop {
        shared.launch_pace.turn(region).await;
        let error = match shared.cloud.launch(region, request).await {
            Ok(instances) => return Ok(instances),
            Err(error) => error,
        };
        if let Some(patience) = patience(&error)
            && let found = appear(shared, region, &request.token, count, patience).await
            && found.len() >= count
        {
            return Ok(found);
        }
        if error.outcome_unknown() {
            unclear = Some(error.clone());
        }
        if error.kind == ErrorKind::Throttled {
            shared.launch_pace.throttled(region);
        }
        if !may_pass(&error) || shared.is_halted() || begun.elapsed() >= PATIENCE {
            return Err(verdict(error, unclear));
        }
        if noted != Some(error.kind) {
            noted = Some(error.kind);
            shared.update(Update::Notice(again(&error)));
        }
        let wait = shared.waits.retry(region, error.operation);
        wait.detail(error.to_string());
        wait.next_in(pause);
        sleep_unless_halted(shared, pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// How long instances of the token are looked for after `error`; `None` where
/// there are none. A mismatch proves that EC2 has carried out another request with
/// this token, so that they are only late.
fn patience(error: &CloudError) -> Option<Duration> {
    match error.kind {
        ErrorKind::TokenMismatch => Some(unresolved::APPEAR),
        _ => error.outcome_unknown().then_some(APPEAR),
    }
}

/// Whether `error` of a first call does not settle whether EC2 launched.
pub(super) fn may_have_launched(error: &CloudError) -> bool {
    error.outcome_unknown() || error.kind == ErrorKind::TokenMismatch
}

/// Whether there are instances, and none of them can become a node.
pub(super) fn are_terminated(instances: &[Instance]) -> bool {
    !instances.is_empty() && instances.iter().all(|instance| !instance.state.is_live())
}

/// Whether the same call may be answered otherwise a little later.
fn may_pass(error: &CloudError) -> bool {
    error.outcome_unknown() || matches!(error.kind, ErrorKind::Throttled | ErrorKind::Unreachable)
}

/// A refusal for what the request asks settles that no attempt launched
/// anything, since EC2 evaluates the token first. Other errors do not.
fn verdict(error: CloudError, unclear: Option<CloudError>) -> CloudError {
    let settles = matches!(
        error.kind,
        ErrorKind::Capacity | ErrorKind::Quota | ErrorKind::NotFound | ErrorKind::Invalid
    );
    if settles { error } else { unclear.unwrap_or(error) }
}

fn again(error: &CloudError) -> Failure {
    let mut failure = Failure::from(error);
    let minutes = PATIENCE.as_secs() / 60;
    failure.message =
        format!("{}; trying the same launch again for {minutes} min", failure.message);
    failure
}

async fn sleep_unless_halted(shared: &Shared, pause: Duration) {
    let mut halted = shared.halted.subscribe();
    // Either way there is nothing more to wait for.
    drop(tokio::time::timeout(pause, halted.wait_for(|halted| *halted)).await);
}

/// Waits until all `count` instances of `token` show up, `patience` at most. EC2 launches
/// all or none, so fewer mean that the others do not show yet.
pub(super) async fn appear(
    shared: &Shared,
    region: &Region,
    token: &ClientToken,
    count: usize,
    patience: Duration,
) -> Vec<Instance> {
    let _wait = shared.waits.begin(region, "the instances of a launch without an answer");
    let by_token = InstanceFilter::Token(token.clone());
    let by_tag = InstanceFilter::Tag(tags::LAUNCH.into(), token.to_string());
    let mut all = BTreeMap::new();
    let begun = Instant::now();
    let look = async {
        // Quitting waits for as long as an answer usually takes, and no longer.
        while begun.elapsed() < APPEAR || !shared.is_halted() {
            for filter in [&by_tag, &by_token] {
                let found = shared.cloud.instances(region, filter).await.unwrap_or_default();
                all.extend(found.into_iter().map(|one| (one.id.clone(), one)));
                if all.len() >= count {
                    return;
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    // What has shown by then counts.
    drop(tokio::time::timeout(patience, look).await);
    all.into_values().collect()
}

/// The failure of nodes whose launch has an unknown outcome.
pub(super) fn unclear(error: &CloudError) -> Failure {
    let failure = Failure::from(error);
    if error.kind == ErrorKind::TokenMismatch {
        let what = "EC2 has carried out a launch of these nodes with other parameters, and lists \
                    no instance of it; nothing else is launched for them";
        return Failure { message: format!("{what} ({})", failure.message), ..failure }.hint(
            "`muster up` again looks for its instances; with the configs as they were it repeats \
             that launch; `muster down` terminates the cluster",
        );
    }
    let what = format!("EC2 did not say whether it launched these nodes ({})", failure.message);
    Failure { message: what, ..failure }
        .hint("they carry the cluster's id if they exist: `up` again finds them, `down` ends them")
}
