//! Where EC2 is not consistent at once and does not always answer. All off unless a
//! scenario asks for it.

use serde::Deserialize;

use super::Span;

/// What calls meet at random. The same seed draws the same for the same calls.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::sim) struct HazardSpec {
    /// What everything here is drawn from.
    pub seed: u64,
    /// How long a new resource or instance is not found, in addition to `api.lag_s` and
    /// `api.change_lag_s`: each has its own place in the range. In the second half of
    /// it, two reads in a row may disagree.
    pub lag_s: Span,
    /// How long a new tag is neither shown nor found by a filter.
    pub tag_lag_s: Span,
    /// How long a VPC answers `DependencyViolation` after something in it was deleted.
    pub busy_s: Span,
    /// The probability that a call that changes something fails: before its effect or
    /// after it, with an error or without an answer. Reads fail a fifth as often, since
    /// the real client repeats them.
    pub faults: f64,
    /// How many calls fail at most.
    pub fault_budget: u32,
}

impl Default for HazardSpec {
    fn default() -> Self {
        let at_once = Span { least: 0.0, most: 0.0 };
        Self {
            seed: 0,
            lag_s: at_once,
            tag_lag_s: at_once,
            busy_s: at_once,
            faults: 0.0,
            fault_budget: u32::MAX,
        }
    }
}
