//! The wall clock, injected so that tests and the simulated world own it.

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Returns the wall-clock time.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    /// The machine's own.
    System,
    /// Starts at `base` and follows tokio's clock, so that paused time moves it too.
    Follows {
        /// What the clock showed at `start`.
        base: Timestamp,
        /// The moment that `base` belongs to.
        start: Instant,
    },
}

impl Clock {
    /// A clock that shows `base` now and then follows tokio's time.
    pub fn starting_at(base: Timestamp) -> Self {
        Self::Follows { base, start: Instant::now() }
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Follows { base, start } => {
                let passed = SignedDuration::try_from(start.elapsed()).unwrap_or_default();
                base.checked_add(passed).unwrap_or(*base)
            }
        }
    }
}
