//! What a scenario's hazards do: resources and tags that show late, and
//! calls that fail at random.

use std::time::Duration;

use tokio::time::Instant;

use super::fault::Call;
use crate::sim::{
    Pace, dice,
    scenario::format::{FaultAnswer, HazardSpec},
};

/// When something that has happened shows: not before `maybe`, then to some reads,
/// from `all` on to every one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shows {
    seed: String,
    began: Instant,
    maybe: Instant,
    all: Instant,
}

impl Shows {
    /// After `fixed`, and a drawn part of `lag` that `what` names.
    pub fn after(fixed: Duration, drawn: Duration, what: &str) -> Self {
        let began = Instant::now();
        let seed = what.to_owned();
        Self { seed, began, maybe: began + fixed + drawn / 2, all: began + fixed + drawn }
    }

    /// Whether a read at `now` sees it.
    pub fn at(&self, now: Instant) -> bool {
        let moment = now.duration_since(self.began).as_micros().to_string();
        now >= self.all || now >= self.maybe && dice::unit(&["shows", &self.seed, &moment]) < 0.5
    }
}

impl HazardSpec {
    /// The extra time after which what is new shows.
    pub(super) fn lag(&self, pace: Pace, id: &str) -> Duration {
        pace.within(self.lag_s, &[&self.seed.to_string(), "lag", id])
    }

    /// The time after which a tag on `id` shows.
    pub(super) fn tag_lag(&self, pace: Pace, id: &str) -> Duration {
        pace.within(self.tag_lag_s, &[&self.seed.to_string(), "tags", id])
    }

    /// How long a VPC is busy after a deletion in it.
    pub(super) fn busy(&self, pace: Pace, vpc: &str) -> Duration {
        pace.within(self.busy_s, &[&self.seed.to_string(), "busy", vpc])
    }

    /// The fault of the `number`th call of its kind, if it meets one.
    pub(super) fn fault(&self, call: &Call, number: u32) -> Option<FaultAnswer> {
        let seed =
            [&self.seed.to_string(), call.region.as_str(), call.operation, &number.to_string()];
        let reads = call.operation.starts_with("Describe") || call.dry_run;
        let often = if reads { self.faults / 5.0 } else { self.faults };
        if dice::unit(&seed) >= often {
            return None;
        }
        let error = |code: &str| FaultAnswer::Error(code.to_owned());
        Some(match dice::draw(&[&seed[..], &["kind"]].concat()) % 10 {
            0 => error("InternalError"),
            1 => error("Unavailable"),
            2 => error("RequestLimitExceeded"),
            3 => FaultAnswer::Reset,
            4 | 5 => FaultAnswer::LostReset,
            6 => FaultAnswer::LostError("InternalError".into()),
            7 => FaultAnswer::Hang,
            8 => FaultAnswer::LostAnswer,
            _ => FaultAnswer::LostError("Unavailable".into()),
        })
    }
}
