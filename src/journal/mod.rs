//! The journal: an append-only file of events (NDJSON), and
//! the folder of a cluster around it.
//!
//! ```text
//! <state dir>/<project>/lock                 held by the one writer
//! <state dir>/<project>/project-id           random, created once
//! <state dir>/<project>/<cluster>/journal.jsonl
//!                                 manifest.json
//!                                 logs/<region>/<node>.log
//!                                 known_hosts
//!                                 forward.json, while a `muster forward` runs
//! ```
//!
//! A journal is never unusable because of its content: lines that can't be
//! read are left out, reported ([`Damage`]) and kept in the file as they are.
//! The cluster's id is the name of its folder, whatever the records say.

mod contents;
mod damage;
mod disk;
mod event;
mod file;
mod forward;
mod line;
mod project;
mod store;

pub use contents::Contents;
pub use damage::Damage;
pub use disk::Disk;
pub use event::{
    AdoptedNode, Event, FixStep, LaunchedInstance, LogLine, Phase, Stamped, StepEffect, StepOutcome,
};
pub use file::{JournalError, JournalFile};
pub use forward::{ForwardRecord, forwarded};
pub use line::Unreadable;
pub use project::{others, project_id};
pub use store::{Store, TakeOver, state_dir};

/// The format of the records that this version appends, as `run-started` has
/// it. 1: without it. 2: each line has a checksum; `recovered`.
///
/// A new event, or a new field with a default, needs no new format: older
/// versions leave the event out. A new format is one in which what is there
/// means something else; then older versions only report and terminate.
pub const FORMAT: u32 = 2;

/// FNV-1a: stable across versions, which std's hasher is not; of two texts
/// that differ in one byte the hashes always differ.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
