//! The one table of keys of each kind of file: what muster does with each, and
//! the check of a file against it.
//!
//! Sources: `ray/autoscaler/ray-schema.json` of Ray 2.6.3 with the keys that
//! Ray's AWS provider reads besides, and the members of `RunInstancesRequest`
//! in botocore's EC2 model 2016-11-15.

mod node_config;
mod ours;
mod ray;
mod suggest;

pub(super) use node_config::NODE_CONFIG;
pub(super) use ours::{PROJECT, RECIPE};
pub(super) use ray::REGION;
pub(super) use suggest::{nearest, suggestion};

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
    /// It would have to have an effect, and has none yet; what to do instead.
    NotYet(&'static str),
    /// muster gives this itself; why.
    Own(&'static str),
}

/// One row: a key path, in which `*` is any key and lists are left out, and
/// what muster does with it.
pub(super) type Row = (&'static str, Use);

/// Reports every key below `place` that the table does not know or that has
/// no effect.
pub(super) fn check(table: &[Row], place: &Place<'_>, form: &mut Form) {
    check_below(table, "", place, form);
}

fn check_below(table: &[Row], pattern: &str, place: &Place<'_>, form: &mut Form) {
    for item in place.items() {
        check_below(table, pattern, &item, form);
    }
    for (entry, value) in place.entries() {
        check_entry(table, pattern, (entry, &value), form);
    }
}

fn check_entry(
    table: &[Row],
    pattern: &str,
    (entry, value): (&Entry, &Place<'_>),
    form: &mut Form,
) {
    let Some((path, usage)) = row(table, pattern, &entry.key) else {
        form.report(unknown(table, pattern, entry, value));
        return;
    };
    let about =
        |diagnostic: Diagnostic| diagnostic.at(entry.location.clone()).key(value.path.as_str());
    let key = text::shown(&entry.key);
    match usage {
        Use::Used if siblings(table, path).next().is_none() => {}
        Use::Used => check_below(table, path, value, form),
        Use::Open => {}
        Use::Ignored(_) if value.node.is_off() => {}
        Use::Ignored(help) => form.report(about(
            Diagnostic::warning(ids::WITHOUT_EFFECT, format!("`{key}` has no effect in muster"))
                .help(help),
        )),
        Use::NotYet(help) => form.report(about(
            Diagnostic::error(ids::NOT_SUPPORTED, format!("muster does not carry out `{key}` yet"))
                .help(help),
        )),
        Use::Own(why) => form.report(about(
            Diagnostic::error(ids::NOT_SUPPORTED, format!("muster sets `{key}` itself")).help(why),
        )),
    }
}

/// The row of `key` in the map that `pattern` names.
fn row(table: &[Row], pattern: &str, key: &str) -> Option<Row> {
    let find =
        |name: &str| siblings(table, pattern).find(|(last, _)| *last == name).map(|(_, row)| row);
    find(key).or_else(|| find("*"))
}

/// The rows of the map that `pattern` names, by their last key.
fn siblings(table: &[Row], pattern: &str) -> impl Iterator<Item = (&'static str, Row)> {
    table.iter().filter_map(move |row| {
        let (parent, last) = row.0.rsplit_once('.').unwrap_or(("", row.0));
        (parent == pattern).then_some((last, *row))
    })
}

fn unknown(table: &[Row], pattern: &str, entry: &Entry, value: &Place<'_>) -> Diagnostic {
    let here = siblings(table, pattern).map(|(last, _)| last);
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
fn elsewhere(table: &[Row], key: &str) -> Option<String> {
    let (path, _) = table.iter().find(|(path, _)| path.rsplit('.').next() == Some(key))?;
    Some(format!("its place is `{}`", path.replace('*', "<node type>")))
}

fn known_keys(table: &[Row], pattern: &str) -> String {
    let used =
        siblings(table, pattern).filter(|(_, (_, usage))| matches!(usage, Use::Used | Use::Open));
    let names: Vec<&str> = used.map(|(last, _)| last).collect();
    format!("the keys here are {}", names.join(", "))
}
