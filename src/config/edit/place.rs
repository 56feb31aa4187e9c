//! From a path to the bytes that hold its value, and what takes their place.

use granit_parser::ScalarStyle;

use super::{
    Sharing, Value, comment,
    draft::Draft,
    error::{EditError, by_hand, not_there},
    list, quote,
    splice::Splice,
    target::{EditTarget, Step, spelled},
};
use crate::config::yaml::written::{Id, NodeStyle, Pair};

/// The keys after which a new one is inserted: after the first of them that exists.
const NEIGHBOURS: [&str; 7] =
    ["ImageId", "InstanceType", "key_name", "key_location", "leader", "regions", "name"];

/// What has to change in the text for `aim`.
pub(super) fn splices(
    draft: &Draft<'_>,
    aim: &EditTarget,
    sharing: Sharing,
) -> Result<Vec<Splice>, EditError> {
    let sharing = if aim.by_location { Sharing::Shared } else { sharing };
    let missing = || not_there(&format!("`{}` is not found", spelled(&aim.path)));
    let (last, before) = aim.path.split_last().ok_or_else(missing)?;
    let parent = before.iter().try_fold(draft.root, |id, step| child(draft, id, step));
    let parent = draft.tree.aimed(parent.ok_or_else(missing)?);
    let Step::Key(key) = last else {
        let item = child(draft, parent, last).ok_or_else(missing)?;
        let mut splices = value(draft, aim, item, sharing)?;
        splices.extend(settled(draft, before));
        return Ok(splices);
    };
    if aim.value == Value::Removed {
        let own = draft
            .tree
            .entry(parent, key)
            .filter(|(holder, _)| *holder == parent || sharing == Sharing::Shared);
        let (holder, pair) =
            own.ok_or_else(|| by_hand(&spelled(&aim.path), "comes out of what others share"))?;
        let splices = comment::out(draft, holder, pair);
        return splices.ok_or_else(|| by_hand(&spelled(&aim.path), "shares its line with more"));
    }
    match draft.tree.entry(parent, key) {
        Some((holder, pair)) if holder == parent || sharing == Sharing::Shared => {
            entry(draft, aim, pair, sharing)
        }
        _ => insert(draft, aim, parent, aim.rename.unwrap_or(key)).map(|splice| vec![splice]),
    }
}

/// The same for the key of a list, one item of which is another one now.
fn settled(draft: &Draft<'_>, list: &[Step]) -> Option<Splice> {
    let (Step::Key(key), before) = list.split_last()? else { return None };
    let parent = before.iter().try_fold(draft.root, |id, step| child(draft, id, step))?;
    comment::settled(draft, draft.tree.entry(parent, key)?.1)
}

fn child(draft: &Draft<'_>, id: Id, step: &Step) -> Option<Id> {
    match (step, &draft.tree.node(draft.tree.aimed(id)).style) {
        (Step::Key(key), _) => draft.tree.entry(id, key).map(|(_, pair)| pair.value),
        (Step::Item(index), NodeStyle::List { items, .. }) => items.get(*index).copied(),
        (Step::Item(_), _) => None,
    }
}

/// Changes the value of an existing key.
fn entry(
    draft: &Draft<'_>,
    aim: &EditTarget,
    pair: &Pair,
    sharing: Sharing,
) -> Result<Vec<Splice>, EditError> {
    let written = draft.tree.node(pair.value);
    let mut splices = match (&written.style, written.span.is_empty()) {
        (NodeStyle::Scalar(ScalarStyle::Plain), true) => vec![behind_colon(draft, aim, pair)?],
        _ => value(draft, aim, pair.value, sharing)?,
    };
    splices.extend(comment::settled(draft, pair));
    if let Some(name) = aim.rename {
        let old = draft.text.get(pair.span.clone()).unwrap_or_default();
        let quote = if old.starts_with(['"', '\'']) { &old[..1] } else { "" };
        splices.push(Splice { range: pair.span.clone(), text: format!("{quote}{name}{quote}") });
    }
    Ok(splices)
}

/// Gives a key a value that has none.
fn behind_colon(draft: &Draft<'_>, aim: &EditTarget, pair: &Pair) -> Result<Splice, EditError> {
    let written = draft.tree.node(pair.value);
    let rest = draft.text.get(pair.span.end..).unwrap_or_default();
    let gap = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    if written.has_properties || !rest[gap..].starts_with(':') {
        return Err(by_hand(&spelled(&aim.path), "has no value, but an anchor or a tag"));
    }
    let text = format!(" {}", new(&aim.value, written.in_flow));
    Ok(Splice::insert(pair.span.end + gap + 1, text))
}

