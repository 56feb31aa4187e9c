//! One config becomes many.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Base, Known, Plan, Planned, Settings, derive::derive, names, project};
use crate::{
    config::{
        Project, Source,
        edit::{self, Edit, Target, Value},
        text,
    },
    model::{Failure, Region},
};

/// What is to be made of a config.
#[derive(Debug)]
pub struct Many<'a> {
    /// The config.
    pub base: &'a Base,
    /// It, as `muster.yaml` is to name it.
    pub base_listed: PathBuf,
    /// The regions to make configs for.
    pub regions: &'a [Region],
    /// The folder to write to, as the user is shown it.
    pub folder: &'a Path,
    /// What else is given.
    pub settings: Settings,
    /// What AWS reported for each region that was queried.
    pub known: &'a BTreeMap<Region, Known>,
    /// The existing project, and its file with its own line ends.
    pub present: Option<(&'a Project, Source)>,
}

/// One config a region, and the `muster.yaml` that lists them; or why not.
pub fn many(scope: &Many<'_>) -> Result<Plan, Failure> {
    let all = all_regions(scope)?;
    let mut files = Vec::new();
    for region in scope.regions {
        files.push(config(scope, region, &all)?);
    }
    let listed = files.iter().filter_map(|file| file.path.file_name());
    let listed: Vec<String> = listed.map(|name| name.to_string_lossy().into_owned()).collect();
    files.push(match &scope.present {
        Some((_, source)) => added_to(source, &listed)?,
        None => new_project(scope, &listed),
    });
    Ok(Plan { files })
}

/// The regions that the project will have.
fn all_regions(scope: &Many<'_>) -> Result<Vec<Region>, Failure> {
    let present = scope.present.as_ref().map(|(project, _)| *project);
    let mut all = present.map_or_else(|| vec![scope.base.region().clone()], Project::region_names);
    for region in scope.regions {
        let own = present.and_then(|project| project.region(region));
        let own = own.and_then(|region| region.configs.first());
        let file = own.map_or(&scope.base.source.path, |config| &config.source.path);
        if all.contains(region) {
            let file = text::shown(&file.to_string_lossy());
            let failure = Failure::new(format!("{region} has a config already: {file}"));
            return Err(failure.hint("leave it out of --regions, and name each region once"));
        }
        all.push(region.clone());
    }
    if let Some(project) = present.filter(|project| !lists(project, scope.base)) {
        let name = &*project.name;
        let failure = Failure::new(format!("the muster.yaml there is another project's: {name}"));
        return Err(failure.hint("write to another folder: -o DIR"));
    }
    Ok(all)
}

/// Whether the project has the config that others are made from.
fn lists(project: &Project, base: &Base) -> bool {
    let text = crate::config::read::normalized(&base.source.text);
    project.configs().any(|config| *config.source.text == *text)
}

fn config(scope: &Many<'_>, region: &Region, all: &[Region]) -> Result<Planned, Failure> {
    let base = scope.base;
    let (text, left) = derive(base, region, all, scope.known.get(region))?;
    let stem = base.source.path.file_stem().unwrap_or_default().to_string_lossy();
    let name = names::renamed(&stem, base.region(), region, all);
    let ending = base.source.path.extension().unwrap_or("yaml".as_ref()).to_string_lossy();
    Ok(Planned {
        path: scope.folder.join(format!("{name}.{ending}")).into(),
        text,
        from: Some(base.source.clone()),
        region: Some(region.clone()),
        left,
    })
}

fn new_project(scope: &Many<'_>, listed: &[String]) -> Planned {
    let base = scope.base;
    let given = &scope.settings;
    let mut groups = base.config.groups.iter();
    let key = groups.find_map(|group| group.template.key_name.as_ref());
    let key_location = base.text(&["auth", "ssh_private_key"]).map(PathBuf::from);
    let settings = Settings {
        name: given.name.clone().or_else(|| project::name(base.own())),
        key_name: given.key_name.clone().or_else(|| key.map(|key| key.value.clone())),
        key_location: given.key_location.clone().or(key_location),
        operator_cidr: given.operator_cidr,
    };
    let own = scope.base_listed.to_string_lossy().into_owned();
    let regions: Vec<String> = std::iter::once(own).chain(listed.iter().cloned()).collect();
    let text = project::text(&settings, &regions, base.region());
    let path: Arc<Path> = scope.folder.join(crate::config::project_file::NAME).into();
    Planned { path, text, from: None, region: None, left: Vec::new() }
}

/// The existing `muster.yaml`, with the new configs in its list.
fn added_to(source: &Source, listed: &[String]) -> Result<Planned, Failure> {
    let mut regions = project::listed(source);
    regions.extend(listed.iter().cloned());
    let edit = Edit {
        file: source.path.clone(),
        target: Target::Top { key: "regions" },
        value: Value::List(regions),
        why: "the new regions".into(),
    };
    let text = edit::apply(source, &[edit])?;
    let (path, from) = (source.path.clone(), Some(source.clone()));
    Ok(Planned { path, text, from, region: None, left: Vec::new() })
}
