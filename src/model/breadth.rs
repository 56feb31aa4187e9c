//! How much of the internet several address ranges cover together: `0.0.0.0/0`
//! is the same as its halves, and as 65,536 times a /16.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// What one site may have: the public addresses of a /16, of IPv6 those of the /32
/// of one provider.
const ONE_SITE: u64 = 1 << 16;
const ONE_SITE_V6: u128 = 1 << 96;

/// Whether `ranges` together hold more public addresses than one site has.
pub fn is_wide(ranges: impl IntoIterator<Item = IpNet>) -> bool {
    !wide(ranges.into_iter().map(|range| ((), range)).collect()).is_empty()
}

/// Those of `ranges` without which the rest holds no more public addresses than one
/// site has: each that is too wide by itself, else all that are public.
pub fn wide<T>(ranges: Vec<(T, IpNet)>) -> Vec<(T, IpNet)> {
    let (narrow, mut wide): (Vec<_>, Vec<_>) =
        ranges.into_iter().partition(|(_, range)| one_site(std::slice::from_ref(range)));
    let nets: Vec<_> = narrow.iter().map(|(_, range)| *range).collect();
    let (v4, v6) = split(&nets);
    let (wide_v4, wide_v6) = (public(&v4) > ONE_SITE, public_v6(&v6) > ONE_SITE_V6);
    wide.extend(narrow.into_iter().filter(|(_, range)| match range {
        IpNet::V4(net) => wide_v4 && public(&[*net]) > 0,
        IpNet::V6(net) => wide_v6 && public_v6(&[*net]) > 0,
    }));
    wide
}

/// Whether `ranges` together hold all addresses of the internet that hosts have.
pub fn is_whole(ranges: &[IpNet]) -> bool {
    let (v4, v6) = split(ranges);
    let all = Ipv4Net::new_assert([0, 0, 0, 0].into(), 0);
    let global = Ipv6Net::new_assert([0x2000, 0, 0, 0, 0, 0, 0, 0].into(), 3);
    Ipv4Net::aggregate(&v4).contains(&all)
        || Ipv6Net::aggregate(&v6).iter().any(|net| net.contains(&global))
}

/// Whether all of `net` is private (RFC 1918) or shared (RFC 6598) address space.
pub fn is_private(net: Ipv4Net) -> bool {
    private().iter().any(|space| space.contains(&net))
}

fn one_site(ranges: &[IpNet]) -> bool {
    let (v4, v6) = split(ranges);
    public(&v4) <= ONE_SITE && public_v6(&v6) <= ONE_SITE_V6
}

fn split(ranges: &[IpNet]) -> (Vec<Ipv4Net>, Vec<Ipv6Net>) {
    let v4 = ranges.iter().filter_map(|range| match range {
        IpNet::V4(net) => Some(*net),
        IpNet::V6(_) => None,
    });
    let v6 = ranges.iter().filter_map(|range| match range {
        IpNet::V6(net) => Some(*net),
        IpNet::V4(_) => None,
    });
    (v4.collect(), v6.collect())
}

fn private() -> [Ipv4Net; 4] {
    [([10, 0, 0, 0], 8), ([172, 16, 0, 0], 12), ([192, 168, 0, 0], 16), ([100, 64, 0, 0], 10)]
        .map(|(address, prefix)| Ipv4Net::new_assert(address.into(), prefix))
}

/// How many public addresses `nets` hold together.
fn public(nets: &[Ipv4Net]) -> u64 {
    let size = |net: &Ipv4Net| 1_u64 << (32 - net.prefix_len());
    let of = |net: &Ipv4Net| {
        // Of two CIDRs one holds the other, or they have nothing in common.
        let inside = private().into_iter().filter(|space| net.contains(space));
        let inside: u64 = inside.map(|space| size(&space)).sum();
        if is_private(*net) { 0 } else { size(net) - inside }
    };
    // Without overlaps.
    Ipv4Net::aggregate(&nets.to_vec()).iter().map(of).sum()
}

