//! Durations.

use serde::Deserialize;

/// A duration in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(try_from = "f64")]
pub(in crate::sim) struct Secs(pub f64);

impl TryFrom<f64> for Secs {
    type Error = String;

    fn try_from(seconds: f64) -> Result<Self, String> {
        if (0.0..=1e8).contains(&seconds) {
            return Ok(Self(seconds));
        }
        Err(format!("a duration in seconds can't be {seconds}"))
    }
}

/// A duration in seconds, or a range that each node has its own place in.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(try_from = "SpanText")]
pub(in crate::sim) struct Span {
    pub least: f64,
    pub most: f64,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected seconds, or [least, most] of them")]
enum SpanText {
    Fixed(f64),
    Range([f64; 2]),
}

impl TryFrom<SpanText> for Span {
    type Error = String;

    fn try_from(text: SpanText) -> Result<Self, String> {
        let (least, most) = match text {
            SpanText::Fixed(seconds) => (seconds, seconds),
            SpanText::Range([least, most]) => (least, most),
        };
        let (Secs(least), Secs(most)) = (least.try_into()?, most.try_into()?);
        if least <= most {
            return Ok(Self { least, most });
        }
        Err(format!("a range of seconds can't go from {least} to {most}"))
    }
}
