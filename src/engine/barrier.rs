//! What a step waits for: earlier steps on every node they are for.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::watch;

use crate::{config::Recipe, model::NodeName};

use super::{Event, Phase, RunState, StepOutcome};

/// How a step stands over all its nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// Some node has not had it yet.
    Closed,
    /// Succeeded everywhere.
    Open,
    /// A node that it is for has failed.
    Blocked(NodeName),
}

/// One gate for each step that another one needs.
#[derive(Debug, Default)]
pub(super) struct Barriers {
    steps: BTreeMap<String, Barrier>,
}

#[derive(Debug)]
struct Barrier {
    waiting_for: BTreeSet<NodeName>,
    failed: BTreeSet<NodeName>,
    gate: watch::Sender<Gate>,
}

impl Barrier {
    fn tell(&self) {
        let now = match self.failed.first() {
            Some(node) => Gate::Blocked(node.clone()),
            None if self.waiting_for.is_empty() => Gate::Open,
            None => Gate::Closed,
        };
        self.gate.send_if_modified(|gate| {
            let changed = *gate != now;
            *gate = now;
            changed
        });
    }
}

impl Barriers {
    /// The gates as the state has them. Nodes that failed count as still to
    /// come: this is called when they are about to be tried (again).
    pub(super) fn of(recipe: &Recipe, state: &RunState) -> Self {
        let needed: BTreeSet<_> = recipe.steps.iter().flat_map(|step| &step.needs).collect();
        let steps = recipe.steps.iter().filter(|step| needed.contains(&step.name));
        let barriers = steps.map(|step| {
            let nodes = state.nodes.values().filter(|node| step.on.includes(node.leader));
            let waiting = nodes.filter(|node| !node.has_done(&step.name));
            let barrier = Barrier {
                waiting_for: waiting.map(|node| node.name.clone()).collect(),
                failed: BTreeSet::new(),
                gate: watch::Sender::new(Gate::Closed),
            };
            barrier.tell();
            (step.name.clone(), barrier)
        });
        Self { steps: barriers.collect() }
    }

    /// Follows `step`'s gate; `None` where nothing needs the step.
    pub(super) fn gate(&self, step: &str) -> Option<watch::Receiver<Gate>> {
        self.steps.get(step).map(|barrier| barrier.gate.subscribe())
    }

    /// Takes in what happened.
    pub(super) fn apply(&mut self, event: &Event, state: &RunState) {
        match event {
            Event::StepEnded { node, step, outcome, .. } if outcome.is_done() => {
                if let Some(barrier) = self.steps.get_mut(step) {
                    barrier.waiting_for.remove(node);
                    barrier.failed.remove(node);
                    barrier.tell();
                }
            }
            Event::NodeFailed { node, .. } => self.failed(node),
            Event::LaunchFailed { token, .. } => {
                for node in state.launches.get(token).into_iter().flat_map(|launch| &launch.nodes) {
                    self.failed(node);
                }
            }
            Event::InstanceChanged { instance, state: now, .. } if !now.is_live() => {
                if let Some(node) = state.node_of(instance) {
                    self.failed(&node.name);
                }
            }
            Event::LaunchIntended { nodes, .. } => {
                for node in nodes {
                    self.tried_again(node);
                }
            }
            Event::NodePhase { node, phase: Phase::Connecting } => self.tried_again(node),
            _ => {}
        }
    }

    fn failed(&mut self, node: &NodeName) {
        for barrier in self.steps.values_mut() {
            if barrier.waiting_for.contains(node) && barrier.failed.insert(node.clone()) {
                barrier.tell();
            }
        }
    }

    fn tried_again(&mut self, node: &NodeName) {
        for barrier in self.steps.values_mut() {
            if barrier.failed.remove(node) {
                barrier.tell();
            }
        }
    }
}

impl StepOutcome {
    /// Whether what comes after it may go on.
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Succeeded | Self::Skipped)
    }
}
