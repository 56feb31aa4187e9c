//! The EC2 adapter against endpoints that fail as AWS and networks do, and against
//! answers that moto never gives.

mod arguments;
mod change;
mod described;
mod errors;
mod launch;
mod pages;
mod prices;

use std::time::Duration;

use muster::cloud::ec2::Timeouts;

/// Timeouts short enough for a test.
const SHORT: Timeouts = Timeouts {
    connect: Duration::from_millis(500),
    attempt: Duration::from_millis(200),
    operation: Duration::from_millis(500),
};
