//! Pseudo-random numbers that are the same every time: derived from
//! names, so that neither the order of tasks nor a restart changes them.

/// A 64-bit number drawn from `parts`.
pub(super) fn draw(parts: &[&str]) -> u64 {
    let mut state = 0xcbf2_9ce4_8422_2325_u64;
    for part in parts {
        for byte in part.bytes().chain([0xff]) {
            state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    mix(state)
}

/// The finaliser of splitmix64: spreads what FNV leaves in the low bits.
fn mix(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

/// A number from 0 (inclusive) to 1 (exclusive) drawn from `parts`.
pub(super) fn unit(parts: &[&str]) -> f64 {
    // 32 bits convert to f64 without loss.
    let high = u32::try_from(draw(parts) >> 32).unwrap_or(0);
    f64::from(high) / (f64::from(u32::MAX) + 1.0)
}

/// `17` hex digits as EC2 has them behind `i-`: the first one is 0.
pub(super) fn hex17(parts: &[&str]) -> String {
    format!("0{:016x}", draw(parts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_parts_draw_the_same_and_others_draw_other() {
        assert_eq!(draw(&["a", "b"]), draw(&["a", "b"]));
        assert_ne!(draw(&["a", "b"]), draw(&["ab", ""]));
        assert_eq!(hex17(&["a"]).len(), 17);
    }

    #[test]
    fn units_spread_over_the_whole_interval() {
        let drawn: Vec<f64> = (0..1000).map(|n: u32| unit(&["node", &n.to_string()])).collect();
        assert!(drawn.iter().all(|value| (0.0..1.0).contains(value)));
        let low = drawn.iter().filter(|value| **value < 0.5).count();
        assert!((400..600).contains(&low), "{low} of 1000 below a half");
    }
}
