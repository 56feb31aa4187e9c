//! Texts and flags into a project: reads each, then applies the rules that
//! span files.

mod keys;
mod regions;
mod settings;

use std::path::PathBuf;

use super::{
    Diagnostic, Loaded, Overrides, Project, Recipe, RegionConfig, Source, Sourced,
    diagnostic::{self, ids},
    keys as key_table,
    parsed::Parsed,
    project_file::{self, ProjectFile},
    reader::ConfigReader,
    region::{self, Around},
    scripts::Scripts,
    side_by_side::side_by_side,
    text,
};
use crate::model::Region;
use settings::Settings;

/// Everything that a project is made of.
#[derive(Debug)]
pub(super) struct Inputs {
    /// Where relative paths start from.
    pub folder: PathBuf,
    /// `muster.yaml`.
    pub project_file: Option<Parsed>,
    /// The region configs in order.
    pub regions: Vec<Parsed>,
    /// The recipe; none: the built-in one.
    pub recipe: Option<Source>,
    /// The scripts that the recipe names, by the path as written there.
    pub scripts: Scripts,
}

impl Inputs {
    fn sources(&self) -> Vec<Source> {
        let parsed = self.project_file.iter().chain(&self.regions).map(|file| &file.source);
        parsed.chain(&self.recipe).cloned().collect()
    }
}

/// Makes a project of `inputs`. `unread` lists which of the files meant could
/// not be read.
pub(super) fn assemble(
    mut inputs: Inputs,
    overrides: &Overrides,
    unread: Vec<Diagnostic>,
) -> Loaded {
    let sources = inputs.sources();
    let mut reader = ConfigReader::after(unread);
    let project = project(&mut inputs, &sources, overrides, &mut reader);
    let project = project.filter(|_| !reader.has_errors());
    reader.report_omitted();
    let mut diagnostics = reader.diagnostics;
    diagnostic::complete(&mut diagnostics, &sources);
    Loaded { project, diagnostics, sources }
}

fn project(
    inputs: &mut Inputs,
    sources: &[Source],
    overrides: &Overrides,
    reader: &mut ConfigReader,
) -> Option<Project> {
    let file = inputs.project_file.take().map(|file| read_project_file(file, reader));
    let settings = Settings::new(file.unwrap_or_default(), overrides, &inputs.folder, reader);
    let recipe = inputs.recipe.as_ref().map_or_else(
        || Some(Recipe::built_in()),
        |source| {
            let read = Recipe::parse_with(source, &inputs.scripts, Vec::new());
            read.map_err(|wrong| reader.diagnostics.extend(wrong)).ok()
        },
    );
    let recipe = recipe.map(|recipe| recipe.suited(*settings.quokka.ray));
    let named = std::mem::take(&mut inputs.regions);
    let none_named = named.is_empty();
    let around = Around {
        folder: &inputs.folder,
        starts_ray: recipe.as_ref().is_some_and(Recipe::starts_ray_as_configured),
    };
    let (mut regions, complete) = read_regions(named, around, reader);
    if none_named && !reader.has_errors() {
        reader.report(no_regions());
    }
    let leader = leader(&settings, &regions, complete, reader);
    let key_name = keys::unify(settings.key_name.clone(), &mut regions, reader);
    settings.fill_in(&mut regions);
    let leader = leader?;
    let name = name(&settings, &regions, &leader, reader)?;
    Some(Project {
        name,
        folder: inputs.folder.clone(),
        regions,
        leader,
        key_name,
        recipe: recipe?,
        requirements: settings.requirements,
        spill_dir: settings.spill_dir,
        quokka: settings.quokka,
        ssh_config: settings.ssh_config,
        host_keys: settings.host_keys,
        operator_cidr: settings.operator_cidr,
        operator_ports: settings.operator_ports,
        sources: sources.to_vec(),
    })
}

/// Nothing to read: no region is named anywhere.
pub(super) fn no_regions() -> Diagnostic {
    let message = "no region configs are named, and there is no muster.yaml here that lists them";
    let help = "name one Ray cluster config for each region: `muster us.yaml eu.yaml`";
    Diagnostic::error(ids::NO_FILES, message).help(help)
}

fn read_project_file(file: Parsed, reader: &mut ConfigReader) -> ProjectFile {
    let source = file.source.clone();
    file.into_root(reader)
        .map(|root| project_file::read(&source, &root, reader))
        .unwrap_or_default()
}

/// The regions that could be read, and whether those are all.
fn read_regions(
    files: Vec<Parsed>,
    around: Around<'_>,
    reader: &mut ConfigReader,
) -> (Vec<RegionConfig>, bool) {
    let (any_unread, count) = (reader.has_errors(), files.len());
    let read = |run: Vec<Parsed>| {
        let mut reader = ConfigReader::default();
        let read = |file| read_region(file, around, &mut reader);
        (run.into_iter().filter_map(read).collect::<Vec<_>>(), reader)
    };
    let mut all = Vec::new();
    for (read, found) in side_by_side(files, |file| file.source.text.len(), read) {
        all.extend(read);
        reader.report_all(found);
    }
    let complete = !any_unread && all.len() == count;
    (regions::merge(all, reader), complete)
}

fn read_region(
    file: Parsed,
    around: Around<'_>,
    reader: &mut ConfigReader,
) -> Option<RegionConfig> {
    let source = file.source.clone();
    region::read(&source, &file.into_root(reader)?, around, reader)
}

/// The leader asked for, else the first region. `complete`: whether `regions`
/// are all, so that one that is not among them is none.
fn leader(
    settings: &Settings,
    regions: &[RegionConfig],
    complete: bool,
    reader: &mut ConfigReader,
) -> Option<Sourced<Region>> {
    let Some(leader) = &settings.leader else {
        let first = regions.first()?.region.value.clone();
        return Some(Sourced::default(first, "the first config's region leads"));
    };
    let names: Vec<&str> = regions.iter().map(|config| config.region.as_str()).collect();
    if !names.contains(&leader.as_str()) && complete {
        let message =
            format!("the leader `{}` is none of the regions", text::shown(leader.as_str()));
        let help = key_table::suggestion(leader.as_str(), names.iter().copied())
            .unwrap_or_else(|| format!("the regions are {}", names.join(", ")));
        reader.report(settings::about(leader, "leader", ids::LEADER, message).help(help));
    }
    Some(leader.clone())
}

/// Longest name: tags, tokens and the paths of sockets are made of it.
const MAX_NAME: usize = 40;

/// Whether a project can be called so.
pub(super) fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    name.len() <= MAX_NAME
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(allowed)
}

fn name(
    settings: &Settings,
    regions: &[RegionConfig],
    leader: &Region,
    reader: &mut ConfigReader,
) -> Option<Sourced<String>> {
    let of_leader = || regions.iter().find(|config| *config.region == *leader);
    let name = match &settings.name {
        Some(name) => name.clone(),
        None => of_leader()?.configs.first()?.cluster_name.clone(),
    };
    if !is_name(&name) {
        let message = format!("`{}` can't name a project", text::shown(&name));
        let help = format!(
            "a name has at most {MAX_NAME} letters, digits, `-`, `_` and `.`, and begins with a \
             letter or digit: give another as `name:` in muster.yaml or as --name"
        );
        let key = if settings.name.is_some() { "name" } else { "cluster_name" };
        reader.report(settings::about(&name, key, ids::PROJECT_NAME, message).help(help));
    }
    Some(name)
}
