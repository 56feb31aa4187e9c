//! The syntax of AWS names, as far as a config can be checked without AWS.

/// Every region of every partition in botocore 1.44's `endpoints.json`. A new
/// one is only warned about, so the list may be behind.
pub(super) const REGIONS: [&str; 46] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-isoe-west-1",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eusc-de-east-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-iso-east-1",
    "us-iso-west-1",
    "us-isob-east-1",
    "us-isob-west-1",
    "us-isof-east-1",
    "us-isof-south-1",
    "us-west-1",
    "us-west-2",
];

/// Whether a region could be called so: `xx-xxxx-n`, with more words in the
/// partitions of governments.
pub(super) fn is_region_name(name: &str) -> bool {
    let words: Vec<&str> = name.split('-').collect();
    let Some(([first, middle @ ..], number)) = words.split_last().map(|(n, w)| (w, n)) else {
        return false;
    };
    let is_word = |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
    is_word(first)
        && !middle.is_empty()
        && middle.iter().all(is_word)
        && !number.is_empty()
        && number.len() <= 2
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether `id` has the form of EC2's ids: `<prefix>-<letters and digits>`.
pub(super) fn is_id(id: &str, prefix: &str) -> bool {
    let rest = id.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('-'));
    rest.is_some_and(|rest| {
        !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    })
}

/// Whether an instance type could be called so: `m5.large`, `u-6tb1.metal`.
pub(super) fn is_instance_type(name: &str) -> bool {
    let word = |word: &str| {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        !word.is_empty() && word.bytes().all(allowed)
    };
    name.split_once('.').is_some_and(|(family, size)| word(family) && word(size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_region_has_the_form_of_one() {
        assert!(REGIONS.is_sorted());
        for region in REGIONS {
            assert!(is_region_name(region), "{region}");
        }
        for wrong in ["", "us", "us-1", "us-west", "us_west_2", "US-west-2", "us-west-2a", "us--2"]
        {
            assert!(!is_region_name(wrong), "{wrong}");
        }
    }

    #[test]
    fn ids_and_types_have_their_forms() {
        assert!(is_id("ami-785db401", "ami") && is_id("sg-0b7a", "sg"));
        assert!(!is_id("ami-", "ami") && !is_id("quokka", "sg") && !is_id("sg-0 1", "sg"));
        assert!(is_instance_type("m5.large") && is_instance_type("u-6tb1.112xlarge"));
        assert!(!is_instance_type("m5") && !is_instance_type("M5.large"));
    }
}
