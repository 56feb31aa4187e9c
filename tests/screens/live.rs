//! The run loop on a terminal in memory: with an engine on a simulated world,
//! and with an engine that says what a test wants it to. All on paused time.

mod ending;
mod lending;
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
    tui::{Dashboard, Errand, Outcome, Pace, Seat, Theme, drive},
};
use ratatui::Terminal;
use tokio::sync::{
    mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    oneshot,
};

use super::{desk, fixture, glass::Glass};

/// A test's hands and eyes.
struct Live {
    glass: Glass,
    /// What the terminal is lent to, and who says how that ended.
    lent: UnboundedReceiver<(Errand, oneshot::Sender<Result<(), Failure>>)>,
    keys: UnboundedSender<io::Result<Input>>,
    signals: UnboundedSender<Signal>,
}

impl Live {
    fn press(&self, text: &str) {
        for key in desk::keys(text) {
            self.keys.send(Ok(Input::Key(key))).unwrap();
        }
    }

    async fn until(&self, wanted: &str) {
        self.glass.until(wanted).await;
    }
}

/// Where the test sits.
struct TestSeat {
    keys: UnboundedReceiver<io::Result<Input>>,
    copied: Vec<String>,
    lent: UnboundedSender<(Errand, oneshot::Sender<Result<(), Failure>>)>,
}

impl Seat for TestSeat {
    async fn next(&mut self) -> Option<io::Result<Input>> {
        self.keys.recv().await
    }

    fn copy(&mut self, text: &str) {
        self.copied.push(text.to_owned());
    }

    async fn lend(&mut self, errand: &Errand, stop: oneshot::Receiver<()>) -> Result<(), Failure> {
        let (done, ended) = oneshot::channel();
        self.lent.send((errand.clone(), done)).unwrap();
        tokio::select! {
            result = ended => result.unwrap(),
            _ = stop => Err(Failure::new("stopped")),
        }
    }
}

/// What comes through a channel, as a stream.
fn stream_of<T>(receiver: UnboundedReceiver<T>) -> impl futures_util::Stream<Item = T> + Unpin {
    Box::pin(stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|item| (item, receiver))
    }))
}

/// Runs `dashboard` while `story` looks and presses keys; answers how the
/// dashboard was left and what it copied.
async fn play<F: Future>(
    dashboard: Dashboard,
    (width, height): (u16, u16),
    pace: Pace,
    story: impl FnOnce(Live) -> F,
) -> (Outcome, Vec<String>) {
    let glass = Glass::new(width, height);
    let (keys, keys_in) = unbounded_channel();
    let (signals, signals_in) = unbounded_channel();
    let (lent, lent_out) = unbounded_channel();
    let mut terminal = Terminal::new(glass.behind()).unwrap();
    let mut seat = TestSeat { keys: keys_in, copied: Vec::new(), lent };
    let signals_in = stream_of(signals_in);
    let theme = Theme::colours();
    let run = drive(dashboard, theme, pace, &mut terminal, &mut seat, signals_in);
    let live = Live { glass, lent: lent_out, keys, signals };
    let (outcome, _) = tokio::join!(run, story(live));
    (outcome, seat.copied)
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

/// One frame a second is enough where a test waits for what is shown.
const SLOW: Pace = Pace { frame: Duration::from_secs(1) };

/// The engine's side of a handle, for a test to play.
struct Puppet {
    commands: UnboundedReceiver<Command>,
    updates: UnboundedSender<Update>,
    logs: Arc<LogStore>,
}

/// A dashboard whose engine a test plays, on a clock that stands.
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
