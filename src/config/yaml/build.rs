//! From the parser's events to the tree.
//!
//! Aliases are resolved by copying, under a bound on the number of nodes, so
//! that neither a bomb of aliases nor a reader of the tree can run away.

use std::{borrow::Cow, cell::OnceCell, collections::HashMap};

use granit_parser::{ErrorKind, Event, Options, Parser, ScalarStyle, ScanError, Span, Tag};

use super::{
    Node, Scalar, Value,
    entries::{Entries, Fatal, Key, insert, merge, with_merged},
    scalar,
};
use crate::config::{Diagnostic, Location, Source, diagnostic::ids, reader::MOST, text};

/// Levels of lists and maps; a config needs about ten.
const MAX_DEPTH: usize = 64;
/// Nodes that are written, keys included; a large config has a few thousand,
/// and the largest file that is read at all hardly more than this.
const MAX_NODES: usize = 2_000_000;
/// Nodes that aliases bring a second time and more often.
const MAX_COPIES: usize = 20_000;

/// Reads `source`. What is wrong goes to `diagnostics`; `None` where there is
/// no tree to speak of: a syntax error, or nothing in the file.
pub(in crate::config) fn parse(source: &Source, diagnostics: &mut Vec<Diagnostic>) -> Option<Node> {
    if let Some(stray) = stray_character(source) {
        diagnostics.push(stray);
        return None;
    }
    let mut builder = Builder::new(source, diagnostics);
    for event in Parser::new_from_str_with_options(&source.text, options()) {
        let step = match event {
            Ok((event, span)) => builder.take(event, span),
            Err(error) => Err(builder.syntax(&error)),
        };
        if let Err(fatal) = step {
            builder.diagnostics.push(*fatal);
            return None;
        }
    }
    builder.root
}

/// `PyYAML` refuses control characters, and a terminal should never be shown them.
fn stray_character(source: &Source) -> Option<Diagnostic> {
    let (line, column, character) = text::first_stray(&source.text)?;
    let location = Location { file: source.path.clone(), line, column, width: 1 };
    Some(
        Diagnostic::error(
            ids::YAML_SYNTAX,
            format!("the control character U+{:04X} can't stand in YAML", u32::from(character)),
        )
        .at(location)
        .help("remove it, or write it as an escape between double quotes"),
    )
}

/// A list or map whose end has not been read.
struct Open {
    /// Where it starts.
    start: Location,
    anchor: usize,
    nodes: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map { entries: Entries, merged: Entries, key: Option<Key> },
}

impl Content {
    fn empty_map() -> Self {
        Self::Map { entries: Entries::default(), merged: Entries::default(), key: None }
    }
}

struct Builder<'a> {
    source: &'a Source,
    /// Its lines, once one is asked for: few values go over several.
    lines: OnceCell<Vec<&'a str>>,
    diagnostics: &'a mut Vec<Diagnostic>,
    open: Vec<Open>,
    /// Complete nodes by anchor, and how many nodes each of them is.
    anchors: HashMap<usize, (Node, usize)>,
    /// Nodes that were written so far.
    nodes: usize,
    /// Nodes that aliases brought so far.
    copies: usize,
    root: Option<Node>,
    documents: usize,
}

type Step = Result<(), Fatal>;

