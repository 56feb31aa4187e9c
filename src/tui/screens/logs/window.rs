//! Reads a window of lines out of many nodes' logs, merged by time, without
//! touching the rest: each node's log is in order, so a place in it is found
//! by bisection.

use jiff::Timestamp;

use crate::{
    engine::{LogLine, LogStore, NodeLog},
    model::NodeName,
};

/// A line's place among all lines of all nodes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineKey {
    /// When it came.
    pub at: Timestamp,
    /// Whose it is.
    pub node: NodeName,
    /// Its number in the node's log, from 0.
    pub number: u64,
}

/// Reads lines.
pub struct Reader<'r> {
    /// The logs.
    pub store: &'r LogStore,
    /// The nodes to read.
    pub nodes: &'r [&'r NodeName],
    /// Which lines count.
    pub wanted: &'r dyn Fn(&LogLine) -> bool,
}

impl Reader<'_> {
    /// The last `count` lines before `end` (none: the end), oldest first.
    pub fn before(&self, end: Option<&LineKey>, count: usize) -> Vec<LineKey> {
        let mut keys = self.collect(|node, log| {
            let end = end.map_or(log.lines().len(), |end| place(node, log, end));
            let lines = log.lines().range(..end).enumerate().rev();
            let wanted = lines.filter(|(_, line)| (self.wanted)(line)).take(count);
            wanted.map(|(index, line)| key(node, log, index, line)).collect()
        });
        keys.split_off(keys.len().saturating_sub(count))
    }

    /// The first `count` lines behind `start` (none: from the beginning), oldest first.
    pub fn after(&self, start: Option<&LineKey>, count: usize) -> Vec<LineKey> {
        let mut keys = self.collect(|node, log| {
            let first = start.map_or(0, |start| {
                let place = place(node, log, start);
                place
                    + usize::from(
                        start.node == *node && place < log.lines().len() && is(log, place, start),
                    )
            });
            let lines = log.lines().iter().enumerate().skip(first);
            let wanted = lines.filter(|(_, line)| (self.wanted)(line)).take(count);
            wanted.map(|(index, line)| key(node, log, index, line)).collect()
        });
        keys.truncate(count);
        keys
    }

    /// The line at `key`, while memory holds it.
    pub fn line(&self, key: &LineKey) -> Option<LogLine> {
        let read = |log: &NodeLog| {
            let index = usize::try_from(key.number.checked_sub(log.not_in_memory())?).ok()?;
            log.lines().get(index).cloned()
        };
        self.store.with(&key.node, read)
    }

    fn collect(&self, read: impl Fn(&NodeName, &NodeLog) -> Vec<LineKey>) -> Vec<LineKey> {
        let of_node = |node: &&NodeName| self.store.with(node, |log| read(node, log));
        let mut keys: Vec<_> = self.nodes.iter().flat_map(of_node).collect();
        keys.sort();
        keys
    }
}

fn key(node: &NodeName, log: &NodeLog, index: usize, line: &LogLine) -> LineKey {
    LineKey { at: line.at, node: node.clone(), number: log.not_in_memory() + index as u64 }
}

fn is(log: &NodeLog, index: usize, key: &LineKey) -> bool {
    log.not_in_memory() + index as u64 == key.number
}

/// How many of the lines in memory come before `key`.
fn place(node: &NodeName, log: &NodeLog, key: &LineKey) -> usize {
    if *node == key.node {
        let index = key.number.saturating_sub(log.not_in_memory());
        return usize::try_from(index).unwrap_or(usize::MAX).min(log.lines().len());
    }
    log.lines().partition_point(|line| (line.at, node) < (key.at, &key.node))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn store(lines: &[(&str, i64, &str)]) -> LogStore {
        let store = LogStore::in_memory();
        for (node, second, text) in lines {
            let at = Timestamp::from_second(*second).unwrap();
            let line = LogLine { at, step: "s.1".into(), text: (*text).into() };
            store.push(&NodeName::from(*node), line).unwrap();
        }
        store
    }

    fn texts(reader: &Reader<'_>, keys: &[LineKey]) -> Vec<String> {
        keys.iter().map(|key| reader.line(key).unwrap().text).collect()
    }

    #[test]
    fn lines_of_all_nodes_come_in_the_order_of_time() {
        let store =
            store(&[("a", 1, "1"), ("b", 2, "2"), ("a", 2, "2a"), ("b", 3, "3"), ("a", 4, "4")]);
        let (a, b) = (NodeName::from("a"), NodeName::from("b"));
        let reader = Reader { store: &store, nodes: &[&a, &b], wanted: &|_| true };
        let all = reader.after(None, 100);
        assert_eq!(texts(&reader, &all), ["1", "2a", "2", "3", "4"]);
        assert_eq!(reader.before(None, 100), all);
        for (index, key) in all.iter().enumerate() {
            assert_eq!(reader.before(Some(key), 100), all[..index]);
            assert_eq!(reader.after(Some(key), 100), all[index + 1..]);
            assert_eq!(reader.before(Some(key), 1), all[index.saturating_sub(1)..index]);
        }
    }

    #[test]
    fn only_wanted_lines_count() {
        let store = store(&[("a", 1, "x"), ("a", 2, "error"), ("a", 3, "y"), ("a", 4, "error")]);
        let a = NodeName::from("a");
        let reader = Reader { store: &store, nodes: &[&a], wanted: &|line| line.text == "error" };
        let all = reader.after(None, 9);
        assert_eq!(all.iter().map(|key| key.number).collect::<Vec<_>>(), [1, 3]);
        assert_eq!(reader.after(Some(&all[0]), 1), all[1..]);
        assert_eq!(reader.before(Some(&all[1]), 1), all[..1]);
    }
}
