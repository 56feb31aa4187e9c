//! From files and flags to a [`Loaded`] project.

use std::path::{Path, PathBuf};

use ipnet::Ipv4Net;

use super::{
    Diagnostic, Project, Python, Source, Sourced,
    assemble::{Inputs, assemble},
    diagnostic::ids,
    parsed::Parsed,
    paths,
    project_file::{self, ProjectFile},
    read,
    reader::ConfigReader,
    scripts::{self, Scripts},
    text,
};
use crate::model::{Failure, KeyName, Region};

/// What to load.
#[derive(Clone, Debug, Default)]
pub struct LoadRequest {
    /// The folder that muster runs in: `files` are relative to it.
    pub folder: PathBuf,
    /// Region configs, and at most one project file: one that is called
    /// `muster.yaml`, or that has `regions` and no `provider`. With no files,
    /// `muster.yaml` in `folder` is opened.
    ///
    /// Region configs given here take the place of the project file's
    /// `regions`. A `muster.yaml` that is not named here is not read when
    /// region configs are: what is opened is what was asked for.
    pub files: Vec<PathBuf>,
    /// Flags, which override the project file.
    pub overrides: Overrides,
}

/// Values from the command line that override the project file's. Relative
/// paths start from the folder that muster runs in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--name`.
    pub name: Option<String>,
    /// `--leader`.
    pub leader: Option<Region>,
    /// `--key-name`. As the project's, it fills in where a `node_config` names
    /// no key, and may not differ from one that does.
    pub key_name: Option<KeyName>,
    /// `--key-location`: overrides `ssh_private_key` of every region, too.
    pub key_location: Option<PathBuf>,
    /// `--security-group`.
    pub security_group: Option<String>,
    /// `--recipe`.
    pub recipe: Option<PathBuf>,
    /// `--spill-dir`, a path on the nodes.
    pub spill_dir: Option<PathBuf>,
    /// `--requirement`, once for each; given at all, they replace the project's.
    pub requirements: Vec<String>,
    /// `--ssh-config`.
    pub ssh_config: Option<PathBuf>,
    /// `--operator-cidr`.
    pub operator_cidr: Option<Ipv4Net>,
    /// No flag: the minor version of this machine's Python, if the nodes can
    /// have it. It goes *under* the project's own settings.
    pub operator_python: Option<Python>,
}

/// What was loaded.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The project, if nothing is wrong that makes it unusable.
    pub project: Option<Project>,
    /// All that is wrong, in the order of the files and their lines.
    pub diagnostics: Vec<Diagnostic>,
    /// Every file that could be read.
    pub sources: Vec<Source>,
}

/// The content of the files when they were read last, whether the project that is
/// planned came of it or an earlier one.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// Every file that could be read, as it was.
    pub sources: Vec<Source>,
    /// All that is wrong, in the order of the files and their lines.
    pub diagnostics: Vec<Diagnostic>,
    /// Why they were not taken over, if so.
    pub refused: Option<Failure>,
    /// Whether there are no files, only texts that muster brought along.
    pub in_memory: bool,
}

/// Loads a project from files. Never fails: what is wrong is in the result.
pub fn load(request: &LoadRequest) -> Loaded {
    let mut reader = FileReader { folder: &request.folder, unread: Vec::new() };
    let inputs = reader.inputs(request);
    assemble(inputs, &request.overrides.resolved(&request.folder), reader.unread)
}

/// Loads a project from texts, for worlds that muster brings along. Relative
/// paths start from `folder`; `regions` of the project file is not followed,
/// and without a `recipe` it is the built-in one.
pub fn load_sources(
    folder: &Path,
    project_file: Option<Source>,
    regions: Vec<Source>,
    recipe: Option<Source>,
    overrides: &Overrides,
) -> Loaded {
    let named = recipe.as_ref().map(scripts::named).unwrap_or_default();
    let unread = named.iter().map(scripts::nowhere).collect();
    let folder = folder.to_owned();
    let project_file = project_file.map(Parsed::of);
    let regions = Parsed::all(regions);
    let inputs = Inputs { folder, project_file, regions, recipe, scripts: Scripts::new() };
    assemble(inputs, overrides, unread)
}

impl Overrides {
    /// The same with its local paths resolved from `folder`.
    fn resolved(&self, folder: &Path) -> Self {
        let resolve = |path: &PathBuf| paths::resolve(folder, path);
        Self {
            key_location: self.key_location.as_ref().map(resolve),
            ssh_config: self.ssh_config.as_ref().map(resolve),
            ..self.clone()
        }
    }
}

/// Reads files and keeps why some could not be read.
struct FileReader<'a> {
    folder: &'a Path,
    unread: Vec<Diagnostic>,
}

