//! The project as muster reads it, for people and for programs.

use std::path::Path;

use serde::Serialize;

use super::{Paint, Tone, line};
use crate::{
    config::{
        Location, Origin, redacted,
        resolved::{self, Document, Leaf},
    },
    model::Region,
};

/// Where the column of origins begins at most.
const WIDEST: usize = 64;

/// Each file's values, and where they come from.
pub fn config(documents: &[Document], paint: Paint) -> Vec<super::Line> {
    let all: Vec<_> = documents.iter().map(|document| (document, document.lines())).collect();
    let widths = all.iter().flat_map(|(_, lines)| lines).map(|line| line.text.chars().count());
    let width = widths.filter(|width| *width <= WIDEST).max().unwrap_or_default();
    let mut shown = Vec::new();
    for (document, lines) in all {
        shown.push(paint.paint(Tone::Strong, title(document)).into());
        shown.extend(lines.iter().map(|line| row(line, width, paint)));
        shown.push(super::Line::empty());
    }
    shown.pop();
    shown
}

fn title(document: &Document) -> String {
    let path = document.path.as_ref().map(|path| path.display().to_string());
    match (&document.region, path) {
        (Some(region), path) => format!("{region} · {}", path.unwrap_or_default()),
        (None, Some(path)) => format!("project · {path}"),
        (None, None) => "project · no muster.yaml".to_owned(),
    }
}

fn row(line: &resolved::Line, width: usize, paint: Paint) -> super::Line {
    let text = redacted(&line.text);
    if line.from.is_empty() {
        return format!("  {text}").into();
    }
    let gap = width.saturating_sub(text.chars().count());
    line![format!("  {text}{}  ", " ".repeat(gap)), paint.paint(Tone::Dim, &line.from)]
}

/// The result for programs (`--format json`).
#[derive(Debug, Serialize)]
pub struct ConfigDocument<'a> {
    version: u32,
    files: Vec<File<'a>>,
}

#[derive(Debug, Serialize)]
struct File<'a> {
    path: Option<&'a Path>,
    region: Option<&'a Region>,
    values: Vec<Row>,
    open: Vec<Open<'a>>,
}

#[derive(Debug, Serialize)]
struct Row {
    key: String,
    value: String,
    from: Whence,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Whence {
    File(Location),
    Flag(&'static str),
    Default(&'static str),
}

#[derive(Debug, Serialize)]
struct Open<'a> {
    key: &'static str,
    why: &'a str,
}

/// The same as one document of JSON.
pub fn config_document(documents: &[Document]) -> ConfigDocument<'_> {
    ConfigDocument { version: super::JSON_VERSION, files: documents.iter().map(file).collect() }
}

fn file(document: &Document) -> File<'_> {
    File {
        path: document.path.as_deref(),
        region: document.region.as_ref(),
        values: document.leaves().into_iter().map(value).collect(),
        open: document.open.iter().map(|open| Open { key: open.key, why: &open.why }).collect(),
    }
}

fn value(leaf: Leaf) -> Row {
    // A key with a name like a secret has a secret value.
    let line = format!("{}: {}", leaf.key, leaf.value);
    let shown = redacted(&line).split_off(leaf.key.len() + 2);
    let from = match leaf.origin {
        Origin::File(location) => Whence::File(location),
        Origin::Flag(flag) => Whence::Flag(flag),
        Origin::Default(reason) => Whence::Default(reason),
    };
    Row { key: leaf.key, value: shown, from }
}
