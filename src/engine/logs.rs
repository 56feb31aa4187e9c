//! Every node's log: all of it in a file, the end of it in memory for the screen.

use std::{
    collections::{BTreeMap, VecDeque},
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::model::NodeName;

use super::LogLine;

/// Lines kept in memory for each node; files keep all.
const RING: usize = 5_000;

/// The logs of all nodes. Shared: the nodes' tasks write, the screen reads.
#[derive(Debug)]
pub struct LogStore {
    folder: Option<PathBuf>,
    nodes: Mutex<BTreeMap<NodeName, NodeLog>>,
    version: AtomicU64,
}

/// One node's log.
#[derive(Debug, Default)]
pub struct NodeLog {
    ring: VecDeque<LogLine>,
    written: u64,
    of_step: BTreeMap<String, u64>,
    file: Option<File>,
}

impl NodeLog {
    /// The lines in memory, oldest first.
    pub fn lines(&self) -> &VecDeque<LogLine> {
        &self.ring
    }

    /// How many earlier lines are only in the file.
    pub fn not_in_memory(&self) -> u64 {
        self.written - self.ring.len() as u64
    }

    /// What a file holds; lines that are not of its form are passed over.
    fn read(file: File) -> Self {
        let mut log = Self::default();
        for line in BufReader::new(file).split(b'\n').map_while(Result::ok) {
            if let Some(line) = parse(&String::from_utf8_lossy(&line)) {
                log.keep(line);
            }
        }
        log
    }

    fn keep(&mut self, line: LogLine) {
        if self.ring.len() == RING {
            self.ring.pop_front();
        }
        *self.of_step.entry(line.step.clone()).or_default() += 1;
        self.ring.push_back(line);
        self.written += 1;
    }
}

impl LogStore {
    /// Logs in memory only.
    pub fn in_memory() -> Self {
        Self { folder: None, nodes: Mutex::default(), version: AtomicU64::new(0) }
    }

    /// Logs below `folder`, one file a node, made as lines come.
    pub fn in_folder(folder: PathBuf) -> Self {
        Self { folder: Some(folder), nodes: Mutex::default(), version: AtomicU64::new(0) }
    }

    /// A line of a log file, as it is kept there.
    pub fn parse(line: &str) -> Option<LogLine> {
        parse(line)
    }

    /// The file that `node`'s log is in, if logs are kept in files.
    pub fn file_of(&self, node: &NodeName) -> Option<PathBuf> {
        Some(path_below(self.folder.as_ref()?, node))
    }

    /// Rises with every line: equal numbers, nothing new to draw.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Adds a line to `node`'s log.
    pub fn push(&self, node: &NodeName, line: LogLine) -> std::io::Result<()> {
        let mut nodes = self.lock();
        let log = self.loaded(&mut nodes, node);
        let written = self.write(log, node, &line);
        log.keep(line);
        self.version.fetch_add(1, Ordering::Release);
        written
    }

    /// Reads `node`'s log through `read`.
    pub fn with<T>(&self, node: &NodeName, read: impl FnOnce(&NodeLog) -> T) -> T {
        read(self.loaded(&mut self.lock(), node))
    }

    /// How many lines `step` (`step.attempt`) has in `node`'s log already, so
    /// that a step picked up after a crash adds only what is missing.
    pub fn lines_of(&self, node: &NodeName, step: &str) -> u64 {
        self.with(node, |log| log.of_step.get(step).copied().unwrap_or(0))
    }

    /// The log in memory, begun with what earlier runs left in its file: read
    /// when it is first asked for, so that opening a large cluster is fast.
    fn loaded<'a>(
        &self,
        nodes: &'a mut BTreeMap<NodeName, NodeLog>,
        node: &NodeName,
    ) -> &'a mut NodeLog {
        nodes.entry(node.clone()).or_insert_with(|| {
            let file = self.file_of(node).and_then(|path| File::open(path).ok());
            file.map(NodeLog::read).unwrap_or_default()
        })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<NodeName, NodeLog>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, log: &mut NodeLog, node: &NodeName, line: &LogLine) -> std::io::Result<()> {
        let Some(path) = self.file_of(node) else { return Ok(()) };
        if log.file.is_none() {
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            log.file = Some(OpenOptions::new().create(true).append(true).open(path)?);
        }
        let Some(file) = &mut log.file else { return Ok(()) };
        // One write a line, so that a kill leaves whole lines.
        file.write_all(format!("{} {} | {}\n", line.at, line.step, line.text).as_bytes())
    }
}

fn path_below(folder: &Path, node: &NodeName) -> PathBuf {
    folder.join(format!("{node}.log"))
}

fn parse(line: &str) -> Option<LogLine> {
    let (head, text) = line.split_once(" | ").or_else(|| Some((line.strip_suffix(" |")?, "")))?;
    let (at, step) = head.split_once(' ')?;
    Some(LogLine { at: at.parse().ok()?, step: step.into(), text: text.into() })
}
