//! An external program has the terminal.

use std::{path::Path, time::Duration};

use muster::{
    engine::{Command, Update},
    model::Failure,
    signals::Signal,
    tui::{ExternalProgram, Outcome},
};
use tokio::time::sleep;

use super::{Live, SLOW, play, puppet};

/// While the editor has the terminal, nothing is drawn and no key is read; updates
/// that arrive meanwhile are shown afterwards.
#[tokio::test(start_paused = true)]
async fn the_editor_has_the_terminal_for_itself() {
    let (dashboard, mut puppet) = puppet();
    let story = |mut live: Live| async move {
        live.press("6 j j");
        live.until("6 [Config]").await;
        live.press("e");
        let (external, done) = live.running.recv().await.unwrap();
        let file = Path::new("muster.yaml").into();
        assert_eq!(external, ExternalProgram::Edit { file, line: 3, column: 1 });
        let frames = live.test_terminal.frames();
        let notice = Failure::new("reported meanwhile");
        puppet.updates.send(Update::Notice(notice)).unwrap();
        live.signals.send(Signal::Interrupt).unwrap();
        sleep(Duration::from_secs(5)).await;
        assert_eq!(live.test_terminal.frames(), frames);
        done.send(Err(Failure::new("vi ended with exit status: 1"))).unwrap();
        live.until("vi ended with exit status: 1").await;
        live.press("j");
        live.until("reported meanwhile").await;
        for command in [Command::Refresh, Command::WatchFiles, Command::ReloadChanged] {
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
        let (_, done) = live.running.recv().await.unwrap();
        live.signals.send(Signal::Terminate).unwrap();
        sleep(Duration::from_secs(1)).await;
        assert!(done.is_closed(), "the editor was asked to exit");
        drop(puppet.updates);
    };
    let (outcome, _) = play(dashboard, (80, 24), SLOW, story).await;
    assert_eq!(outcome, Outcome::Signal(Signal::Terminate));
}
