//! Words of a shell script: quoted where they have to be, with variables in them.

use crate::cloud::{Ref, Slot};

/// Marks a variable within a word until it is quoted: a character of private
/// use, which JSON leaves as it is.
pub(super) const MARK: char = '\u{e000}';

/// The id, or the variable that holds it.
pub(super) fn id(reference: &Ref) -> String {
    match reference {
        Ref::Id(id) => id.clone(),
        Ref::Made(slot) => format!("{MARK}{}{MARK}", variable(slot)),
    }
}

/// The variable that holds what the step makes.
pub(super) fn variable(slot: &Slot) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    format!("id_{}", slot.0.chars().map(letter).collect::<String>())
}

/// One word for the shell: variables in double quotes, all else in single ones
/// where it needs any.
pub(super) fn quote(word: &str) -> String {
    let part = |(index, part): (usize, &str)| match index % 2 {
        0 => single(part),
        _ => format!("\"${part}\""),
    };
    let quoted: String = word.split(MARK).enumerate().map(part).collect();
    if quoted.is_empty() { "''".into() } else { quoted }
}

fn single(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=+,@%".contains(c);
    if text.chars().all(plain) { text.into() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_and_variables_are_not() {
        let slot = Slot("eu-west-1/vpc".into());
        let id = id(&Ref::Made(slot));
        assert_eq!(quote(&id), "\"$id_eu_west_1_vpc\"");
        assert_eq!(
            quote(&format!("{{\"GroupId\":\"{id}\"}}")),
            "'{\"GroupId\":\"'\"$id_eu_west_1_vpc\"'\"}'"
        );
        assert_eq!(quote("it's; rm -rf $HOME"), "'it'\\''s; rm -rf $HOME'");
        assert_eq!(quote(""), "''");
    }
}
