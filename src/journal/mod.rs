//! The journal: an append-only file of events, one JSON object a line, and
//! the folder of a cluster around it (manifest, logs, `known_hosts`, lock).

/// Where a cluster's files are kept.
#[derive(Debug)]
pub struct Store {}
