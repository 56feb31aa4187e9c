//! Elapsed times: never negative, and written in one way.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// The time from `start` to `end`; zero where the clock was set back in between.
pub fn elapsed(start: Timestamp, end: Timestamp) -> SignedDuration {
    end.duration_since(start).max(SignedDuration::ZERO)
}

/// `45 s`, `3 min 05 s`, `15 min`, `2 h 07 min`.
pub fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 60, seconds % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes @ 1..60, 0) => format!("{minutes} min"),
        (minutes @ 1..60, seconds) => format!("{minutes} min {seconds:02} s"),
        (minutes, _) => format!("{} h {:02} min", minutes / 60, minutes % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_back_gives_no_negative_time() {
        let start = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1);
        assert_eq!(elapsed(start, Timestamp::UNIX_EPOCH), SignedDuration::ZERO);
        assert_eq!(elapsed(Timestamp::UNIX_EPOCH, start), SignedDuration::from_hours(1));
    }

    #[test]
    fn durations_have_at_most_two_units() {
        let written = [0, 45, 185, 900, 7_620].map(|s| duration(Duration::from_secs(s)));
        assert_eq!(written, ["0 s", "45 s", "3 min 05 s", "15 min", "2 h 07 min"]);
    }
}
