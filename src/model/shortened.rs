//! Texts of nodes, kept to a length.

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
