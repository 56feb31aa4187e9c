//! The checks: pure functions over the project and the survey. One file a
//! check; no check talks to AWS.

mod finding;

pub use finding::{Finding, Level, Subject, Summary};
