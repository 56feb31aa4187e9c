//! What a command works on: the project, and the adapters for EC2 and for the
//! nodes, real or simulated.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use crate::{
    cli::{OverrideArgs, ProjectArgs},
    cloud::{Cloud, Registered},
    config::{Diagnostic, Files, LoadRequest, Loaded, Overrides, Project, Reading},
    engine::{self, Parts, RunState},
    journal::{self, Store},
    model::{Clock, ClusterId, Failure},
    remote::{Interactive, LocalKeys, Remote, SshOptions, SshRemote},
    report,
    sim::{self, Scenario},
    waits::Waits,
};

use super::{CliError, Streams, fault_injection, interpreter::operator_python, known::Known};

/// A project with its adapters.
pub struct ProjectSession {
    /// What to assemble.
    pub project: Arc<Project>,
    /// Where it was loaded from.
    pub files: Files,
    /// The EC2 adapter; its calls enter `waits`.
    pub cloud: Arc<dyn Cloud>,
    /// What a command without an engine waits for.
    pub waits: Waits,
    /// The EC2 adapter without registration: engines register their own calls.
    bare_cloud: Arc<dyn Cloud>,
    /// The time.
    pub clock: Clock,
    warnings: Vec<Diagnostic>,
    place: Place,
}

/// Where clusters are kept, and how their nodes are reached.
enum Place {
    Real {
        state_dir: PathBuf,
    },
    /// In memory, unless a folder is asked for.
    Simulated {
        world: Arc<sim::World>,
        state_dir: Option<PathBuf>,
    },
}

impl ProjectSession {
    /// Reads the configs, or the scenario in place of them. Nobody is asked anything yet.
    pub fn open(args: &ProjectArgs) -> Result<Self, CliError> {
        match &args.scenario {
            Some(name) => Self::simulated(name, args),
            None => Self::real(args),
        }
    }

    /// From here on `streams` report what commands on this world wait for.
    pub fn attend(&self, streams: &Streams) {
        streams.waits.include(&self.waits);
    }

    fn real(args: &ProjectArgs) -> Result<Self, CliError> {
        let folder = std::env::current_dir().map_err(|error| {
            CliError::usage(Failure::new(format!("the current folder can't be used: {error}")))
        })?;
        let overrides =
            Overrides { operator_python: operator_python(), ..overrides(&args.overrides) };
        let request = LoadRequest { folder, files: args.configs.clone(), overrides };
        let files = Files::real(request);
        let (project, warnings) = usable(files.load())?;
        let place = Place::Real { state_dir: state_dir(args)? };
        let (waits, bare_cloud) = (Waits::default(), ec2(args.aws_timeout)?);
        Ok(Self {
            project: Arc::new(project),
            files,
            cloud: Arc::new(Registered::new(bare_cloud.clone(), waits.clone())),
            waits,
            bare_cloud,
            clock: Clock::System,
            warnings,
            place,
        })
    }

    fn simulated(name: &str, args: &ProjectArgs) -> Result<Self, CliError> {
        let scenario = scenario(name)?;
        let files = scenario.files(overrides(&args.overrides));
        let (project, warnings) = usable(files.load())?;
        let world = sim::World::new(&scenario);
        let (waits, bare_cloud, clock) = (Waits::default(), world.cloud(), world.clock());
        let cloud = Arc::new(Registered::new(bare_cloud.clone(), waits.clone()));
        let place = Place::Simulated { world, state_dir: args.state_dir.clone() };
        let project = Arc::new(project);
        Ok(Self { project, files, cloud, waits, bare_cloud, clock, warnings, place })
    }

    /// The project's name, which its cluster is kept under.
    pub fn name(&self) -> &str {
        &self.project.name
    }

    /// The project's cluster, held for this process alone, or for reading only
    /// where another process has it.
    pub fn store(&self) -> Result<Store, CliError> {
        Ok(match self.state_dir() {
            Some(folder) => Store::open(folder, self.name())?,
            None => self.in_memory(),
        })
    }

    /// A place in memory for a cluster.
    pub fn in_memory(&self) -> Store {
        Store::in_memory(ClusterId::new(format!("{}-sim", self.name())))
    }

    /// The same of a cluster that may have no journal here.
    pub fn store_of(&self, cluster: ClusterId) -> Result<Store, CliError> {
        Ok(match self.state_dir() {
            Some(folder) => Store::open_cluster(folder, self.name(), cluster)?,
            None => Store::in_memory(cluster),
        })
    }

