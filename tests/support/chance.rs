//! Random numbers that depend only on a seed and a purpose, and the seeds of a run.
#![expect(clippy::unwrap_used, reason = "a seed that is not a number should fail")]

use std::{
    env,
    hash::{BuildHasher, RandomState},
};

/// Returns the seeds in the variable `given`, or as many new ones as the variable
/// `count` sets.
pub fn seeds(given: &str, count: &str, usual: usize) -> Vec<u64> {
    if let Ok(seeds) = env::var(given) {
        return seeds.split(',').map(|one| one.parse().unwrap()).collect();
    }
    let mut chance = Chance::new(RandomState::new().hash_one(std::process::id()));
    (0..number(count).unwrap_or(usual)).map(|_| chance.below(1 << 32)).collect()
}

/// Returns the number in an environment variable.
pub fn number(name: &str) -> Option<usize> {
    env::var(name).ok().map(|text| text.parse().unwrap())
}

/// A source of random numbers.
#[derive(Clone, Copy)]
pub struct Chance(u64);

impl Chance {
    /// Creates the source of `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Derives the source of one part.
    pub fn of(self, name: &str, number: usize) -> Self {
        let bytes = name.bytes().chain(number.to_le_bytes());
        let mixed = bytes.fold(self.0 ^ 0xcbf2_9ce4_8422_2325, |state, byte| {
            (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(mix(mixed))
    }

    /// Returns a number below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0) % limit
    }

    /// Returns true with a probability of `percent`.
    pub fn happens(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// The finaliser of splitmix64.
fn mix(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}
