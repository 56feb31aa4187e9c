//! What a project chooses of Quokka: its Python, its versions, how the nodes
//! come to S3, and who starts Ray.

use std::{collections::BTreeMap, fmt, str::FromStr};

use super::Sourced;

/// The set under which pyquokka runs; pip's form, one constraint a line.
const PINNED: &str = include_str!("../../assets/recipe/constraints.txt");

/// The Quokka settings of `muster.yaml`, with defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quokka {
    /// `python`: the nodes' Python. It has to be the minor version of the
    /// Python that connects to the cluster: Ray refuses another.
    pub python: Sourced<Python>,
    /// `versions`: what overrides or adds to the pinned constraints, by
    /// package; the value is a version or a specifier.
    pub versions: BTreeMap<String, Sourced<String>>,
    /// `aws_credentials`.
    pub aws_credentials: Sourced<AwsCredentials>,
    /// `ray`.
    pub ray: Sourced<RayStart>,
}

/// A minor version of Python that has wheels of all that is pinned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Python {
    /// 3.10.
    V3_10,
    /// 3.11.
    V3_11,
}

/// Where the nodes take their AWS credentials from: Quokka reads S3 from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AwsCredentials {
    /// From the instance profile, if there is one; nothing is copied.
    InstanceProfile,
    /// The operator's own are sent to every node.
    Copy,
    /// From nowhere: what an earlier `copy` left there is taken away.
    None,
}

/// Who starts Ray.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RayStart {
    /// The recipe's own step, as Quokka needs it.
    BuiltIn,
    /// The config's `head_start_ray_commands` and `worker_start_ray_commands`.
    Config,
}

impl Quokka {
    /// pip's constraints: the pinned ones, with `versions` over them.
    pub fn constraints(&self) -> String {
        let overridden = |line: &&str| {
            let name = normal(package(line));
            self.versions.keys().any(|key| normal(key) == name)
        };
        let pinned = PINNED.lines().filter(|line| !line.trim().is_empty());
        let pinned = pinned.filter(|line| !line.starts_with('#'));
        let mut lines: Vec<String> =
            pinned.filter(|line| !overridden(line)).map(str::to_owned).collect();
        lines.extend(self.overridden());
        lines.join("\n") + "\n"
    }

    /// The constraints of `versions`, which no lock file covers.
    pub fn overridden(&self) -> Vec<String> {
        self.versions.iter().map(|(name, value)| constraint(name, value)).collect()
    }

    /// The one version that a package is pinned to, if it is pinned to one.
    pub fn version_of(&self, name: &str) -> Option<String> {
        let constraints = self.constraints();
        let line = constraints.lines().find(|line| package(line) == name)?;
        line[package(line).len()..].strip_prefix("==").map(str::to_owned)
    }
}

/// `polars==0.18.6`; a value with an operator of its own is taken as it is.
fn constraint(name: &str, value: &str) -> String {
    let equals = if value.starts_with(['=', '<', '>', '!', '~']) { "" } else { "==" };
    format!("{name}{equals}{value}")
}

/// The package that a constraint is about.
fn package(line: &str) -> &str {
    line.split(['=', '<', '>', '!', '~', ' ', '[']).next().unwrap_or(line)
}

/// A package's name as pip compares it.
fn normal(name: &str) -> String {
    name.to_ascii_lowercase().replace(['_', '.'], "-")
}

/// Whether `text` can stand as a package's version or specifier in a file of constraints.
pub(super) fn is_version(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || ".+*!<>=~,-".contains(c);
    text.chars().all(plain) && text.chars().any(|c| c.is_ascii_digit())
}

/// Whether `text` can name a package.
pub(super) fn is_package(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    text.chars().all(plain) && text.starts_with(|c: char| c.is_ascii_alphanumeric())
}

impl Python {
    /// `3.11`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V3_10 => "3.10",
            Self::V3_11 => "3.11",
        }
    }
}

impl fmt::Display for Python {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Python {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "3.10" => Ok(Self::V3_10),
            "3.11" => Ok(Self::V3_11),
            _ => Err("pyquokka 0.3.2 with Ray 2.6.3 runs on Python 3.10 and 3.11"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quokka(versions: &[(&str, &str)]) -> Quokka {
        let given = |value: &str| Sourced::default(value.to_owned(), "test");
        Quokka {
            python: Sourced::default(Python::V3_11, "test"),
            versions: versions.iter().map(|(k, v)| ((*k).into(), given(v))).collect(),
            aws_credentials: Sourced::default(AwsCredentials::InstanceProfile, "test"),
            ray: Sourced::default(RayStart::BuiltIn, "test"),
        }
    }

    #[test]
    fn the_pinned_set_is_the_measured_one() {
        let constraints = quokka(&[]).constraints();
        for line in [
            "pyquokka==0.3.2",
            "ray==2.6.3",
            "polars==0.18.6",
            "pyarrow-hotfix==0.7",
            "aiohttp>=3.9,<3.12",
        ] {
            assert!(constraints.lines().any(|own| own == line), "{line}: {constraints}");
        }
        assert!(!constraints.contains('#') && !constraints.contains('['), "{constraints}");
        assert_eq!(quokka(&[]).version_of("ray").as_deref(), Some("2.6.3"));
        assert_eq!(quokka(&[]).version_of("numpy"), None, "numpy<2 is no one version");
    }

    #[test]
    fn versions_replace_what_is_pinned_and_add_to_it() {
        let chosen = quokka(&[("Ray", "2.7.0"), ("grpcio", "<1.60"), ("s3fs", "2023.6.0")]);
        let constraints = chosen.constraints();
        assert!(constraints.contains("Ray==2.7.0\n"), "{constraints}");
        assert!(!constraints.contains("ray==2.6.3"), "{constraints}");
        assert!(constraints.contains("grpcio<1.60\n") && !constraints.contains("grpcio<1.57"));
        assert!(constraints.contains("s3fs==2023.6.0\n"));
    }
}
