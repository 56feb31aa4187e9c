//! The adapter for EC2 against endpoints that misbehave as AWS and networks
//! do, and against answers that moto never gives.

mod arguments;
mod change;
mod described;
mod errors;
mod launch;
mod pages;
mod prices;

use std::time::Duration;

use muster::cloud::ec2::Timeouts;

/// Limits that a test can wait for.
const SHORT: Timeouts = Timeouts {
    connect: Duration::from_millis(500),
    attempt: Duration::from_millis(200),
    operation: Duration::from_millis(500),
};