    /// The project's cluster, only to look at; `None` where there is none.
    pub fn peek(&self) -> Result<Option<(Store, RunState)>, CliError> {
        let Some(mut store) = self.peek_store()? else { return Ok(None) };
        let state = engine::replay(&mut store, &self.project);
        Ok(Some((store, state)))
    }

    /// The same without its state.
    pub fn peek_store(&self) -> Result<Option<Store>, CliError> {
        let Some(folder) = self.state_dir() else { return Ok(None) };
        Ok(Store::peek(folder, self.name())?)
    }

    /// The same, and a warning where its journal can't be read in full.
    pub fn recorded(&self, streams: &mut Streams) -> Result<Option<(Store, RunState)>, CliError> {
        let peeked = self.peek()?;
        let damage = peeked.as_ref().and_then(|(store, _)| store.damage());
        if let Some(damage) = damage {
            streams.err.warning(&damage.failure())?;
        }
        Ok(peeked)
    }

    /// What an engine works with.
    pub fn parts(&self, store: Store) -> Result<Parts, CliError> {
        Ok(Parts {
            project: self.project.clone(),
            files: self.files.clone(),
            cloud: self.bare_cloud.clone(),
            remote: fault_injection::in_tasks(self.remote(&store)?),
            clock: self.clock,
            store,
        })
    }

    /// The door to the nodes of the cluster in `store`.
    pub fn remote(&self, store: &Store) -> Result<Arc<dyn Remote>, CliError> {
        match &self.place {
            Place::Simulated { world, .. } => Ok(world.remote()),
            Place::Real { state_dir } => {
                let folder = store.folder().unwrap_or(state_dir);
                let options = self.ssh_options(folder, store.cluster());
                Ok(Arc::new(SshRemote::new(options).map_err(CliError::usage)?))
            }
        }
    }

    fn ssh_options(&self, folder: &Path, cluster: &ClusterId) -> SshOptions {
        SshOptions {
            folder: folder.to_owned(),
            include: self.project.ssh_config.as_ref().map(|path| path.value.clone()),
            cluster: cluster.clone(),
        }
    }

    /// How the user's own ssh is called for the nodes of `known`.
    pub fn interactive(&self, known: &Known) -> Result<Interactive, CliError> {
        let folder = known.folder.clone().unwrap_or_default();
        let cluster = known.state.cluster.clone().unwrap_or_default();
        Interactive::new(&self.ssh_options(&folder, &cluster)).map_err(CliError::usage)
    }

    /// The same for the cluster in `store`; `None` where no node is real.
    pub fn shell(&self, store: &Store) -> Result<Option<Interactive>, CliError> {
        let Place::Real { state_dir } = &self.place else { return Ok(None) };
        let folder = store.folder().unwrap_or(state_dir);
        let options = self.ssh_options(folder, store.cluster());
        Interactive::new(&options).map(Some).map_err(CliError::usage)
    }

    /// Refuses a command that needs real nodes; `instead`
    /// names what to use.
    pub fn refuse_simulated(&self, command: &str, instead: &str) -> Result<(), CliError> {
        if !self.cloud.is_simulated() {
            return Ok(());
        }
        let failure = Failure::new(format!("`muster {command}` needs real nodes"));
        Err(CliError::usage(failure.hint(instead)))
    }

    /// A door that is only used to read local keys: nothing is written for it.
    pub fn remote_for_reading(&self) -> Arc<dyn Remote> {
        match &self.place {
            Place::Simulated { world, .. } => world.remote(),
            Place::Real { .. } => Arc::new(LocalKeys),
        }
    }

    /// Prints the warnings of the configs.
    pub fn print_warnings(&self, streams: &mut Streams) -> Result<(), CliError> {
        self.attend(streams);
        let lines = report::diagnostics(&self.warnings, streams.err.paint());
        Ok(streams.err.lines(&lines)?)
    }

    /// What the user should know of the configs.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// The diagnostics of the configs, as read.
    pub fn reading(&self) -> Reading {
        Reading {
            sources: self.project.sources.clone(),
            diagnostics: self.warnings.clone(),
            refused: None,
            in_memory: self.files.are_in_memory(),
        }
    }

