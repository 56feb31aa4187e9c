//! A YAML tree in which every node knows where it was written.
//!
//! Scalars are read as YAML 1.1, the way `PyYAML`'s `safe_load` and so Ray read
//! them; what a reader of the tree wants as text must have been text there.

mod build;
mod entries;
#[cfg(test)]
mod oracle;
mod scalar;
pub(super) mod written;

pub(super) use build::parse;
pub(super) use scalar::{Resolved, resolve};

use super::Location;

/// A value and where it was written.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// Of a scalar, its own place. Of a list or map, and of an empty value,
    /// the key that it belongs to, which is the place to report.
    pub location: Location,
    /// The value.
    pub value: Value,
}

/// What a node holds.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// Anything that is neither list nor map.
    Scalar(Scalar),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping: aliases and merge keys are resolved, keys are unique.
    Map(Vec<Entry>),
}

/// A scalar as written and as read.
#[derive(Clone, Debug)]
pub(super) struct Scalar {
    /// Its text, escapes and folding undone.
    pub text: String,
    /// Its value.
    pub resolved: Resolved,
}

/// One key of a map.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The key's text. Never resolved: `on:` is the key `on`, not a boolean.
    pub key: String,
    /// Where the key was written.
    pub location: Location,
    /// Its value.
    pub value: Node,
}

impl Node {
    /// The value under `key`, if this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// The entries, if this is a map.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            Value::Scalar(_) | Value::List(_) => &[],
        }
    }

    /// Whether a switch is off or has no value.
    pub fn is_off(&self) -> bool {
        let off = Resolved::Bool(false);
        self.is_empty() || matches!(&self.value, Value::Scalar(scalar) if scalar.resolved == off)
    }

    /// Whether the value is empty: null, `""`, `[]` or `{}`.
    pub fn is_empty(&self) -> bool {
        match &self.value {
            Value::Scalar(scalar) => scalar.text.is_empty() || scalar.resolved == Resolved::Null,
            Value::List(items) => items.is_empty(),
            Value::Map(entries) => entries.is_empty(),
        }
    }

    /// The text of a scalar, whatever it is read as; empty for lists and maps.
    pub fn text(&self) -> &str {
        match &self.value {
            Value::Scalar(scalar) => &scalar.text,
            Value::List(_) | Value::Map(_) => "",
        }
    }

    /// The number, if this is a whole one.
    pub fn int(&self) -> Option<i64> {
        match &self.value {
            Value::Scalar(Scalar { resolved: Resolved::Int(number), .. }) => Some(*number),
            _ => None,
        }
    }

    /// What this is, for messages: `the number 12`, `a list`.
    pub fn describe(&self) -> String {
        match &self.value {
            Value::List(_) => "a list".into(),
            Value::Map(_) => "a map".into(),
            Value::Scalar(scalar) => scalar.describe(),
        }
    }
}

impl Scalar {
    fn describe(&self) -> String {
        let text = super::text::shown(&self.text);
        match self.resolved {
            Resolved::Null => "nothing".into(),
            Resolved::Bool(value) => format!("the boolean `{text}` ({value})"),
            Resolved::Int(_) | Resolved::Float(_) => format!("the number `{text}`"),
            Resolved::Date => format!("the date `{text}`"),
            Resolved::Text => format!("the text `{text}`"),
        }
    }
}
