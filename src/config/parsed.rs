//! Files with their trees: each is parsed once, however many readers it has.

use super::{
    Diagnostic, Source,
    diagnostic::ids,
    reader::ConfigReader,
    side_by_side::side_by_side,
    text,
    yaml::{self, Node},
};

/// A file and its tree.
#[derive(Debug)]
pub(super) struct Parsed {
    /// The file.
    pub source: Source,
    /// Its tree; none where it is no YAML, or holds nothing.
    pub root: Option<Node>,
    /// Why there is no tree, or what is wrong with it as YAML.
    pub wrong: Vec<Diagnostic>,
}

impl Parsed {
    /// Parses `source`.
    pub fn of(source: Source) -> Self {
        let mut wrong = Vec::new();
        let root = yaml::parse(&source, &mut wrong).filter(|root| !root.is_empty());
        if root.is_none() && wrong.is_empty() {
            wrong.push(empty(&source));
        }
        Self { source, root, wrong }
    }

    /// Reports what is wrong with it and returns its tree.
    pub fn into_root(self, reader: &mut ConfigReader) -> Option<Node> {
        self.wrong.into_iter().for_each(|wrong| reader.report(wrong));
        self.root
    }

    /// Parses all of `sources`, side by side where they are many.
    pub fn all(sources: Vec<Source>) -> Vec<Self> {
        let parse = |run: Vec<Source>| run.into_iter().map(Self::of).collect::<Vec<_>>();
        let runs = side_by_side(sources, |source| source.text.len(), parse);
        runs.into_iter().flatten().collect()
    }
}

fn empty(source: &Source) -> Diagnostic {
    let name = text::shown(&source.path.to_string_lossy());
    let empty = Diagnostic::error(ids::EMPTY, format!("`{name}` holds nothing"));
    empty.help("fill it, or leave it out")
}
