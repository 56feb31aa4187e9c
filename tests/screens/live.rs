//! The run loop on a terminal in memory: with an engine on a simulated world,
//! and with an engine that says what a test wants it to. All on paused time.

use std::{future::Future, io, path::Path, sync::Arc, time::Duration};

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
use tokio::{
    sync::{
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
        oneshot,
    },
    time::{Instant, sleep},
};

use super::{SIZES, desk, fixture, glass::Glass};

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

#[tokio::test(start_paused = true)]
async fn the_six_mistakes_are_seen_each_with_its_cause() {
    for size in SIZES {
        let story = |live: Live| async move {
            live.until("Preflight ✗6").await;
            let text = live.glass.text();
            for mistake in [
                "key pair quokka is missing",
                "key pair quokka is another key",
                "is an image of us-west-2",
                "security group sg-0b7e14d5c3a29f860 is in the default VPC",
                "peering waits for acceptance",
                "has no route to 10.3.0.0/16",
                "SIMULATED",
            ] {
                assert!(text.contains(mistake), "{mistake} is missing:\n{text}");
            }
            for (key, cause) in [
                ("", "InvalidKeyPair.NotFound"),
                ("j", "Permission denied (publickey)"),
                ("j", "InvalidAMIID.NotFound"),
                ("j", "InvalidGroup.NotFound"),
                ("j", "peering"),
                ("j", "rtb-04d5e6f7a8b9c0122"),
            ] {
                live.press(key);
                live.press("enter");
                live.until("3 [Preflight]").await;
                live.until(cause).await;
                live.press("1");
                live.until("1 [Overview]").await;
            }
            live.press("q");
        };
        let (outcome, _) = play(simulated("mistakes"), size, SLOW, story).await;
        assert_eq!(outcome, Outcome::Quit);
    }
}

#[tokio::test(start_paused = true)]
async fn a_healthy_world_is_launched_watched_and_left() {
    let story = |live: Live| async move {
        live.until("Nothing stands in the way").await;
        live.press("u");
        live.until("Launch tpch-demo").await;
        assert!(live.glass.text().contains("9 machines"), "{}", live.glass.text());
        live.press("L");
        live.until("4 [Bootstrap]").await;
        live.until("▶").await;
        live.press("2");
        live.until("▶ booting").await;
        live.until("▶ bootstrap").await;
        live.press("5");
        live.until("muster-check").await;
        live.press("1");
        live.until("the cluster is ready: 9 of 9 nodes").await;
        live.until("us-west-2/head leads").await;
        live.press("2 y q");
        live.until("Quit muster?").await;
        live.press("q");
    };
    let (outcome, copied) = play(simulated("healthy"), (120, 40), SLOW, story).await;
    assert_eq!(outcome, Outcome::Quit);
    assert!(copied.len() == 1 && copied[0].starts_with("i-"), "{copied:?}");
}

#[tokio::test(start_paused = true)]
async fn a_cluster_is_ended_after_it_was_shown() {
    let story = |live: Live| async move {
        live.until("Nothing stands in the way").await;
        live.press("u L 1");
        live.until("9 of 9 ready").await;
        live.press("D");
        live.until("to terminate 9 instances").await;
        live.press("'terminate' enter");
        live.until("every instance of the cluster is gone").await;
        live.press("1");
        live.until("nothing runs and nothing is billed").await;
        // Nothing goes on, so nothing is asked.
        live.press("q");
    };
    let (outcome, _) = play(simulated("healthy"), (80, 24), SLOW, story).await;
    assert_eq!(outcome, Outcome::Quit);
}

#[tokio::test(start_paused = true)]
async fn another_world_is_a_key_away() {
    let story = |live: Live| async move {
        live.until("Preflight ✗6").await;
        live.press("w");
        live.until("★ this one").await;
        live.press("j enter");
    };
    let (outcome, _) = play(simulated("mistakes"), (80, 24), SLOW, story).await;
    assert_eq!(outcome, Outcome::OpenScenario("healthy".into()));
}

