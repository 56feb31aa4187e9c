//! Changing single values of configs, for remedies: comments, order, quotes,
//! line ends and anchors stay as they are, byte for byte.
//!
//! [`apply`] finds what an edit aims at in the tree as written, and changes
//! those bytes. Then it reads the new text and compares it with the old tree in
//! which the aimed values alone were replaced. Whatever went wrong on the way,
//! a text that differs in anything else is never given out.

mod comment;
mod diff;
mod draft;
mod error;
#[cfg(test)]
mod everywhere;
mod list;
mod place;
pub(super) mod quote;
mod splice;
mod target;
mod write;

use std::{path::Path, sync::Arc};

use super::{Location, Source};

pub use diff::{DiffKind, DiffLine, FileDiff, Hunk, diff};
pub use error::EditError;
pub(super) use error::not_there;
pub(super) use write::{Pending, changed, current, write};

/// A value to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// One text.
    Text(String),
    /// A list of texts, not empty.
    List(Vec<String>),
    /// None: the key is commented out with all that it holds, or taken out
    /// from between braces. So is the map around it, if nothing else is in it.
    Removed,
}

/// A comment behind a line, for whatever is left to do there. It is taken away
/// again by the edit that gives the line's key another value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The line, from 1.
    pub line: u32,
    /// The comment's text, without `#`.
    pub text: String,
}

/// What is to get another value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The scalar that is written here, as [`Sourced::location`] gives it.
    ///
    /// [`Sourced::location`]: super::Sourced::location
    At(Location),
    /// `key` of the `node_config` of a node type; added where it is not given.
    /// `SubnetId` and `SubnetIds` are one: what is written decides.
    NodeConfig {
        /// The key under `available_node_types`.
        node_type: String,
        /// `KeyName`, `ImageId`, `SecurityGroupIds`, …
        key: &'static str,
    },
    /// A key at the top of the file: `key_name` of `muster.yaml`; added where
    /// it is not given.
    Top {
        /// The key.
        key: &'static str,
    },
}

/// One value of one file, to be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The file, as its [`Source`] and its values' locations name it.
    pub file: Arc<Path>,
    /// What is changed.
    pub target: Target,
    /// Its new value.
    pub value: Value,
    /// Why, one sentence for the user.
    pub why: String,
}

/// The text of `source` with `edits` done: all of them or, with an error, none.
/// The text may have any line ends and a byte order mark; both stay.
pub fn apply(source: &Source, edits: &[Edit]) -> Result<String, EditError> {
    apply_with(source, edits, &[])
}

/// The same with comments behind some of the lines.
pub fn apply_with(source: &Source, edits: &[Edit], notes: &[Note]) -> Result<String, EditError> {
    if let Some(other) = edits.iter().find(|edit| edit.file != source.path) {
        return Err(error::other_file(&other.file, &source.path));
    }
    let draft = draft::Draft::read(source, notes)?;
    let aims = target::all(&draft, edits)?;
    let expected = target::expected(&draft, &aims);
    // What an alias or `<<` brings is changed where it is written, if that is
    // right for all who share it; else where it is used.
    draft
        .attempt(&aims, &expected, Sharing::Shared)
        .or_else(|refused| draft.attempt(&aims, &expected, Sharing::Own).map_err(|_| refused))
}

/// Where a value is changed that is written in one place and used in several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sharing {
    /// Where it is written.
    Shared,
    /// Where it is used: in place of the alias, or in front of what `<<` brings.
    Own,
}
