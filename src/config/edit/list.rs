//! A list that gets other items: what stays is not touched, so that each item
//! keeps the comment behind it.

use granit_parser::ScalarStyle;
use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::{
    draft::Draft,
    error::{EditError, by_hand},
    quote,
    splice::Splice,
    target::{EditTarget, spelled},
};
use crate::config::yaml::{
    Node,
    written::{Id, NodeStyle, Written},
};

/// What makes the list `id` hold `new`.
pub(super) fn splices(
    draft: &Draft<'_>,
    aim: &EditTarget,
    id: Id,
    new: &[String],
) -> Result<Vec<Splice>, EditError> {
    let written = draft.tree.node(id);
    let NodeStyle::List { flow, items } = &written.style else { return Ok(Vec::new()) };
    let list = List {
        draft,
        flow: *flow,
        start: written.span.start,
        items: items.iter().map(|item| draft.tree.node(*item)).collect(),
    };
    let old = old_items(draft, aim);
    let plain = list.items.iter().all(|item| {
        let lines =
            matches!(item.style, NodeStyle::Scalar(ScalarStyle::Literal | ScalarStyle::Folded));
        !lines
            && !item.span.is_empty()
            && matches!(item.style, NodeStyle::Scalar(_) | NodeStyle::Alias(_))
    });
    let splices = (plain && old.len() == list.items.len()).then(|| list.changed(&old, new));
    splices.flatten().ok_or_else(|| {
        by_hand(
            &spelled(&aim.path),
            "is a list that is not laid out one plain item after the other",
        )
    })
}

/// The texts that the list holds.
fn old_items(draft: &Draft<'_>, aim: &EditTarget) -> Vec<String> {
    let list = aim.path.iter().try_fold(&draft.values, |node, step| step.of(node));
    match list.map(|node| &node.value) {
        Some(crate::config::yaml::Value::List(items)) => {
            items.iter().map(Node::text).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

struct List<'a> {
    draft: &'a Draft<'a>,
    flow: bool,
    start: usize,
    items: Vec<&'a Written>,
}

impl List<'_> {
    fn changed(&self, old: &[String], new: &[String]) -> Option<Vec<Splice>> {
        let mut splices = Vec::new();
        for op in capture_diff_slices(Algorithm::Myers, old, new) {
            let (old_range, new_range) = (op.old_range(), op.new_range());
            if matches!(op, DiffOp::Equal { .. }) {
                continue;
            }
            let both = old_range.len().min(new_range.len());
            let pairs = old_range.clone().zip(&new[new_range.clone()]);
            splices.extend(pairs.map(|(index, text)| self.replaced(index, text)));
            for index in old_range.start + both..old_range.end {
                splices.push(self.removed(index)?);
            }
            let added = &new[new_range.start + both..new_range.end];
            if !added.is_empty() {
                splices.push(self.added(old_range.start + both, added)?);
            }
        }
        Some(splices)
    }

    fn replaced(&self, index: usize, text: &str) -> Splice {
        let item = self.items[index];
        let text = quote::scalar(text, style(item), self.flow || item.in_flow);
        Splice { range: item.span.clone(), text }
    }

    /// `texts` in front of the item `index`.
    fn added(&self, index: usize, texts: &[String]) -> Option<Splice> {
        let before = index.checked_sub(1).and_then(|index| self.items.get(index)).copied();
        let after = self.items.get(index).copied();
        let like = before.or(after).map_or(ScalarStyle::Plain, style);
        let texts = texts.iter().map(|text| quote::scalar(text, like, self.flow));
        if self.flow {
            let joined = texts.collect::<Vec<_>>().join(", ");
            return Some(match (before, after) {
                (Some(before), _) => Splice::insert(before.span.end, format!(", {joined}")),
                (None, Some(after)) => Splice::insert(after.span.start, format!("{joined}, ")),
                (None, None) => Splice::insert(self.start + 1, joined),
            });
        }
        let dash = self.dash(before.or(after)?)?;
        let lines: Vec<String> = texts.map(|text| format!("{dash}{text}")).collect();
        Some(match (before, after) {
            (Some(before), _) => {
                let end = self.draft.line(before.span.end).end;
                Splice::insert(end, format!("\n{}", lines.join("\n")))
            }
            (None, after) => {
                let start = self.draft.line(after?.span.start).start;
                Splice::insert(start, format!("{}\n", lines.join("\n")))
            }
        })
    }

    fn removed(&self, index: usize) -> Option<Splice> {
        let range = if self.flow { self.between_commas(index)? } else { self.own_line(index)? };
        Some(Splice { range, text: String::new() })
    }

    /// An item between brackets with the comma that is left over without it.
    fn between_commas(&self, index: usize) -> Option<std::ops::Range<usize>> {
        let item = &self.items[index].span;
        if let Some(next) = self.items.get(index + 1) {
            return Some(item.start..next.span.start);
        }
        let before = self.items.get(index.checked_sub(1)?)?;
        // A comment in between is not this item's: its comma may stay.
        let gap = self.draft.text.get(before.span.end..item.start)?;
        let start = if gap.contains('\n') { item.start } else { before.span.end };
        Some(start..item.end)
    }

    /// An item of a block list with its whole line.
    fn own_line(&self, index: usize) -> Option<std::ops::Range<usize>> {
        let item = self.items[index];
        self.dash(item)?;
        let line = self.draft.line(item.span.start);
        if item.span.end > line.end {
            return None;
        }
        if self.draft.text.len() > line.end {
            return Some(line.start..line.end + 1);
        }
        Some(line.start.checked_sub(1)?..line.end)
    }

    /// What stands before an item of a block list: indentation, `-`, space.
    fn dash(&self, item: &Written) -> Option<String> {
        let before = self.draft.line(item.span.start).start..item.span.start;
        let before = self.draft.text.get(before)?;
        let dash = before.find('-')?;
        let indent = before[..dash].bytes().all(|byte| byte == b' ');
        let space = &before[dash + 1..];
        let space = if space.bytes().all(|byte| byte == b' ') { space } else { " " };
        indent.then(|| format!("{}-{space}", &before[..dash]))
    }
}

fn style(item: &Written) -> ScalarStyle {
    match item.style {
        NodeStyle::Scalar(style) => style,
        _ => ScalarStyle::Plain,
    }
}
