//! Lines from nodes, made safe to show and to keep.

use super::plain;

/// `line` as it is logged: without escape sequences and control characters, so
/// that no node can move the cursor, colour the screen or retitle the terminal.
pub(crate) fn sanitize(line: &str) -> String {
    plain(line).into_owned()
}

/// `text`, of which `most` characters at most are kept.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::shortened;

    #[test]
    fn what_is_too_long_is_cut_between_characters() {
        assert_eq!(shortened("żółć", 4), "żółć");
        assert_eq!(shortened("żółć", 2), "żó…");
        assert_eq!(shortened("", 0), "");
    }
}
