//! The tree as it is written: where each value begins and ends and in which
//! style, aliases left as they stand. For changing a value and nothing else.
//!
//! Only texts that [`parse`](super::parse) takes without a word are read so;
//! the bounds on size and depth are that one's.

use std::{collections::HashMap, ops::Range};

use granit_parser::{Event, Parser, ScalarStyle, Span, StructureStyle};

use super::build;

/// All that is written in a text.
#[derive(Debug, Default)]
pub(in crate::config) struct Tree {
    nodes: Vec<Written>,
    /// Nodes by the parser's number of their anchor.
    anchors: HashMap<usize, Id>,
    root: Option<Id>,
}

/// A node of a [`Tree`].
pub(in crate::config) type Id = usize;

/// A value as it is written.
#[derive(Debug)]
pub(in crate::config) struct Written {
    /// Its bytes, without anchor and tag. A block list or map ends where its
    /// last value does.
    pub span: Range<usize>,
    /// Its first line, from 1, and the one on which it ends.
    pub lines: (usize, usize),
    /// Whether an anchor or a tag stands before it.
    pub has_properties: bool,
    /// Whether it stands between brackets or braces.
    pub in_flow: bool,
    /// What is written.
    pub style: NodeStyle,
}

/// What is written.
#[derive(Debug)]
pub(in crate::config) enum NodeStyle {
    /// A scalar in this style.
    Scalar(ScalarStyle),
    /// `*name`; an anchor's number.
    Alias(usize),
    /// A list: whether between brackets, and its items.
    List { flow: bool, items: Vec<Id> },
    /// A map: whether between braces, and its entries.
    Map { flow: bool, entries: Vec<Pair> },
}

/// A key with its value.
#[derive(Debug)]
pub(in crate::config) struct Pair {
    /// The key's text.
    pub key: String,
    /// Its bytes.
    pub span: Range<usize>,
    /// The column in which it begins, from 0.
    pub column: usize,
    /// Whether it is a plain `<<`.
    pub is_merge: bool,
    /// The value.
    pub value: Id,
}

impl Tree {
    /// Reads `text`. `None` where it is not one document of YAML.
    pub fn read(text: &str) -> Option<Self> {
        let mut builder = TreeBuilder::default();
        for event in Parser::new_from_str_with_options(text, build::options()) {
            let (event, span) = event.ok()?;
            builder.take(event, span)?;
        }
        builder.open.is_empty().then_some(builder.tree)
    }

    /// The top of the document.
    pub fn root(&self) -> Option<Id> {
        self.root
    }

    /// A node.
    pub fn node(&self, id: Id) -> &Written {
        &self.nodes[id]
    }

    /// What `id` stands for: itself, or what an alias names.
    pub fn aimed(&self, id: Id) -> Id {
        match self.node(id).style {
            NodeStyle::Alias(anchor) => self.anchors.get(&anchor).copied().unwrap_or(id),
            _ => id,
        }
    }

    /// The entry of `key` in the map `id`: its own, else what `<<` brings.
    /// The number is of the map that holds it.
    pub fn entry(&self, id: Id, key: &str) -> Option<(Id, &Pair)> {
        let id = self.aimed(id);
        let NodeStyle::Map { entries, .. } = &self.node(id).style else { return None };
        let own = entries.iter().find(|pair| !pair.is_merge && pair.key == key);
        own.map(|pair| (id, pair)).or_else(|| {
            let merges = entries.iter().filter(|pair| pair.is_merge);
            merges.flat_map(|pair| self.merged(pair.value)).find_map(|map| self.entry(map, key))
        })
    }

    /// The maps behind a `<<`.
    fn merged(&self, id: Id) -> Vec<Id> {
        match &self.node(self.aimed(id)).style {
            NodeStyle::List { items, .. } => items.clone(),
            _ => vec![id],
        }
    }
}

/// A list or map whose end has not been read.
struct Open {
    id: Id,
    anchor: usize,
    /// The key that waits for its value.
    key: Option<Pair>,
}

#[derive(Default)]
struct TreeBuilder {
    tree: Tree,
    open: Vec<Open>,
}

