//! Text that others wrote, without what a terminal acts on: for screens and logs,
//! where an escape in place of it ([`super::visible`]) would only be noise.

use std::borrow::Cow;

use super::is_hidden;

/// `text` from a node or from AWS without anything that a terminal would act
/// on: escape sequences, control characters, marks that turn the direction of
/// writing. What a carriage return overwrote is left out, a tab is four spaces.
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let last = text.trim_end_matches('\r').rsplit('\r').next().unwrap_or_default();
    let mut plain = String::with_capacity(last.len());
    let mut rest = last.chars();
    while let Some(symbol) = rest.next() {
        match symbol {
            '\u{1b}' => skip_escape(&mut rest),
            '\u{9b}' => skip_csi(&mut rest),
            '\t' => plain.push_str("    "),
            _ if is_hidden(symbol) => {}
            _ => plain.push(symbol),
        }
    }
    Cow::Owned(plain)
}

/// Behind an escape: a control sequence, a string that ends with BEL or ST, or
/// one more character (ECMA-48).
fn skip_escape(rest: &mut std::str::Chars<'_>) {
    match rest.next() {
        Some('[') => skip_csi(rest),
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(symbol) = rest.next() {
                match symbol {
                    '\u{7}' | '\u{9c}' => return,
                    '\u{1b}' => {
                        rest.next();
                        return;
                    }
                    _ => {}
                }
            }
        }
        Some(' '..='/') => {
            rest.next();
        }
        _ => {}
    }
}

fn skip_csi(rest: &mut std::str::Chars<'_>) {
    for symbol in rest.by_ref() {
        if matches!(symbol, '@'..='~') {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn nothing_that_a_terminal_acts_on_gets_through() {
        assert_eq!(plain("plain é"), "plain é");
        assert_eq!(plain("\u{1b}[31mred\u{1b}[0m"), "red");
        assert_eq!(plain("\u{1b}]0;title\u{7}x\u{1b}]52;c;aGk=\u{1b}\\y"), "xy");
        assert_eq!(plain("\u{1b}Pq#0\u{1b}\\z\u{1b}(Bw"), "zw");
        assert_eq!(plain("10%\r50%\r100%\r"), "100%");
        assert_eq!(plain("a\tb\u{202e}c\u{9b}2Jd\u{0}"), "a    bcd");
        assert_eq!(plain("cut off \u{1b}["), "cut off ");
    }

    #[test]
    fn what_a_terminal_shows_stays() {
        assert_eq!(plain("\u{1b}[31mred\u{1b}[0m\tend\u{9b}2J"), "red    end");
        assert_eq!(plain("żółć ✓ 東京 e\u{301}"), "żółć ✓ 東京 e\u{301}");
    }
}
