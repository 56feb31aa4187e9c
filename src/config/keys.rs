//! The one table of keys of each kind of file: what muster does with each, and
//! the check of a file against it.
//!
//! Sources: `ray/autoscaler/ray-schema.json` of Ray 2.6.3 and 2.60.0 with the further
//! keys that Ray's AWS provider reads, and the members of
//! `RunInstancesRequest` in botocore's EC2 model 2016-11-15.

mod docs;
mod node_config;
mod ours;
mod ray;
mod suggest;

pub use docs::markdown;
pub(super) use suggest::{nearest, suggestion};

use std::{collections::HashMap, sync::OnceLock};

use super::{
    Diagnostic,
    diagnostic::ids,
    reader::{ConfigReader, Cursor},
    text,
    yaml::Entry,
};

/// What muster does with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// It has its effect; what is below is checked against the table too.
    Used,
    /// It has its effect, and what is below is the user's own.
    Open,
    /// Kept without effect; what follows from that.
    Ignored(&'static str),
    /// It reaches `RunInstances` as it is written.
    Passed(Kind),
    /// It would have to have an effect, and has none yet; what to do instead.
    /// The config loads, and nothing is launched with it.
    NotYet(&'static str),
    /// muster gives this itself; why.
    Own(&'static str),
    /// AWS takes it no more; what to do instead.
    Rejected(&'static str),
}

/// What `RunInstances` takes under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text, possibly empty.
    Text,
    /// A whole number.
    Count,
    /// A boolean.
    Flag,
    /// A list of texts.
    Texts,
    /// A map, whose keys have rows of their own.
    Map,
    /// A list of such maps.
    List,
}

/// One row: a key path, in which `*` is any key and lists are left out, and
/// what muster does with it.
pub(super) type Row = (&'static str, Use);

/// The keys of one kind of file.
pub(super) struct Table {
    rows: &'static [Row],
    top: OnceLock<Level>,
}

/// The keys of one map.
#[derive(Debug, Default)]
pub(super) struct Level {
    /// The map's path; empty at the top.
    path: &'static str,
    /// In the order of their names, `*` first.
    keys: Vec<Key>,
}

/// One key of a map.
#[derive(Debug)]
pub(super) struct Key {
    name: &'static str,
    /// What muster does with it.
    pub usage: Use,
    /// The keys below it.
    pub below: Level,
}

/// A region's config, `node_config` left out.
pub(super) static REGION: Table = Table::new(ray::REGION);
/// A `node_config`.
pub(super) static NODE_CONFIG: Table = Table::new(node_config::NODE_CONFIG);
/// `muster.yaml`.
pub(super) static PROJECT: Table = Table::new(ours::PROJECT);
/// A recipe.
pub(super) static RECIPE: Table = Table::new(ours::RECIPE);

impl Table {
    const fn new(rows: &'static [Row]) -> Self {
        Self { rows, top: OnceLock::new() }
    }

    /// The keys at the top.
    pub fn top(&self) -> &Level {
        self.top.get_or_init(|| level("", &by_map(self.rows)))
    }

    /// The rows of one map, in their own order.
    fn rows_of(&self, map: &str) -> impl Iterator<Item = (&'static str, Use)> {
        self.rows
            .iter()
            .map(split)
            .filter(move |(own, ..)| *own == map)
            .map(|(_, key, usage)| (key, usage))
    }
}

impl Level {
    /// The key of this name; where any name will do, that one.
    pub fn find(&self, name: &str) -> Option<&Key> {
        let found = self.keys.binary_search_by(|key| key.name.cmp(name));
        let any = || self.keys.first().filter(|key| key.name == "*");
        found.ok().map(|at| &self.keys[at]).or_else(any)
    }

    fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

/// A row as its map, its key and its use.
fn split((path, usage): &'static Row) -> (&'static str, &'static str, Use) {
    let (map, key) = path.rsplit_once('.').unwrap_or(("", path));
    (map, key, *usage)
}

type ByMap = HashMap<&'static str, Vec<(&'static str, &'static Row)>>;

fn by_map(rows: &'static [Row]) -> ByMap {
    let mut maps = ByMap::new();
    for row in rows {
        let (map, key, _) = split(row);
        maps.entry(map).or_default().push((key, row));
    }
    maps
}

fn level(path: &'static str, maps: &ByMap) -> Level {
    let rows = maps.get(path).into_iter().flatten();
    let key = |(name, row): &(&'static str, &'static Row)| Key {
        name,
        usage: row.1,
        below: level(row.0, maps),
    };
    let mut keys: Vec<Key> = rows.map(key).collect();
    keys.sort_by_key(|key| key.name);
    Level { path, keys }
}

/// Reports every key below `place` that the table does not know or that has
/// no effect.
pub(super) fn check(table: &Table, place: &Cursor<'_>, reader: &mut ConfigReader) {
    check_below(table, table.top(), place, reader);
}

fn check_below(table: &Table, level: &Level, place: &Cursor<'_>, reader: &mut ConfigReader) {
    for item in place.items() {
        check_below(table, level, &item, reader);
    }
    for entry in place.node.entries() {
        check_entry(table, level, (place, entry), reader);
    }
}

/// Checks one entry of the map `place`.
fn check_entry(
    table: &Table,
    level: &Level,
    (place, entry): (&Cursor<'_>, &Entry),
    reader: &mut ConfigReader,
) {
    let path = || place.path_of(&entry.key);
    let about = |diagnostic: Diagnostic| diagnostic.at(entry.location.clone()).key(path());
    let Some(key) = level.find(&entry.key) else {
        reader.report_with(|| about(unknown(table, level, entry)));
        return;
    };
    let name = || text::shown(&entry.key);
    match key.usage {
        Use::Open => {}
        Use::Used | Use::Passed(_) if key.below.is_empty() => {}
        Use::Used | Use::Passed(_) => {
            check_below(table, &key.below, &place.value_of(entry), reader);
        }
        Use::Ignored(_) | Use::NotYet(_) if entry.value.is_off() => {}
        Use::Ignored(help) => reader.report_with(|| {
            let message = format!("`{}` has no effect in muster", name());
            about(Diagnostic::warning(ids::WITHOUT_EFFECT, message).help(help))
        }),
        Use::NotYet(help) => {
            let message = format!("muster does not carry out `{}` yet", name());
            reader.not_yet(&entry.location, &path(), message, help);
        }
        Use::Own(why) => reader.report_with(|| {
            let message = format!("muster sets `{}` itself", name());
            about(Diagnostic::error(ids::NOT_SUPPORTED, message).help(why))
        }),
        Use::Rejected(help) => reader.report_with(|| {
            let message = format!("AWS no longer takes `{}`", name());
            about(Diagnostic::error(ids::NOT_SUPPORTED, message).help(help))
        }),
    }
}

fn unknown(table: &Table, level: &Level, entry: &Entry) -> Diagnostic {
    let here = level.keys.iter().map(|key| key.name);
    let help = ray::now_called(level.path, &entry.key)
        .map(|now| format!("Ray calls it `{now}` now"))
        .or_else(|| nearest(&entry.key, here).map(|near| format!("did you mean `{near}`?")))
        .or_else(|| elsewhere(table, &entry.key))
        .unwrap_or_else(|| known_keys(table, level));
    let message = format!("there is no key `{}` here", text::shown(&entry.key));
    Diagnostic::error(ids::UNKNOWN_KEY, message).help(help)
}

/// A key that is right, but in the wrong place.
fn elsewhere(table: &Table, key: &str) -> Option<String> {
    let (path, _) = table.rows.iter().find(|(path, _)| path.rsplit('.').next() == Some(key))?;
    Some(format!("its place is `{}`", path.replace('*', "<node type>")))
}

fn known_keys(table: &Table, level: &Level) -> String {
    let known = |usage| matches!(usage, Use::Used | Use::Open | Use::Passed(_));
    let used = table.rows_of(level.path).filter(|(_, usage)| known(*usage));
    let names: Vec<&str> = used.map(|(name, _)| name).collect();
    format!("the keys here are {}", names.join(", "))
}
