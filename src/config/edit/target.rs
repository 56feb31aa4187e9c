//! What edits aim at: paths in the tree of values, and the tree that is to come
//! of them.

use std::fmt::Write;

use super::{
    Edit, Target, Value,
    draft::Draft,
    error::{self, EditError},
};
use crate::config::{
    Location, text,
    yaml::{Entry, Node, Resolved, Scalar, Value as Held},
};

/// Both name subnets, and only one of them may be given.
const SUBNET: &str = "SubnetId";
const SUBNETS: &str = "SubnetIds";
/// What takes a list, also for one value.
const LISTS: [&str; 2] = ["SecurityGroupIds", SUBNETS];

/// One step from a value to one within it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Item(usize),
}

/// A value to be changed.
#[derive(Clone, Debug)]
pub(super) struct EditTarget {
    /// Where it is in the tree of values.
    pub path: Vec<Step>,
    /// What it is to be.
    pub value: Value,
    /// Another name for its key.
    pub rename: Option<&'static str>,
    /// Whether the edit named the place that it is written at.
    pub by_location: bool,
    /// Whether it is that already.
    pub holds_already: bool,
}

impl Step {
    /// What it leads to.
    pub fn of<'n>(&self, node: &'n Node) -> Option<&'n Node> {
        match (self, &node.value) {
            (Self::Key(key), _) => node.get(key),
            (Self::Item(index), Held::List(items)) => items.get(*index),
            (Self::Item(_), _) => None,
        }
    }

    fn of_mut<'n>(&self, node: &'n mut Node) -> Option<&'n mut Node> {
        match (self, &mut node.value) {
            (Self::Key(key), Held::Map(entries)) => {
                entries.iter_mut().find(|entry| entry.key == *key).map(|entry| &mut entry.value)
            }
            (Self::Item(index), Held::List(items)) => items.get_mut(*index),
            _ => None,
        }
    }
}

/// A path as the checks spell it.
pub(super) fn spelled(path: &[Step]) -> String {
    let mut spelled = String::new();
    for step in path {
        match step {
            Step::Key(key) if spelled.is_empty() => spelled.push_str(key),
            Step::Key(key) => spelled.extend([".", key]),
            Step::Item(index) => _ = write!(spelled, "[{index}]"),
        }
    }
    text::shown(&spelled)
}

/// All that `edits` aim at; two that want one value differently are refused.
pub(super) fn all(draft: &Draft<'_>, edits: &[Edit]) -> Result<Vec<EditTarget>, EditError> {
    let mut aims: Vec<EditTarget> = Vec::new();
    for edit in edits {
        for mut aim in aims_of(draft, edit)? {
            let same = aims.iter().find(|other| other.path == aim.path);
            if same.is_some_and(|other| other.value != aim.value) {
                return Err(contradiction(&aim, edit));
            }
            let now = aim.path.iter().try_fold(&draft.values, |node, step| step.of(node));
            aim.holds_already = aim.rename.is_none() && holds(now, &aim.value);
            if same.is_none() {
                aims.push(aim);
            }
        }
    }
    Ok(aims)
}

fn holds(now: Option<&Node>, value: &Value) -> bool {
    match (now, value) {
        (now, Value::Removed) => now.is_none(),
        (Some(now), value) => difference(now, &node(value, now)).is_none(),
        (None, _) => false,
    }
}

fn contradiction(aim: &EditTarget, edit: &Edit) -> EditError {
    let file = text::shown(&edit.file.to_string_lossy());
    EditError::new(
        format!("two edits want different values for `{}` of `{file}`", spelled(&aim.path)),
        "choose one of the two",
    )
}

fn aims_of(draft: &Draft<'_>, edit: &Edit) -> Result<Vec<EditTarget>, EditError> {
    if matches!(&edit.value, Value::List(items) if items.is_empty()) {
        return Err(EditError::new("an empty list can't be written", "remove the key by hand"));
    }
    match &edit.target {
        Target::At(location) => at_location(draft, location, &edit.value),
        Target::NodeConfig { node_type, key } => {
            let map = crate::config::region::place_of(node_type).into_iter();
            let map: Vec<_> = map.map(|key| Step::Key(key.to_owned())).collect();
            Ok(vec![under(draft, &map, key, &edit.value)?])
        }
        Target::Top { key } => Ok(vec![under(draft, &[], key, &edit.value)?]),
    }
}

