//! The input of an API call as JSON, with shell variables in place of ids that
//! are not known yet. `aws` interprets nothing within its `--cli-input-json`:
//! no `file://`, no leading dash, no shorthand syntax.

use std::fmt::Write as _;

use super::word::{Variable, Word};
use crate::cloud::{Ref, Tags};

/// A JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Json {
    Text(String),
    Number(u16),
    True,
    Id(Ref),
    List(Vec<Self>),
    Object(Vec<(&'static str, Self)>),
}

impl Json {
    pub fn object<const N: usize>(fields: [(&'static str, Self); N]) -> Self {
        Self::Object(fields.into())
    }

    pub fn text(text: &(impl ToString + ?Sized)) -> Self {
        Self::Text(text.to_string())
    }

    pub fn id(id: &Ref) -> Self {
        Self::Id(id.clone())
    }

    pub fn list(items: impl IntoIterator<Item = Self>) -> Self {
        Self::List(items.into_iter().collect())
    }

    pub fn tags(tags: &Tags) -> Self {
        Self::list(tags.iter().map(|(key, value)| {
            Self::object([("Key", Self::text(key)), ("Value", Self::text(value))])
        }))
    }

    /// The whole value as one word of the script.
    pub fn word(&self) -> Word {
        let mut word = Word::default();
        self.write(&mut word);
        word
    }

    fn write(&self, word: &mut Word) {
        match self {
            Self::Text(text) | Self::Id(Ref::Id(text)) => string(text, word),
            Self::Number(number) => word.push_literal(&number.to_string()),
            Self::True => word.push_literal("true"),
            Self::Id(Ref::Made(slot)) => {
                word.push_literal("\"");
                word.push_variable(Variable::of(slot));
                word.push_literal("\"");
            }
            Self::List(items) => {
                separated(word, ('[', ']'), items, Self::write);
            }
            Self::Object(fields) => {
                separated(word, ('{', '}'), fields, |(key, value), word| {
                    string(key, word);
                    word.push_literal(":");
                    value.write(word);
                });
            }
        }
    }
}

fn separated<T>(
    word: &mut Word,
    (open, close): (char, char),
    items: &[T],
    write: impl Fn(&T, &mut Word),
) {
    word.push_literal(open.encode_utf8(&mut [0; 4]));
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            word.push_literal(",");
        }
        write(item, word);
    }
    word.push_literal(close.encode_utf8(&mut [0; 4]));
}

/// A JSON string in printable ASCII: whatever shows or copies the script changes
/// nothing in it.
fn string(text: &str, word: &mut Word) {
    let mut escaped = String::with_capacity(text.len() + 2);
    escaped.push('"');
    for c in text.chars() {
        match c {
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            ' '..='~' => escaped.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(escaped, "\\u{unit:04x}");
                }
            }
        }
    }
    escaped.push('"');
    word.push_literal(&escaped);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::StepId;

    #[test]
    fn ids_to_come_are_variables_and_nothing_else_is() {
        let made = Ref::Made(StepId("eu-west-1/vpc".into()));
        let known = Ref::Id("\u{e000}$(id)\u{e000}".into());
        let json = Json::list([Json::id(&made), Json::id(&known), Json::Number(22), Json::True]);
        assert_eq!(
            json.word().to_string(),
            "'[\"'\"${id_eu_west_1__vpc}\"'\",\"\\ue000$(id)\\ue000\",22,true]'"
        );
    }
}
