//! Plans as blocks of text that all front ends show alike: each lays them out for
//! its own width.

use super::{Line, Paint, Tone, line, table::table};
use crate::model::{Failure, Region};

/// Columns that paragraphs of a text report take at most.
const WIDTH: usize = 92;

/// A block of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// An empty line.
    Gap,
    /// A heading.
    Heading(String),
    /// A paragraph.
    Text(String),
    /// A paragraph behind a mark of its severity.
    Marked(Tone, &'static str, String),
    /// Rows of cells, with titles above them or without.
    Rows(Option<Vec<&'static str>>, Vec<Vec<String>>),
}

impl Block {
    /// A paragraph.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Something that is easily missed.
    pub fn care(text: impl Into<String>) -> Self {
        Self::Marked(Tone::Care, "!", text.into())
    }

    /// Why it can't be done, and what to do about it.
    pub fn refusal(failure: &Failure) -> Vec<Self> {
        let hint = failure.hint.iter().map(|hint| Self::Marked(Tone::Dim, "  →", hint.clone()));
        std::iter::once(Self::Marked(Tone::Bad, "✗", failure.to_string())).chain(hint).collect()
    }

    /// Regions that did not answer.
    pub fn unknown(unknown: &[(Region, Failure)]) -> Vec<Self> {
        let line = |(region, failure): &(Region, Failure)| {
            let text = format!("{region} could not be asked: {failure}");
            [Self::Gap, Self::Marked(Tone::Care, "?", text)]
        };
        unknown.iter().flat_map(line).collect()
    }
}

/// Renders `all` as the lines of a text report.
pub fn block_lines(all: &[Block], paint: Paint) -> Vec<Line> {
    all.iter().flat_map(|one| lines(one, paint)).collect()
}

fn lines(block: &Block, paint: Paint) -> Vec<Line> {
    match block {
        Block::Gap => vec![Line::empty()],
        Block::Heading(text) => {
            wrap(text, WIDTH).iter().map(|line| paint.paint(Tone::Strong, line).into()).collect()
        }
        Block::Text(text) => wrap(text, WIDTH).into_iter().map(Line::from).collect(),
        Block::Marked(tone, mark, text) => {
            let indent = mark.chars().count();
            let mut marks = std::iter::once(paint.paint(*tone, mark));
            let mut mark = || marks.next().unwrap_or_else(|| " ".repeat(indent).into());
            wrap(text, WIDTH - indent - 1)
                .iter()
                .map(|text| line![mark(), format!(" {text}")])
                .collect()
        }
        Block::Rows(titles, rows) => {
            let titles =
                titles.iter().map(|titles| titles.iter().map(ToString::to_string).collect());
            let all: Vec<Vec<String>> = titles.chain(rows.iter().cloned()).collect();
            table(&all).into_iter().map(|line| Line::from(line).indented(2)).collect()
        }
    }
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_wrapped_behind_their_marks() {
        let long = "a word ".repeat(20);
        let lines = block_lines(&[Block::Gap, Block::care(long.trim())], Paint::PLAIN);
        assert_eq!(lines[0], "");
        let start = |line: usize, text: &str| lines[line].to_string().starts_with(text);
        assert!(start(1, "! a word") && start(2, "  "), "{lines:?}");
        assert!(lines.iter().all(|line| line.to_string().len() <= WIDTH));
        let rows = Block::Rows(Some(vec!["node", "id"]), vec![vec!["a".into(), "i-1".into()]]);
        assert_eq!(block_lines(&[rows], Paint::PLAIN), ["  node  id", "  a     i-1"]);
    }
}
