//! The event loop on an in-memory terminal: with an engine on a simulated world,
//! and with an engine that sends what a test wants. All on paused time.

mod ending;
mod external;
mod pace;
mod stories;

use std::{future::Future, io, sync::Arc, time::Duration};

use crossterm::event::Event as Input;
use futures_util::stream;
use jiff::tz::TimeZone;
use muster::{
    config::{Overrides, Reading},
    engine::{self, Command, Handle, LogStore, Parts, Update},
    journal::Store,
    model::{ClusterId, Failure},
    signals::Signal,
    sim::{Scenario, World},
    tui::{Dashboard, ExternalProgram, Outcome, Pace, TerminalSession, Theme, drive},
};
use ratatui::Terminal;
use tokio::sync::{
    mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    oneshot,
};

use super::{fixture, test_dashboard, test_terminal::TestTerminal};

/// A test's keyboard and screen.
struct Live {
    test_terminal: TestTerminal,
    /// The external program that has the terminal, and the sender of its result.
    running: UnboundedReceiver<(ExternalProgram, oneshot::Sender<Result<(), Failure>>)>,
    keys: UnboundedSender<io::Result<Input>>,
    signals: UnboundedSender<Signal>,
}

impl Live {
    fn press(&self, text: &str) {
        for key in test_dashboard::keys(text) {
            self.keys.send(Ok(Input::Key(key))).unwrap();
        }
    }

    async fn until(&self, wanted: &str) {
        self.test_terminal.until(wanted).await;
    }
}

/// The session of a test.
struct TestSession {
    keys: UnboundedReceiver<io::Result<Input>>,
    copied: Vec<String>,
    running: UnboundedSender<(ExternalProgram, oneshot::Sender<Result<(), Failure>>)>,
}

impl TerminalSession for TestSession {
    async fn next(&mut self) -> Option<io::Result<Input>> {
        self.keys.recv().await
    }

    fn copy(&mut self, text: &str) {
        self.copied.push(text.to_owned());
    }

    async fn run_external(
        &mut self,
        external: &ExternalProgram,
        stop: oneshot::Receiver<()>,
    ) -> Result<(), Failure> {
        let (done, ended) = oneshot::channel();
        self.running.send((external.clone(), done)).unwrap();
        tokio::select! {
            result = ended => result.unwrap(),
            _ = stop => Err(Failure::new("stopped")),
        }
    }
}

/// Converts a channel's receiver to a stream.
fn stream_of<T>(receiver: UnboundedReceiver<T>) -> impl futures_util::Stream<Item = T> + Unpin {
    Box::pin(stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|item| (item, receiver))
    }))
}

/// Runs `dashboard` while `story` reads the screen and presses keys; returns how the
/// dashboard was left and what it copied.
async fn play<F: Future>(
    dashboard: Dashboard,
    (width, height): (u16, u16),
    pace: Pace,
    story: impl FnOnce(Live) -> F,
) -> (Outcome, Vec<String>) {
    let test_terminal = TestTerminal::new(width, height);
    let (keys, keys_in) = unbounded_channel();
    let (signals, signals_in) = unbounded_channel();
    let (running, programs) = unbounded_channel();
    let mut terminal = Terminal::new(test_terminal.behind()).unwrap();
    let mut session = TestSession { keys: keys_in, copied: Vec::new(), running };
    let signals_in = stream_of(signals_in);
    let theme = Theme::colours();
    let run = drive(dashboard, theme, pace, &mut terminal, &mut session, signals_in);
    let live = Live { test_terminal, running: programs, keys, signals };
    let (outcome, _) = tokio::join!(run, story(live));
    (outcome, session.copied)
}

/// The dashboard on the built-in world `name`.
fn simulated(name: &str) -> Dashboard {
    let scenario = Scenario::built_in(name).unwrap();
    let files = scenario.files(Overrides::default());
    let project = Arc::new(files.load().project.unwrap());
    let world = World::new(&scenario);
    let handle = engine::start(Parts {
        project: Arc::clone(&project),
        files,
        cloud: world.cloud(),
        remote: world.remote(),
        clock: world.clock(),
        store: Store::in_memory(ClusterId::new("tpch-demo-000001")),
    });
    let scenarios = Scenario::names().iter();
    let scenarios = scenarios.map(|(name, about)| ((*name).to_owned(), (*about).to_owned()));
    Dashboard {
        ssh: None,
        configs: Reading {
            sources: project.sources.clone(),
            in_memory: true,
            ..Reading::default()
        },
        project,
        handle,
        clock: world.clock(),
        zone: TimeZone::UTC,
        simulated: true,
        scenarios: scenarios.collect(),
        scenario: Some(name.to_owned()),
        launching: false,
    }
}

/// One frame per second is enough for tests that wait for text.
const SLOW: Pace = Pace { frame: Duration::from_secs(1) };

/// The engine's side of a handle, driven by a test.
struct Puppet {
    commands: UnboundedReceiver<Command>,
    updates: UnboundedSender<Update>,
    logs: Arc<LogStore>,
}

/// Returns a dashboard whose engine is driven by a test, on a stopped clock.
fn puppet() -> (Dashboard, Puppet) {
    let model = fixture::model(0);
    let (commands, commands_in) = unbounded_channel();
    let (updates, updates_in) = unbounded_channel();
    let handle = Handle {
        commands,
        updates: updates_in,
        state: model.state,
        logs: Arc::clone(&model.logs),
        waits: muster::waits::Waits::default(),
        task: tokio::spawn(async {}),
        read_only: None,
        damage: None,
    };
    let dashboard = Dashboard {
        project: model.project,
        ssh: None,
        configs: (*model.configs).clone(),
        handle,
        clock: model.clock,
        zone: model.zone,
        simulated: false,
        scenarios: Vec::new(),
        scenario: None,
        launching: false,
    };
    (dashboard, Puppet { commands: commands_in, updates, logs: model.logs })
}
