//! All integration tests in one binary, because each further binary would link the SDK again.

mod checks;
mod cli;
mod cloud_contract;
mod config;
mod docs;
#[cfg(feature = "aws")]
mod ec2;
mod engine;
mod handover;
mod init;
mod journal;
mod layers;
#[cfg(feature = "aws")]
mod moto_story;
mod pty;
#[cfg(feature = "aws")]
mod quokka;
mod recipe;
mod remedy;
mod remote_contract;
mod screens;
mod sim;
mod ssh;
#[cfg(feature = "aws")]
mod stories;
mod support;
mod words;
