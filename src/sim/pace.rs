//! The scenario's time against tokio's: seconds as they would be in reality,
//! divided by the scenario's speed.

use std::time::Duration;

use super::{
    dice,
    scenario::format::{Secs, Span},
};

/// How fast a world runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    speed: f64,
}

impl Pace {
    /// `speed` divides every duration; the scenario's check sees that it is above zero.
    pub fn new(speed: f64) -> Self {
        Self { speed }
    }

    /// What `seconds` of the scenario take on tokio's clock.
    pub fn seconds(self, seconds: f64) -> Duration {
        Duration::try_from_secs_f64(seconds / self.speed).unwrap_or(Duration::MAX)
    }

    /// The same for a duration of a scenario.
    pub fn of(self, Secs(seconds): Secs) -> Duration {
        self.seconds(seconds)
    }

    /// The place in `span` that belongs to whatever `seed` names.
    pub fn within(self, span: Span, seed: &[&str]) -> Duration {
        self.seconds(span.place(seed))
    }
}

impl Span {
    /// The seconds within the span that belong to whatever `seed` names.
    pub fn place(self, seed: &[&str]) -> f64 {
        self.least + (self.most - self.least) * dice::unit(seed)
    }
}
