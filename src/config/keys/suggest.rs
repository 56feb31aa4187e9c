//! The nearest of a set of names.

/// The name that `wrong` was probably meant to be: equal but for case, `_` and
/// `-`, or at most a third of its letters away.
pub(in crate::config) fn nearest<'a>(
    wrong: &str,
    names: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    // A name can't be near to what is several times as long.
    let wrong: String = folded(wrong).take(100).collect();
    let length = wrong.chars().count();
    let most = (length / 3).max(1);
    let distance = |name: &str| {
        let name: String = folded(name).collect();
        // The difference in length is the least distance, and much cheaper.
        let near = name.chars().count().abs_diff(length) <= most;
        near.then(|| strsim::damerau_levenshtein(&wrong, &name))
    };
    let names = names.filter(|name| *name != "*");
    let best = names.filter_map(|name| Some((distance(name)?, name))).min()?;
    (best.0 <= most).then_some(best.1)
}

/// The same as a help text.
pub(in crate::config) fn suggestion<'a>(
    wrong: &str,
    names: impl Iterator<Item = &'a str>,
) -> Option<String> {
    nearest(wrong, names).map(|near| format!("did you mean `{near}`?"))
}

fn folded(name: &str) -> impl Iterator<Item = char> {
    name.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let names = || ["region", "availability_zone", "ImageId", "*"].into_iter();
        assert_eq!(nearest("regoin", names()), Some("region"));
        assert_eq!(nearest("image_id", names()), Some("ImageId"));
        assert_eq!(nearest("availability-zones", names()), Some("availability_zone"));
        assert_eq!(nearest("project", names()), None);
        assert_eq!(nearest("", names()), None);
    }
}
