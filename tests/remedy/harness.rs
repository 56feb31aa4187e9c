//! A project in an account: its configs in a temporary folder, and the engine
//! that fixes it.
#![expect(clippy::unwrap_used, clippy::panic, reason = "in a test, an error is a failure")]

use std::{
    path::{Path, PathBuf},
    process::Command as Process,
    sync::Arc,
    time::Duration,
};

use muster::{
    check::{Finding, Level},
    cloud::{Change, Image, ImageState, PublicKey, Tags},
    config::{Files, LoadRequest, Overrides},
    engine::{self, Command, Event, FixPlan, Handle, Parts, Update},
    journal::Store,
    model::{Clock, ClusterId, Failure, Fingerprint},
    remedy::{CheckFilter, FixScope, Plan},
    remote::{Host, Remote, RemoteError, RemoteErrorKind, Session},
};
use tempfile::TempDir;

use super::account::Account;

/// An image that has the same id in every region of both accounts.
const BASE: &str = "ami-1e749f67";
/// The operator's source address.
pub const OPERATOR: &str = "203.0.113.7/32";
/// The cluster id in all tags.
pub const CLUSTER: &str = "harness-000001";

/// One region's config.
#[derive(Clone, Debug)]
pub struct Config {
    /// The name of its file and its cluster.
    pub name: &'static str,
    pub region: &'static str,
    pub image: String,
    pub key: String,
    pub group: Option<String>,
    pub subnets: Vec<String>,
}

impl Config {
    /// Returns a config with this image, the right key, and no network.
    pub fn bare(region: &'static str, image: String) -> Self {
        let (name, key) = (region, "harness".into());
        Self { name, region, image, key, group: None, subnets: Vec::new() }
    }

    /// The config itself.
    pub fn text(&self) -> String {
        let Self { name, region, image, key, group, subnets } = self;
        let group = group.as_ref().map(|id| format!("      SecurityGroupIds: [{id}]\n"));
        let subnets = (!subnets.is_empty())
            .then(|| format!("      SubnetIds: [{}] # nodes\n", subnets.join(", ")));
        format!(
            "# {region}\ncluster_name: harness-{name}\nmax_workers: 2\nprovider: {{type: aws, region: {region}}}\n\
             auth: {{ssh_user: ec2-user, ssh_private_key: key}}\nhead_node_type: head\navailable_node_types:\n  \
             head:\n    node_config: &node\n      InstanceType: m5.large\n      ImageId: {image}\n      KeyName: {key}\n{}{}  \
             worker:\n    min_workers: 1\n    max_workers: 2\n    node_config: *node\n",
            group.unwrap_or_default(),
            subnets.unwrap_or_default()
        )
    }
}

/// A project.
pub struct FixHarness {
    pub account: Account,
    folder: TempDir,
    /// The configs' names.
    names: Vec<&'static str>,
    /// The project's setting for the operator's source address.
    pub operator: Option<&'static str>,
    /// The journal, shared by consecutive engines.
    journal: Store,
}

/// Reads the public halves next to the keys: running ssh-keygen takes real time,
/// in which a paused clock would run ahead.
struct Keys;

#[async_trait::async_trait]
impl Remote for Keys {
    async fn public_key(&self, private_key: &Path) -> Result<PublicKey, Failure> {
        let text = std::fs::read_to_string(private_key.with_extension("pub"));
        let text = text.map_err(|error| Failure::new(error.to_string()))?;
        PublicKey::parse(&text).ok_or_else(|| Failure::new("no public key"))
    }

    async fn connect(&self, host: &Host) -> muster::remote::Result<Box<dyn Session>> {
        let message = "nothing is connected to here".into();
        Err(RemoteError { kind: RemoteErrorKind::Local, node: host.node.clone(), message })
    }

    fn pinned_host_keys(&self, _: &Host) -> std::result::Result<Vec<Fingerprint>, Failure> {
        Ok(Vec::new())
    }
}

/// The result of a fix.
#[derive(Debug)]
pub struct Fixed {
    pub plan: Arc<Plan>,
    pub complete: bool,
    pub events: Vec<Event>,
}

impl FixHarness {
    /// Creates a project with its own key and without configs.
    pub fn new(account: Account) -> Self {
        let folder = TempDir::new().unwrap();
        let journal = Store::in_memory(ClusterId::new(CLUSTER));
        let harness =
            Self { account, folder, names: Vec::new(), operator: Some(OPERATOR), journal };
        harness.make_key("key");
        harness
    }

    /// Creates a local key pair; returns its public half.
    pub fn make_key(&self, name: &str) -> PublicKey {
        let path = self.folder.path().join(name);
        let made = Process::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", "harness", "-f"])
            .arg(&path)
            .status();
        assert!(made.unwrap().success());
        self.public_key(name)
    }

    /// Returns the public half of a local key.
    pub fn public_key(&self, name: &str) -> PublicKey {
        let text = std::fs::read_to_string(self.folder.path().join(format!("{name}.pub"))).unwrap();
        PublicKey::parse(&text).unwrap()
    }

    /// Creates an image of the account's own, with an id that exists only in `region`.
    pub async fn image(&self, region: &str, name: &str) -> String {
        let change = Change::CopyImage {
            name: name.into(),
            image: BASE.into(),
            from: region.into(),
            token: format!("{region}-{name}"),
            tags: Tags::new(),
        };
        let copy = self.account.make(region, change).await;
        let ids = [copy.as_str().into()];
        let is_there = |one: &Image| one.state == ImageState::Available;
        let cloud = &self.account.cloud;
        while !cloud.images(&region.into(), &ids).await.is_ok_and(|all| all.iter().any(is_there)) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        copy
    }

