//! The dashboard.
//!
//! ```text
//! key ─► keymap ─► Action ─► update(&mut Ui, &Model, Action) ─► Vec<Effect>
//!                                      engine ─► Update ─► Model
//!                                 view(&Model, &mut Ui) ─► frame
//! ```
//!
//! `update` does no I/O: effects are data, and the run loop carries them out.
//! `view` changes nothing but widget state such as scroll offsets. A key is
//! drawn at once; the engine's updates are gathered to at most 30 frames a
//! second; where nothing changed, nothing is drawn.

use std::sync::Arc;

use jiff::tz::TimeZone;
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender},
    task::JoinHandle,
};

use crate::{
    config::{Project, Reading},
    engine::{Command, Handle, Update},
    model::Clock,
    remote::Interactive,
    signals::{Signal, Signals},
};

mod action;
mod as_of;
mod ascii;
mod bindings;
mod dialogs;
mod editor;
mod finding_fix;
mod keyboard;
pub mod keymap;
mod lifecycle;
mod model;
mod money;
mod run;
mod screens;
mod session;
pub mod terminal;
mod text;
mod theme;
mod ui;
mod update;
mod view;
mod widgets;

pub use action::{Action, Effect, ExternalProgram, Motion, Screen};
pub use as_of::AsOf;
pub use dialogs::Dialog;
pub use lifecycle::{Lifecycle, Plans};
pub use model::{Model, Notice, Tone, Work};
pub use run::{Pace, drive};
pub use session::TerminalSession;
pub use theme::Theme;
pub use ui::Ui;
pub use update::update;
pub use view::view;

/// What the dashboard is opened on.
pub struct Dashboard {
    /// What is to be assembled.
    pub project: Arc<Project>,
    /// The files that it came of.
    pub configs: Reading,
    /// How the user's own ssh is called; none where no node is real.
    pub ssh: Option<Interactive>,
    /// The engine that does it.
    pub handle: Handle,
    /// The time.
    pub clock: Clock,
    /// The time zone of the times shown.
    pub zone: TimeZone,
    /// Whether the world is simulated; every screen shows it.
    pub simulated: bool,
    /// Simulated worlds to choose from: name and description.
    pub scenarios: Vec<(String, String)>,
    /// The one this is.
    pub scenario: Option<String>,
    /// Whether it opens with the question what to launch.
    pub launching: bool,
}

/// How the dashboard was left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The user quit.
    Quit,
    /// The user wants this simulated world instead.
    OpenScenario(String),
    /// The cluster is terminated and the user launches the next one.
    NextCluster,
    /// A signal ended it; the exit code is 128 and its number.
    Signal(Signal),
}

/// An engine without the state that it began with.
pub struct Ends {
    /// Takes commands.
    pub commands: UnboundedSender<Command>,
    /// Sends updates.
    pub updates: UnboundedReceiver<Update>,
    /// Ends when the engine has.
    pub task: JoinHandle<()>,
}

impl Dashboard {
    /// What the screens show, and the ends of the engine.
    pub fn split(self) -> (Model, Ends) {
        let Handle { commands, updates, state, logs, read_only, task, damage, waits } = self.handle;
        let mut model = Model {
            project: self.project,
            state,
            survey: None,
            findings: None,
            // The first look is asked for as soon as the first frame stands.
            refreshing: Some(self.clock.now()),
            busy: Vec::new(),
            notices: std::collections::VecDeque::new(),
            as_of: std::collections::BTreeMap::new(),
            down_plan: None,
            plans: Plans::default(),
            fix_plan: None,
            planning: false,
            fix_refused: None,
            fix_preview: None,
            leftovers: None,
            configs: Arc::new(self.configs),
            changed_files: Vec::new(),
            forwarded: None,
            logs,
            waits,
            clock: self.clock,
            zone: self.zone,
            simulated: self.simulated,
            read_only,
            scenarios: self.scenarios,
            scenario: self.scenario,
            work: Work::None,
            work_before: Work::None,
            ending: false,
        };
        if let Some(failure) = damage {
            model.fold(Update::Notice(failure));
        }
        (model, Ends { commands, updates, task })
    }
}

/// Runs `dashboard` on the real terminal until it is left. The caller gives the
/// terminal back, by dropping the guard at the latest.
pub async fn run(
    dashboard: Dashboard,
    terminal: &mut terminal::Guard,
) -> color_eyre::Result<Outcome> {
    preload(&dashboard.handle);
    let theme = Theme::from_environment(|name| std::env::var(name).ok());
    let signals = Signals::new()?;
    let (terminal, keyboard, handle) = terminal.split();
    let mut session = session::Real::new(handle, keyboard, dashboard.ssh.clone());
    Ok(drive(dashboard, theme, Pace::default(), terminal, &mut session, signals).await)
}

/// Reads what earlier runs left in the nodes' log files, which takes a while
/// and would be done when a key first shows them.
fn preload(handle: &Handle) {
    let logs = Arc::clone(&handle.logs);
    let launched = handle.state.nodes.values().filter(|node| node.instance.is_some());
    let nodes: Vec<_> = launched.map(|node| node.name.clone()).collect();
    tokio::task::spawn_blocking(move || nodes.iter().for_each(|node| logs.with(node, |_| ())));
}
