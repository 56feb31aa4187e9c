//! The simulated world: one [`World`], described by a [`Scenario`] (TOML),
//! behind the same two ports as the real one,
//! [`crate::cloud::Cloud`] and [`crate::remote::Remote`].
//!
//! It refuses what EC2 refuses, with EC2's codes; it can lag behind its own
//! writes; and instances accept SSH only if security group, route and key
//! would in reality. So a launch into a broken world fails as it would there.
//!
//! No background task runs, and only its callers sleep: the behaviour of an instance
//! is a function of tokio's clock, which tests may pause. What looks random
//! is derived from names and is the same every time.

mod catalog;
mod dice;
mod pace;
mod phrases;
mod scenario;
mod script;
mod world;

use pace::Pace;
pub use scenario::{Scenario, ScenarioError};
pub use world::{InternetGateway, RegionSnapshot, SecurityGroupRule, Snapshot, World};
