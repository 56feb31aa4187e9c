//! The entries of a map: each key once, what `<<` merges behind its own.

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

/// Adds an entry; a key that is there already is reported and the later value
/// taken, as `PyYAML` does.
pub(super) fn insert(entries: &mut Vec<Entry>, key: Key, value: Node) -> Option<Diagnostic> {
    let Some(first) = entries.iter_mut().find(|entry| entry.key == key.text) else {
        entries.push(Entry { key: key.text, location: key.location, value });
        return None;
    };
    let name = text::shown(&key.text);
    let diagnostic =
        Diagnostic::error(ids::DUPLICATE_KEY, format!("the key `{name}` is given twice"))
            .at(key.location.clone())
            .help(format!("it stands at line {} already; remove one", first.location.line));
    *first = Entry { key: key.text, location: key.location, value };
    Some(diagnostic)
}

/// Takes the maps behind `<<`: one, or a list in which the earlier win.
pub(super) fn merge(merged: &mut Vec<Entry>, node: Node, key: &Location) -> Result<(), Fatal> {
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
            if !merged.iter().any(|known| known.key == entry.key) {
                merged.push(entry);
            }
        }
    }
    Ok(())
}

/// A map's own entries, then what it merges without having it.
pub(super) fn with_merged(mut own: Vec<Entry>, merged: Vec<Entry>) -> Vec<Entry> {
    for entry in merged {
        if !own.iter().any(|known| known.key == entry.key) {
            own.push(entry);
        }
    }
    own
}