impl<'a> Builder<'a> {
    fn new(source: &'a Source, diagnostics: &'a mut Vec<Diagnostic>) -> Self {
        Self {
            source,
            lines: OnceCell::new(),
            diagnostics,
            open: Vec::new(),
            anchors: HashMap::new(),
            nodes: 0,
            copies: 0,
            root: None,
            documents: 0,
        }
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Step {
        self.nodes += 1;
        self.check_size(self.nodes, MAX_NODES, "values", span)?;
        match event {
            Event::DocumentStart(..) => self.document(span),
            // What a key would be read as is never asked.
            Event::Scalar(text, style, 0, None) if self.at_key() => {
                let is_merge = style == ScalarStyle::Plain && text == "<<";
                self.key(text.into_owned(), is_merge, span);
                Ok(())
            }
            Event::Scalar(text, style, anchor, tag) => {
                let scalar = self.scalar(text, style, tag.as_deref(), span)?;
                let plain = style == ScalarStyle::Plain && tag.is_none();
                self.scalar_node(scalar, plain, anchor, span)
            }
            Event::Alias(anchor) => self.alias(anchor, span),
            Event::UnresolvedAlias(name) => Err(unknown_alias(&name, self.location(span))),
            Event::SequenceStart(_, anchor, tag) => {
                self.check_tag(tag.as_deref(), "seq", span)?;
                self.enter(Content::List(Vec::new()), anchor, span)
            }
            Event::MappingStart(_, anchor, tag) => {
                self.check_tag(tag.as_deref(), "map", span)?;
                self.enter(Content::empty_map(), anchor, span)
            }
            Event::SequenceEnd | Event::MappingEnd => self.leave(),
            // The ends of the stream and the document, and what later versions may add.
            _ => Ok(()),
        }
    }

    fn document(&mut self, span: Span) -> Step {
        self.documents += 1;
        if self.documents == 1 {
            return Ok(());
        }
        Err(Diagnostic::error(ids::YAML_DOCUMENTS, "a second YAML document starts here")
            .at(self.location(span))
            .help("a config is one document: put the other into a file of its own")
            .into())
    }

    fn scalar(
        &self,
        text: Cow<'_, str>,
        style: ScalarStyle,
        tag: Option<&Tag>,
        span: Span,
    ) -> Result<Scalar, Fatal> {
        let resolved = match tag {
            // A lone `!` marks text, whatever it looks like.
            Some(tag) if spelled(tag) == "!" => super::Resolved::Text,
            Some(tag) => tag
                .core_suffix()
                .and_then(|suffix| scalar::resolve_tagged(suffix, &text))
                .ok_or_else(|| self.tag(tag, span))?,
            None if style == ScalarStyle::Plain => scalar::resolve(&text),
            None => super::Resolved::Text,
        };
        Ok(Scalar { text: text.into_owned(), resolved })
    }

    fn check_tag(&self, tag: Option<&Tag>, expected: &str, span: Span) -> Step {
        match tag {
            Some(tag) if tag.core_suffix() != Some(expected) => Err(self.tag(tag, span)),
            _ => Ok(()),
        }
    }

    fn tag(&self, tag: &Tag, span: Span) -> Fatal {
        let name = text::shown(&spelled(tag));
        Diagnostic::error(ids::YAML_TAG, format!("the tag `{name}` can't be read here"))
            .at(self.location(span.tag_span().unwrap_or(span)))
            .help("write the value without a tag; Ray reads plain YAML only")
            .into()
    }

    /// The next key of the map that is being read.
    fn key(&mut self, text: String, is_merge: bool, span: Span) {
        let location = self.location(span);
        if let Some(Open { content: Content::Map { key, .. }, .. }) = self.open.last_mut() {
            *key = Some(Key { text, location, is_merge });
        }
    }

    /// A scalar is a map's next key, or a value.
    fn scalar_node(&mut self, scalar: Scalar, plain: bool, anchor: usize, span: Span) -> Step {
        if self.at_key() {
            self.key(scalar.text.clone(), plain && scalar.text == "<<", span);
            let location = self.location(span);
            self.remember(anchor, 1, || Node { location, value: Value::Scalar(scalar) });
            return Ok(());
        }
        let of_key = if plain && span.is_empty() { self.key_location() } else { None };
        let location = of_key.unwrap_or_else(|| self.location(span));
        self.add(Node { location, value: Value::Scalar(scalar) }, anchor, 1)
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Step {
        let location = self.location(span);
        let Some((node, nodes)) = self.anchors.get(&anchor).cloned() else {
            return Err(own_alias(location));
        };
        self.copies += nodes;
        self.check_size(self.copies, MAX_COPIES, "values by alias", span)?;
        let Some(Open { content: Content::Map { key: key @ None, .. }, .. }) = self.open.last_mut()
        else {
            return self.add(node, 0, nodes);
        };
        let Value::Scalar(scalar) = node.value else {
            return Err(complex_key(location));
        };
        *key = Some(Key { text: scalar.text, location, is_merge: false });
        Ok(())
    }

    fn enter(&mut self, content: Content, anchor: usize, span: Span) -> Step {
        let start = self.location(span);
        if self.at_key() {
            return Err(complex_key(start));
        }
        if self.open.len() == MAX_DEPTH {
            return Err(too_deep(start));
        }
        let start = self.key_location().unwrap_or(start);
        self.open.push(Open { start, anchor, nodes: 1, content });
        Ok(())
    }

    fn leave(&mut self) -> Step {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let (location, value) = match open.content {
            Content::List(items) => (open.start, Value::List(items)),
            Content::Map { entries, merged, .. } => {
                let entries = with_merged(entries, merged).into_list();
                let first = entries.first().map(|entry| entry.location.clone());
                let in_list =
                    matches!(self.open.last(), Some(Open { content: Content::List(_), .. }) | None);
                (first.filter(|_| in_list).unwrap_or(open.start), Value::Map(entries))
            }
        };
        self.add(Node { location, value }, open.anchor, open.nodes)
    }

    /// Puts a complete node where it belongs.
    fn add(&mut self, node: Node, anchor: usize, nodes: usize) -> Step {
        self.remember(anchor, nodes, || node.clone());
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        open.nodes += nodes;
        match &mut open.content {
            Content::List(items) => items.push(node),
            Content::Map { entries, merged, key } => {
                let Some(key) = key.take() else { return Ok(()) };
                if key.is_merge {
                    merge(merged, node, &key.location)?;
                } else if let Some(twice) = insert(entries, key, node) {
                    too_often(self.diagnostics.len(), &twice)?;
                    self.diagnostics.push(twice);
                }
            }
        }
        Ok(())
    }

    fn remember(&mut self, anchor: usize, nodes: usize, node: impl FnOnce() -> Node) {
        if anchor != 0 {
            self.anchors.insert(anchor, (node(), nodes));
        }
    }

    /// Stops where there are too many of `what`.
    fn check_size(&self, held: usize, most: usize, what: &str, span: Span) -> Step {
        if held <= most {
            return Ok(());
        }
        let message = format!("this file holds more than {most} {what}");
        Err(Diagnostic::error(ids::YAML_TOO_MUCH, message)
            .at(self.location(span))
            .help("no cluster needs that many; is this the right file?")
            .into())
    }

    fn at_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { content: Content::Map { key: None, .. }, .. }))
    }

    /// Where the key stands whose value comes next.
    fn key_location(&self) -> Option<Location> {
        match &self.open.last()?.content {
            Content::Map { key: Some(key), .. } => Some(key.location.clone()),
            _ => None,
        }
    }

    fn syntax(&self, error: &ScanError) -> Fatal {
        let location = self.location(Span::empty(*error.marker()));
        let by_tab = self.line(location.line).trim_start_matches(' ').starts_with('\t');
        if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
            return too_deep(location);
        }
        let message = format!("this is not YAML: {}", error.kind());
        let diagnostic = Diagnostic::error(ids::YAML_SYNTAX, message).at(location);
        let help = match error.kind() {
            _ if by_tab => "YAML is indented with spaces: this line has a tab",
            ErrorKind::UnclosedFlowCollection { .. } => "close it where its content ends",
            _ => "if this line is correct, check the lines above for a missing quote or bracket",
        };
        diagnostic.help(help).into()
    }

    fn line(&self, line: u32) -> &'a str {
        let index = usize::try_from(line).unwrap_or(usize::MAX).saturating_sub(1);
        let lines = self.lines.get_or_init(|| self.source.text.lines().collect());
        lines.get(index).copied().unwrap_or_default()
    }

    /// The part of `span` on its first line, at least one character.
    fn location(&self, span: Span) -> Location {
        let line = number(span.start.line().max(1));
        let end = if span.end.line() == span.start.line() {
            span.end.col()
        } else {
            self.line(line).trim_end().chars().count()
        };
        let width = number(end.saturating_sub(span.start.col())).max(1);
        let column = number(span.start.col() + 1);
        Location { file: self.source.path.clone(), line, column, width }
    }
}

