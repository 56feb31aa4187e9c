//! Text from files, made fit for a terminal: nothing that moves the cursor,
//! nothing secret, nothing endless.

/// Longest value that a message repeats, in characters.
const SHOWN: usize = 60;

/// `text` as a message can repeat it: on one line and not endless.
pub(super) fn shown(text: &str) -> String {
    // Nearly every text is shown as it is.
    if text.len() <= SHOWN && is_plain(text) {
        return text.to_owned();
    }
    let mut shown: String = text.chars().take(SHOWN).flat_map(escaped).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

/// Whether `text` is printable ASCII on one line.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
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

/// Where the first such character stands in `text`: its line and column, from
/// 1, and itself.
pub(super) fn first_stray(text: &str) -> Option<(u32, u32, char)> {
    let is_usual = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r');
    // Whole blocks at a time: a file of some megabytes is mostly ASCII.
    let usual = |block: &[u8]| block.iter().fold(true, |usual, byte| usual & is_usual(byte));
    if text.as_bytes().chunks(256).all(usual) {
        return None;
    }
    (1..).zip(text.lines()).find_map(|(line, text)| {
        let mut characters = (1..).zip(text.chars());
        characters.find(|(_, c)| is_stray(*c)).map(|(column, c)| (line, column, c))
    })
}

/// `line` with all that follows a key or variable that sounds secret starred
/// out, by as many stars, so that columns stay.
pub fn redacted(line: &str) -> String {
    let Some(start) = secret_start(line) else { return line.to_owned() };
    let hidden = line[start..].chars().map(|c| if is_separator(c) { c } else { '*' });
    line[..start].chars().chain(hidden).collect()
}

/// Where the first word that sounds secret ends.
fn secret_start(line: &str) -> Option<usize> {
    let mut start = 0;
    for word in line.split(is_separator) {
        let end = start + word.len();
        if sounds_secret(word) {
            return Some(end);
        }
        // Every separator is one byte.
        start = end + 1;
    }
    None
}

fn is_separator(c: char) -> bool {
    matches!(c, ' ' | '\t' | ':' | '=' | ',' | '"' | '\'' | '{' | '}')
}

fn sounds_secret(word: &str) -> bool {
    let word = word.to_ascii_lowercase().replace('-', "_");
    let inside = ["secret", "password", "passwd"].iter().any(|part| word.contains(part));
    inside || word == "token" || word.ends_with("_token")
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
        let line = "  k: {aws_secret_access_key: wJalr/K7+x, region: a}";
        assert_eq!(redacted(line), "  k: {aws_secret_access_key: **********, ******: *}");
        assert_eq!(redacted("- export DB_PASSWORD=x1"), "- export DB_PASSWORD=**");
        assert_eq!(redacted("- login --token abc é"), "- login --token *** *");
        assert_eq!(redacted("AWS_SESSION_TOKEN: \"ab\""), "AWS_SESSION_TOKEN: \"**\"");
        for plain in ["KeyName: quokka", "  secret", "ClientToken: a", "{HttpTokens: required}"] {
            assert_eq!(redacted(plain), plain);
        }
    }
}
