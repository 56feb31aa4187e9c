//! What a script prints on a node, when, and how it ends.

use std::time::Duration;

use crate::{model::NodeName, remote::Script};

use super::{
    Pace, dice, phrases,
    scenario::format::{Spec, StepSpec},
};

/// A script's whole course, settled the moment it starts.
#[derive(Debug)]
pub(super) struct Play {
    /// Its lines, each with the time since the start.
    pub lines: Vec<(Duration, String)>,
    /// When it ends by itself; `None`: never.
    pub end: Option<Duration>,
    pub exit: i32,
    /// What it prints on its standard error at the end, where that is apart.
    pub errors: Vec<String>,
    /// After how many lines the first connections break.
    pub connection_lost_after: Option<u64>,
    /// How many do.
    pub connections_lost: u32,
    /// Nothing of it ever comes over a connection.
    pub frozen: bool,
}

/// Who runs a script.
pub(super) struct Player<'a> {
    pub node: &'a NodeName,
    pub address: String,
}

impl Play {
    /// What `script` does on `player`: as the scenario specifies, else as its text suggests.
    pub fn of(spec: &Spec, pace: Pace, player: &Player<'_>, script: &Script) -> Self {
        let (step, attempt) = split_key(&script.key);
        let entry = spec.steps.iter().find(|entry| entry.fits(step, attempt, player.node));
        match entry {
            Some(entry) => Self::scripted(spec, pace, player, step, entry),
            None => Self::improvised(spec, pace, player, step, script),
        }
    }

    fn scripted(
        spec: &Spec,
        pace: Pace,
        player: &Player<'_>,
        step: &str,
        entry: &StepSpec,
    ) -> Self {
        let lines: Vec<String> = entry.output.lines().map(|line| player.fill(line)).collect();
        let takes = entry.takes_s.place(&[player.node.as_str(), step]) * slowness(spec, player);
        Self {
            lines: spread(lines, pace, takes, &[player.node.as_str(), step]),
            end: (!entry.hangs).then(|| pace.seconds(takes)),
            exit: entry.exit,
            errors: entry.errors.lines().map(|line| player.fill(line)).collect(),
            connection_lost_after: entry.connection_lost_after,
            connections_lost: entry.connections_lost,
            frozen: entry.frozen,
        }
    }

    fn improvised(
        spec: &Spec,
        pace: Pace,
        player: &Player<'_>,
        step: &str,
        script: &Script,
    ) -> Self {
        let (lines, takes) = phrases::improvise(script, player, step);
        let takes = takes * slowness(spec, player);
        Self {
            lines: spread(lines, pace, takes, &[player.node.as_str(), step]),
            end: Some(pace.seconds(takes)),
            exit: 0,
            errors: Vec::new(),
            connection_lost_after: None,
            connections_lost: 0,
            frozen: false,
        }
    }
}

impl Player<'_> {
    fn fill(&self, line: &str) -> String {
        let region = self.node.as_str().split('/').next().unwrap_or_default();
        line.replace("{node}", self.node.as_str())
            .replace("{region}", region)
            .replace("{ip}", &self.address)
    }
}

impl StepSpec {
    fn fits(&self, step: &str, attempt: u32, node: &NodeName) -> bool {
        self.step.as_deref().is_none_or(|own| own == step)
            && (self.attempts.is_empty() || self.attempts.contains(&attempt))
            && (self.nodes.is_empty() || self.nodes.iter().any(|name| stands_for(name, node)))
    }
}

/// Whether `name`, a node, a region or a kind, stands for `node` too.
fn stands_for(name: &str, node: &NodeName) -> bool {
    let (region, short) = node.as_str().split_once('/').unwrap_or((node.as_str(), ""));
    let kind = short.split('-').next().unwrap_or(short);
    name == node.as_str() || name == region || name == kind
}

/// `<step>.<attempt>`; an attempt that is no number is the first.
fn split_key(key: &str) -> (&str, u32) {
    match key.rsplit_once('.') {
        Some((step, attempt)) => (step, attempt.parse().unwrap_or(1)),
        None => (key, 1),
    }
}

fn slowness(spec: &Spec, player: &Player<'_>) -> f64 {
    spec.nodes.get(player.node).and_then(|node| node.slowness).unwrap_or(1.0)
}

/// Spreads `lines` over `takes` seconds, unevenly as programs print.
fn spread(lines: Vec<String>, pace: Pace, takes: f64, seed: &[&str]) -> Vec<(Duration, String)> {
    let weights: Vec<f64> = (0..=lines.len())
        .map(|n| 0.2 + dice::unit(&[seed, &[&n.to_string()]].concat()).powi(3))
        .collect();
    let whole: f64 = weights.iter().sum();
    let mut passed = 0.0;
    lines
        .into_iter()
        .zip(weights)
        .map(|(line, weight)| {
            passed += weight / whole * takes;
            (pace.seconds(passed), line)
        })
        .collect()
}
