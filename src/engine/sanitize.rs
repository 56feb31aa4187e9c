//! Lines from nodes, made safe to show and to keep.

/// Takes out escape sequences and control characters, so that no node can
/// move the cursor, colour the screen or retitle the terminal. Tabs become
/// spaces.
pub(crate) fn sanitize(line: &str) -> String {
    if !line.contains(char::is_control) {
        return line.to_owned();
    }
    let plain = strip_ansi_escapes::strip_str(line.replace('\t', "    "));
    plain.chars().filter(|c| !c.is_control()).collect()
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
    use super::{sanitize, shortened};

    #[test]
    fn what_is_too_long_is_cut_between_characters() {
        assert_eq!(shortened("żółć", 4), "żółć");
        assert_eq!(shortened("żółć", 2), "żó…");
        assert_eq!(shortened("", 0), "");
    }

    #[test]
    fn nothing_that_a_terminal_would_act_on_is_left() {
        assert_eq!(
            sanitize("\x1b[31mred\x1b[0m\tplain \x1b]0;title\x07end\u{9b}2J"),
            "red    plain end2J"
        );
        assert_eq!(sanitize("żółć √"), "żółć √");
    }
}
