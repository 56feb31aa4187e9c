//! What a step waits for: earlier steps on every node they are for.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::watch;

use crate::{config::Project, model::NodeName};

use super::{Event, NodeState, Phase, RunState, StepOutcome};

/// The two things that can be waited for of a step.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    /// For `needs`: whether it succeeded everywhere.
    pub(super) gate: watch::Receiver<Gate>,
    /// For `after`: whether nothing of it is still to come.
    pub(super) over: watch::Receiver<bool>,
    /// The first node that has not had it yet, and how many more there are.
    pub(super) pending: watch::Receiver<Option<(NodeName, usize)>>,
}

impl Watch {
    /// Reports which nodes are waited for: `us-west-2/head and 3 more`.
    pub(super) fn pending(&self) -> impl Fn() -> Option<String> + Send + 'static {
        let pending = self.pending.clone();
        move || match &*pending.borrow() {
            None => None,
            Some((node, 0)) => Some(format!("on {node}")),
            Some((node, more)) => Some(format!("on {node} and {more} more")),
        }
    }
}

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
    /// Without an instance to run it on, and no launch is under way yet.
    absent: BTreeSet<NodeName>,
    gate: watch::Sender<Gate>,
    over: watch::Sender<bool>,
    pending: watch::Sender<Option<(NodeName, usize)>>,
}

impl Barrier {
    fn publish(&self) {
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
        let comes = |node| !self.failed.contains(node) && !self.absent.contains(node);
        let over = !self.waiting_for.iter().any(comes);
        self.over.send_if_modified(|was| std::mem::replace(was, over) != over);
        let first = self.waiting_for.first().cloned();
        self.pending.send_replace(first.map(|node| (node, self.waiting_for.len() - 1)));
    }
}

impl Barriers {
    /// The gates as the state has them. Nodes that failed count as still to
    /// come: this is called when they are about to be tried (again).
    ///
    /// Only the nodes that this run works on count: those that are planned, and those with an
    /// instance in a region of the project. A failed node that was removed from the configs
    /// reports nothing further.
    pub(super) fn of(project: &Project, state: &RunState) -> Self {
        let recipe = &project.recipe;
        let planned: BTreeSet<_> =
            project.planned_nodes().into_iter().map(|node| node.name).collect();
        let counts = |node: &&NodeState| {
            let in_project = project.region(&node.group.region).is_some();
            planned.contains(&node.name) || (node.is_live() && in_project)
        };
        let waits = recipe.steps.iter().flat_map(|step| step.needs.iter().chain(&step.after));
        let needed: BTreeSet<_> = waits.collect();
        let steps = recipe.steps.iter().filter(|step| needed.contains(&step.name));
        let barriers = steps.map(|step| {
            let nodes = state.nodes.values().filter(counts);
            let nodes = nodes.filter(|node| step.on.includes(node.leader));
            let waiting: Vec<_> = nodes.filter(|node| !node.has_done(&step.name)).collect();
            let absent = |node: &&&NodeState| !node.is_live() && node.phase.is_settled();
            let barrier = Barrier {
                waiting_for: waiting.iter().map(|node| node.name.clone()).collect(),
                failed: BTreeSet::new(),
                absent: waiting.iter().filter(absent).map(|node| node.name.clone()).collect(),
                gate: watch::Sender::new(Gate::Closed),
                over: watch::Sender::new(false),
                pending: watch::Sender::new(None),
            };
            barrier.publish();
            (step.name.clone(), barrier)
        });
        Self { steps: barriers.collect() }
    }

    /// The same where only `nodes` are tried: of all others nothing more comes.
    pub(super) fn only(mut self, nodes: &[NodeName]) -> Self {
        for barrier in self.steps.values_mut() {
            let others = barrier.waiting_for.iter().filter(|node| !nodes.contains(node));
            barrier.failed.extend(others.cloned());
            barrier.publish();
        }
        self
    }

    /// What can be waited for, by step.
    pub(super) fn watches(&self) -> BTreeMap<String, Watch> {
        let watch = |barrier: &Barrier| Watch {
            gate: barrier.gate.subscribe(),
            over: barrier.over.subscribe(),
            pending: barrier.pending.subscribe(),
        };
        self.steps.iter().map(|(step, barrier)| (step.clone(), watch(barrier))).collect()
    }

    /// Nothing more comes of `nodes`. A launch that fails is not that: the same nodes
    /// may be launched in the next subnet.
    pub(super) fn give_up(&mut self, nodes: &[NodeName]) {
        for node in nodes {
            self.failed(node);
        }
    }

    /// Takes in what happened.
    pub(super) fn apply(&mut self, event: &Event, state: &RunState) {
        match event {
            Event::StepEnded { node, step, outcome, .. } if outcome.is_done() => {
                if let Some(barrier) = self.steps.get_mut(step) {
                    barrier.waiting_for.remove(node);
                    barrier.failed.remove(node);
                    barrier.publish();
                }
            }
            Event::NodeFailed { node, .. } => self.failed(node),
            Event::InstanceChanged { instance, state: now, .. }
                if !now.is_live() || now.is_stopped() =>
            {
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
                barrier.publish();
            }
        }
    }

    fn tried_again(&mut self, node: &NodeName) {
        for barrier in self.steps.values_mut() {
            let was_failed = barrier.failed.remove(node);
            if barrier.absent.remove(node) || was_failed {
                barrier.publish();
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
