//! Text as a YAML scalar, in the style that stood there before.

use std::fmt::Write;

use granit_parser::ScalarStyle;

use crate::config::{
    text,
    yaml::{Resolved, resolve},
};

/// `text` as a scalar. Plain stays plain unless a reader of YAML 1.1, such as
/// Ray, would take it for something else than this text.
pub(in crate::config) fn scalar(text: &str, style: ScalarStyle, in_flow: bool) -> String {
    let writable = !text.contains(is_unwritable);
    match style {
        ScalarStyle::SingleQuoted if writable => format!("'{}'", text.replace('\'', "''")),
        ScalarStyle::Plain if is_plain(text, in_flow) => text.to_owned(),
        _ => double(text),
    }
}

fn is_plain(text: &str, in_flow: bool) -> bool {
    let first = |c: char| !c.is_whitespace() && !"-?:,[]{}#&*!|>'\"%@`=<".contains(c);
    let in_flow_only = |c: char| ",[]{}:?".contains(c);
    text.starts_with(first)
        && !text.starts_with("...")
        && !text.ends_with(|c: char| c.is_whitespace() || c == ':')
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.contains(is_unwritable)
        && !(in_flow && text.contains(in_flow_only))
        && resolve(text) == Resolved::Text
}

/// What stands in no line of YAML but as an escape.
fn is_unwritable(c: char) -> bool {
    c.is_control() || text::is_stray(c) || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

fn double(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if is_unwritable(c) => _ = write!(quoted, "\\u{:04X}", u32::from(c)),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_quoted_where_yaml_would_misread_it() {
        let table = [
            ("quokka", "quokka", "quokka"),
            ("203.0.113.7/32", "203.0.113.7/32", "203.0.113.7/32"),
            ("my key", "my key", "my key"),
            ("a:b", "a:b", "\"a:b\""),
            ("a,b", "a,b", "\"a,b\""),
            ("東京", "東京", "東京"),
            ("yes", "\"yes\"", "\"yes\""),
            ("0777", "\"0777\"", "\"0777\""),
            ("1:30", "\"1:30\"", "\"1:30\""),
            ("2024-01-31", "\"2024-01-31\"", "\"2024-01-31\""),
            ("", "\"\"", "\"\""),
            ("~", "\"~\"", "\"~\""),
            ("- a", "\"- a\"", "\"- a\""),
            ("a: b", "\"a: b\"", "\"a: b\""),
            ("a #b", "\"a #b\"", "\"a #b\""),
            ("a ", "\"a \"", "\"a \""),
            ("<<", "\"<<\"", "\"<<\""),
            ("say \"it\\", "say \"it\\", "say \"it\\"),
            ("*a \"b\\", "\"*a \\\"b\\\\\"", "\"*a \\\"b\\\\\""),
            ("a\u{202e}b", "\"a\\u202Eb\"", "\"a\\u202Eb\""),
            ("two\nlines", "\"two\\nlines\"", "\"two\\nlines\""),
        ];
        for (text, block, flow) in table {
            assert_eq!(scalar(text, ScalarStyle::Plain, false), block, "{text:?}");
            assert_eq!(scalar(text, ScalarStyle::Plain, true), flow, "{text:?} in flow");
        }
    }

    #[test]
    fn quotes_stay_the_kind_they_were() {
        assert_eq!(scalar("it's", ScalarStyle::SingleQuoted, false), "'it''s'");
        assert_eq!(scalar("a\tb", ScalarStyle::SingleQuoted, false), "\"a\\tb\"");
        assert_eq!(scalar("plain", ScalarStyle::DoubleQuoted, true), "\"plain\"");
    }
}
