//! Why an edit was not made.

use std::path::Path;

use crate::{
    config::{Diagnostic, Location, text},
    model::Failure,
};

/// Why a file was left as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", place(location.as_ref()))]
pub struct EditError {
    /// The location, where one is known.
    pub location: Option<Location>,
    /// Why, one sentence.
    pub message: String,
    /// What to do instead.
    pub help: String,
}

impl EditError {
    pub(super) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { location: None, message: message.into(), help: help.into() }
    }

    pub(super) fn at(mut self, location: Location) -> Self {
        self.location = Some(location);
        self
    }
}

impl From<EditError> for Failure {
    fn from(error: EditError) -> Self {
        Self::new(error.to_string()).hint(error.help)
    }
}

fn place(location: Option<&Location>) -> String {
    location.map(|location| format!("{location}: ")).unwrap_or_default()
}

pub(super) fn other_file(other: &Path, file: &Path) -> EditError {
    let (other, file) =
        (text::shown(&other.to_string_lossy()), text::shown(&file.to_string_lossy()));
    EditError::new(
        format!("an edit of `{other}` was meant for `{file}`"),
        "this is a mistake in muster; nothing was changed",
    )
}

/// The file can't be read as it is now.
pub(super) fn not_readable(diagnostic: Diagnostic) -> EditError {
    let Diagnostic { location, message, .. } = diagnostic;
    let message = format!("the file can't be edited before it can be read: {message}");
    EditError {
        location,
        message,
        help: "edit it by hand; `muster check` lists all problems".into(),
    }
}

/// What was to be changed is not there.
pub(in crate::config) fn not_there(what: &str) -> EditError {
    EditError::new(
        format!("{what}, so that nothing was changed"),
        "the file may have been edited meanwhile: load it again",
    )
}

/// What stands there is changed better by a person.
pub(super) fn by_hand(path: &str, why: &str) -> EditError {
    EditError::new(format!("`{path}` {why}"), "change it by hand")
}
