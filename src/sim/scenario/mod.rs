//! Scenarios: read, checked, and turned into the project that runs in them.

mod check;
mod extend;
pub(super) mod format;
mod scale;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use self::format::Spec;
use super::catalog;
use crate::{
    config::{Files, Loaded, Overrides, Source, Texts},
    model::Clock,
};

/// A description of a world and of the project that is to run in it.
#[derive(Clone, Debug)]
pub struct Scenario {
    name: String,
    spec: Arc<Spec>,
}

/// What is wrong with a scenario.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScenarioError {
    /// Not TOML, or not of the form of a scenario. The message names the place.
    #[error("{0}")]
    Form(String),
    /// Names something that it does not describe; one line each.
    #[error("{}", .0.join("\n"))]
    Contents(Vec<String>),
}

impl Scenario {
    /// Reads a scenario.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        Self::named("own", text)
    }

    fn named(name: &str, text: &str) -> Result<Self, ScenarioError> {
        let spec = extend::read(text)?;
        let wrong = check::problems(&spec);
        if !wrong.is_empty() {
            return Err(ScenarioError::Contents(wrong));
        }
        Ok(Self { name: name.to_owned(), spec: Arc::new(spec) })
    }

    /// The built-in scenario `name`; `None` where there is none.
    pub fn built_in(name: &str) -> Option<Self> {
        let text = catalog::scenario(name)?;
        // A test reads them all, so the form is known to be right.
        Self::named(name, text).ok()
    }

    /// The built-in scenarios, each with one line on what it shows; the
    /// default one of the demo comes first.
    pub fn names() -> &'static [(&'static str, &'static str)] {
        catalog::SUMMARIES
    }

    /// Its name: of the built-in one, else `own`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// One line on what it shows.
    pub fn summary(&self) -> &str {
        &self.spec.summary
    }

    /// What divides all its durations.
    pub fn speed(&self) -> f64 {
        self.spec.speed
    }

    /// The project that is to run in this world, loaded as one from files
    /// would be: whatever is wrong with it is in the result.
    pub fn load_project(&self) -> Loaded {
        self.load_project_with(&Overrides::default())
    }

    /// The same, with flags that override it.
    pub fn load_project_with(&self, overrides: &Overrides) -> Loaded {
        self.files(overrides.clone()).load()
    }

    /// The project's files, which are edited in memory: each call gives them
    /// as the scenario has them.
    pub fn files(&self, overrides: Overrides) -> Files {
        let spec = &self.spec;
        let read = |name: &String| self.source(name);
        Files::in_memory(Texts {
            folder: PathBuf::new(),
            project_file: spec.project_file.as_ref().and_then(read),
            regions: spec.configs.iter().filter_map(read).collect(),
            recipe: spec.recipe.as_ref().and_then(read),
            overrides,
        })
    }

    /// A file of the scenario; its check has seen that there is one. It goes
    /// by its own name, wherever among the embedded ones it is kept.
    fn source(&self, name: &str) -> Option<Source> {
        let own = self.spec.files.get(name).map(String::as_str);
        let text = own.or_else(|| catalog::demo_file(name))?;
        let shown = name.rsplit('/').next().unwrap_or(name);
        Some(Source { path: Path::new(shown).into(), text: text.into() })
    }

    /// A clock that shows the scenario's time, starting now.
    pub fn clock(&self) -> Clock {
        Clock::starting_at(self.spec.starts_at)
    }

    pub(super) fn spec(&self) -> Arc<Spec> {
        Arc::clone(&self.spec)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// A step that the recipe does not have, or a node that the project does
    /// not have, would silently never be met.
    #[test]
    fn built_in_scenarios_speak_of_steps_and_nodes_that_there_are() {
        for (name, _) in Scenario::names() {
            let scenario = Scenario::built_in(name).map(|one| (one.spec(), one.load_project()));
            let Some((spec, Loaded { project: Some(project), .. })) = scenario else {
                unreachable!("{name} is not sound")
            };
            let steps: BTreeSet<_> = project.recipe.steps.iter().map(|step| &step.name).collect();
            for step in spec.steps.iter().filter_map(|entry| entry.step.as_ref()) {
                assert!(steps.contains(step), "{name}: {step}");
            }
            let nodes: BTreeSet<_> =
                project.planned_nodes().into_iter().map(|node| node.name).collect();
            for node in spec.nodes.keys() {
                assert!(nodes.contains(node), "{name}: {node}");
            }
        }
    }
}
