//! The document of `muster.yaml`: its values with the flags applied, and what
//! holds without it.

use std::path::Path;

use super::{Document, region, tree::Tree, whole};
use crate::config::{
    Origin, Project, Quokka, Source, paths, project_file,
    quokka_keys::{CREDENTIALS, RAY},
    yaml::Node,
};

/// What the recipe is called among the files.
pub(super) const RECIPE: &str = "recipe.yaml";

pub(super) fn document(project: &Project, regions: &[String]) -> Document {
    let source = source(project);
    let root = source.and_then(region::root);
    let mut tree = Tree::Map(Vec::new());
    tree.set(&["name"], Tree::of(&project.name));
    let files = project.configs().zip(regions);
    let listed = files.map(|(config, name)| {
        let location = config.region.location().cloned();
        let origin = location.map_or(Origin::Default("its config"), Origin::File);
        Tree::text(name.clone(), origin)
    });
    tree.set(&["regions"], Tree::List(listed.collect()));
    tree.set(&["leader"], Tree::of(&project.leader));
    for entry in root.as_ref().map(Node::entries).unwrap_or_default() {
        tree.fill(&[&entry.key], || Tree::read(&entry.value));
    }
    overrides(project, &mut tree);
    let path = source.map(|source| source.path.to_path_buf());
    let name = project_file::NAME.to_owned();
    Document { name, path, region: None, tree, open: Vec::new() }
}

/// What flags say in place of the file, and defaults where nobody does; paths
/// as they are meant.
fn overrides(project: &Project, tree: &mut Tree) {
    if let Some(key) = &project.key_name {
        tree.set(&["key_name"], Tree::of(key));
    }
    let mut flagged = project.configs().filter_map(|config| config.ssh_private_key.as_ref());
    let flagged = flagged.find(|key| matches!(key.origin, Origin::Flag(_)));
    if let Some(key) = flagged {
        tree.set(&["key_location"], Tree::text(whole(key), key.origin.clone()));
    } else if let Some(Tree::Scalar(written, origin)) = tree.get(&["key_location"]).cloned() {
        let path = paths::resolve(&project.folder, Path::new(&written.text));
        tree.set(&["key_location"], Tree::text(whole(&path), origin));
    }
    let groups = project.regions.iter().flat_map(|config| &config.groups);
    let mut names = groups.flat_map(|group| &group.template.named_groups);
    if let Some(name) = names.find(|name| matches!(name.origin, Origin::Flag(_))) {
        tree.set(&["security_group"], Tree::of(name));
    }
    if !project.requirements.is_empty() {
        let list = project.requirements.iter().map(Tree::of).collect();
        tree.set(&["requirements"], Tree::List(list));
    }
    let spill = &project.spill_dir;
    tree.set(&["spill_dir"], Tree::text(spill.to_string_lossy(), spill.origin.clone()));
    quokka(&project.quokka, tree);
    if let Some(config) = &project.ssh_config {
        tree.set(&["ssh", "config"], Tree::text(whole(config), config.origin.clone()));
    }
    let policy = &project.host_keys;
    tree.fill(&["host_keys"], || Tree::text(policy.as_str(), policy.origin.clone()));
    if let Some(cidr) = &project.operator_cidr {
        tree.set(&["operator_cidr"], Tree::of(cidr));
    }
    if !project.operator_ports.is_empty() {
        let port = |port: &crate::config::Sourced<u16>| {
            Tree::plain(&port.value.to_string(), port.origin.clone())
        };
        let list = project.operator_ports.iter().map(port).collect();
        tree.set(&["operator_ports"], Tree::List(list));
    }
    if let Some(source) = recipe(project) {
        let origin = match tree.get(&["recipe"]) {
            Some(Tree::Scalar(_, origin)) => origin.clone(),
            _ => Origin::Flag("--recipe"),
        };
        let path = recipe_file(project, source).unwrap_or_else(|| RECIPE.to_owned());
        tree.set(&["recipe"], Tree::text(path, origin));
    }
}

/// Where the recipe is on this machine: the scripts that it names are next to
/// it. `None` if it is in no file, as in a simulated world.
fn recipe_file(project: &Project, source: &Source) -> Option<String> {
    let sibling = source.path.file_name().map(|name| project.folder.join(name));
    let below = [Some(project.folder.join(&source.path)), sibling, Some(source.path.to_path_buf())];
    let is_it = |path: &std::path::PathBuf| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        crate::config::read::normalized(&text) == *source.text
    };
    below.into_iter().flatten().find(is_it).map(|path| whole(&path))
}

/// The recipe to write next to the other files, if it is in none.
pub(super) fn loose_recipe(project: &Project) -> Option<&Source> {
    recipe(project).filter(|source| recipe_file(project, source).is_none())
}

/// The Quokka defaults.
fn quokka(chosen: &Quokka, tree: &mut Tree) {
    let Quokka { python, aws_credentials, ray, .. } = chosen;
    tree.fill(&["python"], || Tree::of(python));
    if let Some((name, _)) = CREDENTIALS.iter().find(|(_, one)| *one == aws_credentials.value) {
        tree.fill(&["aws_credentials"], || Tree::text(*name, aws_credentials.origin.clone()));
    }
    if let Some((name, _)) = RAY.iter().find(|(_, one)| *one == ray.value) {
        tree.fill(&["ray"], || Tree::text(*name, ray.origin.clone()));
    }
}

/// The project file, if there is one.
fn source(project: &Project) -> Option<&Source> {
    others(project).find(|source| {
        let root = region::root(source);
        project_file::is_project_file(&source.path, root.as_ref())
    })
}

/// The recipe's file; none: it is the built-in one.
fn recipe(project: &Project) -> Option<&Source> {
    let steps = |source: &&Source| {
        region::root(source).is_some_and(|root| {
            root.get("steps").is_some() && !project_file::is_project_file(&source.path, Some(&root))
        })
    };
    others(project).find(steps)
}

/// The files that were read in addition to the region configs.
fn others(project: &Project) -> impl Iterator<Item = &Source> {
    let is_region =
        |source: &&Source| project.configs().any(|config| config.source.path == source.path);
    project.sources.iter().filter(move |source| !is_region(source))
}