    /// Prints a note if the world is simulated.
    pub fn print_simulated(&self, streams: &mut Streams) -> Result<(), CliError> {
        if self.cloud.is_simulated() {
            streams.out.lines(&["SIMULATED: no account is used, nothing costs money", ""])?;
        }
        Ok(())
    }

    fn state_dir(&self) -> Option<&PathBuf> {
        match &self.place {
            Place::Real { state_dir } => Some(state_dir),
            Place::Simulated { state_dir, .. } => state_dir.as_ref(),
        }
    }
}

/// The scenario `name`, a built-in one or a TOML file; or which ones there are.
fn scenario(name: &str) -> Result<Scenario, CliError> {
    if Path::new(name).extension().is_some_and(|extension| extension == "toml") {
        return scenario_file(Path::new(name));
    }
    Scenario::built_in(name).ok_or_else(|| {
        let names: Vec<_> = Scenario::names().iter().map(|(name, _)| *name).collect();
        let failure = Failure::new(format!("there is no scenario {name}"));
        CliError::usage(failure.hint(format!("there are: {}", names.join(", "))))
    })
}

fn scenario_file(path: &Path) -> Result<Scenario, CliError> {
    let wrong = |error: &dyn std::fmt::Display| {
        CliError::usage(Failure::new(format!("{}: {error}", path.display())))
    };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(&error))?;
    Scenario::parse(&text).map_err(|error| wrong(&error))
}

/// The project alone: no world is opened for it.
pub(super) fn project(args: &ProjectArgs) -> Result<(Project, Vec<Diagnostic>), CliError> {
    let mut overrides = overrides(&args.overrides);
    let files = if let Some(name) = &args.scenario {
        scenario(name)?.files(overrides)
    } else {
        overrides.operator_python = operator_python();
        let folder = std::env::current_dir()?;
        Files::real(LoadRequest { folder, files: args.configs.clone(), overrides })
    };
    usable(files.load())
}

/// The door to EC2, or to the simulated one of a scenario, where there is no
/// project yet. `Ok(Err)`: this build has none.
pub(super) fn door(
    scenario_name: Option<&str>,
    timeout: Option<Duration>,
) -> Result<Result<Arc<dyn Cloud>, Failure>, CliError> {
    if let Some(name) = scenario_name {
        return Ok(Ok(sim::World::new(&scenario(name)?).cloud()));
    }
    match ec2(timeout) {
        Err(CliError::Failed { failure, .. }) => Ok(Err(failure)),
        door => Ok(Ok(door?)),
    }
}

fn usable(loaded: Loaded) -> Result<(Project, Vec<Diagnostic>), CliError> {
    match loaded.project {
        Some(project) => Ok((project, loaded.diagnostics)),
        None => Err(CliError::Config(loaded.diagnostics)),
    }
}

fn state_dir(args: &ProjectArgs) -> Result<PathBuf, CliError> {
    args.state_dir.clone().or_else(journal::state_dir).ok_or_else(|| {
        let failure = Failure::new("there is no home directory to keep the cluster's journal in");
        CliError::usage(failure.hint("set HOME, or give --state-dir"))
    })
}

fn overrides(args: &OverrideArgs) -> Overrides {
    let args = args.clone();
    Overrides {
        name: args.name,
        leader: args.leader,
        key_name: args.key_name,
        key_location: args.key_location,
        security_group: args.security_group.map(|id| id.to_string()),
        recipe: args.recipe,
        spill_dir: args.spill_dir,
        requirements: args.requirements,
        ssh_config: args.ssh_config,
        operator_cidr: args.operator_cidr,
        operator_python: None,
    }
}

#[cfg(feature = "aws")]
#[expect(clippy::unnecessary_wraps, reason = "without the feature there is no such door")]
fn ec2(timeout: Option<Duration>) -> Result<Arc<dyn Cloud>, CliError> {
    use crate::cloud::ec2::{Ec2Cloud, Timeouts};
    Ok(Arc::new(Ec2Cloud::from_env(timeout.map(Timeouts::within).unwrap_or_default())))
}

#[cfg(not(feature = "aws"))]
fn ec2(_timeout: Option<Duration>) -> Result<Arc<dyn Cloud>, CliError> {
    let failure =
        Failure::new("this build of muster has no AWS SDK: it knows simulated worlds only");
    Err(CliError::usage(failure.hint(
        "build it with its default features (`cargo build --release`), or see `muster demo`",
    )))
}
