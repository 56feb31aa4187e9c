//! The simulated world: one [`World`], described by a [`Scenario`] (TOML),
//! that is asked through the same two doors as the real one,
//! [`crate::cloud::Cloud`] and [`crate::remote::Remote`].
//!
//! It refuses what EC2 refuses, with EC2's codes; it can lag behind its own
//! writes; and machines let muster in only if security group, route and key
//! would in reality. So a launch into a broken world fails as it would there.
//!
//! No task runs behind it and nothing sleeps but its callers: what a machine
//! does is a function of tokio's clock, which tests may pause. What looks like
//! chance is drawn from names and is the same every time.

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
