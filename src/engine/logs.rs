//! Every node's log: all of it in a file, the end of it in memory for the screen.

use std::{
    collections::{BTreeMap, VecDeque},
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Seek, SeekFrom, Write},
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
    /// Bytes of the file that were read.
    read: u64,
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

    /// Takes in the whole lines that `file` holds behind those read before;
    /// what is not of their form is passed over. True where there was any.
    fn read(&mut self, mut file: File) -> bool {
        if file.seek(SeekFrom::Start(self.read)).is_err() {
            return false;
        }
        let (mut file, mut line, before) = (BufReader::new(file), Vec::new(), self.read);
        while file.read_until(b'\n', &mut line).is_ok() && line.ends_with(b"\n") {
            self.read += line.len() as u64;
            if let Some(line) = parse(String::from_utf8_lossy(&line).trim_end_matches('\n')) {
                self.keep(line);
            }
            line.clear();
        }
        self.read > before
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

    /// Takes in what another process has added to the files, for those that
    /// only look on. Where this one writes, its memory has it all already.
    pub fn read_further(&self) {
        let mut nodes = self.lock();
        let mut any = false;
        for (node, log) in nodes.iter_mut().filter(|(_, log)| log.file.is_none()) {
            any |= self.read_on(node, log);
        }
        if any {
            self.version.fetch_add(1, Ordering::Release);
        }
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
            let mut log = NodeLog::default();
            self.read_on(node, &mut log);
            log
        })
    }

    fn read_on(&self, node: &NodeName, log: &mut NodeLog) -> bool {
        let file = self.file_of(node).and_then(|path| File::open(path).ok());
        file.is_some_and(|file| log.read(file))
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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that can't set up should fail")]

    use super::*;

    #[test]
    fn who_only_looks_on_reads_what_is_added_and_nothing_twice() {
        let folder = tempfile::tempdir().unwrap();
        let node = NodeName::new("eu-west-1/head");
        let writer = LogStore::in_folder(folder.path().to_owned());
        let line = |text: &str| LogLine {
            at: "2026-11-14T14:02:59Z".parse().unwrap(),
            step: "python.1".into(),
            text: text.into(),
        };
        let reader = LogStore::in_folder(folder.path().to_owned());
        let seen = || reader.with(&node, |log| log.lines().iter().cloned().collect::<Vec<_>>());
        assert_eq!(seen(), []);
        for text in ["one", "two", "three"] {
            let version = reader.version();
            writer.push(&node, line(text)).unwrap();
            reader.read_further();
            assert!(reader.version() > version);
        }
        assert_eq!(seen(), ["one", "two", "three"].map(line));
        let version = reader.version();
        reader.read_further();
        assert_eq!((reader.version(), seen().len()), (version, 3));
        // A line whose end is not written yet is not a line yet.
        let path = reader.file_of(&node).unwrap();
        let mut file = OpenOptions::new().append(true).open(path).unwrap();
        file.write_all(b"2026-11-14T14:02:59Z python.1 | fo").unwrap();
        reader.read_further();
        file.write_all(b"ur\n").unwrap();
        reader.read_further();
        assert_eq!(seen().last(), Some(&line("four")));
    }
}
