//! The adapter for EC2 against endpoints that misbehave as AWS and networks
//! do, and against answers that moto never gives.

mod errors;
mod launch;
mod pages;
