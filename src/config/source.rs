//! Where a value was written, so that every finding can point at it.

use std::{path::Path, sync::Arc};

use serde::Serialize;

/// A file as it was read.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its path as the user named it (made-up for embedded configs).
    pub path: Arc<Path>,
    /// Its text.
    pub text: Arc<str>,
}

/// A stretch of one line of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Location {
    /// The file, as the user named it.
    pub file: Arc<Path>,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// Width in characters, at least 1, for underlining.
    pub width: u32,
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.file.display(), self.line, self.column)
    }
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Written in a file.
    File(Location),
    /// Given on the command line, by this flag.
    Flag(&'static str),
    /// Not given; the reason for the value taken.
    Default(&'static str),
}

/// A value and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Where it came from.
    pub origin: Origin,
}

impl<T> Sourced<T> {
    /// A value written at `location`.
    pub fn written(value: T, location: Location) -> Self {
        Self { value, origin: Origin::File(location) }
    }

    /// A value taken since none was given.
    pub fn default(value: T, reason: &'static str) -> Self {
        Self { value, origin: Origin::Default(reason) }
    }

    /// The same origin with another value.
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> Sourced<U> {
        Sourced { value: convert(self.value), origin: self.origin }
    }

    /// Where in a file it was written, if it was.
    pub fn location(&self) -> Option<&Location> {
        match &self.origin {
            Origin::File(location) => Some(location),
            Origin::Flag(_) | Origin::Default(_) => None,
        }
    }
}

impl<T> std::ops::Deref for Sourced<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}
