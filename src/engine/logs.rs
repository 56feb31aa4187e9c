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

/// Lines kept in memory for each node; files keep more.
const RING: usize = 5_000;

/// How many bytes of lines are kept in memory for each node, whatever their number.
const RING_BYTES: usize = 1024 * 1024;

/// How much of one try of a step is kept of a node, in bytes.
const MOST_OF_STEP: u64 = 64 * 1024 * 1024;

/// The logs of all nodes. Shared: the nodes' tasks write, the screen reads.
#[derive(Debug)]
pub struct LogStore {
    folder: Option<PathBuf>,
    nodes: Mutex<BTreeMap<NodeName, NodeLog>>,
    version: AtomicU64,
    /// How much of one try of a step is kept, in bytes.
    most_of_step: u64,
}

/// One node's log.
#[derive(Debug, Default)]
pub struct NodeLog {
    ring: VecDeque<LogLine>,
    /// Bytes of the lines in memory.
    in_ring: usize,
    written: u64,
    of_step: BTreeMap<String, Kept>,
    file: Option<File>,
    /// Bytes of the file that were read.
    read: u64,
}

/// What is kept of one try of a step.
#[derive(Clone, Copy, Debug, Default)]
struct Kept {
    lines: u64,
    bytes: u64,
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
        let kept = self.of_step.entry(line.step.clone()).or_default();
        kept.lines += 1;
        kept.bytes += line.text.len() as u64;
        self.in_ring += line.text.len();
        self.ring.push_back(line);
        self.written += 1;
        while self.ring.len() > RING || self.in_ring > RING_BYTES && self.ring.len() > 1 {
            let oldest = self.ring.pop_front();
            self.in_ring -= oldest.map_or(0, |line| line.text.len());
        }
    }

    fn kept_of(&self, step: &str) -> Kept {
        self.of_step.get(step).copied().unwrap_or_default()
    }
}

impl LogStore {
    /// Logs in memory only.
    pub fn in_memory() -> Self {
        Self::new(None)
    }

    /// Logs below `folder`, one file a node, made as lines come.
    pub fn in_folder(folder: PathBuf) -> Self {
        Self::new(Some(folder))
    }

    fn new(folder: Option<PathBuf>) -> Self {
        let (nodes, version) = (Mutex::default(), AtomicU64::new(0));
        Self { folder, nodes, version, most_of_step: MOST_OF_STEP }
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

    /// Adds a line to `node`'s log. Of one try of a step, the first 64 MiB are
    /// kept: a line of muster's own stands behind those, and later lines are dropped.
    pub fn push(&self, node: &NodeName, line: LogLine) -> std::io::Result<()> {
        let mut nodes = self.lock();
        let log = self.loaded(&mut nodes, node);
        let before = log.kept_of(&line.step).bytes;
        if before >= self.most_of_step {
            return Ok(());
        }
        let last = before + line.text.len() as u64 >= self.most_of_step;
        let end = last.then(|| LogLine { text: self.end_of_step(), ..line.clone() });
        let lines: Vec<_> = std::iter::once(line).chain(end).collect();
        let written = self.write(log, node, &lines);
        for line in lines {
            log.keep(line);
        }
        self.version.fetch_add(1, Ordering::Release);
        written
    }

    /// What stands in a log in place of all that is dropped.
    fn end_of_step(&self) -> String {
        let most = self.most_of_step / (1024 * 1024);
        format!(
            "muster: the log of this step ends here, at {most} MiB; the step goes on. All of it is \
             on the node, below ~/.muster"
        )
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
        self.with(node, |log| log.kept_of(step).lines)
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

    /// Writes `lines` at once, so that a kill leaves whole lines, and the last one of
    /// a step never without the line that states why.
    fn write(&self, log: &mut NodeLog, node: &NodeName, lines: &[LogLine]) -> std::io::Result<()> {
        let Some(path) = self.file_of(node) else { return Ok(()) };
        if log.file.is_none() {
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            log.file = Some(OpenOptions::new().create(true).append(true).open(path)?);
        }
        let Some(file) = &mut log.file else { return Ok(()) };
        let form = |line: &LogLine| format!("{} {} | {}\n", line.at, line.step, line.text);
        file.write_all(lines.iter().map(form).collect::<String>().as_bytes())
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

    fn line(text: impl Into<String>) -> LogLine {
        let at = "2026-11-14T14:02:59Z".parse().unwrap();
        LogLine { at, step: "python.1".into(), text: text.into() }
    }

    #[test]
    fn a_step_that_floods_is_cut_and_another_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let node = NodeName::new("eu-west-1/head");
        let most = 4 * 1024 * 1024;
        let store =
            || LogStore { most_of_step: most, ..LogStore::in_folder(folder.path().to_owned()) };
        let writer = store();
        let flood = "x".repeat(10_000);
        for _ in 0..1000 {
            writer.push(&node, line(&*flood)).unwrap();
        }
        let lines = writer.lines_of(&node, "python.1");
        assert_eq!(lines, most / 10_000 + 2, "and the line that states it");
        // Another muster, which goes by the file.
        let second = store();
        second.push(&node, line("short")).unwrap();
        assert_eq!(second.lines_of(&node, "python.1"), lines);
        let next = LogLine { step: "python.2".into(), ..line("the next try") };
        second.push(&node, next.clone()).unwrap();
        let text = std::fs::read_to_string(second.file_of(&node).unwrap()).unwrap();
        let last: Vec<_> = text.lines().rev().take(2).map(|line| parse(line).unwrap()).collect();
        assert_eq!(last[0], next);
        assert!(last[1].text.starts_with("muster: the log of this step ends here, at 4 MiB"));
        assert!((text.len() as u64) < most + 200_000, "{}", text.len());
    }

    #[test]
    fn the_memory_of_a_node_is_bounded_by_bytes_and_by_lines() {
        let (store, node) = (LogStore::in_memory(), NodeName::new("eu-west-1/head"));
        let in_memory = || {
            store.with(&node, |log| {
                let bytes: usize = log.lines().iter().map(|line| line.text.len()).sum();
                assert_eq!(log.not_in_memory() + log.lines().len() as u64, log.written);
                (log.lines().len(), bytes)
            })
        };
        let long = "x".repeat(16 * 1024);
        for _ in 0..1000 {
            store.push(&node, line(&*long)).unwrap();
        }
        assert_eq!(in_memory(), (64, RING_BYTES));
        for _ in 0..6000 {
            store.push(&node, line("short")).unwrap();
        }
        assert_eq!(in_memory(), (RING, 5 * RING));
        store.push(&node, line("x".repeat(2 * RING_BYTES))).unwrap();
        assert_eq!(in_memory().0, 1, "the last line is always there");
    }

    #[test]
    fn who_only_looks_on_reads_what_is_added_and_nothing_twice() {
        let folder = tempfile::tempdir().unwrap();
        let node = NodeName::new("eu-west-1/head");
        let writer = LogStore::in_folder(folder.path().to_owned());
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
