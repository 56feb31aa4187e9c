//! The engine on the simulated world, on paused time: from launch to termination,
//! and everything that may interfere.
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
mod lifecycle;
mod lives;
mod lost;
mod odd_starts;
mod reload;
mod scale;
mod several;
mod story;
mod takeover;
mod verified;
mod waits;
mod watch;

use muster::sim::Scenario;

/// Returns two healthy regions plus `extra` (TOML).
fn two_regions(extra: &str) -> Scenario {
    let text = format!("{}\n{extra}", include_str!("two_regions.toml"));
    Scenario::parse(&text).unwrap_or_else(|error| panic!("{error}"))
}