/// Changes a value that is written.
fn value(
    draft: &Draft<'_>,
    aim: &EditTarget,
    id: Id,
    sharing: Sharing,
) -> Result<Vec<Splice>, EditError> {
    let id = if sharing == Sharing::Shared { draft.tree.aimed(id) } else { id };
    let written = draft.tree.node(id);
    let whole = |text| Ok(vec![Splice { range: written.span.clone(), text }]);
    match (&written.style, &aim.value) {
        (NodeStyle::Scalar(ScalarStyle::Literal | ScalarStyle::Folded), _) => {
            Err(by_hand(&spelled(&aim.path), "is written as a block of lines (`|` or `>`)"))
        }
        (NodeStyle::Scalar(style), Value::Text(text)) => {
            whole(quote::scalar(text, *style, written.in_flow))
        }
        (NodeStyle::List { .. }, Value::List(items)) => list::splices(draft, aim, id, items),
        (
            NodeStyle::Scalar(_) | NodeStyle::Alias(_) | NodeStyle::List { flow: true, .. },
            value,
        ) => whole(new(value, written.in_flow)),
        (NodeStyle::List { .. }, Value::Text(_)) => {
            Err(by_hand(&spelled(&aim.path), "is a list over several lines, not one value"))
        }
        (_, Value::Removed) => {
            Err(by_hand(&spelled(&aim.path), "is not a key that can be removed"))
        }
        (NodeStyle::Map { .. }, _) => Err(by_hand(&spelled(&aim.path), "is a map, not a value")),
    }
}

/// A value where none was written.
fn new(value: &Value, in_flow: bool) -> String {
    match value {
        Value::Removed => String::new(),
        Value::Text(text) => quote::scalar(text, ScalarStyle::Plain, in_flow),
        Value::List(items) => {
            let items = items.iter().map(|item| quote::scalar(item, ScalarStyle::Plain, true));
            format!("[{}]", items.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Adds a key to the map `id`.
fn insert(draft: &Draft<'_>, aim: &EditTarget, id: Id, key: &str) -> Result<Splice, EditError> {
    let written = draft.tree.node(id);
    match &written.style {
        NodeStyle::Map { flow: true, entries } => {
            let added = format!("{key}: {}", new(&aim.value, true));
            Ok(between_braces(draft, written.span.start, entries, added))
        }
        NodeStyle::Map { flow: false, entries } => {
            let first = entries.first().ok_or_else(|| not_there("the map has no keys"))?;
            let (added, indent) =
                (format!("{key}: {}", new(&aim.value, false)), " ".repeat(first.column));
            Ok(match neighbour(draft, entries) {
                Some(end) => Splice::insert(end, format!("\n{indent}{added}")),
                None => Splice::insert(first.span.start, format!("{added}\n{indent}")),
            })
        }
        _ => Err(by_hand(&spelled(&aim.path), "would have to stand in what is no map")),
    }
}

fn between_braces(draft: &Draft<'_>, brace: usize, entries: &[Pair], added: String) -> Splice {
    let last = entries.last().map(|pair| &draft.tree.node(pair.value).span);
    match last {
        Some(span) if !span.is_empty() => Splice::insert(span.end, format!(", {added}")),
        // What has no value has no end either.
        Some(_) => Splice::insert(brace + 1, format!("{added}, ")),
        None => Splice::insert(brace + 1, added),
    }
}

/// The end of the line behind which a new key is put: no line that a value
/// goes on from, so that what follows stays with what it belongs to.
fn neighbour(draft: &Draft<'_>, entries: &[Pair]) -> Option<usize> {
    let preferred =
        NEIGHBOURS.iter().filter_map(|name| entries.iter().find(|pair| pair.key == *name));
    preferred.chain(entries).find_map(|pair| line_end(draft, pair))
}

fn line_end(draft: &Draft<'_>, pair: &Pair) -> Option<usize> {
    let value = draft.tree.node(pair.value);
    let end = if value.span.is_empty() { pair.span.end } else { value.span.end };
    let one_line = !draft.text.get(pair.span.start..end)?.contains('\n');
    let in_lines =
        matches!(value.style, NodeStyle::Scalar(ScalarStyle::Literal | ScalarStyle::Folded));
    (one_line && !in_lines).then(|| draft.line(end).end)
}
