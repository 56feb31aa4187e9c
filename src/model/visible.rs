//! Characters that a terminal acts on or does not show, made visible. Text from
//! configs, AWS and nodes passes through here before anybody reads it.

use std::{borrow::Cow, fmt::Write, io};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};

/// Whether a terminal acts on `c`, reorders text because of it, or shows
/// nothing of it: control characters (C0, DEL, C1), bidirectional controls,
/// zero-width characters, separators of lines and tags.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// `text` as one line in which everything shows: hidden characters become
/// escapes (`\n`, `\u{202e}`). Tabs stay.
pub fn visible(text: &str) -> Cow<'_, str> {
    let shown = |c: char| c == '\t' || !is_hidden(c);
    if text.chars().all(shown) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            c if shown(c) => plain.push(c),
            '\n' | '\r' => plain.extend(c.escape_default()),
            c => plain.extend(c.escape_unicode()),
        }
    }
    Cow::Owned(plain)
}

/// `value` as one line of JSON whose hidden characters are escaped.
pub fn json_line(value: &impl Serialize) -> serde_json::Result<String> {
    json(value, Visible(CompactFormatter))
}

/// The same on several lines, indented.
pub fn json_pretty(value: &impl Serialize) -> serde_json::Result<String> {
    json(value, Visible(PrettyFormatter::new()))
}

fn json(value: &impl Serialize, formatter: impl Formatter) -> serde_json::Result<String> {
    let mut text = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut text, formatter))?;
    String::from_utf8(text).map_err(serde::ser::Error::custom)
}

/// A form of JSON in which hidden characters are escaped: JSON itself asks for
/// that only below U+0020.
struct Visible<F>(F);

impl<F: Formatter> Formatter for Visible<F> {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if !fragment.chars().any(is_hidden) {
            return writer.write_all(fragment.as_bytes());
        }
        let mut escaped = String::with_capacity(fragment.len() + 8);
        for c in fragment.chars() {
            if is_hidden(c) {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a string never fails.
                    _ = write!(escaped, "\\u{unit:04x}");
                }
            } else {
                escaped.push(c);
            }
        }
        writer.write_all(escaped.as_bytes())
    }

    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that can't go on should fail")]

    use super::*;

    #[test]
    fn what_a_terminal_acts_on_becomes_visible_and_stays_one_line() {
        assert_eq!(visible("plain é 東京 ✓\t|"), "plain é 東京 ✓\t|");
        assert_eq!(visible("\x1b]0;title\x07"), r"\u{1b}]0;title\u{7}");
        assert_eq!(visible("a\u{9b}2Jb\u{202e}c\u{200b}d"), r"a\u{9b}2Jb\u{202e}c\u{200b}d");
        assert_eq!(visible("one\nerror: forged\r"), r"one\nerror: forged\r");
        assert_eq!(visible(r"\u{202e}"), r"\u{202e}", "an escape stays as it is");
    }

    #[test]
    fn json_escapes_what_is_hidden_and_reads_back_the_same() {
        let text = "a\u{9b}2J\u{202e}\u{e0041}\u{2028}\x1b\n\u{7f} é \"q\"";
        for json in [json_line(&[text]).unwrap(), json_pretty(&[text]).unwrap()] {
            assert!(!json.chars().any(|c| c != '\n' && is_hidden(c)), "{json}");
            assert_eq!(serde_json::from_str::<Vec<String>>(&json).unwrap(), [text]);
        }
        assert_eq!(json_line(&"\u{202e}\u{e0041}").unwrap(), r#""\u202e\udb40\udc41""#);
        let value = serde_json::json!({"a": [1, {"b": null}], "c": {}});
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        assert_eq!(json_pretty(&value).unwrap(), pretty);
        assert_eq!(json_line(&value).unwrap(), value.to_string());
    }
}