/// The same of IPv6, without unique local and link-local addresses.
fn public_v6(nets: &[Ipv6Net]) -> u128 {
    let spaces = [([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7), ([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10)]
        .map(|(address, prefix)| Ipv6Net::new_assert(address.into(), prefix));
    let size = |net: &Ipv6Net| 1_u128.checked_shl(128 - u32::from(net.prefix_len()));
    let of = |net: &Ipv6Net| {
        if spaces.iter().any(|space| space.contains(net)) {
            return 0;
        }
        let inside = spaces.iter().filter(|space| net.contains(*space));
        let inside: u128 = inside.filter_map(size).sum();
        // All addresses are one more than a u128 holds.
        size(net).map_or(u128::MAX, |all| all - inside)
    };
    Ipv6Net::aggregate(&nets.to_vec()).iter().map(of).fold(0, u128::saturating_add)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn nets(texts: &[&str]) -> Vec<IpNet> {
        texts.iter().filter_map(|text| text.parse().ok()).collect()
    }

    #[test]
    fn halves_and_parts_are_the_whole() {
        for world in [
            &["0.0.0.0/0"][..],
            &["0.0.0.0/1", "128.0.0.0/1"],
            &["::/0"],
            &["::/1", "8000::/1"],
            &["2000::/3"],
        ] {
            assert!(is_whole(&nets(world)) && is_wide(nets(world)), "{world:?}");
        }
        let parts: Vec<IpNet> = (0..=255_u8)
            .flat_map(|a| (0..=255_u8).map(move |b| Ipv4Net::new_assert([a, b, 0, 0].into(), 16)))
            .map(IpNet::V4)
            .collect();
        assert!(is_whole(&parts) && is_wide(parts));
        // Half of the internet in pieces of which no two are neighbours.
        let odd = (0..=127_u8).map(|a| Ipv4Net::new_assert([2 * a + 1, 0, 0, 0].into(), 16));
        assert!(is_wide(odd.map(IpNet::V4)));
        for narrow in [
            &["203.0.113.0/24", "198.51.0.0/17", "10.0.0.0/8"][..],
            &["54.0.0.0/16", "172.16.0.0/12"],
            &["2600:1f00::/32", "fd00::/8", "fe80::/10"],
            &[],
        ] {
            assert!(!is_wide(nets(narrow)) && !is_whole(&nets(narrow)), "{narrow:?}");
        }
        assert!(is_wide(nets(&["8.0.0.0/6"])), "it holds more than private addresses");
    }

    #[test]
    fn what_is_wide_by_itself_is_named_alone() {
        let named = |texts: &[&str]| -> Vec<String> {
            let all = nets(texts).into_iter().map(|net| ((), net)).collect();
            wide(all).iter().map(|((), net)| net.to_string()).collect()
        };
        assert_eq!(named(&["203.0.113.0/24", "0.0.0.0/1", "10.0.0.0/8"]), ["0.0.0.0/1"]);
        assert_eq!(
            named(&["1.0.0.0/16", "2.0.0.0/32", "10.0.0.0/8"]),
            ["1.0.0.0/16", "2.0.0.0/32"]
        );
    }

    fn any_v4() -> impl Strategy<Value = IpNet> {
        (any::<u32>(), 0_u8..=32)
            .prop_map(|(bits, prefix)| IpNet::V4(Ipv4Net::new_assert(bits.into(), prefix).trunc()))
    }

    fn any_v6() -> impl Strategy<Value = IpNet> {
        (any::<u128>(), 0_u8..=128)
            .prop_map(|(bits, prefix)| IpNet::V6(Ipv6Net::new_assert(bits.into(), prefix).trunc()))
    }

    /// How many public IPv4 addresses `nets` hold, counted by their borders.
    fn counted(nets: &[IpNet]) -> u64 {
        let range = |net: &Ipv4Net| {
            (u64::from(u32::from(net.network())), u64::from(u32::from(net.broadcast())) + 1)
        };
        let own: Vec<_> = split(nets).0.iter().map(range).collect();
        let private: Vec<_> = private().iter().map(range).collect();
        let mut borders: Vec<u64> =
            own.iter().chain(&private).flat_map(|(from, to)| [*from, *to]).collect();
        borders.sort_unstable();
        let holds =
            |all: &[(u64, u64)], at: u64| all.iter().any(|(from, to)| (*from..*to).contains(&at));
        let part = |pair: &[u64]| {
            let is_public = holds(&own, pair[0]) && !holds(&private, pair[0]);
            if is_public { pair[1] - pair[0] } else { 0 }
        };
        borders.windows(2).map(part).sum()
    }

    proptest! {
        #[test]
        fn the_verdict_is_that_of_the_addresses(all in prop::collection::vec(any_v4(), 0..12)) {
            prop_assert_eq!(is_wide(all.iter().copied()), counted(&all) > ONE_SITE);
        }

        #[test]
        fn splitting_or_repeating_ranges_changes_nothing(
            all in prop::collection::vec(prop_oneof![any_v4(), any_v6()], 0..12),
            at in any::<prop::sample::Index>(),
        ) {
            let before = is_wide(all.iter().copied());
            let mut other = all.clone();
            if !all.is_empty() {
                let net = all[at.index(all.len())];
                other.push(net);
                let halves = net.subnets(net.prefix_len().saturating_add(1).min(net.max_prefix_len()));
                other.retain(|one| *one != net);
                other.extend(halves.into_iter().flatten());
            }
            prop_assert_eq!(is_wide(other), before);
        }

        #[test]
        fn without_what_is_named_the_rest_is_narrow(
            all in prop::collection::vec(prop_oneof![any_v4(), any_v6()], 0..12),
        ) {
            let named: Vec<_> = wide(all.iter().map(|net| ((), *net)).collect());
            let rest = all.iter().filter(|net| named.iter().all(|((), other)| other != *net));
            prop_assert!(!is_wide(rest.copied()));
        }
    }
}
