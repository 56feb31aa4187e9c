//! Retries of EC2 calls that may be repeated: reads, and `TerminateInstances`,
//! `StopInstances` and `StartInstances`, which have no further effect the
//! second time. `RunInstances` is not one of them.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    cloud::{CloudError, ErrorKind},
    model::{Failure, duration},
};

use super::{Update, shared::Shared};

/// How long `down`, `stop`, `start` and the listing before a launch go on
/// while a region's API fails.
pub(super) const PATIENCE: Duration = Duration::from_mins(15);
/// The same while a plan is made: somebody waits to see it, and it can be
/// made from the record instead.
pub(super) const PLAN_PATIENCE: Duration = Duration::from_secs(20);
/// The pause after the first failure; each further one doubles it.
const FIRST: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(30);

/// Whether the same call may succeed later without any change.
pub(super) fn is_transient(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Unreachable | ErrorKind::NoAnswer | ErrorKind::Service | ErrorKind::Throttled
    )
}

/// The pause after `failures` failures in a row. Without jitter: a region's
/// calls are made one after the other, and regions share no token bucket.
pub(super) fn pause(failures: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(failures.saturating_sub(1).min(16));
    FIRST.saturating_mul(doubled).min(LONGEST)
}

/// The calls of one region, one after the other.
pub(super) struct Retry<'a> {
    shared: &'a Shared,
    patience: Duration,
    outage: Option<Outage>,
}

/// Failures in a row.
#[derive(Clone, Debug)]
struct Outage {
    since: Instant,
    failures: u32,
    cause: (ErrorKind, Option<String>),
}

impl<'a> Retry<'a> {
    /// Gives up once calls have failed for `patience` without a success.
    pub(super) fn new(shared: &'a Shared, patience: Duration) -> Self {
        Self { shared, patience, outage: None }
    }

    /// Calls until EC2 answers. `Err` if it refuses, or if `patience` ran out.
    pub(super) async fn call<T, F>(&mut self, call: impl Fn() -> F) -> Result<T, CloudError>
    where
        F: Future<Output = Result<T, CloudError>>,
    {
        loop {
            match call().await {
                Ok(answer) => {
                    self.outage = None;
                    return Ok(answer);
                }
                Err(error) if is_transient(error.kind) => self.wait(error).await?,
                Err(error) => return Err(error),
            }
        }
    }

    /// Waits until the next try; reports each cause once.
    async fn wait(&mut self, error: CloudError) -> Result<(), CloudError> {
        let now = Instant::now();
        let cause = (error.kind, error.code.clone());
        let (outage, is_new) = match self.outage.take() {
            Some(outage) => {
                let is_new = outage.cause != cause;
                (Outage { failures: outage.failures + 1, cause, ..outage }, is_new)
            }
            None => (Outage { since: now, failures: 1, cause }, true),
        };
        let failing = now.duration_since(outage.since);
        let pause = pause(outage.failures);
        self.outage = Some(outage);
        let left = self.patience.saturating_sub(failing);
        if left.is_zero() {
            return Err(error);
        }
        if is_new {
            self.shared.update(Update::Notice(notice(&error, failing, pause, left)));
        }
        let waiting = self.shared.waits.retry(&error.region, error.operation);
        waiting.detail(error.to_string());
        waiting.next_in(pause.min(left));
        tokio::time::sleep(pause.min(left)).await;
        Ok(())
    }
}

fn notice(error: &CloudError, failing: Duration, pause: Duration, left: Duration) -> Failure {
    let mut failure = Failure::from(error);
    let since = if failing < Duration::from_secs(1) {
        String::new()
    } else {
        format!("failing for {}; ", duration(failing))
    };
    let (pause, left) = (duration(pause.min(left)), duration(left));
    failure.message = format!("{} ({since}next try in {pause}, for up to {left})", failure.message);
    failure
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let pauses = [1, 2, 3, 5, 6, 7, 40].map(|failures| pause(failures).as_secs());
        assert_eq!(pauses, [1, 2, 4, 16, 30, 30, 30]);
    }

    #[test]
    fn what_nobody_has_to_repair_is_transient() {
        for kind in
            [ErrorKind::Unreachable, ErrorKind::NoAnswer, ErrorKind::Service, ErrorKind::Throttled]
        {
            assert!(is_transient(kind), "{kind:?}");
        }
        for kind in [ErrorKind::Denied, ErrorKind::Credentials, ErrorKind::Invalid] {
            assert!(!is_transient(kind), "{kind:?}");
        }
    }
}
