//! Names that name a region: of files and of clusters.

use crate::model::Region;

/// What may stand between a name and the region at its end.
const JOINTS: [char; 3] = ['-', '_', '.'];

/// `name`, made to name `to`: the region that it ends in, whole (`us-west-2`)
/// or its first word (`us`), becomes the other one in the same form; else the
/// other one is added. The first word is taken only where no other region of
/// `all` begins with it.
pub(super) fn renamed(name: &str, from: &Region, to: &Region, all: &[Region]) -> String {
    for (old, new) in [(from.as_str(), to.as_str()), (first_word(from), short(to, all))] {
        if let Some(rest) = without(name, old) {
            return format!("{rest}{new}");
        }
    }
    format!("{name}-{to}")
}

/// The first word of `region` where no other one of `all` begins with it, else
/// the whole name.
pub(super) fn short<'a>(region: &'a Region, all: &[Region]) -> &'a str {
    let alone = all.iter().filter(|other| first_word(other) == first_word(region)).count() <= 1;
    if alone { first_word(region) } else { region.as_str() }
}

/// `name` without the region at its end.
pub(super) fn bare<'a>(name: &'a str, region: &Region) -> &'a str {
    let words = [region.as_str(), first_word(region)];
    let rest = words.iter().find_map(|word| without(name, word)).unwrap_or(name);
    match rest.trim_end_matches(JOINTS) {
        "" => name,
        rest => rest,
    }
}

/// What stands before `word`, if `name` ends in it.
fn without<'a>(name: &'a str, word: &str) -> Option<&'a str> {
    name.strip_suffix(word).filter(|rest| rest.is_empty() || rest.ends_with(JOINTS))
}

fn first_word(region: &Region) -> &str {
    region.as_str().split('-').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_at_the_end_of_a_name_becomes_the_other_one() {
        let all = ["us-west-2", "us-east-1", "eu-west-1", "ap-south-1", "ap-east-1"];
        let all = all.map(Region::from);
        let table = [
            ("us", "eu-west-1", "eu"),
            ("us", "us-east-1", "us-east-1"),
            ("us", "ap-east-1", "ap-east-1"),
            ("us-west-2", "eu-west-1", "eu-west-1"),
            ("tpch-us", "eu-west-1", "tpch-eu"),
            ("tpch_us-west-2", "ap-south-1", "tpch_ap-south-1"),
            ("quokka", "eu-west-1", "quokka-eu-west-1"),
            ("campus", "eu-west-1", "campus-eu-west-1"),
        ];
        for (name, to, expected) in table {
            assert_eq!(renamed(name, &all[0], &to.into(), &all), expected, "{name} {to}");
        }
    }

    #[test]
    fn a_project_is_named_without_its_region() {
        let us = Region::from("us-west-2");
        let table = [("tpch-us", "tpch"), ("tpch-us-west-2", "tpch"), ("us", "us"), ("a", "a")];
        for (name, expected) in table {
            assert_eq!(bare(name, &us), expected);
        }
    }
}
