//! What a command works on: the project, and the doors to EC2 and to the
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

use super::{Streams, Trouble, interpreter::operator_python, known::Known, provoke};

/// A project and its world.
pub struct World {
    /// What to assemble.
    pub project: Arc<Project>,
    /// Where it was loaded from.
    pub files: Files,
    /// The door to EC2; its calls enter `waits`.
    pub cloud: Arc<dyn Cloud>,
    /// What a command without an engine waits for.
    pub waits: Waits,
    /// The door that engines register the calls of.
    bare_cloud: Arc<dyn Cloud>,
    /// The time.
    pub clock: Clock,
    warnings: Vec<Diagnostic>,
    place: Place,
}

/// Where clusters are kept, and the door to their nodes.
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

impl World {
    /// Reads the configs, or the scenario in place of them. Nobody is asked anything yet.
    pub fn open(args: &ProjectArgs) -> Result<Self, Trouble> {
        match &args.scenario {
            Some(name) => Self::simulated(name, args),
            None => Self::real(args),
        }
    }

    /// From here on `streams` report what commands on this world wait for.
    pub fn attend(&self, streams: &Streams) {
        streams.waits.include(&self.waits);
    }

    fn real(args: &ProjectArgs) -> Result<Self, Trouble> {
        let folder = std::env::current_dir().map_err(|error| {
            Trouble::usage(Failure::new(format!("the current folder can't be used: {error}")))
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

    fn simulated(name: &str, args: &ProjectArgs) -> Result<Self, Trouble> {
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
    pub fn store(&self) -> Result<Store, Trouble> {
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
    pub fn store_of(&self, cluster: ClusterId) -> Result<Store, Trouble> {
        Ok(match self.state_dir() {
            Some(folder) => Store::open_cluster(folder, self.name(), cluster)?,
            None => Store::in_memory(cluster),
        })
    }

    /// The project's cluster, only to look at; `None` where there is none.
    pub fn peek(&self) -> Result<Option<(Store, RunState)>, Trouble> {
        let Some(mut store) = self.peek_store()? else { return Ok(None) };
        let state = engine::replay(&mut store, &self.project);
        Ok(Some((store, state)))
    }

    /// The same without its state.
    pub fn peek_store(&self) -> Result<Option<Store>, Trouble> {
        let Some(folder) = self.state_dir() else { return Ok(None) };
        Ok(Store::peek(folder, self.name())?)
    }

    /// The same, and a warning where its journal can't be read in full.
    pub fn recorded(&self, streams: &mut Streams) -> Result<Option<(Store, RunState)>, Trouble> {
        let peeked = self.peek()?;
        let damage = peeked.as_ref().and_then(|(store, _)| store.damage());
        if let Some(damage) = damage {
            streams.err.warning(&damage.failure())?;
        }
        Ok(peeked)
    }

    /// What an engine works with.
    pub fn parts(&self, store: Store) -> Result<Parts, Trouble> {
        Ok(Parts {
            project: self.project.clone(),
            files: self.files.clone(),
            cloud: self.bare_cloud.clone(),
            remote: provoke::in_tasks(self.remote(&store)?),
            clock: self.clock,
            store,
        })
    }

    /// The door to the nodes of the cluster in `store`.
    pub fn remote(&self, store: &Store) -> Result<Arc<dyn Remote>, Trouble> {
        match &self.place {
            Place::Simulated { world, .. } => Ok(world.remote()),
            Place::Real { state_dir } => {
                let folder = store.folder().unwrap_or(state_dir);
                let options = self.ssh_options(folder, store.cluster());
                Ok(Arc::new(SshRemote::new(options).map_err(Trouble::usage)?))
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
    pub fn interactive(&self, known: &Known) -> Result<Interactive, Trouble> {
        let folder = known.folder.clone().unwrap_or_default();
        let cluster = known.state.cluster.clone().unwrap_or_default();
        Interactive::new(&self.ssh_options(&folder, &cluster)).map_err(Trouble::usage)
    }

    /// The same for the cluster in `store`; `None` where no node is real.
    pub fn shell(&self, store: &Store) -> Result<Option<Interactive>, Trouble> {
        let Place::Real { state_dir } = &self.place else { return Ok(None) };
        let folder = store.folder().unwrap_or(state_dir);
        let options = self.ssh_options(folder, store.cluster());
        Interactive::new(&options).map(Some).map_err(Trouble::usage)
    }

    /// Ends a command that makes no sense where no node is real; `instead`
    /// says what does.
    pub fn refuse_simulated(&self, command: &str, instead: &str) -> Result<(), Trouble> {
        if !self.cloud.is_simulated() {
            return Ok(());
        }
        let failure = Failure::new(format!("`muster {command}` needs real nodes"));
        Err(Trouble::usage(failure.hint(instead)))
    }

    /// A door that is only used to read local keys: nothing is written for it.
    pub fn remote_for_looking(&self) -> Arc<dyn Remote> {
        match &self.place {
            Place::Simulated { world, .. } => world.remote(),
            Place::Real { .. } => Arc::new(LocalKeys),
        }
    }

    /// Tells what is odd about the configs.
    pub fn print_warnings(&self, streams: &mut Streams) -> Result<(), Trouble> {
        self.attend(streams);
        let lines = report::diagnostics(&self.warnings, streams.err.paint());
        Ok(streams.err.lines(&lines)?)
    }

    /// What the user should know of the configs.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// What the configs said when they were read.
    pub fn reading(&self) -> Reading {
        Reading {
            sources: self.project.sources.clone(),
            diagnostics: self.warnings.clone(),
            refused: None,
            in_memory: self.files.are_in_memory(),
        }
    }

    /// Says so where the world is simulated, so that nobody takes it for real.
    pub fn print_simulated(&self, streams: &mut Streams) -> Result<(), Trouble> {
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
fn scenario(name: &str) -> Result<Scenario, Trouble> {
    if Path::new(name).extension().is_some_and(|extension| extension == "toml") {
        return scenario_file(Path::new(name));
    }
    Scenario::built_in(name).ok_or_else(|| {
        let names: Vec<_> = Scenario::names().iter().map(|(name, _)| *name).collect();
        let failure = Failure::new(format!("there is no scenario {name}"));
        Trouble::usage(failure.hint(format!("there are: {}", names.join(", "))))
    })
}

fn scenario_file(path: &Path) -> Result<Scenario, Trouble> {
    let wrong = |error: &dyn std::fmt::Display| {
        Trouble::usage(Failure::new(format!("{}: {error}", path.display())))
    };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(&error))?;
    Scenario::parse(&text).map_err(|error| wrong(&error))
}

/// The project alone: no world is opened for it.
pub(super) fn project(args: &ProjectArgs) -> Result<(Project, Vec<Diagnostic>), Trouble> {
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
) -> Result<Result<Arc<dyn Cloud>, Failure>, Trouble> {
    if let Some(name) = scenario_name {
        return Ok(Ok(sim::World::new(&scenario(name)?).cloud()));
    }
    match ec2(timeout) {
        Err(Trouble::Told { failure, .. }) => Ok(Err(failure)),
        door => Ok(Ok(door?)),
    }
}

fn usable(loaded: Loaded) -> Result<(Project, Vec<Diagnostic>), Trouble> {
    match loaded.project {
        Some(project) => Ok((project, loaded.diagnostics)),
        None => Err(Trouble::Config(loaded.diagnostics)),
    }
}

fn state_dir(args: &ProjectArgs) -> Result<PathBuf, Trouble> {
    args.state_dir.clone().or_else(journal::state_dir).ok_or_else(|| {
        let failure = Failure::new("there is no home directory to keep the cluster's journal in");
        Trouble::usage(failure.hint("set HOME, or give --state-dir"))
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
fn ec2(timeout: Option<Duration>) -> Result<Arc<dyn Cloud>, Trouble> {
    use crate::cloud::ec2::{Ec2Cloud, Timeouts};
    Ok(Arc::new(Ec2Cloud::from_env(timeout.map(Timeouts::within).unwrap_or_default())))
}

#[cfg(not(feature = "aws"))]
fn ec2(_timeout: Option<Duration>) -> Result<Arc<dyn Cloud>, Trouble> {
    let failure =
        Failure::new("this build of muster has no AWS SDK: it knows simulated worlds only");
    Err(Trouble::usage(failure.hint(
        "build it with its default features (`cargo build --release`), or see `muster demo`",
    )))
}
