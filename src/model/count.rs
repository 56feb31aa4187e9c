//! How many of something, in words.

use std::fmt::Display;

/// `1 node`, `3 nodes`.
pub fn count<N: Copy + Display + PartialEq + From<u8>>(number: N, thing: &str) -> String {
    let plural = if number == N::from(1) { "" } else { "s" };
    format!("{number} {thing}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_not_many() {
        assert_eq!([count(0_u32, "node"), count(1_usize, "node")], ["0 nodes", "1 node"]);
        assert_eq!(count(2_u64, "region"), "2 regions");
    }
}