    /// Writes the configs.
    pub fn write(&mut self, configs: &[Config]) {
        self.names = configs.iter().map(|config| config.name).collect();
        for config in configs {
            std::fs::write(self.path(config.name), config.text()).unwrap();
        }
    }

    /// Replaces a config's text.
    pub fn overwrite(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// Adds existing configs to the project.
    pub fn adopt(&mut self, names: &[&'static str]) {
        self.names = names.to_vec();
    }

    /// Returns the folder of the configs.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.yaml"))
    }

    /// Returns a config's current text.
    pub fn config(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// Opens the files as muster does.
    fn files(&self) -> Files {
        let overrides = Overrides {
            name: Some("harness".into()),
            operator_cidr: self.operator.and_then(|cidr| cidr.parse().ok()),
            ..Overrides::default()
        };
        let files = self.names.iter().map(|name| self.path(name)).collect();
        Files::real(LoadRequest { folder: self.folder.path().to_owned(), files, overrides })
    }

    /// Starts an engine on the current account, with a given journal.
    pub fn engine(&self, store: Store) -> Handle {
        let files = self.files();
        let loaded = files.load();
        let project = loaded.project.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics));
        engine::start(Parts {
            project: Arc::new(project),
            files,
            cloud: self.account.cloud.clone(),
            remote: Arc::new(Keys),
            clock: self.account.world.as_ref().map_or(Clock::System, |world| world.clock()),
            store,
        })
    }

    /// Returns the journal as the next process finds it.
    pub fn store(&self) -> Store {
        self.journal.reopen()
    }

    /// Continues with an empty journal, as on another machine.
    pub fn lose_journal(&mut self) {
        self.journal = Store::in_memory(ClusterId::new(CLUSTER));
    }

    /// Returns the findings that did not pass.
    pub async fn failing(&self) -> Vec<Finding> {
        let mut engine = self.engine(self.store());
        let findings = ask(&mut engine, Command::Refresh, |update| match update {
            Update::Refreshed { findings, .. } => Some(findings.clone()),
            _ => None,
        });
        let findings =
            findings.await.iter().filter(|one| one.level == Level::Fail).cloned().collect();
        stop(engine).await;
        findings
    }

    /// Returns the ids of the failing checks, each once.
    pub async fn failing_checks(&self) -> Vec<&'static str> {
        let mut checks: Vec<_> = self.failing().await.iter().map(|one| one.check).collect();
        checks.dedup();
        checks
    }

    /// Plans.
    pub async fn plan(&self, scope: FixScope) -> Arc<FixPlan> {
        let mut engine = self.engine(self.store());
        let plan = plan(&mut engine, Command::PlanFix(scope)).await;
        stop(engine).await;
        plan
    }

    /// Plans and applies a fix.
    pub async fn fix(&self, scope: FixScope) -> Fixed {
        let mut engine = self.engine(self.store());
        let plan = plan(&mut engine, Command::PlanFix(scope)).await;
        let fixed = carry_out(&mut engine, &plan).await;
        stop(engine).await;
        fixed
    }

    /// Removes the networks.
    pub async fn tear_down(&self) -> Fixed {
        let mut engine = self.engine(self.store());
        let plan = plan(&mut engine, Command::PlanTeardown).await;
        assert_eq!(plan.plan.left, [], "nothing may be left");
        let fixed = carry_out(&mut engine, &plan).await;
        stop(engine).await;
        fixed
    }
}

/// Returns the scope of only these checks.
pub fn only(checks: &[&str]) -> FixScope {
    let only = checks.iter().map(|check| CheckFilter::Check((*check).to_owned())).collect();
    FixScope { only, ..FixScope::default() }
}

/// Requests a plan.
pub async fn plan(engine: &mut Handle, command: Command) -> Arc<FixPlan> {
    ask(engine, command, |update| match update {
        Update::FixPlan(plan) => Some(plan.clone()),
        _ => None,
    })
    .await
}

/// Requests a plan; returns the reason if there is none.
pub async fn plan_or_refusal(
    engine: &mut Handle,
    command: Command,
) -> Result<Arc<FixPlan>, Failure> {
    engine.commands.send(command).unwrap();
    loop {
        match engine.updates.recv().await {
            Some(Update::FixPlan(plan)) => return Ok(plan),
            Some(Update::Refused(failure)) => return Err(failure),
            Some(_) => {}
            None => panic!("the engine ended"),
        }
    }
}

/// Applies a plan.
pub async fn carry_out(engine: &mut Handle, plan: &FixPlan) -> Fixed {
    engine.commands.send(Command::Fix(plan.plan.clone())).unwrap();
    let mut events = Vec::new();
    loop {
        match engine.updates.recv().await {
            Some(Update::Event(stamped)) => events.push(stamped.event),
            Some(Update::FixEnded { complete }) => {
                return Fixed { plan: plan.plan.clone(), complete, events };
            }
            Some(Update::Refused(failure)) => panic!("{failure}"),
            Some(_) => {}
            None => panic!("the engine ended"),
        }
    }
}

/// Ends an engine.
pub async fn stop(mut engine: Handle) {
    engine.commands.send(Command::Shutdown).unwrap();
    while engine.updates.recv().await.is_some() {}
    engine.task.await.unwrap();
}

async fn ask<T>(engine: &mut Handle, command: Command, answer: impl Fn(&Update) -> Option<T>) -> T {
    engine.commands.send(command).unwrap();
    loop {
        let update = engine.updates.recv().await;
        let update = update.unwrap_or_else(|| panic!("the engine ended"));
        if let Update::Refused(failure) = &update {
            panic!("{failure}");
        }
        if let Some(answer) = answer(&update) {
            return answer;
        }
    }
}
