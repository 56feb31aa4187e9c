//! The result of comparing a host key.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Failure, Fingerprint};

/// What is known of the host key of an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
pub enum HostKeyCheck {
    /// The instance printed it on its console.
    Verified {
        /// The key.
        key: Fingerprint,
    },
    /// It is the one of the first connection, and `host_keys: pin` asks for no more.
    Pinned {
        /// The key.
        key: Fingerprint,
    },
    /// It is the one of the first connection; the console output does not show any yet.
    Pending {
        /// The key.
        key: Fingerprint,
    },
    /// The instance printed others.
    Mismatch {
        /// The key that answers at its address.
        key: Fingerprint,
        /// Those that it printed.
        printed: Vec<Fingerprint>,
    },
    /// It could not be compared.
    Unavailable {
        /// The key, where ssh has pinned one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<Fingerprint>,
        /// Why.
        reason: Failure,
    },
}

impl HostKeyCheck {
    /// Compares the pinned keys, at least one, with those that were printed, if any.
    pub fn of(pinned: &[Fingerprint], printed: Vec<Fingerprint>) -> Option<Self> {
        let key = pinned.first()?.clone();
        if printed.is_empty() {
            return Some(Self::Pending { key });
        }
        Some(match pinned.iter().find(|key| !printed.contains(key)) {
            Some(other) => Self::Mismatch { key: other.clone(), printed },
            None => Self::Verified { key },
        })
    }

    /// A word for tables.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Verified { .. } => "verified",
            Self::Pinned { .. } => "pinned",
            Self::Pending { .. } | Self::Unavailable { .. } => "not verified",
            Self::Mismatch { .. } => "MISMATCH",
        }
    }

    /// Whether another machine may be answering in the node's place.
    pub fn is_mismatch(&self) -> bool {
        matches!(self, Self::Mismatch { .. })
    }

    /// Whether nobody knows yet if another machine is answering.
    pub fn is_unverified(&self) -> bool {
        matches!(self, Self::Pending { .. } | Self::Unavailable { .. })
    }

    /// Whether a later read can change it.
    pub fn is_settled(&self) -> bool {
        !matches!(self, Self::Pending { .. })
    }
}

impl fmt::Display for HostKeyCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verified { key } => write!(f, "{key} verified by the console output"),
            Self::Pinned { key } => write!(f, "{key} pinned (host_keys: pin)"),
            Self::Pending { key } => {
                write!(f, "{key} pinned, not verified: no host keys in the console output yet")
            }
            Self::Mismatch { key, printed } => {
                write!(f, "MISMATCH: {key} answers, the instance printed {}", fingerprints(printed))
            }
            Self::Unavailable { key: Some(key), reason } => {
                write!(f, "{key} pinned, not verified: {reason}")
            }
            Self::Unavailable { key: None, reason } => write!(f, "not verified: {reason}"),
        }
    }
}

/// Returns `keys` as a list for a message.
pub fn fingerprints(keys: &[Fingerprint]) -> String {
    let keys: Vec<_> = keys.iter().map(ToString::to_string).collect();
    keys.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(last: char) -> Fingerprint {
        let text = format!("ED25519 SHA256:{}{last}", "A".repeat(42));
        text.parse().expect("a fingerprint")
    }

    #[test]
    fn every_pinned_key_has_to_be_printed() {
        let (a, b) = (key('A'), key('E'));
        let of = |pinned: &[&Fingerprint], printed: &[&Fingerprint]| {
            let owned =
                |keys: &[&Fingerprint]| keys.iter().map(|&key| key.clone()).collect::<Vec<_>>();
            HostKeyCheck::of(&owned(pinned), owned(printed)).expect("a check")
        };
        assert_eq!(of(&[&a], &[]), HostKeyCheck::Pending { key: a.clone() });
        assert_eq!(of(&[&a], &[&b, &a]), HostKeyCheck::Verified { key: a.clone() });
        assert_eq!(of(&[&a, &b], &[&a]).word(), "MISMATCH");
        assert!(of(&[&a], &[&b]).is_mismatch());
    }

    #[test]
    fn the_journal_has_it_in_plain_text() {
        let check = HostKeyCheck::Verified { key: key('A') };
        let json = serde_json::to_string(&check).expect("json");
        let digest = "A".repeat(43);
        assert_eq!(json, format!(r#"{{"result":"verified","key":"ED25519 SHA256:{digest}"}}"#));
        assert_eq!(serde_json::from_str::<HostKeyCheck>(&json).ok(), Some(check));
    }
}
