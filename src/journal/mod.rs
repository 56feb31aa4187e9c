//! The journal: an append-only file of events, one JSON object a line, and
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

mod file;
mod forward;
mod project;
mod store;

pub use file::{JournalError, JournalFile};
pub use forward::{ForwardRecord, forwarded};
pub use project::{others, project_id};
pub use store::{Store, TakeOver, state_dir};
