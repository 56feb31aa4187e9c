//! `muster query` as Python sees it: the module, then a group-by of generated
//! rows; and what of its output is an answer.

use serde::{Deserialize, Serialize};

use super::Handover;

/// What the module is followed by.
const QUERY: &str = include_str!("../../assets/handover/query.py");

/// What lines of muster's own begin with; pyquokka and Ray print others.
const MARK: &str = "muster-query ";

/// The program, for the stdin of a Python.
pub fn query_program(handover: &Handover) -> String {
    let connecting = format!("print({MARK:?} + '{{\"phase\": \"connect\"}}', flush=True)\n");
    connecting + &handover.python() + QUERY
}

/// A line that the program prints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Answer {
    /// What it does from now on.
    Phase {
        /// `connect`, `context`, `query`, `compare`.
        phase: String,
    },
    /// What came of the query.
    Result(QueryResult),
}

/// What came of the query.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QueryResult {
    /// Rows that were generated.
    pub rows: u64,
    /// Key, the sum that the cluster gave, the sum that is right.
    pub sums: Vec<(i64, Option<i64>, Option<i64>)>,
    /// Whether all sums are right, and there are no others.
    pub right: bool,
    /// Seconds until the context stood.
    pub context_s: f64,
    /// Seconds that the query took.
    pub query_s: f64,
}

impl Answer {
    /// Reads a line of the program's output; `None` where it is not one of these.
    pub fn parse(line: &str) -> Option<Self> {
        serde_json::from_str(line.strip_prefix(MARK)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_with_the_mark_are_answers() {
        let phase = Answer::parse("muster-query {\"phase\": \"query\"}");
        assert_eq!(phase, Some(Answer::Phase { phase: "query".into() }));
        let line = "muster-query {\"rows\": 10, \"sums\": [[0, 20, 20], [1, null, 25]], \
                    \"right\": false, \"context_s\": 1.5, \"query_s\": 2.0}";
        let Some(Answer::Result(result)) = Answer::parse(line) else { unreachable!("{line}") };
        assert_eq!(result.sums[1], (1, None, Some(25)));
        for line in ["", "EC2 Cluster leader public IP 54.1.2.3", "muster-query", "muster-query {"]
        {
            assert_eq!(Answer::parse(line), None, "{line}");
        }
    }
}
