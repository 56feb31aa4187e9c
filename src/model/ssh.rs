//! What ssh reads back unchanged from its config.

/// Whether ssh takes `text` as one word of its config: no white space, quotes,
/// patterns, tokens, variables, comments or control characters, and no option.
pub fn is_ssh_word(text: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || "._-@+:/,[]".contains(c);
    text.chars().all(plain) && text.starts_with(|c: char| c != '-' && c != '/' && c != ',')
}

/// Whether ssh takes `text` as the command at the end of a line of its config:
/// no control characters, which could end the line, and every quote closed.
pub fn is_ssh_command(text: &str) -> bool {
    let mut quote = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, quote) {
            (c, _) if c.is_control() => return false,
            // ssh knows these escapes and takes every other backslash as it is.
            ('\\', _) if chars.peek().is_some_and(|next| "\\'\"".contains(*next)) => {
                chars.next();
            }
            (c, Some(open)) if c == open => quote = None,
            ('\'' | '"', None) => quote = Some(c),
            _ => {}
        }
    }
    // ssh takes leading `=` and white space for the separator.
    let begins = text.starts_with(|c: char| c != '=' && !c.is_whitespace());
    quote.is_none() && begins
}
