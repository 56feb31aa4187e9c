//! `muster logs`: what the nodes printed, from the cluster's files.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader},
    time::Duration,
};

use futures_util::StreamExt;
use jiff::tz::TimeZone;

use super::{CliError, Exit, ProjectSession, Streams, engine_session::JsonEvent};
use crate::{
    cli::{Format, LogsArgs},
    engine::{LogLine, LogStore, RunState},
    journal::Store,
    model::{Failure, NodeName},
    report::EventLines,
    signals::Signals,
};

/// How often files are looked into with `--follow`.
const LOOK: Duration = Duration::from_millis(200);

/// Prints the lines that are there, then, if asked to, those that come.
pub async fn run(args: LogsArgs, streams: &mut Streams) -> Result<Exit, CliError> {
    let world = ProjectSession::open(&args.common.project)?;
    world.print_warnings(streams)?;
    let Some((store, state)) = world.recorded(streams)? else {
        let failure = Failure::new(format!("no cluster of project {} is known here", world.name()));
        return Err(CliError::failed(failure.hint("`muster up` launches one")));
    };
    let mut files = Files::of(&store, &state, &args.nodes)?;
    let lines = EventLines::new(TimeZone::system(), streams.out.paint());
    files.print(args.common.format, &lines, streams)?;
    if !args.follow {
        return Ok(Exit::DONE);
    }
    let mut signals = Signals::new()?;
    while !streams.out.is_closed() {
        tokio::select! {
            Some(signal) = signals.next() => return Ok(Exit::signal(signal)),
            () = tokio::time::sleep(LOOK) => files.print(args.common.format, &lines, streams)?,
        }
    }
    Ok(Exit::DONE)
}

/// The log files that are read, and how far.
struct Files {
    store: LogStore,
    nodes: Vec<NodeName>,
    open: BTreeMap<NodeName, BufReader<File>>,
    /// The beginning of a line whose end is not written yet.
    begun: BTreeMap<NodeName, Vec<u8>>,
}

impl Files {
    fn of(store: &Store, state: &RunState, asked: &[NodeName]) -> Result<Self, CliError> {
        let folder = store.folder().ok_or_else(|| color_eyre::eyre::eyre!("logs in memory"))?;
        let known: Vec<_> = state.nodes.keys().cloned().collect();
        if let Some(node) = asked.iter().find(|node| !known.contains(node)) {
            let failure = Failure::new(format!("there is no node {node}"));
            let names: Vec<_> = known.iter().map(NodeName::as_str).collect();
            return Err(CliError::usage(failure.hint(format!("there are {}", names.join(", ")))));
        }
        let nodes = if asked.is_empty() { known } else { asked.to_vec() };
        let store = LogStore::in_folder(folder.join("logs"));
        Ok(Self { store, nodes, open: BTreeMap::new(), begun: BTreeMap::new() })
    }

    /// Prints what is new, the nodes' lines in the order of their times.
    fn print(
        &mut self,
        format: Format,
        lines: &EventLines,
        streams: &mut Streams,
    ) -> Result<(), CliError> {
        for (node, line) in self.new_lines()? {
            match format {
                Format::Json => {
                    streams.out.json_line(&JsonEvent::Line { node: &node, line: &line })?;
                }
                Format::Text => streams.out.line(lines.log(&node, &line))?,
            }
        }
        Ok(())
    }

    fn new_lines(&mut self) -> std::io::Result<Vec<(NodeName, LogLine)>> {
        let mut new = Vec::new();
        for node in &self.nodes {
            if !self.open.contains_key(node) {
                let file = self.store.file_of(node).and_then(|path| File::open(path).ok());
                let Some(file) = file else { continue };
                self.open.insert(node.clone(), BufReader::new(file));
            }
            let Some(file) = self.open.get_mut(node) else { continue };
            let begun = self.begun.entry(node.clone()).or_default();
            while file.read_until(b'\n', begun)? > 0 && begun.ends_with(b"\n") {
                let text = String::from_utf8_lossy(&begun[..begun.len() - 1]).into_owned();
                new.extend(LogStore::parse(&text).map(|line| (node.clone(), line)));
                begun.clear();
            }
        }
        new.sort_by_key(|(_, line)| line.at);
        Ok(new)
    }
}
