//! muster assembles one Quokka/Ray cluster out of AWS regions.
//!
//! Data flows one way:
//!
//! ```text
//! files ──► Project ──► Survey ──► Findings ──► Fix plan   (what is wrong, and its fix)
//!           config      survey     check        remedy
//!                         │
//!                         └──► Launch ──► Nodes ──► Bootstrap ──► Manifest
//!                              engine                remote       model
//! ```
//!
//! Two traits are the only ports to the outside: [`cloud::Cloud`] (EC2) and
//! [`remote::Remote`] (SSH). Each has a real adapter and a simulated one in
//! [`sim`]. Front ends ([`tui`], [`report`]) send [`engine::Command`]s and
//! receive [`engine::Update`]s; nothing else passes between them and the engine.

pub mod app;
pub mod check;
pub mod child_env;
pub mod cli;
pub mod cloud;
pub mod config;
pub mod engine;
pub mod handover;
pub mod journal;
pub mod model;
pub mod remedy;
pub mod remote;
pub mod report;
pub mod signals;
pub mod sim;
pub mod survey;
pub mod tui;
pub mod waits;