/// Every value that is written at `location`, which are several where aliases
/// lead there.
fn at_location(
    draft: &Draft<'_>,
    location: &Location,
    value: &Value,
) -> Result<Vec<EditTarget>, EditError> {
    let value = match value {
        Value::List(items) => match &items[..] {
            [one] => Value::Text(one.clone()),
            _ => {
                return Err(
                    error::not_there("one value can't give way to several").at(location.clone())
                );
            }
        },
        other => other.clone(),
    };
    let mut paths = Vec::new();
    find(&draft.values, location, &mut Vec::new(), &mut paths);
    if value == Value::Removed {
        for path in &mut paths {
            whole(&draft.values, path);
        }
    }
    let Some(first) = paths.first() else {
        return Err(error::not_there("no value begins here").at(location.clone()));
    };
    if let Some(other) = paths.iter().find(|path| last_key(path) != last_key(first)) {
        let why =
            format!("is `{}` as well, by an anchor (`&`), and both would change", spelled(other));
        return Err(error::by_hand(&spelled(first), &why).at(location.clone()));
    }
    let aim = |path| EditTarget {
        path,
        value: value.clone(),
        rename: None,
        by_location: true,
        holds_already: false,
    };
    Ok(paths.into_iter().map(aim).collect())
}

/// Makes the path of a value the path of what goes with it: its list, and the
/// maps in which nothing else is.
fn whole(root: &Node, path: &mut Vec<Step>) {
    loop {
        let around = &path[..path.len().saturating_sub(1)];
        let parent = around.iter().try_fold(root, |node, step| step.of(node));
        let alone = parent.is_some_and(|parent| parent.entries().len() == 1);
        if around.is_empty() || (matches!(path.last(), Some(Step::Key(_))) && !alone) {
            return;
        }
        path.pop();
    }
}

fn find(node: &Node, location: &Location, path: &mut Vec<Step>, found: &mut Vec<Vec<Step>>) {
    let mut visit = |step, child| {
        path.push(step);
        find(child, location, path, found);
        path.pop();
    };
    match &node.value {
        Held::Map(entries) => {
            let values =
                entries.iter().filter(|entry| entry.location != *location || !is_bare(entry));
            values.for_each(|entry| visit(Step::Key(entry.key.clone()), &entry.value));
        }
        Held::List(items) => {
            items.iter().enumerate().for_each(|(index, item)| visit(Step::Item(index), item));
        }
        Held::Scalar(_) if node.location == *location => found.push(path.clone()),
        Held::Scalar(_) => {}
    }
}

/// Whether nothing is written, so that the value is placed at its key.
fn is_bare(entry: &Entry) -> bool {
    entry.value.location == entry.location
}

fn last_key(path: &[Step]) -> Option<&str> {
    path.iter().rev().find_map(|step| match step {
        Step::Key(key) => Some(key.as_str()),
        Step::Item(_) => None,
    })
}

/// `key` of the map at `path`.
fn under(
    draft: &Draft<'_>,
    path: &[Step],
    key: &'static str,
    value: &Value,
) -> Result<EditTarget, EditError> {
    let map = path.iter().try_fold(&draft.values, |node, step| step.of(node));
    let map = map.filter(|node| matches!(node.value, Held::Map(_))).ok_or_else(|| {
        let what = if path.is_empty() { "the file".into() } else { format!("`{}`", spelled(path)) };
        error::not_there(&format!("{what} is not there or no map of keys"))
    })?;
    let (key, rename, value) = as_written(map, key, value.clone());
    let path = path.iter().cloned().chain([Step::Key(key.to_owned())]).collect();
    Ok(EditTarget { path, value, rename, by_location: false, holds_already: false })
}

