//! `muster exec`: one command on many nodes side by side.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use serde::Serialize;
use tokio::sync::mpsc;

use super::{CliError, Exit, ProjectSession, Streams, known::Known, pick};
use crate::{
    cli::{ExecArgs, Format},
    engine::{NodeState, host_of},
    model::{Failure, NodeName, plain},
    remote::{Host, Printed, Remote, Session},
    report::{Tone, line},
    signals::Signals,
    waits::Waiting,
};

/// How often a connection is tried: sshd drops some of those that come all at once.
const TRIES: u32 = 4;

/// How many nodes are worked on at once; each takes a local process.
const AT_ONCE: usize = 64;

/// Runs the command and lists the nodes where it failed.
pub async fn run(args: ExecArgs, streams: &mut Streams) -> Result<Exit, CliError> {
    let world = ProjectSession::open(&args.common.project)?;
    world.print_warnings(streams)?;
    let known = if world.cloud.is_simulated() {
        Known::simulate(&world, streams).await?
    } else {
        Known::open(&world, streams).await?
    };
    let waits = streams.waits.clone();
    let picked = pick::nodes(&known.state, &args.on)?;
    let command = line_of(&args.command);
    let mut bench = Printer::new(&args, &picked, streams);
    let (sender, mut receiver) = mpsc::channel(1024);
    let mut waiting = picked.into_iter();
    let mut running = FuturesUnordered::new();
    let mut signals = Signals::new()?;
    loop {
        while running.len() < AT_ONCE
            && let Some(node) = waiting.next()
        {
            let host = host_of(&world.project, node);
            let (remote, lines) = (known.remote.clone(), sender.clone());
            let wait = waits.begin(&node.name, "the command to end");
            running.push(on_one(remote, node.name.clone(), host, &command, lines, wait));
        }
        tokio::select! {
            // The output of a node is printed before its result.
            biased;
            Some((node, line)) = receiver.recv() => bench.line(&node, line)?,
            Some(signal) = signals.next() => {
                // Commands end with their connections.
                drop(running);
                bench.streams.err.lines(&["", "ended on every node"])?;
                return Ok(Exit::signal(signal));
            }
            Some((node, outcome)) = running.next() => {
                while let Ok((node, line)) = receiver.try_recv() {
                    bench.line(&node, line)?;
                }
                bench.ended(node, outcome)?;
            }
            else => break,
        }
        if running.is_empty() && waiting.len() == 0 {
            break;
        }
    }
    bench.summary()
}

/// A line for the shell there. Several words arrive as they are here.
fn line_of(words: &[String]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    let quoted = |word: &String| {
        if word.chars().all(plain) && !word.is_empty() {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    };
    match words {
        [line] => line.clone(),
        words => words.iter().map(quoted).collect::<Vec<_>>().join(" "),
    }
}

type Outcome = Result<i32, Failure>;

async fn on_one(
    remote: Arc<dyn Remote>,
    node: NodeName,
    host: Result<Host, Failure>,
    command: &str,
    lines: mpsc::Sender<(NodeName, Printed)>,
    _until_it_ends: Waiting,
) -> (NodeName, Outcome) {
    let outcome = match host {
        Ok(host) => command_on(&*remote, &host, command, lines).await,
        Err(failure) => Err(failure),
    };
    (node, outcome)
}

async fn command_on(
    remote: &dyn Remote,
    host: &Host,
    command: &str,
    lines: mpsc::Sender<(NodeName, Printed)>,
) -> Outcome {
    let session = connect(remote, host).await?;
    let (sender, mut receiver) = mpsc::channel(64);
    let pass = async {
        while let Some(line) = receiver.recv().await {
            // This future ends when the printing side ends.
            drop(lines.send((host.node.clone(), line)).await);
        }
    };
    let (status, ()) = tokio::join!(session.exec(command, sender), pass);
    session.close().await;
    status.map_err(|error| Failure::from(&error))
}

async fn connect(remote: &dyn Remote, host: &Host) -> Result<Box<dyn Session>, Failure> {
    let mut tries = 1;
    loop {
        match remote.connect(host).await {
            Ok(session) => return Ok(session),
            Err(error) if !error.kind.is_transient() || tries == TRIES => {
                return Err(Failure::from(&error));
            }
            Err(_) => tries += 1,
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

/// Prints what the nodes print.
struct Printer<'a> {
    streams: &'a mut Streams,
    format: Format,
    /// As wide as the longest name.
    width: usize,
    asked: usize,
    failed: Vec<(NodeName, Outcome)>,
}

/// What `--format json` prints, NDJSON.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum ExecEvent<'a> {
    Line { node: &'a NodeName, stream: &'static str, text: &'a str },
    Ended { node: &'a NodeName, exit: Option<i32>, failure: Option<&'a Failure> },
    Summary { nodes: usize, failed: Vec<&'a NodeName> },
}

impl<'a> Printer<'a> {
    fn new(args: &ExecArgs, picked: &[&NodeState], streams: &'a mut Streams) -> Self {
        let width = picked.iter().map(|node| node.name.as_str().len()).max().unwrap_or(0);
        Self { streams, format: args.common.format, width, asked: picked.len(), failed: Vec::new() }
    }

    fn line(&mut self, node: &NodeName, line: Printed) -> Result<(), CliError> {
        let (out, stream, text) = match line {
            Printed::Out(text) => (true, "stdout", text),
            Printed::Err(text) => (false, "stderr", text),
        };
        if self.format == Format::Json {
            return Ok(self.streams.out.json_line(&ExecEvent::Line {
                node,
                stream,
                text: &text,
            })?);
        }
        let to = if out { &mut self.streams.out } else { &mut self.streams.err };
        let origin = to.paint().paint(Tone::Dim, format!("{node:<width$} |", width = self.width));
        Ok(to.line(line![origin, format!(" {}", plain(&text))])?)
    }

    fn ended(&mut self, node: NodeName, outcome: Outcome) -> Result<(), CliError> {
        if self.format == Format::Json {
            let exit = outcome.as_ref().ok().copied();
            let failure = outcome.as_ref().err();
            self.streams.out.json_line(&ExecEvent::Ended { node: &node, exit, failure })?;
        }
        if outcome != Ok(0) {
            self.failed.push((node, outcome));
        }
        Ok(())
    }

    fn summary(mut self) -> Result<Exit, CliError> {
        self.failed.sort_by(|a, b| a.0.cmp(&b.0));
        if self.format == Format::Json {
            let failed = self.failed.iter().map(|(node, _)| node).collect();
            self.streams.out.json_line(&ExecEvent::Summary { nodes: self.asked, failed })?;
        } else if !self.failed.is_empty() {
            self.print_failed()?;
        }
        Ok(if self.failed.is_empty() { Exit::DONE } else { Exit::FAILED })
    }

    fn print_failed(&mut self) -> Result<(), CliError> {
        let err = &mut self.streams.err;
        let mark = err.paint().paint(Tone::Bad, "✗");
        let what = format!(" failed on {} of {} nodes", self.failed.len(), self.asked);
        err.line(line![mark, what])?;
        for (node, outcome) in &self.failed {
            let what = match outcome {
                Ok(status) => format!("exit status {status}"),
                Err(failure) => failure.to_string(),
            };
            err.line(format!("  {node:<width$}  {what}", width = self.width))?;
        }
        Ok(())
    }
}
