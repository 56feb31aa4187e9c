//! Stretches of a text and what takes their place.

use std::ops::Range;

use crate::config::read::normalized;

/// One change: these bytes give way to this text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Splice {
    pub range: Range<usize>,
    pub text: String,
}

impl Splice {
    /// `text` at `at`, nothing taken away.
    pub fn insert(at: usize, text: String) -> Self {
        Self { range: at..at, text }
    }
}

/// Sorts splices. Duplicates are applied once; `None` where
/// two want the same bytes for different things.
pub(super) fn ordered(splices: Vec<Splice>) -> Option<Vec<Splice>> {
    let mut unique: Vec<Splice> = Vec::new();
    for splice in splices {
        if !unique.contains(&splice) {
            unique.push(splice);
        }
    }
    // Stable, so that insertions in one place keep the order of the edits.
    unique.sort_by_key(|splice| (splice.range.start, splice.range.end));
    let apart = unique.windows(2).all(|pair| pair[0].range.end <= pair[1].range.start);
    apart.then_some(unique)
}

/// `raw` with `splices` done. Their bytes count in the text as
/// [`normalized`], their line breaks become the ones of `raw`.
pub(super) fn applied(raw: &str, splices: &[Splice]) -> String {
    let offsets = raw_offsets(raw);
    let at = |offset: usize| offsets.get(offset).copied().unwrap_or(raw.len());
    let line_end = line_end(raw);
    let (mut new, mut done) = (String::with_capacity(raw.len() + 64), 0);
    for Splice { range, text } in splices {
        new.push_str(raw.get(done..at(range.start)).unwrap_or_default());
        new.push_str(&text.replace('\n', line_end));
        done = at(range.end);
    }
    new.push_str(raw.get(done..).unwrap_or_default());
    new
}

/// Where each byte of the normalized text stands in `raw`.
fn raw_offsets(raw: &str) -> Vec<usize> {
    let mark = raw.len() - raw.trim_start_matches('\u{feff}').len();
    let bytes = raw.as_bytes();
    let is_kept = |at: usize| !(bytes[at] == b'\n' && at > mark && bytes[at - 1] == b'\r');
    let offsets: Vec<usize> = (mark..bytes.len()).filter(|at| is_kept(*at)).collect();
    debug_assert_eq!(offsets.len(), normalized(raw).len(), "one offset a byte");
    offsets
}

fn line_end(raw: &str) -> &'static str {
    match raw.find(['\r', '\n']) {
        Some(at) if raw[at..].starts_with("\r\n") => "\r\n",
        Some(at) if raw[at..].starts_with('\r') => "\r",
        _ => "\n",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_and_a_byte_order_mark_stay() {
        let raw = "\u{feff}é: 1\r\nb: 2\rc: 3\r\n";
        let text = normalized(raw);
        let at = |what: &str| text.find(what).unwrap_or_default();
        let splices = [
            Splice { range: at("1")..at("1") + 1, text: "x".into() },
            Splice::insert(at("\nb"), "\nnew: y".into()),
            Splice { range: at("3")..at("3") + 1, text: "z".into() },
        ];
        let expected = "\u{feff}é: x\r\nnew: y\r\nb: 2\rc: z\r\n";
        assert_eq!(applied(raw, &splices), expected);
        assert_eq!(applied(raw, &[]), raw);
    }

    #[test]
    fn what_overlaps_is_refused_and_what_is_the_same_is_done_once() {
        let splice = |range, text: &str| Splice { range, text: text.into() };
        let twice = vec![splice(3..5, "a"), splice(0..2, "b"), splice(3..5, "a")];
        assert_eq!(ordered(twice), Some(vec![splice(0..2, "b"), splice(3..5, "a")]));
        assert_eq!(ordered(vec![splice(3..5, "a"), splice(3..5, "b")]), None);
        assert_eq!(ordered(vec![splice(3..5, "a"), splice(4..6, "b")]), None);
        let inserted = vec![splice(3..3, "z"), splice(3..3, "a")];
        assert_eq!(ordered(inserted.clone()), Some(inserted));
    }
}
