//! Words, numbers and times as the screens show them.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use ratatui::{style::Style, text::Span};

use crate::{
    check::Subject,
    model::{NodeName, Region, elapsed},
};

pub use crate::model::{count, plain as clean};

/// The columns that `text` takes.
pub fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { Span::raw(text).width() }
}

/// `text`, cut to `columns` with an ellipsis where it is longer.
pub fn fit(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let mut cut = take(text, columns.saturating_sub(1)).to_owned();
    if columns > 0 {
        cut.push('…');
    }
    Cow::Owned(cut)
}

/// The longest start of `text` that takes at most `columns`.
pub fn take(text: &str, columns: usize) -> &str {
    let (mut used, mut end) = (0, 0);
    for grapheme in Span::raw(text).styled_graphemes(Style::new()) {
        used += width(grapheme.symbol);
        if used > columns {
            break;
        }
        end = grapheme.symbol.as_ptr() as usize - text.as_ptr() as usize + grapheme.symbol.len();
    }
    &text[..end]
}

/// `text` broken into lines of at most `columns`, at spaces where there are any.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        place(word, columns, &mut lines);
    }
    lines
}

fn place(mut word: &str, columns: usize, lines: &mut Vec<String>) {
    let Some(line) = lines.last_mut() else { return };
    let used = width(line);
    if used > 0 && used + 1 + width(word) <= columns {
        line.push(' ');
        line.push_str(word);
        return;
    }
    if used > 0 {
        lines.push(String::new());
    }
    loop {
        let start = if width(word) > columns { take(word, columns) } else { word };
        if let Some(line) = lines.last_mut() {
            line.push_str(start);
        }
        // A grapheme wider than the line can't be placed at all.
        if start.len() == word.len() || start.is_empty() {
            return;
        }
        word = &word[start.len()..];
        lines.push(String::new());
    }
}

/// The time of day: `14:02:11`.
pub fn time_of_day(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string()
}

/// How long: `21s`, `3m05`, `2h07`, `4d`.
pub fn span(passed: SignedDuration) -> String {
    let seconds = passed.as_secs().max(0);
    match seconds {
        0..100 => format!("{seconds}s"),
        100..6_000 => format!("{}m{:02}", seconds / 60, seconds % 60),
        6_000..172_800 => format!("{}h{:02}", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// From `start` to `end` as [`span`] writes it.
pub fn between(start: Timestamp, end: Timestamp) -> String {
    span(elapsed(start, end))
}

/// The region's short form as AWS writes it in zone ids: `usw2`, `apse2`.
pub fn short_region(region: &Region) -> String {
    let mut parts = region.as_str().split('-');
    let mut short = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part {
            "northeast" => short.push_str("ne"),
            "northwest" => short.push_str("nw"),
            "southeast" => short.push_str("se"),
            "southwest" => short.push_str("sw"),
            "isob" => short.push_str("ib"),
            number if number.starts_with(|first: char| first.is_ascii_digit()) => {
                short.push_str(number);
            }
            word => short.extend(word.chars().next()),
        }
    }
    short
}

/// What a finding is about, with regions by their short names.
pub fn short_subject(subject: &Subject) -> String {
    match subject {
        Subject::Local => "local".into(),
        Subject::Region(region) => short_region(region),
        Subject::Pair(a, b) => format!("{}↔{}", short_region(a), short_region(b)),
    }
}

/// A node's name with its region's short name: `usw2/worker-1`.
pub fn short_node(node: &NodeName) -> String {
    match node.as_str().split_once('/') {
        Some((region, name)) => format!("{}/{name}", short_region(&region.into())),
        None => node.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_and_wrapped_by_columns() {
        assert_eq!(fit("short", 5), "short");
        assert_eq!(fit("longer", 5), "long…");
        assert_eq!(fit("日本語", 5), "日本…");
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("sg-0123456789", 5), ["sg-01", "23456", "789"]);
        assert_eq!(wrap("", 5), [""]);
    }

    #[test]
    fn spans_and_regions_are_short() {
        let spans = [0, 99, 100, 3_725, 7_620, 200_000];
        let spans = spans.map(|seconds| span(SignedDuration::from_secs(seconds)));
        assert_eq!(spans, ["0s", "99s", "1m40", "62m05", "2h07", "2d"]);
        let regions =
            ["us-west-2", "ap-southeast-2", "us-gov-east-1", "eu-central-1", "me-south-1"];
        let regions = regions.map(|region| short_region(&region.into()));
        assert_eq!(regions, ["usw2", "apse2", "usge1", "euc1", "mes1"]);
    }
}
