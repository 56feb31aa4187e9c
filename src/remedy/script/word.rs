//! Words of a shell script, from typed parts. A part is either literal text or
//! a shell variable; no character in a text can turn it into the other.

use std::fmt::{self, Write as _};

use crate::{
    cloud::StepId,
    model::{Failure, Region},
};

/// One word for the shell. `Display` quotes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Word(Vec<Part>);

/// A part of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Variable(Variable),
}

/// A shell variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Variable(String);

impl Variable {
    /// The variable that holds the id of what the step `slot` makes. Two steps
    /// never share one: all but the usual characters of a name is written in hex.
    pub fn of(slot: &StepId) -> Self {
        let mut name = "id_".to_owned();
        let mut after_separator = true;
        for c in slot.0.chars() {
            match c {
                'a'..='z' | '0'..='9' => name.push(c),
                '-' if !after_separator => name.push('_'),
                '/' => name.push_str("__"),
                _ => _ = write!(name, "X{:x}X", u32::from(c)),
            }
            after_separator = matches!(c, '-' | '/');
        }
        Self(name)
    }

    /// The temporary directory of the script.
    pub fn tmp() -> Self {
        Self("tmp".into())
    }
}

impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Word {
    pub fn literal(text: impl Into<String>) -> Self {
        Self(vec![Part::Literal(text.into())])
    }

    pub fn variable(variable: Variable) -> Self {
        Self(vec![Part::Variable(variable)])
    }

    /// The name of `region`, as an argument of its own. EC2's names are lower-case
    /// letters, digits and dashes; anything else may be an option or a file to `aws`.
    pub fn region(region: &Region) -> Result<Self, Failure> {
        let name = region.as_str();
        let is_usual = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.starts_with('-') || !name.chars().all(is_usual) {
            return Err(Failure::new(format!("{name:?} is not the name of a region"))
                .hint("correct provider.region in the config"));
        }
        Ok(Self::literal(name))
    }

    pub fn push_literal(&mut self, text: &str) {
        match self.0.last_mut() {
            Some(Part::Literal(last)) => last.push_str(text),
            _ => self.0.push(Part::Literal(text.to_owned())),
        }
    }

    pub fn push_variable(&mut self, variable: Variable) {
        self.0.push(Part::Variable(variable));
    }

    pub fn then_literal(mut self, text: &str) -> Self {
        self.push_literal(text);
        self
    }
}

/// The word in the script: literals in single quotes where they need any,
/// variables in double quotes.
impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.iter().all(|part| *part == Part::Literal(String::new())) {
            return f.write_str("''");
        }
        for part in &self.0 {
            match part {
                Part::Literal(text) if is_plain(text) => f.write_str(text)?,
                Part::Literal(text) => write!(f, "'{}'", text.replace('\'', "'\\''"))?,
                Part::Variable(name) => write!(f, "\"${{{name}}}\"")?,
            }
        }
        Ok(())
    }
}

fn is_plain(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:=+,@%".contains(c))
}

/// `text` for a comment or a message: on one line, with every character that
/// acts on a terminal, or can't be seen, written as its code.
pub(super) fn visible(text: &str) -> String {
    let shown = |c: char| matches!(c, ' '..='~' | '→' | '…') || c.is_alphanumeric();
    let mut visible = String::new();
    for c in text.chars() {
        if shown(c) {
            visible.push(c);
        } else {
            visible.extend(c.escape_unicode());
        }
    }
    visible
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn literals_are_quoted_and_variables_expand() {
        let vpc = || Variable::of(&StepId("eu-west-1/vpc".into()));
        assert_eq!(Word::variable(vpc()).to_string(), "\"${id_eu_west_1__vpc}\"");
        let mut json = Word::literal("{\"GroupId\":\"");
        json.push_variable(vpc());
        json.push_literal("\"}");
        assert_eq!(json.to_string(), "'{\"GroupId\":\"'\"${id_eu_west_1__vpc}\"'\"}'");
        let hostile = Word::literal("it's; rm -rf $HOME");
        assert_eq!(hostile.to_string(), "'it'\\''s; rm -rf $HOME'");
        assert_eq!(Word::literal("").to_string(), "''");
    }

    #[test]
    fn a_region_is_a_name_and_nothing_else() {
        assert_eq!(Word::region(&"eu-west-1".into()), Ok(Word::literal("eu-west-1")));
        for name in ["", "-x", "--debug", "file:///etc/passwd", "eu west", "eu\nwest", "\u{e000}"] {
            assert!(Word::region(&name.into()).is_err(), "{name:?}");
        }
    }

    #[test]
    fn comments_stay_on_their_line() {
        assert_eq!(visible("a\nb\u{202e}c\u{1b}[2J é →"), "a\\u{a}b\\u{202e}c\\u{1b}[2J é →");
    }

    proptest! {
        #[test]
        fn two_steps_never_share_a_variable(a in "[a-bA-B_/X0-9 é-]{0,6}", b in "[a-bA-B_/X0-9 é-]{0,6}") {
            let (one, two) = (Variable::of(&StepId(a.clone())), Variable::of(&StepId(b.clone())));
            prop_assert_eq!(a == b, one == two);
            prop_assert!(one.0.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
        }
    }
}
