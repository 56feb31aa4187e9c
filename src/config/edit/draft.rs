//! A file under change: its text, its values and where they are written.

use std::ops::Range;

use super::{
    Note, Sharing, comment,
    error::{self, EditError},
    place, splice,
    target::{self, EditTarget},
};
use crate::config::{
    Location, Source,
    read::normalized,
    yaml::{
        self, Node,
        written::{Id, Tree},
    },
};

/// A file as it is before its edits.
pub(super) struct Draft<'a> {
    source: &'a Source,
    notes: &'a [Note],
    /// The text with plain line ends, in which all offsets count.
    pub text: String,
    /// Its values.
    pub values: Node,
    /// Where they are written.
    pub tree: Tree,
    /// The top of `tree`.
    pub root: Id,
}

impl<'a> Draft<'a> {
    pub fn read(source: &'a Source, notes: &'a [Note]) -> Result<Self, EditError> {
        let text = normalized(&source.text).into_owned();
        let values = values(source, &text)?;
        let tree = Tree::read(&text);
        let root = tree.as_ref().and_then(Tree::root);
        let (tree, root) = tree.zip(root).ok_or_else(|| error::not_there("the file is empty"))?;
        Ok(Self { source, notes, text, values, tree, root })
    }

    /// The new text, if these changes do what they should and nothing else.
    pub fn attempt(
        &self,
        aims: &[EditTarget],
        expected: &Node,
        sharing: Sharing,
    ) -> Result<String, EditError> {
        let mut splices = Vec::new();
        for aim in aims.iter().filter(|aim| !aim.holds_already) {
            splices.extend(place::splices(self, aim, sharing)?);
        }
        splices.extend(self.notes.iter().filter_map(|note| comment::note(self, note)));
        let splices = splice::ordered(splices).ok_or_else(|| clash(aims))?;
        let new = splice::applied(&self.source.text, &splices);
        let values = values(self.source, &normalized(&new)).map_err(|_| clash(aims))?;
        match target::difference(&values, expected) {
            None => Ok(new),
            Some(path) => Err(shared(aims, &path, self.location_of(&path))),
        }
    }

    /// Where the value under `path` is written now, if it is there.
    fn location_of(&self, path: &[target::Step]) -> Option<Location> {
        let node = path.iter().try_fold(&self.values, |node, step| step.of(node))?;
        Some(node.location.clone())
    }

    /// The bytes of the line at `at`, without its end.
    pub fn line(&self, at: usize) -> Range<usize> {
        let start = self.text.get(..at).and_then(|text| text.rfind('\n')).map_or(0, |end| end + 1);
        let rest = self.text.get(at..).unwrap_or_default();
        start..at + rest.find('\n').unwrap_or(rest.len())
    }
}

/// The values of `text`, which must have nothing wrong.
fn values(source: &Source, text: &str) -> Result<Node, EditError> {
    let source = Source { path: source.path.clone(), text: text.into() };
    let mut diagnostics = Vec::new();
    let root = yaml::parse(&source, &mut diagnostics);
    if let Some(wrong) = diagnostics.into_iter().next() {
        return Err(error::not_readable(wrong));
    }
    root.ok_or_else(|| error::not_there("the file is empty"))
}

fn clash(aims: &[EditTarget]) -> EditError {
    let mut paths: Vec<String> = aims.iter().map(|aim| target::spelled(&aim.path)).collect();
    paths.sort();
    paths.dedup();
    EditError::new(
        format!("these can't be changed together: `{}`", paths.join("`, `")),
        "make the changes one at a time, or by hand",
    )
}

/// The change would not stay where it belongs.
fn shared(aims: &[EditTarget], path: &[target::Step], location: Option<Location>) -> EditError {
    let aimed = aims.iter().map(|aim| target::spelled(&aim.path)).next().unwrap_or_default();
    let message = format!(
        "`{aimed}` can't be changed alone: `{}` would change as well, since an anchor (`&`) lets \
         them share what is written once",
        target::spelled(path)
    );
    let help = "write the value out in each place that shares it, or change all of them";
    let error = EditError::new(message, help);
    match location {
        Some(location) => error.at(location),
        None => error,
    }
}
