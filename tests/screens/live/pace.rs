//! When frames are drawn, and that nothing delays a key.

use std::time::Duration;

use crossterm::event::Event as Input;
use muster::{
    engine::{Command, Update},
    model::Failure,
    tui::{Outcome, Pace},
};
use tokio::time::{Instant, sleep};

use super::{super::fixture, Live, play, puppet, simulated};

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

#[tokio::test(start_paused = true)]
async fn nothing_is_drawn_where_nothing_changed() {
    let (dashboard, mut puppet) = puppet();
    let story = |live: Live| async move {
        puppet.commands.recv().await;
        live.until("muster").await;
        let before = live.test_terminal.frames();
        sleep(Duration::from_mins(1)).await;
        assert_eq!(live.test_terminal.frames(), before);
        fixture::log(&puppet.logs, &"us-west-2/head".into(), 1, "packages", "a line");
        sleep(Duration::from_secs(2)).await;
        assert_eq!(live.test_terminal.frames(), before + 1);
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
        let before = live.test_terminal.frames();
        // Ten thousand updates within a second.
        for number in 0..10_000 {
            let notice = Update::Notice(Failure::new(format!("number {number}")));
            puppet.updates.send(notice).unwrap();
            if number % 10 == 0 {
                sleep(Duration::from_millis(1)).await;
            }
        }
        live.until("number 9999").await;
        let frames = live.test_terminal.frames() - before;
        assert!((10..=32).contains(&frames), "{frames} frames in a second");
        let before = live.test_terminal.frames();
        live.press("j j j j j");
        live.press("2");
        live.until("2 [Instances]").await;
        assert_eq!(live.test_terminal.frames() - before, 6, "each key is drawn");
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
        for command in [Command::Refresh, Command::WatchFiles, Command::Shutdown] {
            assert_eq!(puppet.commands.recv().await, Some(command));
        }
        drop(puppet.updates);
    };
    let (outcome, _) = play(dashboard, (80, 24), Pace::default(), story).await;
    assert_eq!(outcome, Outcome::Quit);
}