fn number(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

fn spelled(tag: &Tag) -> String {
    format!("{}{}", tag.original_handle(), tag.suffix())
}

pub(super) fn options() -> Options {
    let mut options = Options::default();
    options.emit_unresolved_aliases = true;
    options
}

/// Ends a file in which more keys are given twice than anybody reads of.
fn too_often(reported: usize, twice: &Diagnostic) -> Step {
    if reported + 1 < MOST {
        return Ok(());
    }
    let mut fatal =
        Diagnostic::error(ids::YAML_TOO_MUCH, format!("this file has more than {MOST} mistakes"));
    fatal.location.clone_from(&twice.location);
    Err(fatal.help("is this the right file?").into())
}

fn too_deep(location: Location) -> Fatal {
    let message = format!("lists and maps are nested more than {MAX_DEPTH} deep here");
    Diagnostic::error(ids::YAML_TOO_MUCH, message)
        .at(location)
        .help("no config is; is this the right file?")
        .into()
}

fn unknown_alias(name: &str, location: Location) -> Fatal {
    let message = format!("nothing above is anchored as `&{}`", text::shown(name));
    Diagnostic::error(ids::YAML_ALIAS, message)
        .at(location)
        .help("put text that begins with `*` in quotes")
        .into()
}

fn own_alias(location: Location) -> Fatal {
    Diagnostic::error(ids::YAML_ALIAS, "this alias stands inside of what it names")
        .at(location)
        .help("write the value out in place of the alias")
        .into()
}

fn complex_key(location: Location) -> Fatal {
    Diagnostic::error(ids::YAML_SYNTAX, "a key must be text, not a list or a map")
        .at(location)
        .help("`{{ name }}` is a template's syntax: fill the template in first")
        .into()
}

#[cfg(test)]
mod tests;
