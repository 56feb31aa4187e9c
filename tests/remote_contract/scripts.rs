//! Scripts: their lines, their ends, and what survives a connection.

use muster::remote::{Exit, RemoteErrorKind};
use tokio::sync::mpsc;

use super::{BREAKS, FAILS, HANGS, PRINTS, SILENT, TestHost, World, connect, run, watch};

fn owned(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

pub(super) async fn lines_come_in_order_and_then_the_exit_status(world: &dyn World) {
    let session = connect(world, TestHost::Reachable).await;
    let (lines, exit) = run(world, &*session, &PRINTS, 0).await;
    assert_eq!((lines, exit.unwrap()), (owned(PRINTS.lines), Exit::Status(0)));
    session.close().await;
}

pub(super) async fn a_failing_script_returns_its_status(world: &dyn World) {
    let session = connect(world, TestHost::Reachable).await;
    let (lines, exit) = run(world, &*session, &FAILS, 0).await;
    assert_eq!((lines, exit.unwrap()), (owned(&["a reason"]), Exit::Status(3)));
    session.close().await;
}

pub(super) async fn a_script_that_prints_nothing(world: &dyn World) {
    let session = connect(world, TestHost::Reachable).await;
    let (lines, exit) = run(world, &*session, &SILENT, 0).await;
    assert_eq!((lines, exit.unwrap()), (Vec::new(), Exit::Status(0)));
    session.close().await;
}

pub(super) async fn the_time_limit_ends_a_script(world: &dyn World) {
    let session = connect(world, TestHost::Reachable).await;
    let (lines, exit) = run(world, &*session, &HANGS, 0).await;
    assert_eq!((lines, exit.unwrap()), (owned(&["begun"]), Exit::TimedOut));
    session.close().await;
}

pub(super) async fn a_finished_script_is_reported_again(world: &dyn World) {
    for step in [PRINTS, FAILS, HANGS] {
        let session = connect(world, TestHost::Reachable).await;
        let (lines, exit) = run(world, &*session, &step, 0).await;
        session.close().await;
        let session = connect(world, TestHost::Reachable).await;
        let (again, exit_again) = run(world, &*session, &step, 0).await;
        assert_eq!((lines, exit.unwrap()), (again, exit_again.unwrap()), "{}", step.name);
        session.close().await;
    }
}

pub(super) async fn recorded_lines_are_not_repeated(world: &dyn World) {
    let session = connect(world, TestHost::Reachable).await;
    for (skip, rest) in [(0, PRINTS.lines), (2, &["three"]), (3, &[]), (9, &[])] {
        let (lines, exit) = run(world, &*session, &PRINTS, skip).await;
        assert_eq!(lines, rest, "the first {skip} left out");
        assert_eq!(exit.unwrap(), Exit::Status(0));
    }
    session.close().await;
}

pub(super) async fn a_lost_connection_is_picked_up(world: &dyn World) {
    let session = connect(world, TestHost::Reachable).await;
    let cut = async |lines| {
        if lines == 2 {
            world.cut().await;
        }
    };
    let (before, outcome) = watch(world, &*session, &BREAKS, 0, cut).await;
    let error = outcome.unwrap_err();
    assert_eq!(error.kind, RemoteErrorKind::Lost, "{error}");
    assert!(error.kind.is_transient());
    session.close().await;

    let session = connect(world, TestHost::Reachable).await;
    let received = u64::try_from(before.len()).unwrap();
    let (after, exit) = run(world, &*session, &BREAKS, received).await;
    assert_eq!([before, after].concat(), BREAKS.lines, "nothing twice, nothing missing");
    assert_eq!(exit.unwrap(), Exit::Status(5));
    session.close().await;
}

pub(super) async fn a_script_goes_on_when_nobody_waits(world: &dyn World) {
    let session = connect(world, TestHost::Reachable).await;
    let (sender, mut lines) = mpsc::channel(1);
    let script = PRINTS.script(world);
    tokio::select! {
        outcome = session.run(&script, 0, sender) => panic!("ended before its first line: {outcome:?}"),
        line = lines.recv() => assert_eq!(line.as_deref(), Some("one")),
    }
    drop(session);
    let session = connect(world, TestHost::Reachable).await;
    let (lines, exit) = run(world, &*session, &PRINTS, 1).await;
    assert_eq!((lines, exit.unwrap()), (owned(&["two", "three"]), Exit::Status(0)));
    session.close().await;
}

pub(super) async fn a_script_ends_without_a_reader(world: &dyn World) {
    let session = connect(world, TestHost::Reachable).await;
    let (sender, receiver) = mpsc::channel(1);
    drop(receiver);
    let exit = session.run(&FAILS.script(world), 0, sender).await;
    assert_eq!(exit.unwrap(), Exit::Status(3));
    session.close().await;
}

pub(super) async fn scripts_run_side_by_side_on_one_connection(world: &dyn World) {
    let session = connect(world, TestHost::Reachable).await;
    let (printing, failing, silent) = tokio::join!(
        run(world, &*session, &PRINTS, 0),
        run(world, &*session, &FAILS, 0),
        run(world, &*session, &SILENT, 0),
    );
    assert_eq!((printing.0, printing.1.unwrap()), (owned(PRINTS.lines), Exit::Status(0)));
    assert_eq!((failing.0.len(), failing.1.unwrap()), (1, Exit::Status(3)));
    assert_eq!((silent.0.len(), silent.1.unwrap()), (0, Exit::Status(0)));
    session.close().await;
}

pub(super) async fn two_connections_share_one_run(world: &dyn World) {
    let (one, two) =
        tokio::join!(connect(world, TestHost::Reachable), connect(world, TestHost::Reachable));
    let (first, second) = tokio::join!(run(world, &*one, &HANGS, 0), run(world, &*two, &HANGS, 0));
    assert_eq!((first.0, first.1.unwrap()), (second.0, second.1.unwrap()));
    tokio::join!(one.close(), two.close());
}
