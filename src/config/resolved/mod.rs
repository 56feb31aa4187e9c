//! The project as muster reads it: every value, also what nobody wrote, with
//! where it comes from. What [`files`] gives loads to the same project.

mod emit;
mod open;
mod project;
mod region;
mod tree;

use std::path::{Path, PathBuf};

use super::{Origin, Project};
use crate::model::Region;

pub use emit::Line;
use tree::Tree;

/// The settings of one file.
#[derive(Clone, Debug)]
pub struct Document {
    /// What it is called among the files that load to the same project.
    pub name: String,
    /// The file that it comes from; none: there is none.
    pub path: Option<PathBuf>,
    /// The region; none: `muster.yaml`.
    pub region: Option<Region>,
    tree: Tree,
    /// What is given nowhere, and what comes of that.
    pub open: Vec<Open>,
}

/// A value that is given nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// Its key in every `node_config`.
    pub key: &'static str,
    /// The impact, and the fix.
    pub why: String,
}

/// A value that is no list or map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Where it belongs: `provider.region`, `setup_commands[0]`.
    pub key: String,
    /// It, as text.
    pub value: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// The project's documents, `muster.yaml` first.
pub fn documents(project: &Project) -> Vec<Document> {
    let names = names(project);
    let mut documents = vec![project::document(project, &names)];
    let regions = project.regions.iter();
    let configs = regions.flat_map(|region| region.configs.iter().map(move |one| (region, one)));
    documents
        .extend(configs.zip(names).map(|(config, name)| region::document(project, config, name)));
    documents
}

/// Files that load to the same project, by their names.
pub fn files(project: &Project) -> Vec<(String, String)> {
    let documents = documents(project);
    let mut files: Vec<_> =
        documents.iter().map(|document| (document.name.clone(), document.yaml())).collect();
    let recipe = project::loose_recipe(project).map(|source| source.text.to_string());
    files.extend(recipe.map(|text| (project::RECIPE.to_owned(), text)));
    files
}

impl Document {
    /// Its lines as YAML, each with where its value comes from.
    pub fn lines(&self) -> Vec<Line> {
        emit::lines(self)
    }

    /// It, as a file.
    pub fn yaml(&self) -> String {
        emit::yaml(&self.lines())
    }

    /// Every value in it.
    pub fn leaves(&self) -> Vec<Leaf> {
        let mut leaves = Vec::new();
        self.tree.leaves(&mut String::new(), &mut leaves);
        leaves
    }
}

/// What the region configs are called in one folder, each otherwise.
fn names(project: &Project) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let taken = |name: &str, names: &[String]| {
        let own = ["muster.yaml", "muster.yml", project::RECIPE];
        own.contains(&name) || names.iter().any(|other| other == name)
    };
    for config in project.configs() {
        let own = config.source.path.file_name().unwrap_or_default().to_string_lossy();
        let mut name = own.into_owned();
        let mut number = 1;
        while taken(&name, &names) {
            name = match number {
                1 => format!("{}.yaml", config.region.value),
                _ => format!("{}-{number}.yaml", config.region.value),
            };
            number += 1;
        }
        names.push(name);
    }
    names
}

/// A path that means the same wherever it is read from.
fn whole(path: &Path) -> String {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    whole.to_string_lossy().into_owned()
}
