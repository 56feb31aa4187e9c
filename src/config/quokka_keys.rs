//! The Quokka settings of `muster.yaml`, as written.

use std::collections::BTreeMap;

use super::{
    AwsCredentials, Python, Quokka, RayStart, Sourced,
    diagnostic::ids,
    quokka::{is_package, is_version},
    reader::{ConfigReader, Cursor},
    recipe_file::choice,
    text,
    yaml::Value,
};

/// The default where neither the project nor the operator's Python sets one.
const DEFAULT_PYTHON: Python = Python::V3_11;

/// The keys, each where it is given.
#[derive(Clone, Debug, Default)]
pub(super) struct QuokkaKeys {
    python: Option<Sourced<Python>>,
    versions: BTreeMap<String, Sourced<String>>,
    aws_credentials: Option<Sourced<AwsCredentials>>,
    ray: Option<Sourced<RayStart>>,
}

impl QuokkaKeys {
    /// Reads them from the top of a project file.
    pub fn read(place: &Cursor<'_>, reader: &mut ConfigReader) -> Self {
        Self {
            python: place.get("python").and_then(|python| self::python(&python, reader)),
            versions: place.get("versions").map(|map| versions(map, reader)).unwrap_or_default(),
            aws_credentials: chosen(place, "aws_credentials", &CREDENTIALS, reader),
            ray: chosen(place, "ray", &RAY, reader),
        }
    }

    /// The gaps filled in; `operator` is the minor version of the operator's
    /// own Python, if it is one that the nodes can have.
    pub fn complete(self, operator: Option<Python>) -> Quokka {
        let python = || match operator {
            Some(own) => Sourced::default(own, "the minor version of this machine's python3"),
            None => Sourced::default(DEFAULT_PYTHON, "the newest that pyquokka 0.3.2 runs on"),
        };
        Quokka {
            python: self.python.unwrap_or_else(python),
            versions: self.versions,
            aws_credentials: self.aws_credentials.unwrap_or_else(|| {
                Sourced::default(AwsCredentials::InstanceProfile, "what AWS recommends")
            }),
            ray: self.ray.unwrap_or_else(|| {
                Sourced::default(RayStart::BuiltIn, "Quokka needs its own ports")
            }),
        }
    }
}

pub(super) const CREDENTIALS: [(&str, AwsCredentials); 3] = [
    ("instance-profile", AwsCredentials::InstanceProfile),
    ("copy", AwsCredentials::Copy),
    ("none", AwsCredentials::None),
];

pub(super) const RAY: [(&str, RayStart); 2] =
    [("built-in", RayStart::BuiltIn), ("config", RayStart::Config)];

/// The value of `key`, one of `choices`, if it is given.
pub(super) fn chosen<T: Copy>(
    place: &Cursor<'_>,
    key: &str,
    choices: &[(&str, T)],
    reader: &mut ConfigReader,
) -> Option<Sourced<T>> {
    let place = place.get(key)?;
    Some(place.sourced(choice(&place, choices, reader)?))
}

/// Unquoted it is a number to YAML, and 3.10 the same as 3.1: what counts is
/// how it was written.
fn python(place: &Cursor<'_>, reader: &mut ConfigReader) -> Option<Sourced<Python>> {
    let text = as_written(place, reader)?;
    match text.parse() {
        Ok(python) => Some(place.sourced(python)),
        Err(why) => {
            let message = format!("Python {} cannot be used: {why}", text::shown(text));
            let help = "write `python: \"3.11\"`, or \"3.10\": the minor version of the Python \
                        that you connect with";
            reader.report(place.error(ids::INVALID_VALUE, message).help(help));
            None
        }
    }
}

fn versions(place: Cursor<'_>, reader: &mut ConfigReader) -> BTreeMap<String, Sourced<String>> {
    let Some(place) = reader.map(place) else { return BTreeMap::new() };
    let mut versions = BTreeMap::new();
    for (entry, value) in place.entries() {
        let Some(version) = as_written(&value, reader) else { continue };
        if is_package(&entry.key) && is_version(version) {
            versions.insert(entry.key.clone(), value.sourced(version.to_owned()));
            continue;
        }
        let message = format!(
            "`{}: {}` is no version of a package",
            text::shown(&entry.key),
            text::shown(version)
        );
        let help = "write `polars: 0.18.6`, or a specifier: `numpy: \"<2\"`";
        reader.report(value.error(ids::INVALID_VALUE, message).help(help));
    }
    versions
}

/// A scalar's text, whatever YAML takes it for.
fn as_written<'a>(place: &Cursor<'a>, reader: &mut ConfigReader) -> Option<&'a str> {
    match &place.node.value {
        Value::Scalar(scalar) if !scalar.text.trim().is_empty() => Some(scalar.text.trim()),
        _ => {
            reader.wrong_type(place, "a version", "write it like \"3.11\"");
            None
        }
    }
}
