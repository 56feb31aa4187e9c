//! The rates at which EC2 takes calls.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::model::Region;

/// Paces the calls of this process in each region, as EC2's token buckets ask
/// for. By default those to `RunInstances`, dry runs included, since EC2 counts
/// both in one bucket.
#[derive(Debug)]
pub struct CallPace {
    /// Calls that are made at once.
    burst: u32,
    /// After which one more is made.
    refill: Duration,
    /// When the next call of a full bucket's first place may be made.
    regions: Mutex<BTreeMap<Region, Instant>>,
}

impl Default for CallPace {
    /// As EC2 takes launches: five at once, and then two a second.
    fn default() -> Self {
        Self { burst: 5, refill: Duration::from_millis(500), regions: Mutex::default() }
    }
}

impl CallPace {
    /// For reads that are made of every node: half of what EC2 takes, since all
    /// other reads share its bucket.
    pub fn of_reads() -> Self {
        Self { burst: 50, refill: Duration::from_millis(100), ..Self::default() }
    }

    /// Returns once `region` may be called.
    pub async fn turn(&self, region: &Region) {
        let now = Instant::now();
        let at = self.reserve(region, now);
        // A timer of zero still takes a tick.
        if at > now {
            tokio::time::sleep_until(at).await;
        }
    }

    /// Notes that EC2 has refused a call: somebody else uses the same bucket.
    pub fn throttled(&self, region: &Region) {
        let empty = Instant::now() + self.refill * self.burst;
        let mut regions = self.regions.lock().unwrap_or_else(PoisonError::into_inner);
        let next = regions.entry(region.clone()).or_insert(empty);
        *next = empty.max(*next);
    }

    /// The bucket as the one moment at which it is full again: each call moves
    /// that by a refill, and may be made once fewer than `burst` are missing.
    fn reserve(&self, region: &Region, now: Instant) -> Instant {
        let mut regions = self.regions.lock().unwrap_or_else(PoisonError::into_inner);
        let full = regions.entry(region.clone()).or_insert(now);
        let at = (*full).max(now);
        *full = at + self.refill;
        at.checked_sub(self.refill * (self.burst - 1)).map_or(now, |at| at.max(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn waits(pace: &CallPace, region: &str) -> u128 {
        let begun = Instant::now();
        pace.turn(&region.into()).await;
        begun.elapsed().as_millis()
    }

    #[tokio::test(start_paused = true)]
    async fn five_at_once_and_then_two_a_second() {
        let pace = CallPace::default();
        for _ in 0..pace.burst {
            assert!(waits(&pace, "us-west-2").await < 2);
        }
        for _ in 0..3 {
            let waited = waits(&pace, "us-west-2").await;
            assert!((498..=502).contains(&waited), "{waited}");
        }
        assert!(waits(&pace, "eu-west-1").await < 2, "each region has its own");
        tokio::time::sleep(pace.refill * pace.burst).await;
        assert!(waits(&pace, "us-west-2").await < 2, "it fills up again");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_means_that_the_bucket_is_empty() {
        let pace = CallPace::default();
        pace.throttled(&"us-west-2".into());
        let waited = waits(&pace, "us-west-2").await;
        assert!((498..=502).contains(&waited), "{waited}");
    }
}
