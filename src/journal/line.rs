//! One line of a journal: a record as JSON, with a checksum over it.
//!
//! `{"seq":3,"at":"…","event":"run-started",…,"sum":"0123456789abcdef"}`. The
//! checksum covers every byte before `,"sum"`. Format 1 had none, so a line
//! without one is read as it is.

use std::fmt::Write as _;

use serde::{
    Deserialize,
    de::{self, value::MapDeserializer},
};

use super::{FORMAT, fnv1a};
use crate::{
    journal::{Event, Stamped},
    model::plain,
};

/// What stands in front of a checksum and behind it.
const BEFORE: &str = ",\"sum\":\"";
const BEHIND: &str = "\"}";
/// The hexadecimal digits of a checksum.
const DIGITS: usize = 16;
/// How much of a parser's message is worth showing.
const LONGEST_REASON: usize = 120;

/// Why a line is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// Its bytes are not those of a record.
    Damaged(String),
    /// A record of an event that this version of muster does not have.
    UnknownEvent(String),
    /// A whole record of a newer format, which this version can't read.
    NewerFormat(u32),
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Damaged(reason) => f.write_str(reason),
            Self::UnknownEvent(event) => write!(f, "event `{event}` of a newer version"),
            Self::NewerFormat(format) => write!(f, "format {format} of a newer version"),
        }
    }
}

/// `record` as a line, with its line feed.
pub(super) fn encode(record: &Stamped) -> serde_json::Result<Vec<u8>> {
    let mut line = serde_json::to_string(record)?;
    line.truncate(line.len() - 1);
    let sum = fnv1a(line.as_bytes());
    // Writing into a string can't fail.
    let _ = writeln!(line, "{BEFORE}{sum:0DIGITS$x}{BEHIND}");
    Ok(line.into_bytes())
}

/// The record in `line`, which has no line feed any more.
pub(super) fn decode(line: &[u8]) -> Result<Stamped, Unreadable> {
    if let Some((body, sum)) = split(line)
        && fnv1a(body) != sum
    {
        return Err(Unreadable::Damaged("checksum mismatch".into()));
    }
    serde_json::from_slice(line).map_err(|error| explain(line, &error))
}

/// What the checksum covers, and the checksum; `None` where the line has none.
fn split(line: &[u8]) -> Option<(&[u8], u64)> {
    let rest = line.strip_suffix(BEHIND.as_bytes())?;
    let (rest, digits) = rest.split_at_checked(rest.len().checked_sub(DIGITS)?)?;
    let body = rest.strip_suffix(BEFORE.as_bytes())?;
    let digits = std::str::from_utf8(digits).ok()?;
    Some((body, u64::from_str_radix(digits, 16).ok()?))
}

fn explain(line: &[u8], error: &serde_json::Error) -> Unreadable {
    let damaged = || {
        let reason = plain(&error.to_string()).into_owned();
        Unreadable::Damaged(reason.chars().take(LONGEST_REASON).collect())
    };
    match serde_json::from_slice::<Envelope>(line) {
        Ok(Envelope { format: Some(format), .. }) if format > FORMAT => {
            Unreadable::NewerFormat(format)
        }
        Ok(Envelope { event, .. }) if is_unknown(&event) => {
            Unreadable::UnknownEvent(plain(&event).chars().take(LONGEST_REASON).collect())
        }
        _ => damaged(),
    }
}

/// What records of all versions have in common.
#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "seq")]
    _seq: u64,
    #[serde(rename = "at")]
    _at: jiff::Timestamp,
    event: String,
    /// Of the event `run-started`.
    format: Option<u32>,
}

/// Whether `event` names no event of this version.
fn is_unknown(event: &str) -> bool {
    let tagged = MapDeserializer::<_, Refusal>::new(std::iter::once(("event", event)));
    matches!(Event::deserialize(tagged), Err(Refusal::UnknownVariant))
}

/// Why an event can't be made of a tag alone.
#[derive(Debug)]
enum Refusal {
    UnknownVariant,
    Other,
}

impl de::Error for Refusal {
    fn custom<T: std::fmt::Display>(_: T) -> Self {
        Self::Other
    }

    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Self::UnknownVariant
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that can't set up should fail")]

    use super::*;

    fn record() -> Stamped {
        let event = Event::RunStarted { version: "0".into(), format: FORMAT };
        Stamped { seq: 7, at: jiff::Timestamp::UNIX_EPOCH, event }
    }

    fn encoded() -> Vec<u8> {
        encode(&record()).unwrap().strip_suffix(b"\n").unwrap().to_vec()
    }

    #[test]
    fn every_flipped_bit_is_found_or_changes_nothing() {
        let line = encoded();
        assert_eq!(decode(&line), Ok(record()));
        for (at, bit) in (0..line.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            let mut flipped = line.clone();
            flipped[at] ^= 1 << bit;
            if let Ok(read) = decode(&flipped) {
                assert_eq!(read, record(), "byte {at}, bit {bit}");
            }
        }
    }

    #[test]
    fn a_line_without_a_checksum_is_read_as_it_is() {
        let line = serde_json::to_vec(&record()).unwrap();
        assert_eq!(decode(&line), Ok(record()));
    }

    #[test]
    fn a_record_of_a_newer_version_is_not_damage() {
        let line = |rest: &str| format!("{{\"seq\":1,\"at\":\"2026-01-01T00:00:00Z\",{rest}}}");
        let reasons = [
            (
                line("\"event\":\"node-renamed\",\"node\":1"),
                "event `node-renamed` of a newer version",
            ),
            (line("\"event\":\"run-started\",\"format\":9"), "format 9 of a newer version"),
        ];
        for (line, reason) in reasons {
            assert_eq!(decode(line.as_bytes()).unwrap_err().to_string(), reason);
        }
        for damaged in [&line("\"event\":\"node-failed\""), "{}", "", "\0\0", "[[["] {
            let reason = decode(damaged.as_bytes()).unwrap_err();
            assert!(matches!(reason, Unreadable::Damaged(_)), "{damaged}: {reason:?}");
        }
        assert!(decode(b"{\"seq\":1,\"at\":\xff}").is_err());
    }
}