#[tokio::test(start_paused = true)]
async fn a_hung_call_delays_no_key() {
    let story = |live: Live| async move {
        live.until("Reading 3 regions").await;
        let before = Instant::now();
        for (key, shown) in [
            ("2", "2 [Instances]"),
            ("3", "3 [Preflight]"),
            ("?", "On every screen"),
            ("esc u", "Launch tpch-demo"),
            ("esc", "3 [Preflight]"),
        ] {
            live.press(key);
            live.until(shown).await;
        }
        assert_eq!(Instant::now(), before, "no time passes between a key and its frame");
        live.press("q");
    };
    let (outcome, _) = play(simulated("hang"), (80, 24), Pace::default(), story).await;
    assert_eq!(outcome, Outcome::Quit);
}

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
        task: tokio::spawn(async {}),
        read_only: None,
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

#[tokio::test(start_paused = true)]
async fn the_first_thing_asked_for_is_a_look_and_the_last_one_to_stop() {
    let (dashboard, mut puppet) = puppet();
    let story = |live: Live| async move {
        assert_eq!(puppet.commands.recv().await, Some(Command::Look));
        assert_eq!(puppet.commands.recv().await, Some(Command::WatchFiles));
        live.press("q");
        assert_eq!(puppet.commands.recv().await, Some(Command::Stop));
        // What must finish is waited for, and said.
        puppet.updates.send(Update::Busy(vec!["RunInstances in eu-west-1".into()])).unwrap();
        live.until("RunInstances in eu-west-1").await;
        assert!(live.glass.text().contains("Leaving"));
        drop(puppet.updates);
    };
    let (outcome, _) = play(dashboard, (80, 24), Pace::default(), story).await;
    assert_eq!(outcome, Outcome::Quit);
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_does_not_end_can_be_left() {
    let (dashboard, puppet) = puppet();
    let story = |live: Live| async move {
        live.press("q");
        live.until("Leaving").await;
        live.press("q");
        puppet
    };
    let (outcome, _) = play(dashboard, (80, 24), Pace::default(), story).await;
    assert_eq!(outcome, Outcome::Quit);
}

#[tokio::test(start_paused = true)]
async fn a_signal_ends_it_in_order_and_a_second_one_at_once() {
    for (count, ends) in [(1, true), (2, false)] {
        let (dashboard, mut puppet) = puppet();
        let story = |live: Live| async move {
            live.until("muster").await;
            for _ in 0..count {
                live.signals.send(Signal::Terminate).unwrap();
            }
            puppet.commands.recv().await;
            puppet.commands.recv().await;
            assert_eq!(puppet.commands.recv().await, Some(Command::Stop));
            (!ends).then_some(puppet)
        };
        let (outcome, _) = play(dashboard, (80, 24), Pace::default(), story).await;
        assert_eq!(outcome, Outcome::Signal(Signal::Terminate));
    }
    assert_eq!(
        [1, 2, 15],
        [Signal::Hangup, Signal::Interrupt, Signal::Terminate].map(Signal::number)
    );
}

#[tokio::test(start_paused = true)]
async fn a_terminal_that_is_gone_is_a_hangup() {
    let (dashboard, puppet) = puppet();
    let story = |live: Live| async move {
        live.until("muster").await;
        drop((live.keys, puppet.updates));
    };
    let (outcome, _) = play(dashboard, (80, 24), Pace::default(), story).await;
    assert_eq!(outcome, Outcome::Signal(Signal::Hangup));
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_is_gone_is_told_and_the_dashboard_stays() {
    let (dashboard, puppet) = puppet();
    let story = |live: Live| async move {
        drop(puppet.updates);
        live.until("the engine has stopped").await;
        live.press("2");
        live.until("2 [Instances]").await;
        live.press("q");
    };
    let (outcome, _) = play(dashboard, (80, 24), Pace::default(), story).await;
    assert_eq!(outcome, Outcome::Quit);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_drawn_where_nothing_changed() {
    let (dashboard, mut puppet) = puppet();
    let story = |live: Live| async move {
        puppet.commands.recv().await;
        live.until("muster").await;
        let before = live.glass.frames();
        sleep(Duration::from_mins(1)).await;
        assert_eq!(live.glass.frames(), before);
        fixture::log(&puppet.logs, &"us-west-2/head".into(), 1, "packages", "a line");
        sleep(Duration::from_secs(2)).await;
        assert_eq!(live.glass.frames(), before + 1);
        live.press("q");
        drop(puppet.updates);
    };
    play(dashboard, (80, 24), Pace::default(), story).await;
}

#[tokio::test(start_paused = true)]
async fn updates_are_gathered_and_keys_are_not() {
    let (dashboard, puppet) = puppet();
    let story = |live: Live| async move {
        live.until("muster").await;
        let before = live.glass.frames();
        // Ten thousand updates within a second.
        for number in 0..10_000 {
            let notice = Update::Notice(Failure::new(format!("number {number}")));
            puppet.updates.send(notice).unwrap();
            if number % 10 == 0 {
                sleep(Duration::from_millis(1)).await;
            }
        }
        live.until("number 9999").await;
        let frames = live.glass.frames() - before;
        assert!((10..=32).contains(&frames), "{frames} frames in a second");
        let before = live.glass.frames();
        live.press("j j j j j");
        live.press("2");
        live.until("2 [Instances]").await;
        assert_eq!(live.glass.frames() - before, 6, "each key is drawn");
        live.press("q");
    };
    play(dashboard, (80, 24), Pace::default(), story).await;
}

#[tokio::test(start_paused = true)]
async fn pasted_text_is_text_where_text_is_asked_for_and_nothing_elsewhere() {
    let (dashboard, mut puppet) = puppet();
    let story = |live: Live| async move {
        live.until("muster").await;
        live.keys.send(Ok(Input::Paste("q\nD".into()))).unwrap();
        live.press("2 /");
        live.keys.send(Ok(Input::Paste("eu-\u{1b}west\n".into()))).unwrap();
        live.until("/ eu-west█").await;
        live.press("esc q");
        for command in [Command::Look, Command::WatchFiles, Command::Stop] {
            assert_eq!(puppet.commands.recv().await, Some(command));
        }
        drop(puppet.updates);
    };
    let (outcome, _) = play(dashboard, (80, 24), Pace::default(), story).await;
    assert_eq!(outcome, Outcome::Quit);
}

/// From six red lines to ready for launch, by keys alone.
#[tokio::test(start_paused = true)]
async fn six_mistakes_are_mended_by_keys() {
    for size in SIZES {
        let story = |live: Live| async move {
            live.until("Preflight ✗6").await;
            live.until("import your key").await;
            live.press("F");
            live.until("[ Change ]").await;
            live.press("C");
            live.until("No check fails any more").await;
            live.press("esc");
            live.until("Nothing stands in the way").await;
            live.press("q");
        };
        let (outcome, _) = play(simulated("mistakes"), size, SLOW, story).await;
        assert_eq!(outcome, Outcome::Quit);
    }
}

/// While the editor has the terminal nothing is drawn and no key is taken; what
/// comes meanwhile is there afterwards.
#[tokio::test(start_paused = true)]
async fn the_editor_has_the_terminal_for_itself() {
    let (dashboard, mut puppet) = puppet();
    let story = |mut live: Live| async move {
        live.press("6 j j");
        live.until("6 [Config]").await;
        live.press("e");
        let (errand, done) = live.lent.recv().await.unwrap();
        let file = Path::new("muster.yaml").into();
        assert_eq!(errand, Errand::Edit { file, line: 3, column: 1 });
        let frames = live.glass.frames();
        let said = Failure::new("told meanwhile");
        puppet.updates.send(Update::Notice(said)).unwrap();
        live.signals.send(Signal::Interrupt).unwrap();
        sleep(Duration::from_secs(5)).await;
        assert_eq!(live.glass.frames(), frames);
        done.send(Err(Failure::new("vi ended with exit status: 1"))).unwrap();
        live.until("vi ended with exit status: 1").await;
        live.press("j");
        live.until("told meanwhile").await;
        for command in [Command::Look, Command::WatchFiles, Command::ReloadChanged] {
            assert_eq!(puppet.commands.recv().await, Some(command));
        }
        live.press("q");
        drop(puppet.updates);
    };
    let (outcome, _) = play(dashboard, (80, 24), SLOW, story).await;
    assert_eq!(outcome, Outcome::Quit);
}

#[tokio::test(start_paused = true)]
async fn a_signal_ends_the_editor_too() {
    let (dashboard, puppet) = puppet();
    let story = |mut live: Live| async move {
        live.press("6 e");
        let (_, done) = live.lent.recv().await.unwrap();
        live.signals.send(Signal::Terminate).unwrap();
        sleep(Duration::from_secs(1)).await;
        assert!(done.is_closed(), "the editor was told to end");
        drop(puppet.updates);
    };
    let (outcome, _) = play(dashboard, (80, 24), SLOW, story).await;
    assert_eq!(outcome, Outcome::Signal(Signal::Terminate));
}