impl TreeBuilder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Option<()> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && tag.is_none();
                if self.at_key() {
                    return self.key(&text, plain && text == "<<", anchor, span);
                }
                let properties = anchor != 0 || tag.is_some();
                let id = self.push(NodeStyle::Scalar(style), properties, span)?;
                self.add(id, anchor)
            }
            Event::Alias(anchor) if self.at_key() => {
                let text = self.text_of(anchor)?;
                self.key(&text, false, 0, span)
            }
            Event::Alias(anchor) => {
                let id = self.push(NodeStyle::Alias(anchor), false, span)?;
                self.add(id, 0)
            }
            Event::SequenceStart(style, anchor, tag) => {
                let flow = style == StructureStyle::Flow;
                self.enter(NodeStyle::List { flow, items: Vec::new() }, anchor, tag.is_some(), span)
            }
            Event::MappingStart(style, anchor, tag) => {
                let flow = style == StructureStyle::Flow;
                self.enter(
                    NodeStyle::Map { flow, entries: Vec::new() },
                    anchor,
                    tag.is_some(),
                    span,
                )
            }
            Event::SequenceEnd | Event::MappingEnd => self.leave(span),
            Event::UnresolvedAlias(_) => None,
            _ => Some(()),
        }
    }

    fn at_key(&self) -> bool {
        self.open.last().is_some_and(|open| {
            open.key.is_none() && matches!(self.tree.node(open.id).style, NodeStyle::Map { .. })
        })
    }

    fn key(&mut self, text: &str, is_merge: bool, anchor: usize, span: Span) -> Option<()> {
        if anchor != 0 {
            // An alias may stand for a key's text.
            let id = self.push(NodeStyle::Scalar(ScalarStyle::Plain), true, span)?;
            self.tree.anchors.insert(anchor, id);
        }
        let column = span.start.col();
        let key = Pair { key: text.to_owned(), span: bytes(span)?, column, is_merge, value: 0 };
        self.open.last_mut()?.key = Some(key);
        Some(())
    }

    /// The text of an anchored key or scalar is not kept: a key by alias is
    /// rarer than what it would cost, and its entry can't be aimed at.
    fn text_of(&self, anchor: usize) -> Option<String> {
        self.tree.anchors.contains_key(&anchor).then(String::new)
    }

    fn push(&mut self, style: NodeStyle, has_properties: bool, span: Span) -> Option<Id> {
        let lines = (span.start.line(), span.end.line());
        let in_flow = self.in_flow();
        self.tree.nodes.push(Written { span: bytes(span)?, lines, has_properties, in_flow, style });
        Some(self.tree.nodes.len() - 1)
    }

    fn in_flow(&self) -> bool {
        self.open.last().is_some_and(|open| match self.tree.node(open.id).style {
            NodeStyle::List { flow, .. } | NodeStyle::Map { flow, .. } => flow,
            _ => false,
        })
    }

    fn enter(&mut self, style: NodeStyle, anchor: usize, tagged: bool, span: Span) -> Option<()> {
        let id = self.push(style, anchor != 0 || tagged, span)?;
        self.open.push(Open { id, anchor, key: None });
        Some(())
    }

    fn leave(&mut self, span: Span) -> Option<()> {
        let open = self.open.pop()?;
        let last = match &self.tree.node(open.id).style {
            NodeStyle::List { flow: false, items } => items.last().copied(),
            NodeStyle::Map { flow: false, entries } => entries.last().map(|pair| pair.value),
            _ => None,
        };
        let (end, line) = match last.map(|id| self.tree.node(id)) {
            Some(last) => (last.span.end, last.lines.1),
            None => (bytes(span)?.end, span.end.line()),
        };
        let node = self.tree.nodes.get_mut(open.id)?;
        (node.span.end, node.lines.1) = (end, line);
        self.add(open.id, open.anchor)
    }

    fn add(&mut self, id: Id, anchor: usize) -> Option<()> {
        if anchor != 0 {
            self.tree.anchors.insert(anchor, id);
        }
        let Some(open) = self.open.last_mut() else {
            self.tree.root = Some(id);
            return Some(());
        };
        match &mut self.tree.nodes.get_mut(open.id)?.style {
            NodeStyle::List { items, .. } => items.push(id),
            NodeStyle::Map { entries, .. } => entries.push(Pair { value: id, ..open.key.take()? }),
            NodeStyle::Scalar(_) | NodeStyle::Alias(_) => return None,
        }
        Some(())
    }
}

fn bytes(span: Span) -> Option<Range<usize>> {
    Some(span.start.byte_offset()?..span.end.byte_offset()?)
}
