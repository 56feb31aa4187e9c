//! The prices of instances, as far as they are known.

/// An amount of US dollars of which parts may not be known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Price {
    /// The part that is known.
    pub usd: f64,
    /// Machines whose price is known.
    pub known: usize,
    /// Machines whose price is not.
    pub unknown: usize,
}

impl Price {
    fn add(&mut self, usd: Option<f64>) {
        match usd {
            Some(usd) => {
                self.usd += usd;
                self.known += 1;
            }
            None => self.unknown += 1,
        }
    }

    /// The sum of the prices of single instances.
    pub fn sum(prices: impl Iterator<Item = Option<f64>>) -> Self {
        let mut sum = Self::default();
        prices.for_each(|price| sum.add(price));
        sum
    }
}

impl std::fmt::Display for Price {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.known, self.unknown) {
            (0, 1..) => f.write_str("price unknown"),
            (_, 0) => write!(f, "${:.2}", self.usd),
            (_, _) => write!(f, "over ${:.2}", self.usd),
        }
    }
}
