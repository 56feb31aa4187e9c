//! What does not go as usual: nodes, steps and API calls.

use serde::Deserialize;

use super::{Secs, Span};
use crate::model::Region;

/// What is odd about a node.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::sim) struct NodeSpec {
    pub pending_s: Option<Span>,
    pub ssh_s: Option<Span>,
    pub console_s: Option<Span>,
    /// Goes from `pending` to `terminated`, for EC2's own reasons.
    pub never_runs: bool,
    /// Taken by spot reclamation, counted from `running`.
    pub reclaimed_after_s: Option<Secs>,
    /// Stays silent: no connection ever comes about.
    pub silent: bool,
    /// Refuses this many connections first.
    pub refuses: u32,
    /// Then denies this many, as while cloud-init has not written `authorized_keys` yet.
    pub denies: u32,
    /// From this connection on (the first is 1) another host key answers.
    pub other_host_key_from: Option<u32>,
    /// Another machine answers in its place, with a host key of its own.
    pub impostor: bool,
    /// Every script of this node takes as many times as long.
    pub slowness: Option<f64>,
}

/// What a step prints and how it ends.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct StepSpec {
    /// The step's name; none: every step.
    pub step: Option<String>,
    /// The nodes; empty: every node. A region stands for all its nodes, `head`
    /// and `worker` for those of that kind.
    #[serde(default)]
    pub nodes: Vec<String>,
    /// The tries, from 1; empty: every try.
    #[serde(default)]
    pub attempts: Vec<u32>,
    /// What it prints, spread over the time that it takes. `{node}`,
    /// `{region}`, `{ip}` stand for the node's.
    #[serde(default)]
    pub output: String,
    /// What `muster exec` of it prints on its standard error.
    #[serde(default)]
    pub errors: String,
    #[serde(default = "a_moment")]
    pub takes_s: Span,
    /// Its exit status.
    #[serde(default)]
    pub exit: i32,
    /// Never ends by itself.
    #[serde(default)]
    pub hangs: bool,
    /// The connection breaks after this many lines; the script goes on.
    pub connection_lost_after: Option<u64>,
    /// How many connections break there.
    #[serde(default = "one")]
    pub connections_lost: u32,
    /// The connection holds, and nothing ever comes over it.
    #[serde(default)]
    pub frozen: bool,
}

fn one() -> u32 {
    1
}

fn a_moment() -> Span {
    Span { least: 1.0, most: 2.0 }
}

/// An API call that does not go well.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct FaultSpec {
    /// `RunInstances`, `DescribeKeyPairs`; none: every operation.
    pub operation: Option<String>,
    /// None: every region.
    pub region: Option<Region>,
    /// `RunInstances` only: the dry runs, or the real ones; none: both.
    pub dry_run: Option<bool>,
    /// Which calls, from 1, counted by operation, region and dry or real; empty: every one.
    #[serde(default)]
    pub calls: Vec<u32>,
    /// Not before, counted from the world's start.
    #[serde(default)]
    pub from_s: Secs,
    /// Not after.
    pub until_s: Option<Secs>,
    pub answer: FaultAnswer,
}

/// What happens instead.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::sim) enum FaultAnswer {
    /// EC2 answers this code.
    Error(String),
    /// No answer ever comes, and nothing was done.
    Hang,
    /// It was done, but no answer ever comes.
    LostAnswer,
    /// It was done, and EC2 answers this code.
    LostError(String),
    /// The connection breaks off at once, and nothing was done.
    Reset,
    /// It was done, and the connection breaks off.
    LostReset,
    /// The endpoint can't be reached.
    Unreachable,
    /// It takes this many seconds.
    Slow(Secs),
}
