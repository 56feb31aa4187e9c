//! A position in a tree: a node and the path that leads to it.

use std::{fmt::Write, rc::Rc};

use crate::config::{
    Diagnostic, Location, Sourced, text,
    yaml::{Entry, Node, Value},
};

/// A node and the key path that leads to it.
#[derive(Clone, Debug)]
pub(in crate::config) struct Cursor<'a> {
    /// The node.
    pub node: &'a Node,
    /// The last step of its path; none at the top.
    way: Option<Rc<Ancestor<'a>>>,
}

/// A step of a path and those before it. Paths are spelled out in messages only,
/// and few cursors are ever reported.
#[derive(Debug)]
struct Ancestor<'a> {
    before: Option<Rc<Ancestor<'a>>>,
    step: Step<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Key(&'a str),
    Item(usize),
}

impl<'a> Cursor<'a> {
    /// The top of a tree.
    pub fn root(node: &'a Node) -> Self {
        Self { node, way: None }
    }

    /// The value under `key`, if this is a map that has it.
    pub fn get(&self, key: &str) -> Option<Self> {
        let entry = self.node.entries().iter().find(|entry| entry.key == key)?;
        Some(self.value_of(entry))
    }

    /// The value of one of its entries.
    pub fn value_of(&self, entry: &'a Entry) -> Self {
        self.below(&entry.value, Step::Key(&entry.key))
    }

    fn below(&self, node: &'a Node, step: Step<'a>) -> Self {
        Self { node, way: Some(Rc::new(Ancestor { before: self.way.clone(), step })) }
    }

    /// The entries, if this is a map.
    pub fn entries(&self) -> impl Iterator<Item = (&'a Entry, Self)> {
        self.node.entries().iter().map(|entry| (entry, self.value_of(entry)))
    }

    /// The items, if this is a list.
    pub fn items(&self) -> impl Iterator<Item = Self> {
        let items: &'a [Node] = match &self.node.value {
            Value::List(items) => items,
            Value::Scalar(_) | Value::Map(_) => &[],
        };
        items.iter().enumerate().map(|(index, node)| self.below(node, Step::Item(index)))
    }

    /// Its path: `provider.region`, `steps[2].run`; empty at the top.
    pub fn path(&self) -> String {
        let ways = std::iter::successors(self.way.as_deref(), |way| way.before.as_deref());
        let steps: Vec<Step<'_>> = ways.map(|way| way.step).collect();
        steps.into_iter().rev().fold(String::new(), with_step)
    }

    /// The path of one of its keys.
    pub fn path_of(&self, key: &str) -> String {
        with_step(self.path(), Step::Key(key))
    }

    /// Where it stands.
    pub fn location(&self) -> Location {
        self.node.location.clone()
    }

    /// Where the bytes `range` of this scalar's text were written: exact where
    /// they stand in the file as they are, else the whole scalar.
    pub fn location_of(&self, range: std::ops::Range<usize>) -> Location {
        let (location, text) = (self.location(), self.node.text());
        let count = |range| text.get(range).map_or(0, |part: &str| part.chars().count());
        let quotes = (location.width as usize).checked_sub(count(0..text.len()));
        let offset = match quotes {
            Some(0) => 0,
            Some(2) => 1,
            _ => return location,
        };
        let before = u32::try_from(offset + count(0..range.start)).unwrap_or(0);
        let width = u32::try_from(count(range)).unwrap_or(1).max(1);
        Location { column: location.column + before, width, ..location }
    }

    /// `value`, written here.
    pub fn sourced<T>(&self, value: T) -> Sourced<T> {
        Sourced::written(value, self.location())
    }

    /// An error that is about this value.
    pub fn error(&self, id: &'static str, message: impl Into<String>) -> Diagnostic {
        self.finish(Diagnostic::error(id, message))
    }

    /// A warning that is about this value.
    pub fn warning(&self, id: &'static str, message: impl Into<String>) -> Diagnostic {
        self.finish(Diagnostic::warning(id, message))
    }

    fn finish(&self, diagnostic: Diagnostic) -> Diagnostic {
        let diagnostic = diagnostic.at(self.location());
        if self.way.is_none() { diagnostic } else { diagnostic.key(self.path()) }
    }
}

/// `path` and one step more.
fn with_step(mut path: String, step: Step<'_>) -> String {
    match step {
        Step::Key(key) => {
            let dot = if path.is_empty() { "" } else { "." };
            path.extend([dot, &text::shown(key)]);
        }
        Step::Item(index) => _ = write!(path, "[{index}]"),
    }
    path
}
