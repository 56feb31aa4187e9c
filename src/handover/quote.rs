//! Texts as literals of other languages.

use std::fmt::Write as _;

/// A string literal of Python that means exactly `text`, on one line.
pub fn python(text: &str) -> String {
    let mut quoted = String::from("'");
    for symbol in text.chars() {
        match symbol {
            '\\' | '\'' => quoted.extend(['\\', symbol]),
            '\n' => quoted.push_str("\\n"),
            // What a terminal or an editor shows as something else.
            _ if symbol.is_control()
                || matches!(symbol, '\u{200e}'..='\u{202e}' | '\u{2066}'..='\u{2069}') =>
            {
                // Writing to a String can't fail.
                let _ = write!(quoted, "\\u{:04x}", u32::from(symbol));
            }
            _ => quoted.push(symbol),
        }
    }
    quoted.push('\'');
    quoted
}

/// A list of string literals.
pub fn python_list<T: AsRef<str>>(texts: &[T]) -> String {
    let quoted: Vec<_> = texts.iter().map(|text| python(text.as_ref())).collect();
    format!("[{}]", quoted.join(", "))
}

/// One word for a POSIX shell.
pub fn shell(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_to_python_is_escaped() {
        assert_eq!(python("/data"), "'/data'");
        assert_eq!(python("it's \\ \"x\""), r#"'it\'s \\ "x"'"#);
        assert_eq!(python("a\nb\r\u{0}\u{7f}"), r"'a\nb\u000d\u0000\u007f'");
        assert_eq!(python("ä{x}%s\u{202e}"), r"'ä{x}%s\u202e'");
        assert_eq!(python_list(&["a", "b'"]), r"['a', 'b\'']");
    }

    #[test]
    fn a_word_stays_a_word() {
        assert_eq!(shell("it's $HOME"), r"'it'\''s $HOME'");
    }
}
