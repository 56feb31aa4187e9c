//! Addresses: private ones from the subnet, public ones from ranges that
//! nobody on the internet has.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

/// AWS keeps the first four addresses of a subnet, and the last one.
const KEPT_FIRST: u32 = 4;
const KEPT: u32 = 5;

/// How many addresses of a subnet instances can have.
pub(super) fn usable(cidr: Ipv4Net) -> u32 {
    let all = 1_u64 << (32 - cidr.prefix_len());
    u32::try_from(all.saturating_sub(u64::from(KEPT))).unwrap_or(u32::MAX)
}

/// The first address that an instance of a subnet can have.
pub(super) fn first(cidr: Ipv4Net) -> Ipv4Addr {
    Ipv4Addr::from_bits(cidr.network().to_bits().saturating_add(KEPT_FIRST))
}

/// How many addresses are left from `next` on.
pub(super) fn left(cidr: Ipv4Net, next: Ipv4Addr) -> u32 {
    cidr.broadcast().to_bits().saturating_sub(next.to_bits())
}

/// The address after `address`.
pub(super) fn after(address: Ipv4Addr) -> Ipv4Addr {
    Ipv4Addr::from_bits(address.to_bits().saturating_add(1))
}

/// A region's made-up public addresses, one after the other, none twice.
pub(super) struct PublicPool {
    blocks: Vec<Ipv4Net>,
    used: u32,
}

impl PublicPool {
    /// The first two regions get a block of the documentation ranges, which
    /// read best; what exceeds these, and the other regions, a part of the
    /// range for benchmarks (RFC 2544), then of the shared one (RFC 6598).
    pub fn of_region(index: u32) -> Self {
        let reads_best = match index {
            0 => Some(net([198, 51, 100, 0], 24)),
            1 => Some(net([203, 0, 113, 0], 24)),
            _ => None,
        };
        // Taken from the end.
        let mut blocks =
            vec![part([100, 64, 0, 0], 10, 16, index), part([198, 18, 0, 0], 15, 20, index)];
        blocks.extend(reads_best);
        Self { blocks, used: 0 }
    }

    /// An address that no instance ever had.
    pub fn next(&mut self) -> Ipv4Addr {
        let block = match self.blocks.as_slice() {
            [.., next, block] if left(*block, nth(*block, self.used)) == 0 => {
                let next = *next;
                self.blocks.pop();
                self.used = 0;
                next
            }
            [.., block] => *block,
            [] => return Ipv4Addr::UNSPECIFIED,
        };
        self.used += 1;
        nth(block, self.used - 1)
    }
}

/// Starts behind the network's own address and at a round number.
fn nth(block: Ipv4Net, used: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(block.network().to_bits().saturating_add(10).saturating_add(used))
}

/// The part number `index` of length `prefix` of a larger range; the parts
/// start over where there are no more.
fn part(range: [u8; 4], range_prefix: u8, prefix: u8, index: u32) -> Ipv4Net {
    let parts = 1_u32 << (prefix - range_prefix);
    let offset = (index % parts) << (32 - prefix);
    net(Ipv4Addr::from_bits(Ipv4Addr::from(range).to_bits() + offset).octets(), prefix)
}

fn net(octets: [u8; 4], prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::from(octets), prefix)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn thousands_of_public_addresses_are_all_different() {
        let mut seen = BTreeSet::new();
        for index in 0..10 {
            let mut pool = PublicPool::of_region(index);
            assert!((0..9000).all(|_| seen.insert(pool.next())), "twice in region {index}");
        }
    }

    #[test]
    fn a_subnet_keeps_five_addresses() {
        let cidr = net([10, 0, 0, 0], 28);
        assert_eq!(usable(cidr), 11);
        assert_eq!(first(cidr), Ipv4Addr::new(10, 0, 0, 4));
        assert_eq!(left(cidr, first(cidr)), 11);
    }
}
