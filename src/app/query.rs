//! `muster query`: a small query with a known result through the cluster, by
//! the operator's Python.

mod python;

use std::{path::Path, time::Duration};

use futures_util::StreamExt;

use self::python::{Ended, Python};
use super::{
    CliError, Exit, ProjectSession, Streams, engine_session::JsonEvent, forward::Forward,
    known::Known,
};
use crate::{
    cli::{Format, QueryArgs, UpArgs},
    handover::{Handover, QueryResult, query_program},
    model::Failure,
    report::{Tone, line},
    signals::Signals,
    waits::Scope,
};

/// How long the query after an `up` may take.
const AFTER_UP: Duration = Duration::from_mins(3);

/// Runs the query and prints its result.
pub async fn run(args: QueryArgs, streams: &mut Streams) -> Result<Exit, CliError> {
    let world = ProjectSession::open(&args.common.project)?;
    world.refuse_simulated("query", "a simulated cluster computes nothing")?;
    world.print_warnings(streams)?;
    let known = Known::open(&world, streams).await?;
    let handover = known.handover(&world, false)?;
    if let Some(why) = python::unfit(&args.python, &handover).await {
        return Err(CliError::usage(why));
    }
    let result = ask(&args.python, (&world, &known), args.timeout, streams).await?;
    match args.common.format {
        Format::Json => streams.out.json(&result)?,
        Format::Text => print(&result, streams)?,
    }
    Ok(exit_of(&result))
}

/// The last step of `up --query`, where all nodes are ready: the query, or a
/// line with the reason why this Python can't run it.
pub async fn after_up(
    args: &UpArgs,
    world: &ProjectSession,
    streams: &mut Streams,
) -> Result<Exit, CliError> {
    let known = Known::open(world, streams).await?;
    let handover = known.handover(world, false)?;
    let why = match &handover.versions {
        None => Some(Failure::new("what the recipe installed is not known to muster")),
        Some(_) => python::unfit(&args.python, &handover).await,
    };
    if let Some(why) = why {
        let line = format!("no query was run: {why}; `muster query --python PATH` runs one");
        streams.err.line(line)?;
        return Ok(Exit::DONE);
    }
    let result = ask(&args.python, (world, &known), AFTER_UP, streams).await?;
    match args.common.format {
        Format::Json => streams.out.json_line(&JsonEvent::Queried { result: &result })?,
        Format::Text => print(&result, streams)?,
    }
    Ok(exit_of(&result))
}

fn exit_of(result: &QueryResult) -> Exit {
    if result.right { Exit::DONE } else { Exit::FAILED }
}

/// Runs the query through SSH: through the `muster forward` that runs, or
/// through one for as long as it takes.
async fn ask(
    python: &Path,
    (world, known): (&ProjectSession, &Known),
    limit: Duration,
    streams: &mut Streams,
) -> Result<QueryResult, CliError> {
    let mut signals = Signals::new()?;
    let asking = async {
        if known.forwarded().is_some() {
            let handover = known.handover(world, false)?;
            return run_python(python, &handover, limit, streams).await;
        }
        let forward = Forward::open(world, known, streams).await?;
        let through = Some(forward.forwarded());
        let handover = Handover::of(&world.project, &known.state, through, false);
        let handover = handover.map_err(CliError::failed)?;
        forward.during(run_python(python, &handover, limit, streams)).await
    };
    tokio::select! {
        result = asking => result,
        // Dropped, the run is killed.
        Some(signal) = signals.next() => {
            let exit = Exit::signal(signal);
            Err(CliError::Failed { exit, failure: Failure::new("the query was ended") })
        }
    }
}

async fn run_python(
    python: &Path,
    handover: &Handover,
    limit: Duration,
    streams: &mut Streams,
) -> Result<QueryResult, CliError> {
    let nodes: usize = handover.regions.iter().map(|one| one.instance_ids.len()).sum();
    let (cluster, shown) = (&handover.cluster, python.display());
    streams.err.line(format!("asking {cluster} ({nodes} nodes) by {shown} …"))?;
    let _wait = streams.waits.begin(Scope::Local, "the query to end");
    let mut run = Python::start(python, &query_program(handover)).map_err(CliError::usage)?;
    match run.end(limit).await {
        Ended::Answered(result) => Ok(result),
        Ended::Failed(failure) => Err(CliError::failed(failure)),
        Ended::TimedOut(phase) => Err(CliError::failed(stuck(&phase, limit, handover))),
    }
}

fn print(result: &QueryResult, streams: &mut Streams) -> std::io::Result<()> {
    let out = &mut streams.out;
    out.line(out.paint().paint(Tone::Dim, "key  sum"))?;
    for (key, found, known) in &result.sums {
        let shown =
            |sum: &Option<i64>| sum.map_or_else(|| "none".to_owned(), |sum| sum.to_string());
        let wrong = if found == known { String::new() } else { format!("  not {}", shown(known)) };
        out.line(format!("{key:<3}  {}{wrong}", shown(found)))?;
    }
    let (mark, tone, word) =
        if result.right { ("✓", Tone::Good, "right") } else { ("✗", Tone::Bad, "wrong") };
    let mark = out.paint().paint(tone, format!("{mark} {word}"));
    let what = format!(
        ": the sums of {} rows by {} keys; context {:.1} s, query {:.1} s",
        result.rows,
        result.sums.len(),
        result.context_s,
        result.query_s
    );
    out.line(line![mark, what])
}

/// Where it hangs, and what that mostly comes of.
fn stuck(phase: &str, limit: Duration, handover: &Handover) -> Failure {
    let seconds = limit.as_secs();
    let leader = handover.leader_private_ip().map(|ip| ip.to_string()).unwrap_or_default();
    let (where_, cause) = match phase {
        "connect" => (
            "Ray's client does not get through",
            "see `muster exec --on leader -- ray status`; another version of Ray or Python, or a \
             proxy in between, lets it wait as well"
                .to_owned(),
        ),
        "context" => (
            "Quokka's actors do not start on every node",
            "does `muster exec --on leader -- ray status` count every node? Does Arrow Flight (5005) \
             run on each? `muster up --restart` restarts them"
                .to_owned(),
        ),
        _ => (
            "the query does not end",
            format!(
                "mostly a node that can't reach Redis at {leader}:6800 or another node's 5005: a \
                 group, a route or a peering; `muster check` looks, `muster up --restart` verifies"
            ),
        ),
    };
    Failure::new(format!("no answer within {seconds} s: {where_}")).hint(cause)
}
