//! The entries of a map: each key once, what `<<` merges behind its own.

use std::collections::HashMap;

use super::{Entry, Node, Value};
use crate::config::{Diagnostic, Location, diagnostic::ids, text};

/// What ends the reading of a file. Boxed, since it is rare and large.
pub(super) type Fatal = Box<Diagnostic>;

/// A key that waits for its value.
pub(super) struct Key {
    /// Its text.
    pub text: String,
    /// Where it stands.
    pub location: Location,
    /// Whether it is a plain `<<`.
    pub is_merge: bool,
}

/// Maps up to this size are searched from end to end, which is faster there.
const SMALL: usize = 32;

/// The entries of a map, in the order in which they were written.
#[derive(Default)]
pub(super) struct Entries {
    list: Vec<Entry>,
    /// Where each key is, once there are more than a few.
    index: HashMap<String, usize>,
}

impl Entries {
    fn position(&self, key: &str) -> Option<usize> {
        if self.list.len() <= SMALL {
            return self.list.iter().position(|entry| entry.key == key);
        }
        self.index.get(key).copied()
    }

    /// Adds an entry whose key is not there yet.
    fn push(&mut self, entry: Entry) {
        self.list.push(entry);
        let new = match self.list.len() {
            0..=SMALL => return,
            // All of them, now that it is worth it.
            count if self.index.is_empty() => 0..count,
            count => count - 1..count,
        };
        let keys = new.map(|at| (self.list[at].key.clone(), at));
        self.index.extend(keys);
    }

    fn push_new(&mut self, entry: Entry) {
        if self.position(&entry.key).is_none() {
            self.push(entry);
        }
    }

    pub fn into_list(self) -> Vec<Entry> {
        self.list
    }
}

/// Adds an entry. A duplicate key is reported and the later value
/// taken, as `PyYAML` does.
pub(super) fn insert(entries: &mut Entries, key: Key, value: Node) -> Option<Diagnostic> {
    let Some(first) = entries.position(&key.text) else {
        entries.push(Entry { key: key.text, location: key.location, value });
        return None;
    };
    let first = &mut entries.list[first];
    let name = text::shown(&key.text);
    let diagnostic =
        Diagnostic::error(ids::DUPLICATE_KEY, format!("the key `{name}` is given twice"))
            .at(key.location.clone())
            .help(format!("it stands at line {} already; remove one", first.location.line));
    *first = Entry { key: key.text, location: key.location, value };
    Some(diagnostic)
}

/// Takes the maps behind `<<`: one, or a list in which the earlier win.
pub(super) fn merge(merged: &mut Entries, node: Node, key: &Location) -> Result<(), Fatal> {
    let wrong = |node: &Node| -> Fatal {
        Diagnostic::error(
            ids::YAML_SYNTAX,
            format!("`<<` merges a map or a list of maps, not {}", node.describe()),
        )
        .at(key.clone())
        .help("give it an alias: `<<: *common`")
        .into()
    };
    let maps = match node.value {
        Value::List(items) => items,
        _ => vec![node],
    };
    for map in maps {
        let Value::Map(entries) = map.value else { return Err(wrong(&map)) };
        for entry in entries {
            merged.push_new(entry);
        }
    }
    Ok(())
}

/// A map's own entries, then what it merges without having it.
pub(super) fn with_merged(mut own: Entries, merged: Entries) -> Entries {
    merged.list.into_iter().for_each(|entry| own.push_new(entry));
    own
}
