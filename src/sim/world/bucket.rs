//! EC2's token bucket for `RunInstances`: one per region, which dry runs and
//! real calls share.

use std::collections::BTreeMap;

use tokio::time::Instant;

use crate::{
    model::Region,
    sim::{Pace, scenario::format::BucketSpec},
};

/// The buckets of all regions.
#[derive(Default)]
pub(super) struct Buckets(BTreeMap<Region, Bucket>);

struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Buckets {
    /// Takes a token; false where the bucket is empty.
    pub fn take(&mut self, region: &Region, spec: BucketSpec, pace: Pace) -> bool {
        let now = Instant::now();
        let most = f64::from(spec.burst);
        let bucket = self.0.entry(region.clone()).or_insert(Bucket { tokens: most, at: now });
        let passed = now.duration_since(bucket.at).as_secs_f64();
        let refill = passed / pace.seconds(1.0).as_secs_f64() * spec.per_s;
        bucket.tokens = (bucket.tokens + refill).min(most);
        bucket.at = now;
        let there = bucket.tokens >= 1.0;
        bucket.tokens -= f64::from(u8::from(there));
        there
    }
}
