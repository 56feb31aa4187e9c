//! Text and JSON: the front ends for those who don't want the dashboard, and
//! for programs. Everything here turns values into lines; nothing asks AWS or
//! reads files.

mod adopt;
mod block;
mod config;
mod diagnostics;
mod down;
mod events;
mod findings;
mod fix;
mod init;
mod leftovers;
mod lifecycle;
mod line;
mod out;
mod plan;
mod screen;
mod status;
mod table;

/// The version of the documents that `--format json` prints (docs/json.md). It changes
/// when a field is renamed, removed or means something else.
pub const JSON_VERSION: u32 = 2;

pub use adopt::adopt_plan;
pub use block::{Block, block_lines};
pub use config::{ConfigDocument, config, config_document};
pub use diagnostics::{DiagnosticsDocument, diagnostics};
pub use down::{down_plan, unfinished};
pub use events::EventLines;
pub use findings::{FindingsDocument, failures, findings};
pub use fix::{fix_plan, unrecorded};
pub use init::{init_done, init_plan};
pub use leftovers::leftovers;
pub use lifecycle::{ids, ids_and_why, restart_plan, start_plan, stop_plan};
pub use line::{Line, Span, Text, line};
pub use out::{Out, Paint, Tone};
pub use plan::{launch_plan, launched};
pub use screen::Screen;
pub use status::{StatusDocument, status};