/// The key that is really meant, its new name and the value in its form.
fn as_written(
    map: &Node,
    key: &'static str,
    value: Value,
) -> (&'static str, Option<&'static str>, Value) {
    let key = match key {
        SUBNETS if map.get(SUBNETS).is_none() && map.get(SUBNET).is_some() => SUBNET,
        SUBNET if map.get(SUBNET).is_none() && map.get(SUBNETS).is_some() => SUBNETS,
        other => other,
    };
    match value {
        Value::List(mut items) if key == SUBNET && items.len() == 1 => {
            (key, None, Value::Text(items.remove(0)))
        }
        Value::List(items) if key == SUBNET => (key, Some(SUBNETS), Value::List(items)),
        Value::Text(one) if LISTS.contains(&key) => (key, None, Value::List(vec![one])),
        value => (key, None, value),
    }
}

/// The tree of values in which the aimed ones, and nothing else, are new.
pub(super) fn expected(draft: &Draft<'_>, aims: &[EditTarget]) -> Node {
    let mut root = draft.values.clone();
    for aim in aims {
        set(&mut root, aim);
    }
    root
}

fn set(root: &mut Node, aim: &EditTarget) {
    let Some((Step::Key(_) | Step::Item(_), before)) = aim.path.split_last() else { return };
    let Some(parent) = before.iter().try_fold(root, |node, step| step.of_mut(node)) else { return };
    if let (Held::Map(entries), Some(Step::Key(key)), Value::Removed) =
        (&mut parent.value, aim.path.last(), &aim.value)
    {
        return entries.retain(|entry| entry.key != *key);
    }
    let new = node(&aim.value, parent);
    match (&mut parent.value, aim.path.last()) {
        (Held::List(items), Some(Step::Item(index))) => {
            items.get_mut(*index).into_iter().for_each(|item| *item = new.clone());
        }
        (Held::Map(entries), Some(Step::Key(key))) => {
            let location = parent.location.clone();
            entries.retain(|entry| entry.key != *key);
            let key = aim.rename.map_or_else(|| key.clone(), str::to_owned);
            entries.push(Entry { key, location, value: new });
        }
        _ => {}
    }
}

/// `value` as a node, placed where `near` is.
fn node(value: &Value, near: &Node) -> Node {
    let text = |text: &String| Node {
        location: near.location.clone(),
        value: Held::Scalar(Scalar { text: text.clone(), resolved: Resolved::Text }),
    };
    match value {
        Value::Text(one) => text(one),
        // A removed value has no node; nothing reads it.
        Value::Removed => text(&String::new()),
        Value::List(items) => Node {
            location: near.location.clone(),
            value: Held::List(items.iter().map(text).collect()),
        },
    }
}

/// The first place in which two trees hold different values; the order of keys
/// is none.
pub(super) fn difference(a: &Node, b: &Node) -> Option<Vec<Step>> {
    let within = |step: Step, a, b| {
        difference(a, b).map(|mut path| {
            path.insert(0, step);
            path
        })
    };
    match (&a.value, &b.value) {
        (Held::Scalar(a), Held::Scalar(b)) => (!same(a, b)).then(Vec::new),
        (Held::List(a), Held::List(b)) if a.len() == b.len() => {
            let mut pairs = a.iter().zip(b).enumerate();
            pairs.find_map(|(index, (a, b))| within(Step::Item(index), a, b))
        }
        (Held::Map(entries), Held::Map(others)) => {
            let lost = others.iter().find(|entry| a.get(&entry.key).is_none());
            lost.map(|entry| vec![Step::Key(entry.key.clone())]).or_else(|| {
                entries.iter().find_map(|entry| match b.get(&entry.key) {
                    Some(other) => within(Step::Key(entry.key.clone()), &entry.value, other),
                    None => Some(vec![Step::Key(entry.key.clone())]),
                })
            })
        }
        _ => Some(Vec::new()),
    }
}

fn same(a: &Scalar, b: &Scalar) -> bool {
    // NaN equals nothing, and what is spelled the same is the same float.
    let both_floats = matches!((a.resolved, b.resolved), (Resolved::Float(_), Resolved::Float(_)));
    a.text == b.text && (both_floats || a.resolved == b.resolved)
}
