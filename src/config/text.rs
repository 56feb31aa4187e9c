//! Text from files, made fit for a terminal: nothing that moves the cursor,
//! nothing secret, nothing endless.

/// Longest value that a message repeats, in characters.
const SHOWN: usize = 60;

/// `text` as a message can repeat it: on one line and not endless.
pub(super) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN).flat_map(escaped).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

fn escaped(c: char) -> Vec<char> {
    if c == '\n' || c == '\t' || c == '\r' || is_stray(c) {
        c.escape_default().collect()
    } else {
        vec![c]
    }
}

/// Control characters that no YAML file has, and that move cursors or switch
/// the direction of text.
pub(super) fn is_stray(c: char) -> bool {
    let controls = c.is_control() && !matches!(c, '\t' | '\n' | '\r');
    controls || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Line `line` (from 1) of `text`.
pub(super) fn line(text: &str, line: u32) -> Option<&str> {
    text.lines().nth(usize::try_from(line).ok()?.checked_sub(1)?)
}

/// Words that say that a secret follows.
const SECRET_WORDS: [&str; 4] = ["secret", "password", "passwd", "token"];

/// `line` with the values of keys and variables that sound secret starred out,
/// each by as many stars, so that columns stay.
pub(super) fn redacted(line: &str) -> String {
    let lower = line.to_ascii_lowercase();
    let Some(word) = SECRET_WORDS.iter().filter_map(|word| lower.find(word)).min() else {
        return line.to_owned();
    };
    let Some(separator) = line[word..].find([':', '=', ' ']) else { return line.to_owned() };
    let start = word + separator + 1;
    let value = line[start..].chars().map(|c| if c.is_whitespace() { c } else { '*' });
    line[..start].chars().chain(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_broken_text_is_cut_and_escaped() {
        assert_eq!(shown("plain é"), "plain é");
        assert_eq!(shown("a\nb\u{1b}[31m"), "a\\nb\\u{1b}[31m");
        assert_eq!(shown(&"x".repeat(100)), format!("{}…", "x".repeat(60)));
    }

    #[test]
    fn what_sounds_secret_is_starred() {
        let line = "    aws_secret_access_key: wJalr/K7+x, region: a";
        assert_eq!(redacted(line), "    aws_secret_access_key: *********** ******* *");
        assert_eq!(redacted("- export DB_PASSWORD=x1"), "- export DB_PASSWORD=**");
        assert_eq!(redacted("KeyName: quokka"), "KeyName: quokka");
        assert_eq!(redacted("  secret"), "  secret");
    }
}
