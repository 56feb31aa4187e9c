//! Commands: they belong to their connection, unlike scripts.

use std::time::Duration;

use futures_util::future::{join, join_all};
use muster::remote::{Printed, RemoteErrorKind, Result, Session};
use tokio::{sync::mpsc, time::timeout};

use super::{BREAKS, COMPLAINS, FAILS, HANGS, PRINTS, SILENT, Step, TestHost, World, connect};

struct Output {
    out: Vec<String>,
    err: Vec<String>,
    status: Result<i32>,
}

async fn exec(world: &dyn World, session: &dyn Session, step: &Step) -> Output {
    watch(world, session, step, async |_| {}).await
}

/// The same; sends the number of lines to `seen` after each line.
async fn watch(
    world: &dyn World,
    session: &dyn Session,
    step: &Step,
    seen: impl AsyncFn(usize),
) -> Output {
    let (sender, mut receiver) = mpsc::channel(8);
    let gather = async {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        while let Some(line) = receiver.recv().await {
            match line {
                Printed::Out(line) => out.push(line),
                Printed::Err(line) => err.push(line),
            }
            seen(out.len() + err.len()).await;
        }
        (out, err)
    };
    let command = world.command(step);
    let (status, (out, err)) = join(session.exec(&command, sender), gather).await;
    Output { out, err, status }
}

pub(super) async fn what_a_command_prints_is_kept_apart(world: &dyn World) {
    let session = connect(world, TestHost::Reachable).await;
    let output = exec(world, &*session, &COMPLAINS).await;
    assert_eq!((output.out, output.err), (owned(COMPLAINS.lines), owned(COMPLAINS.errors)));
    assert_eq!(output.status.unwrap(), 4);
    session.close().await;
}

fn owned(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

pub(super) async fn a_command_returns_its_exit_status(world: &dyn World) {
    let session = connect(world, TestHost::Reachable).await;
    for step in [PRINTS, FAILS, SILENT] {
        let output = exec(world, &*session, &step).await;
        assert_eq!((output.out, output.err), (owned(step.lines), Vec::new()), "{}", step.name);
        assert_eq!(output.status.unwrap(), step.exit, "{}", step.name);
    }
    session.close().await;
}

pub(super) async fn a_command_runs_again_each_time(world: &dyn World) {
    let session = connect(world, TestHost::Reachable).await;
    for _ in 0..2 {
        let output = exec(world, &*session, &PRINTS).await;
        assert_eq!((output.out, output.status.unwrap()), (owned(PRINTS.lines), 0));
    }
    session.close().await;
}

pub(super) async fn a_command_is_lost_with_its_connection(world: &dyn World) {
    let session = connect(world, TestHost::Reachable).await;
    let cut = async |lines| {
        if lines == 2 {
            world.cut().await;
        }
    };
    let output = watch(world, &*session, &BREAKS, cut).await;
    let error = output.status.unwrap_err();
    assert_eq!(error.kind, RemoteErrorKind::Lost, "{error}");
    assert_eq!(output.out, BREAKS.lines[..2]);
    session.close().await;
}

pub(super) async fn commands_run_side_by_side(world: &dyn World) {
    let session = connect(world, TestHost::Reachable).await;
    let steps = [COMPLAINS, PRINTS, FAILS];
    let output = join_all(steps.iter().map(|step| exec(world, &*session, step))).await;
    for (step, output) in steps.iter().zip(output) {
        assert_eq!((output.out, output.status.unwrap()), (owned(step.lines), step.exit));
    }
    session.close().await;
}

pub(super) async fn a_connection_that_holds_is_not_lost(world: &dyn World) {
    let session = connect(world, TestHost::Reachable).await;
    let (sender, mut lines) = mpsc::channel(8);
    let command = world.command(&HANGS);
    tokio::select! {
        error = session.lost() => panic!("{error}"),
        status = session.exec(&command, sender) => panic!("it goes on for ever: {status:?}"),
        line = lines.recv() => assert_eq!(line, Some(Printed::Out("begun".into()))),
    }
    let more = timeout(Duration::from_millis(100), session.lost()).await;
    assert!(more.is_err(), "ending a command does not end the connection");
    session.close().await;
}
