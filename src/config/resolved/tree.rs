//! Values with where they come from.

use std::fmt::Write;

use super::Leaf;
use crate::config::{
    Origin, Sourced,
    yaml::{Node, Resolved, Scalar, Value},
};

/// A value and all within.
#[derive(Clone, Debug)]
pub(super) enum Tree {
    Scalar(Scalar, Origin),
    List(Vec<Tree>),
    Map(Vec<(String, Tree)>),
}

impl Tree {
    /// A text.
    pub fn text(text: impl Into<String>, origin: Origin) -> Self {
        Self::Scalar(Scalar { text: text.into(), resolved: Resolved::Text }, origin)
    }

    /// Something that is no text: a number, a boolean.
    pub fn plain(text: &str, origin: Origin) -> Self {
        let resolved = crate::config::yaml::resolve(text);
        Self::Scalar(Scalar { text: text.to_owned(), resolved }, origin)
    }

    /// A text and its origin.
    pub fn of<T: ToString>(value: &Sourced<T>) -> Self {
        Self::text(value.value.to_string(), value.origin.clone())
    }

    /// What is read from a file.
    pub fn read(node: &Node) -> Self {
        match &node.value {
            Value::Scalar(scalar) => {
                Self::Scalar(scalar.clone(), Origin::File(node.location.clone()))
            }
            Value::List(items) => Self::List(items.iter().map(Self::read).collect()),
            Value::Map(entries) => {
                let entries = entries.iter().map(|one| (one.key.clone(), Self::read(&one.value)));
                Self::Map(entries.collect())
            }
        }
    }

    /// The value at `path`.
    pub fn get(&self, path: &[&str]) -> Option<&Self> {
        let Some((key, rest)) = path.split_first() else { return Some(self) };
        let Self::Map(entries) = self else { return None };
        entries.iter().find(|(name, _)| name == key)?.1.get(rest)
    }

    /// Puts `value` at `path`; maps on the way are made.
    pub fn set(&mut self, path: &[&str], value: Self) {
        let Some((key, rest)) = path.split_first() else { return *self = value };
        if !matches!(self, Self::Map(_)) {
            *self = Self::Map(Vec::new());
        }
        let Self::Map(entries) = self else { return };
        if let Some((_, held)) = entries.iter_mut().find(|(name, _)| name == key) {
            return held.set(rest, value);
        }
        let mut held = Self::Map(Vec::new());
        held.set(rest, value);
        entries.push(((*key).to_owned(), held));
    }

    /// The same where nothing is there.
    pub fn fill(&mut self, path: &[&str], value: impl FnOnce() -> Self) {
        if self.get(path).is_none() {
            self.set(path, value());
        }
    }

    pub fn leaves(&self, path: &mut String, leaves: &mut Vec<Leaf>) {
        let length = path.len();
        match self {
            Self::Scalar(scalar, origin) => leaves.push(Leaf {
                key: path.clone(),
                value: scalar.text.clone(),
                origin: origin.clone(),
            }),
            Self::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    _ = write!(path, "[{index}]");
                    item.leaves(path, leaves);
                    path.truncate(length);
                }
            }
            Self::Map(entries) => {
                for (key, value) in entries {
                    path.extend([if length == 0 { "" } else { "." }, key]);
                    value.leaves(path, leaves);
                    path.truncate(length);
                }
            }
        }
    }
}