impl FileReader<'_> {
    /// Every file that a request leads to.
    fn inputs(&mut self, request: &LoadRequest) -> Inputs {
        let (project_file, mut regions) = self.given(&request.files);
        let listed = project_file.as_ref().map(listed_files).unwrap_or_default();
        let base = project_file.as_ref().and_then(|file| file.source.path.parent());
        let base = base.unwrap_or(Path::new("")).to_owned();
        if request.files.len() <= usize::from(project_file.is_some()) {
            let files = listed.regions.iter();
            let files = files.filter_map(|file| self.listed(&base, file, "regions"));
            regions.extend(Parsed::all(files.collect()));
        }
        let recipe = match &request.overrides.recipe {
            Some(path) => self.read(&paths::resolve(Path::new(""), path)),
            None => listed.recipe.and_then(|file| self.listed(&base, &file, "recipe")),
        };
        self.check_ssh_config(&base, listed.ssh_config, &request.overrides);
        let scripts = recipe.as_ref().map(|recipe| self.scripts(recipe)).unwrap_or_default();
        let folder = paths::resolve(self.folder, &base);
        Inputs { folder, project_file, regions, recipe, scripts }
    }

    /// The scripts next to `recipe`.
    fn scripts(&mut self, recipe: &Source) -> Scripts {
        let base = recipe.path.parent().unwrap_or(Path::new("")).to_owned();
        let named = scripts::named(recipe);
        let read = |file: &Sourced<PathBuf>| {
            let source = self.listed(&base, file, "script")?;
            Some((file.to_string_lossy().into_owned(), source.text))
        };
        named.iter().filter_map(read).collect()
    }

    /// ssh reads past an `Include` of a file that is not there, and every
    /// connection would then fail for a reason of its own.
    fn check_ssh_config(
        &mut self,
        base: &Path,
        listed: Option<Sourced<PathBuf>>,
        flags: &Overrides,
    ) {
        match (&flags.ssh_config, listed) {
            (Some(path), _) => _ = self.read(&paths::resolve(Path::new(""), path)),
            (None, Some(file)) => _ = self.listed(base, &file, "ssh.config"),
            (None, None) => {}
        }
    }

    /// The files named, or the folder's own project file: the project file
    /// among them, and the rest.
    fn given(&mut self, files: &[PathBuf]) -> (Option<Parsed>, Vec<Parsed>) {
        if files.is_empty() {
            return (self.own_project_file().map(Parsed::of), Vec::new());
        }
        let sources = files.iter().filter_map(|file| self.read(file)).collect();
        let (mut projects, regions): (Vec<_>, Vec<_>) =
            Parsed::all(sources).into_iter().partition(is_project_file);
        if let Some(second) = projects.get(1) {
            self.unread.push(second_project(&projects[0], second));
        }
        projects.truncate(1);
        (projects.pop(), regions)
    }

    fn own_project_file(&mut self) -> Option<Source> {
        if self.folder.join(project_file::NAME).exists() {
            return self.read(Path::new(project_file::NAME));
        }
        None
    }

    fn read(&mut self, named: &Path) -> Option<Source> {
        read::read(self.folder, named).map_err(|diagnostic| self.unread.push(*diagnostic)).ok()
    }

    /// Reads a file that a project file in `base` names under `key`.
    fn listed(&mut self, base: &Path, file: &Sourced<PathBuf>, key: &str) -> Option<Source> {
        let result = read::read(self.folder, &paths::resolve(base, file));
        let placed = |diagnostic: Diagnostic| match file.location() {
            Some(location) if diagnostic.id == ids::FILE_MISSING => {
                let help = "paths in a project file start from the project file's folder";
                diagnostic.at(location.clone()).key(key).help(help)
            }
            Some(location) => diagnostic.at(location.clone()).key(key),
            None => diagnostic,
        };
        result.map_err(|diagnostic| self.unread.push(placed(*diagnostic))).ok()
    }
}

/// References of a project file to other files. Its errors are reported
/// when it is read in full.
fn listed_files(file: &Parsed) -> ProjectFile {
    let root = file.root.as_ref();
    root.map(|root| project_file::read(&file.source, root, &mut ConfigReader::default()))
        .unwrap_or_default()
}

fn is_project_file(file: &Parsed) -> bool {
    project_file::is_project_file(&file.source.path, file.root.as_ref())
}

fn second_project(first: &Parsed, second: &Parsed) -> Diagnostic {
    let shown = |file: &Parsed| text::shown(&file.source.path.to_string_lossy());
    let message = format!("`{}` and `{}` are both project files", shown(first), shown(second));
    let help = "name one project file; each opens a cluster of its own";
    Diagnostic::error(ids::SEVERAL_PROJECTS, message).help(help)
}
