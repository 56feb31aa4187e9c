//! Addresses for new networks: such as overlap with nothing in these regions.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::Facts;

/// Where the search begins: people tend to number from 10.0 up.
const FIRST: u8 = 64;

/// CIDRs that are free in all regions.
pub(super) struct Pool {
    taken: Vec<Ipv4Net>,
    /// Why nothing is given: a region whose VPCs could not be read.
    unread: Option<String>,
}

impl Pool {
    /// What no VPC of any of the regions has.
    pub fn of(facts: &Facts) -> Self {
        let known = facts.regions.values().filter_map(|facts| facts.known());
        let vpcs = known.flat_map(|facts| &facts.vpcs);
        let taken = vpcs.flat_map(|vpc| vpc.cidrs.iter().copied()).collect();
        let mut unread = facts.regions.iter().filter(|(_, facts)| facts.known().is_none());
        let unread = unread.next().map(|(region, _)| {
            format!("which addresses are free is not known: {region} could not be read")
        });
        Self { taken, unread }
    }

    /// The next 10.x.0.0/16 that is free in all regions, or why there is none.
    pub fn take(&mut self) -> Result<Ipv4Net, String> {
        match &self.unread {
            Some(why) => Err(why.clone()),
            None => self.next().ok_or_else(|| "no 10.x.0.0/16 is free in all regions".into()),
        }
    }

    fn next(&mut self) -> Option<Ipv4Net> {
        let all = (FIRST..=u8::MAX).chain(0..FIRST);
        let mut nets = all.map(|x| Ipv4Net::new_assert(Ipv4Addr::new(10, x, 0, 0), 16));
        let free = nets.find(|net| !self.taken.iter().any(|taken| overlap(*taken, *net)))?;
        self.taken.push(free);
        Some(free)
    }
}

fn overlap(a: Ipv4Net, b: Ipv4Net) -> bool {
    a.contains(&b) || b.contains(&a)
}

/// The /20 parts of a /16: sixteen subnets of 4091 usable addresses.
pub(super) fn shares(cidr: Ipv4Net) -> impl Iterator<Item = Ipv4Net> {
    cidr.subnets(20).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::Failure, survey::Fact};

    fn pool(taken: &[&str]) -> Pool {
        let taken = taken.iter().filter_map(|cidr| cidr.parse().ok()).collect();
        Pool { taken, unread: None }
    }

    #[test]
    fn what_is_taken_is_never_given() {
        let mut pool = pool(&["10.64.0.0/24", "10.65.0.0/16", "172.31.0.0/16"]);
        let given: Vec<_> = std::iter::from_fn(|| pool.take().ok()).collect();
        assert_eq!(given.first().map(ToString::to_string).as_deref(), Some("10.66.0.0/16"));
        assert_eq!(given.len(), 254);
    }

    #[test]
    fn a_full_space_gives_nothing() {
        assert!(pool(&["10.0.0.0/8"]).take().is_err());
    }

    #[test]
    fn a_region_that_could_not_be_read_may_have_any_of_them() {
        let unknown = Fact::Unknown(Failure::new("no answer"));
        let facts = Facts { regions: [("eu-west-1".into(), unknown)].into() };
        assert_eq!(
            Pool::of(&facts).take(),
            Err("which addresses are free is not known: eu-west-1 could not be read".into())
        );
    }
}
