//! Text and JSON: the front ends for those who don't want the dashboard, and
//! for programs. Everything here turns values into lines; nothing asks AWS or
//! reads files.

mod adopt;
mod config;
mod diagnostics;
mod down;
mod events;
mod findings;
mod fix;
mod init;
mod line;
mod out;
mod plan;
mod power;
mod remains;
mod said;
mod screen;
mod status;
mod table;

pub use adopt::adopt_plan;
pub use config::{ConfigDocument, config, config_document};
pub use diagnostics::{DiagnosticsDocument, diagnostics};
pub use down::{down_plan, unfinished};
pub use events::EventLines;
pub use findings::{FindingsDocument, failures, findings};
pub use fix::{fix_plan, unrecorded};
pub use init::{init_done, init_plan};
pub use line::{Line, Span, Text, line};
pub use out::{Out, Paint, Tone};
pub use plan::{launch_plan, launched};
pub use power::{ids, ids_and_why, restart_plan, start_plan, stop_plan};
pub use remains::remains;
pub use said::{Said, said};
pub use screen::Screen;
pub use status::{StatusDocument, status};
