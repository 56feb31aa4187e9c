//! What the nodes run, which the operator's Python has to match.

use serde::Serialize;

use crate::{
    config::Project,
    engine::{NodeState, Probe, RunState},
};

/// What pyquokka uses without requiring it.
const BESIDE: [&str; 3] = ["async_timeout", "boto3", "redis"];

/// The versions on the nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Versions {
    /// Python's minor version: `3.11`. Ray refuses another.
    pub python: String,
    /// Ray's, where it is pinned to one.
    pub ray: Option<String>,
    /// pyquokka's, where it is pinned to one.
    pub pyquokka: Option<String>,
    /// The pip requirements that give the same versions.
    pub requirements: Vec<String>,
}

impl Versions {
    /// Those that the recipe installed, once a node has verified them; none
    /// where a recipe of the user's own installs what it likes.
    pub fn of(project: &Project, state: &RunState) -> Option<Self> {
        state.nodes.values().any(has_verified).then(|| Self::asked_for(project))
    }

    /// Those that the project requires.
    fn asked_for(project: &Project) -> Self {
        let quokka = &project.quokka;
        let constraints = quokka.constraints();
        let requirements = constraints.lines().chain(BESIDE).map(str::to_owned);
        Self {
            python: quokka.python.to_string(),
            ray: quokka.version_of("ray"),
            pyquokka: quokka.version_of("pyquokka"),
            requirements: requirements.collect(),
        }
    }

    /// What makes a Python that fits.
    pub fn install(&self) -> String {
        let plain = |one: &str| {
            one.chars().all(|symbol| symbol.is_ascii_alphanumeric() || "=._-+".contains(symbol))
        };
        let word = |one: &String| {
            if plain(one) { one.clone() } else { super::quote::shell(one) }
        };
        let words: Vec<_> = self.requirements.iter().map(word).collect();
        format!("python{} -m pip install {}", self.python, words.join(" "))
    }
}

fn has_verified(node: &NodeState) -> bool {
    node.verified.iter().any(|check| check.probe == Probe::Versions && check.ok)
}
