//! The one table of keys of each kind of file: what muster does with each, and
//! the check of a file against it.
//!
//! Sources: `ray/autoscaler/ray-schema.json` of Ray 2.6.3 and 2.60.0 with the
//! keys that Ray's AWS provider reads besides, and the members of
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
    form::{Form, Place},
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
    Gone(&'static str),
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

/// The keys of one kind of file, found by the map that they stand in.
pub(super) struct Table {
    rows: &'static [Row],
    maps: OnceLock<HashMap<&'static str, Vec<Named>>>,
}

/// A row by its last key.
type Named = (&'static str, Row);

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
        Self { rows, maps: OnceLock::new() }
    }

    /// The row of `key` in the map that `pattern` names.
    pub fn row(&self, pattern: &str, key: &str) -> Option<Row> {
        let rows = self.below(pattern);
        let find = |name: &str| rows.iter().find(|(last, _)| *last == name).map(|(_, row)| *row);
        find(key).or_else(|| find("*"))
    }

    /// The rows of the map that `pattern` names.
    fn below(&self, pattern: &str) -> &[Named] {
        self.maps.get_or_init(|| by_map(self.rows)).get(pattern).map_or(&[], Vec::as_slice)
    }
}

fn by_map(rows: &'static [Row]) -> HashMap<&'static str, Vec<Named>> {
    let mut maps: HashMap<&'static str, Vec<Named>> = HashMap::new();
    for row in rows {
        let (map, last) = row.0.rsplit_once('.').unwrap_or(("", row.0));
        maps.entry(map).or_default().push((last, *row));
    }
    maps
}

/// Reports every key below `place` that the table does not know or that has
/// no effect.
pub(super) fn check(table: &Table, place: &Place<'_>, form: &mut Form) {
    check_below(table, "", place, form);
}

fn check_below(table: &Table, pattern: &str, place: &Place<'_>, form: &mut Form) {
    for item in place.items() {
        check_below(table, pattern, &item, form);
    }
    for (entry, value) in place.entries() {
        check_entry(table, pattern, (entry, &value), form);
    }
}

fn check_entry(
    table: &Table,
    pattern: &str,
    (entry, value): (&Entry, &Place<'_>),
    form: &mut Form,
) {
    let Some((path, usage)) = table.row(pattern, &entry.key) else {
        form.report_with(|| unknown(table, pattern, entry, value));
        return;
    };
    let about =
        |diagnostic: Diagnostic| diagnostic.at(entry.location.clone()).key(value.path.as_str());
    let key = text::shown(&entry.key);
    match usage {
        Use::Used | Use::Passed(_) if table.below(path).is_empty() => {}
        Use::Used | Use::Passed(_) => check_below(table, path, value, form),
        Use::Open => {}
        Use::Ignored(_) | Use::NotYet(_) if value.node.is_off() => {}
        Use::Ignored(help) => form.report(about(
            Diagnostic::warning(ids::WITHOUT_EFFECT, format!("`{key}` has no effect in muster"))
                .help(help),
        )),
        Use::NotYet(help) => {
            let message = format!("muster does not carry out `{key}` yet");
            form.not_yet(&entry.location, &value.path, message, help);
        }
        Use::Own(why) => form.report(about(
            Diagnostic::error(ids::NOT_SUPPORTED, format!("muster sets `{key}` itself")).help(why),
        )),
        Use::Gone(help) => form.report(about(
            Diagnostic::error(ids::NOT_SUPPORTED, format!("AWS no longer takes `{key}`"))
                .help(help),
        )),
    }
}

fn unknown(table: &Table, pattern: &str, entry: &Entry, value: &Place<'_>) -> Diagnostic {
    let here = table.below(pattern).iter().map(|(last, _)| *last);
    let help = nearest(&entry.key, here)
        .map(|near| format!("did you mean `{near}`?"))
        .or_else(|| elsewhere(table, &entry.key))
        .unwrap_or_else(|| known_keys(table, pattern));
    let message = format!("there is no key `{}` here", text::shown(&entry.key));
    Diagnostic::error(ids::UNKNOWN_KEY, message)
        .at(entry.location.clone())
        .key(value.path.as_str())
        .help(help)
}

/// A key that is right, but in the wrong place.
fn elsewhere(table: &Table, key: &str) -> Option<String> {
    let (path, _) = table.rows.iter().find(|(path, _)| path.rsplit('.').next() == Some(key))?;
    Some(format!("its place is `{}`", path.replace('*', "<node type>")))
}

fn known_keys(table: &Table, pattern: &str) -> String {
    let known = |usage| matches!(usage, Use::Used | Use::Open | Use::Passed(_));
    let used = table.below(pattern).iter().filter(|(_, (_, usage))| known(*usage));
    let names: Vec<&str> = used.map(|(last, _)| *last).collect();
    format!("the keys here are {}", names.join(", "))
}
