//! What is wrong with a config, where, why and what to do.

use serde::Serialize;

use super::Location;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The project can't be used.
    Error,
    /// It can, but the user should know.
    Warning,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// How bad.
    pub severity: Severity,
    /// Stable id: `config.unknown-key`.
    pub id: &'static str,
    /// Where; none where no place can be named (a file that can't be read).
    pub location: Option<Location>,
    /// The source line, for showing.
    pub source_line: Option<String>,
    /// The key path: `available_node_types.ray.worker.default.node_config.ImageId`.
    pub key_path: Option<String>,
    /// What is wrong, one sentence.
    pub message: String,
    /// What to do, the nearest valid key included.
    pub help: Option<String>,
}
