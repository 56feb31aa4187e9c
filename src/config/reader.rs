//! Typed reading of a tree: each reader takes a [`Cursor`], gives the value if
//! it is of the type, and otherwise reports what it found instead.

mod cursor;

pub(super) use cursor::Cursor;

use std::{fmt::Display, str::FromStr};

use super::{
    Diagnostic, Location, Sourced, Unsupported,
    diagnostic::ids,
    text,
    yaml::{Resolved, Value},
};

/// Most mistakes that are reported for one project. With more, it is another file
/// that was meant, and nobody would read them.
pub(super) const MOST: usize = 10_000;

/// Collects what is wrong while a tree is read.
#[derive(Debug, Default)]
pub(super) struct ConfigReader {
    /// What has been found so far.
    pub diagnostics: Vec<Diagnostic>,
    /// What can be read and not be carried out.
    pub unsupported: Vec<Unsupported>,
    /// How many more mistakes there were than are reported.
    omitted: usize,
}

impl ConfigReader {
    /// A reader in which this much has been found already.
    pub fn after(diagnostics: Vec<Diagnostic>) -> Self {
        Self { diagnostics, ..Self::default() }
    }

    /// Adds something that is wrong.
    pub fn report(&mut self, diagnostic: Diagnostic) {
        self.report_with(|| diagnostic);
    }

    /// The same, made only if there is room for it.
    pub fn report_with(&mut self, diagnostic: impl FnOnce() -> Diagnostic) {
        if self.diagnostics.len() < MOST {
            self.diagnostics.push(diagnostic());
        } else {
            self.omitted += 1;
        }
    }

    /// Adds what was found in something that was read on its own.
    pub fn report_all(&mut self, found: ConfigReader) {
        found.diagnostics.into_iter().for_each(|diagnostic| self.report(diagnostic));
        self.omitted += found.omitted;
    }

    /// Reports how many mistakes were omitted.
    pub fn report_omitted(&mut self) {
        if self.omitted > 0 {
            let message = format!("{} more mistakes are not shown", self.omitted);
            let help = "correct the others first; is this the right file?";
            self.diagnostics.push(Diagnostic::error(ids::TOO_MANY, message).help(help));
        }
    }

    /// Adds something that muster can't carry out. It is no mistake, so that
    /// the config loads; a check reports it, and nothing is launched.
    pub fn not_yet(
        &mut self,
        location: &Location,
        key: &str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let unsupported = Unsupported {
            key: key.to_owned(),
            location: location.clone(),
            message: message.into(),
            help: help.into(),
        };
        // What an alias brings to several places is reported once.
        let again = |known: &Unsupported| {
            let (known_at, at) = (&known.location, &unsupported.location);
            // Lines first: nearly all differ in them.
            known_at.line == at.line && known_at == at && known.message == unsupported.message
        };
        if !self.unsupported.iter().any(again) {
            self.unsupported.push(unsupported);
        }
    }

