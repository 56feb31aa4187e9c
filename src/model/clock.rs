//! The wall clock, injected so that tests and the simulated world own it.

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Returns the wall-clock time.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    /// The system clock. Within a process it never goes back: if somebody
    /// sets it back, it continues from where it was.
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
            Self::System => {
                let mut latest = LATEST.lock().unwrap_or_else(PoisonError::into_inner);
                let now = monotonic(*latest, Timestamp::now(), std::time::Instant::now());
                *latest = Some(now);
                now.0
            }
            Self::Follows { base, start } => later(*base, start.elapsed()),
        }
    }
}

/// What the clock showed last, and the moment that belongs to it.
type Reading = (Timestamp, std::time::Instant);

static LATEST: Mutex<Option<Reading>> = Mutex::new(None);

/// The wall clock, unless it is behind the monotonic one. It may be ahead of
/// it: the monotonic clock stands still while a laptop sleeps.
fn monotonic(latest: Option<Reading>, wall: Timestamp, moment: std::time::Instant) -> Reading {
    let expected = latest.map(|(at, then)| later(at, moment.saturating_duration_since(then)));
    (expected.map_or(wall, |expected| expected.max(wall)), moment)
}

fn later(at: Timestamp, passed: std::time::Duration) -> Timestamp {
    let passed = SignedDuration::try_from(passed).unwrap_or_default();
    at.checked_add(passed).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_wall_clock_that_is_set_back_does_not_take_time_back() {
        let start = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(10);
        let moment = std::time::Instant::now();
        let first = monotonic(None, start, moment);
        let back = start - SignedDuration::from_hours(1);
        let second = monotonic(Some(first), back, moment + Duration::from_secs(16));
        assert_eq!(second.0, start + SignedDuration::from_secs(16));
        let third = monotonic(Some(second), back, moment + Duration::from_secs(20));
        assert_eq!(third.0, start + SignedDuration::from_secs(20));
    }

    #[test]
    fn a_wall_clock_that_goes_ahead_is_followed() {
        let start = Timestamp::UNIX_EPOCH;
        let moment = std::time::Instant::now();
        let first = monotonic(None, start, moment);
        let ahead = start + SignedDuration::from_hours(8);
        assert_eq!(monotonic(Some(first), ahead, moment + Duration::from_secs(1)).0, ahead);
    }
}
