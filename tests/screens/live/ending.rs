//! Every way in which the dashboard or its engine ends.

use muster::{
    engine::{Command, Update},
    signals::Signal,
    tui::{Outcome, Pace},
};

use super::{Live, play, puppet};

#[tokio::test(start_paused = true)]
async fn the_first_command_is_a_refresh_and_the_last_one_stops() {
    let (dashboard, mut puppet) = puppet();
    let story = |live: Live| async move {
        assert_eq!(puppet.commands.recv().await, Some(Command::Refresh));
        assert_eq!(puppet.commands.recv().await, Some(Command::WatchFiles));
        live.press("q");
        assert_eq!(puppet.commands.recv().await, Some(Command::Shutdown));
        // Calls that must finish are waited for and shown.
        puppet.updates.send(Update::Busy(vec!["RunInstances in eu-west-1".into()])).unwrap();
        live.until("RunInstances in eu-west-1").await;
        assert!(live.test_terminal.text().contains("Leaving"));
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
            assert_eq!(puppet.commands.recv().await, Some(Command::Shutdown));
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
async fn a_closed_terminal_is_a_hangup() {
    let (dashboard, puppet) = puppet();
    let story = |live: Live| async move {
        live.until("muster").await;
        drop((live.keys, puppet.updates));
    };
    let (outcome, _) = play(dashboard, (80, 24), Pace::default(), story).await;
    assert_eq!(outcome, Outcome::Signal(Signal::Hangup));
}

#[tokio::test(start_paused = true)]
async fn an_exited_engine_is_reported_and_the_dashboard_stays() {
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