    /// Whether something makes the project unusable.
    pub fn has_errors(&self) -> bool {
        self.omitted > 0 || self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// The value under `key`, reported where it is missing.
    pub fn required<'a>(&mut self, map: &Cursor<'a>, key: &str, why: &str) -> Option<Cursor<'a>> {
        let found = map.get(key);
        if found.is_none() && matches!(map.node.value, Value::Map(_)) {
            let path = map.path_of(key);
            let missing = Diagnostic::error(ids::MISSING_KEY, format!("`{path}` is missing"));
            self.report(missing.at(map.location()).key(path).help(why));
        }
        found
    }

    /// A map.
    pub fn map<'a>(&mut self, place: Cursor<'a>) -> Option<Cursor<'a>> {
        let is_map = matches!(place.node.value, Value::Map(_));
        if !is_map {
            self.wrong_type(&place, "a map", "write `key: value` lines below it, indented");
        }
        is_map.then_some(place)
    }

    /// The items of a list.
    pub fn list<'a>(&mut self, place: &Cursor<'a>) -> Vec<Cursor<'a>> {
        if !matches!(place.node.value, Value::List(_)) {
            let help = if place.node.is_empty() {
                "write `[]` for none, or leave the key out"
            } else {
                "write each item on a line of its own, after `- `"
            };
            self.wrong_type(place, "a list", help);
        }
        place.items().collect()
    }

    /// Text that is not empty.
    pub fn text(&mut self, place: &Cursor<'_>) -> Option<Sourced<String>> {
        let text = self.any_text(place)?;
        if text.trim().is_empty() {
            let help = "give a value, or leave the key out";
            self.report(place.error(ids::INVALID_VALUE, "this text is empty").help(help));
            return None;
        }
        Some(text)
    }

    /// Text, possibly empty.
    pub fn any_text(&mut self, place: &Cursor<'_>) -> Option<Sourced<String>> {
        if let Value::Scalar(scalar) = &place.node.value {
            if scalar.resolved == Resolved::Text {
                return Some(place.sourced(scalar.text.clone()));
            }
            let quoted =
                format!("put it in quotes if text is meant: \"{}\"", text::shown(&scalar.text));
            let help = if place.node.is_empty() {
                "give a value, or leave the key out".into()
            } else {
                quoted
            };
            self.wrong_type(place, "text", &help);
        } else {
            self.wrong_type(place, "text", "write one value behind the colon");
        }
        None
    }

    /// Text, or a date or time, which YAML takes for a type of its own.
    pub fn text_or_date(&mut self, place: &Cursor<'_>) -> Option<String> {
        match &place.node.value {
            Value::Scalar(scalar) if scalar.resolved == Resolved::Date => Some(scalar.text.clone()),
            _ => self.text(place).map(|text| text.value),
        }
    }

    /// A list of texts.
    pub fn texts(&mut self, place: &Cursor<'_>) -> Vec<Sourced<String>> {
        let items = self.list(place);
        items.iter().filter_map(|item| self.text(item)).collect()
    }

    /// A boolean.
    pub fn flag(&mut self, place: &Cursor<'_>) -> Option<bool> {
        match &place.node.value {
            Value::Scalar(scalar) if let Resolved::Bool(value) = scalar.resolved => Some(value),
            _ => {
                self.wrong_type(place, "a boolean", "write `true` or `false`");
                None
            }
        }
    }

    /// A whole number from `0` to the greatest that `T` holds.
    pub fn count<T: TryFrom<i64>>(&mut self, place: &Cursor<'_>) -> Option<T> {
        let number = match &place.node.value {
            Value::Scalar(scalar) if let Resolved::Int(value) = scalar.resolved => value,
            _ => {
                self.wrong_type(place, "a whole number", "write digits, without quotes");
                return None;
            }
        };
        let value = Some(number).filter(|n| *n >= 0).and_then(|n| T::try_from(n).ok());
        if value.is_none() {
            let size = if number < 0 { "less than zero" } else { "too large" };
            let message = format!("the number {} is {size}", text::shown(place.node.text()));
            let help = "give a whole number from zero up";
            self.report(place.error(ids::INVALID_VALUE, message).help(help));
        }
        value
    }

    /// A number that is finite and not below zero.
    pub fn amount(&mut self, place: &Cursor<'_>) -> Option<f64> {
        let number = match &place.node.value {
            Value::Scalar(scalar) => match scalar.resolved {
                #[expect(clippy::cast_precision_loss, reason = "Ray's resources are floats")]
                Resolved::Int(value) => Some(value as f64),
                Resolved::Float(value) => Some(value),
                _ => None,
            },
            _ => None,
        };
        let Some(number) = number else {
            self.wrong_type(place, "a number", "write digits, without quotes");
            return None;
        };
        let valid = number.is_finite() && number >= 0.0;
        if !valid {
            let message = format!("{} can't be an amount", place.node.describe());
            let help = "give a number from zero up";
            self.report(place.error(ids::INVALID_VALUE, message).help(help));
        }
        valid.then_some(number)
    }

    /// Text of a form that `T` knows; `example` shows it.
    pub fn parsed<T: FromStr<Err: Display>>(
        &mut self,
        place: &Cursor<'_>,
        example: &str,
    ) -> Option<Sourced<T>> {
        let text = self.text(place)?;
        match text.value.trim().parse() {
            Ok(value) => Some(place.sourced(value)),
            Err(error) => {
                let message = format!("`{}` can't be read: {error}", text::shown(&text));
                let help = format!("write it like `{example}`");
                self.report(place.error(ids::INVALID_VALUE, message).help(help));
                None
            }
        }
    }

    /// Reports a value of the wrong type.
    pub fn wrong_type(&mut self, place: &Cursor<'_>, expected: &str, help: &str) {
        let name = match place.path() {
            path if path.is_empty() => "this file".to_owned(),
            path => format!("`{path}`"),
        };
        let message = format!("{name} takes {expected}, and this is {}", place.node.describe());
        self.report(place.error(ids::WRONG_TYPE, message).help(help));
    }
}
