//! What a node measured of its links to the others, as a step's script reports
//! it: one line per check, which stays in the node's log like any other line.
//!
//! ```text
//! muster-check PROBE NODE|- ok|failed DETAIL
//! muster-check redis us-west-2/head ok PONG from 54.1.2.3:6800 in 2 ms
//! muster-check flight eu-west-1/worker-1 failed 10.2.0.7:5005 does not answer: …
//! ```

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{NodeName, shortened};

/// What such a line begins with.
const MARK: &str = "muster-check ";

/// Characters of a node's name and of a detail: what is longer is not of a node
/// of muster's, or is cut.
const LONGEST_NAME: usize = 200;
const LONGEST_DETAIL: usize = 1000;

/// What was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Probe {
    /// The node's own Python, Ray and pyquokka have the required versions.
    Versions,
    /// Ray's node list has the node, alive and under its private address.
    RayNode,
    /// The leader's GCS (6380) takes connections.
    Gcs,
    /// The leader's Redis answers at the address that Quokka hands out.
    Redis,
    /// A node's Arrow Flight (5005) takes connections.
    Flight,
    /// The leader's Ray client server (10001) takes connections.
    RayClient,
}

/// The result of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkCheck {
    /// What was tried.
    pub probe: Probe,
    /// The node at the other end; none where it is about the node itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<NodeName>,
    /// Whether it is as it has to be.
    pub ok: bool,
    /// What was measured, and the likely cause of a failure.
    pub detail: String,
}

impl Probe {
    const ALL: [Self; 6] =
        [Self::Versions, Self::RayNode, Self::Gcs, Self::Redis, Self::Flight, Self::RayClient];

    /// Its name, as it is written in logs and journals.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Versions => "versions",
            Self::RayNode => "ray-node",
            Self::Gcs => "gcs",
            Self::Redis => "redis",
            Self::Flight => "flight",
            Self::RayClient => "ray-client",
        }
    }
}

impl LinkCheck {
    /// Reads a line that a step printed; `None` where it is of another form.
    pub fn parse(line: &str) -> Option<Self> {
        let (probe, rest) = line.strip_prefix(MARK)?.split_once(' ')?;
        let (to, rest) = rest.split_once(' ')?;
        let (verdict, detail) = rest.split_once(' ').unwrap_or((rest, ""));
        Some(Self {
            probe: Probe::ALL.into_iter().find(|known| known.as_str() == probe)?,
            to: match to {
                "-" => None,
                name if name.len() > LONGEST_NAME => return None,
                name => Some(NodeName::new(name)),
            },
            ok: match verdict {
                "ok" => true,
                "failed" => false,
                _ => return None,
            },
            detail: shortened(detail.trim(), LONGEST_DETAIL),
        })
    }
}

impl fmt::Display for LinkCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.probe.as_str())?;
        if let Some(to) = &self.to {
            write!(f, " to {to}")?;
        }
        if self.detail.is_empty() { Ok(()) } else { write!(f, ": {}", self.detail) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_form_are_checks() {
        let line = "muster-check redis us-west-2/head ok PONG from 54.1.2.3:6800";
        let check = LinkCheck::parse(line).expect("a check");
        assert_eq!((check.probe, check.ok), (Probe::Redis, true));
        assert_eq!(check.to.as_ref().map(NodeName::as_str), Some("us-west-2/head"));
        assert_eq!(check.to_string(), "redis to us-west-2/head: PONG from 54.1.2.3:6800");
        let own = LinkCheck::parse("muster-check versions - failed ray 2.5.0, not 2.6.3");
        let own = own.expect("a check");
        assert_eq!((own.probe, own.to, own.ok), (Probe::Versions, None, false));
    }

    #[test]
    fn every_probe_is_read_back() {
        for probe in Probe::ALL {
            let line = format!("muster-check {} - ok", probe.as_str());
            assert_eq!(LinkCheck::parse(&line).map(|check| check.probe), Some(probe));
            let json = serde_json::to_string(&probe).expect("json");
            assert_eq!(json, format!("\"{}\"", probe.as_str()));
        }
    }

    #[test]
    fn a_flood_in_a_field_is_cut_or_no_check() {
        let flood = "x".repeat(100_000);
        let check = LinkCheck::parse(&format!("muster-check redis - failed {flood}"));
        let detail = check.expect("a check").detail;
        assert_eq!(detail.chars().count(), LONGEST_DETAIL + 1);
        assert_eq!(LinkCheck::parse(&format!("muster-check redis {flood} ok")), None);
    }

    #[test]
    fn other_lines_are_none() {
        for line in [
            "",
            "muster-check",
            "muster-check redis",
            "muster-check redis us-west-2/head",
            "muster-check redis us-west-2/head perhaps x",
            "muster-check nonsense - ok",
            "+ echo muster-check redis - ok",
        ] {
            assert_eq!(LinkCheck::parse(line), None, "{line}");
        }
    }
}
