//! The engine on the simulated world, on paused time: the whole way up and
//! down, and everything that may come between.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that can't go on should fail")]

mod adopt;
mod after;
mod changed;
mod confirmed;
mod crash;
mod disk;
mod faults;
mod groups;
mod host_keys;
mod idle;
mod late;
mod launches;
mod lives;
mod lost;
mod odd_starts;
mod power;
mod reload;
mod scale;
mod several;
mod story;
mod takeover;
mod verified;
mod waits;
mod watch;

use muster::sim::Scenario;

/// Two healthy regions, and what `extra` (TOML) adds.
fn two_regions(extra: &str) -> Scenario {
    let text = format!("{}\n{extra}", include_str!("two_regions.toml"));
    Scenario::parse(&text).unwrap_or_else(|error| panic!("{error}"))
}
