//! Filters of `Describe…` calls. Muster asks by filter and never by id, since
//! EC2 refuses the whole call where one id does not exist.

use aws_sdk_ec2::types::Filter;

use crate::cloud::Result;

/// As many values as EC2 takes in one request.
const MAX_VALUES: usize = 200;

/// A filter with one value.
pub(super) fn is(name: &str, value: &str) -> Filter {
    any_of(name, &[value])
}

/// A filter for values that start with `start`.
pub(super) fn starts_with(name: &str, start: &str) -> Filter {
    Filter::builder().name(name).values(format!("{}*", literal(start))).build()
}

/// Calls `describe` with filters that together hold all of `values`, one
/// after another, and gathers what they find. No values, no call: a filter
/// without values is refused.
pub(super) async fn in_chunks<T, F>(
    name: &str,
    values: &[impl AsRef<str>],
    describe: impl Fn(Filter) -> F,
) -> Result<Vec<T>>
where
    F: Future<Output = Result<Vec<T>>>,
{
    let mut found = Vec::new();
    for chunk in values.chunks(MAX_VALUES) {
        found.extend(describe(any_of(name, chunk)).await?);
    }
    Ok(found)
}

fn any_of(name: &str, values: &[impl AsRef<str>]) -> Filter {
    let values = values.iter().map(|value| literal(value.as_ref())).collect();
    Filter::builder().name(name).set_values(Some(values)).build()
}

/// EC2 reads `*` and `?` in a filter's value as wildcards; a key pair or a
/// tag may well hold one.
fn literal(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, '*' | '?' | '\\') {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_are_taken_literally() {
        assert_eq!(literal("sg-0123"), "sg-0123");
        assert_eq!(literal(r"what?*\"), r"what\?\*\\");
    }

    #[test]
    fn a_start_ends_in_the_one_wildcard() {
        assert_eq!(starts_with("name", "ubuntu-*-server-").values(), [r"ubuntu-\*-server-*"]);
        assert_eq!(is("name", "ubuntu-*").values(), [r"ubuntu-\*"]);
    }

    #[tokio::test]
    async fn as_many_values_as_ec2_takes_go_into_one_call() {
        let ids: Vec<String> = (0..450).map(|n| format!("i-{n}")).collect();
        let sizes =
            in_chunks("instance-id", &ids, |filter| async move { Ok(vec![filter.values().len()]) })
                .await;
        assert_eq!(sizes.ok(), Some(vec![200, 200, 50]));
    }

    #[tokio::test]
    async fn no_values_make_no_call() {
        let none: &[String] = &[];
        let found = in_chunks("image-id", none, |_| async { Ok(vec![()]) }).await;
        assert_eq!(found.ok(), Some(vec![]));
    }
}
