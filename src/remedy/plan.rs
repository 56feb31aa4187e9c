//! A plan: what would be changed, where, in which order, and what is left to
//! the user. Plain data: the same value is shown, printed as a script,
//! journalled and carried out.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    check::Subject,
    cloud::{Change, Made, Ref, StepId},
    config::Location,
    model::{Failure, Region},
};

use super::unrecorded::Unrecorded;

/// What would be done, and what can't be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// What would be done: a step comes after all that it needs.
    pub steps: Vec<Step>,
    /// Findings that no step fixes.
    pub left: Vec<Unfixed>,
    /// What carries the project's name as a tag, but is in none of its
    /// journals: not touched.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unrecorded: Vec<Unrecorded>,
    /// What was created twice, since an answer was lost, and is not used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub surplus: Vec<Surplus>,
    /// Security groups that would hold more rules than EC2's default quota allows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub full_groups: Vec<FullGroup>,
}

/// A security group that would hold more than [`RULES_PER_GROUP`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FullGroup {
    /// Its region.
    pub region: Region,
    /// The group.
    pub group: Ref,
    /// How many inbound rules for IPv4 it would hold.
    pub rules: usize,
}

/// EC2's default quota of inbound rules for IPv4 in one security group (L-0EA8095F).
pub const RULES_PER_GROUP: usize = 60;

/// A second resource of one step, on record and not used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Surplus {
    /// Its region.
    pub region: Region,
    /// The step that created it.
    pub slot: StepId,
    /// Its id.
    pub id: String,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Its name.
    pub slot: StepId,
    /// What it does.
    pub action: Action,
    /// The steps that must have succeeded before, in addition to those that its
    /// references name.
    pub after: Vec<StepId>,
    /// The findings that it helps to fix, in the order found.
    pub fixes: Vec<Problem>,
}

/// A finding, by what identifies it from one refresh to the next.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    /// The check: `key.exists`.
    pub check: &'static str,
    /// What it is about.
    pub subject: Subject,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// A call to EC2.
    Change {
        /// Where.
        region: Region,
        /// Which.
        change: Change,
    },
    /// Asks EC2 until something is so.
    Wait {
        /// Where.
        region: Region,
        /// What for.
        until: Until,
    },
    /// Writes into the configs. All of a plan's rewrites are made at once, at the end.
    Rewrite(Vec<Rewrite>),
}

/// What is waited for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Until {
    /// EC2 lists the peering connection in this region, pending acceptance or later.
    PeeringThere {
        /// The connection.
        peering: Ref,
        /// The VPC on this side.
        vpc: Ref,
    },
    /// The peering connection is active.
    PeeringActive {
        /// The connection.
        peering: Ref,
        /// The VPC on this side.
        vpc: Ref,
    },
    /// The image can be launched.
    ImageAvailable(Ref),
}

/// A value to write into a config.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rewrite {
    /// Where.
    pub target: Target,
    /// What: the ids, or the one.
    pub value: Written,
}

/// A place in a config.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// A value that is written there already.
    At {
        /// Where it stands.
        location: Location,
        /// The key that it stands under: `ImageId`.
        key: &'static str,
        /// The present value.
        old: String,
    },
    /// A key of a node type's `node_config`, written already or not.
    NodeConfig {
        /// The config.
        file: Arc<Path>,
        /// The node type.
        node_type: String,
        /// The key: `SubnetIds`.
        key: &'static str,
    },
}

/// What is to be written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Written {
    /// One value.
    One(Ref),
    /// A list.
    List(Vec<Ref>),
}

/// A finding that no step fixes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unfixed {
    /// The finding.
    pub problem: Problem,
    /// Why not.
    pub why: String,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Whether it takes networks away.
    pub fn is_teardown(&self) -> bool {
        let deletes = |step: &Step| match &step.action {
            Action::Change { change, .. } => change.deletes(),
            _ => false,
        };
        self.steps.iter().any(deletes)
    }

    /// The command that goes on with it where it was not carried out to its end.
    pub fn command(&self) -> &'static str {
        if self.is_teardown() { "muster down --network" } else { "muster fix" }
    }

    /// The step of this name.
    pub fn step(&self, slot: &StepId) -> Option<&Step> {
        self.steps.iter().find(|step| step.slot == *slot)
    }

    /// Takes out what would create a second one of what exists with this
    /// project's id and is in no journal, and all that needs it.
    pub(super) fn block_what_exists(&mut self) {
        let exists = self.unrecorded.iter().filter(|one| one.same_project);
        let mut blocked: BTreeSet<StepId> = exists.map(|one| one.slot.clone()).collect();
        if blocked.is_empty() {
            return;
        }
        let (mut rest, mut out) = (Vec::new(), Vec::new());
        // A step comes after all that it needs.
        for step in self.steps.drain(..) {
            let is_blocked = |slot: &StepId| blocked.contains(slot);
            if is_blocked(&step.slot) || step.needs().iter().any(is_blocked) {
                blocked.insert(step.slot.clone());
                out.push(step);
            } else {
                rest.push(step);
            }
        }
        self.steps = rest;
        let mut problems: Vec<_> = out.into_iter().flat_map(|step| step.fixes).collect();
        problems.sort();
        problems.dedup();
        let why =
            "what it needs carries this project's id and is in none of its journals: see below";
        self.left.extend(problems.into_iter().map(|problem| Unfixed { problem, why: why.into() }));
    }

    /// What the user may take over: what carries this project's id, and what the
    /// plan would create otherwise. What carries no more than the name is somebody
    /// else's, unless it is in the way.
    pub fn to_take_over(&self) -> impl Iterator<Item = &Unrecorded> {
        let creates = |slot: &StepId| self.step(slot).is_some();
        let wanted = move |one: &&Unrecorded| one.same_project || creates(&one.slot);
        self.unrecorded.iter().filter(|one| one.refused.is_none()).filter(wanted)
    }

    /// Takes out the writing of configs, which can't be done for this reason.
    pub(crate) fn leave_configs(&mut self, failure: &Failure) {
        let (rewrites, rest) =
            self.steps.drain(..).partition(|step| matches!(step.action, Action::Rewrite(_)));
        self.steps = rest;
        let rewrites: Vec<Step> = rewrites;
        let problems = rewrites.into_iter().flat_map(|step| step.fixes);
        let left = problems.map(|problem| Unfixed { problem, why: failure.to_string() });
        self.left.extend(left);
    }

    /// Returns the findings that the plan fixes, each once.
    pub fn fixed(&self) -> Vec<&Problem> {
        let mut all: Vec<_> = self.steps.iter().flat_map(|step| &step.fixes).collect();
        all.sort();
        all.dedup();
        all
    }
}

impl Step {
    /// The steps that have to have succeeded before.
    pub fn needs(&self) -> Vec<StepId> {
        let mut needs = self.after.clone();
        match &self.action {
            Action::Change { change, .. } => needs.extend(change.waits_for()),
            Action::Wait { until, .. } => {
                needs.extend(until.refs().into_iter().filter_map(Ref::slot).cloned());
            }
            Action::Rewrite(rewrites) => {
                let refs = rewrites.iter().flat_map(|rewrite| rewrite.value.refs());
                needs.extend(refs.filter_map(Ref::slot).cloned());
            }
        }
        needs.sort();
        needs.dedup();
        needs
    }

    /// Where it is done; `None` for a step on this machine.
    pub fn region(&self) -> Option<&Region> {
        match &self.action {
            Action::Change { region, .. } | Action::Wait { region, .. } => Some(region),
            Action::Rewrite(_) => None,
        }
    }
}

impl Until {
    /// What it is about.
    pub fn subject(&self) -> &Ref {
        match self {
            Self::PeeringThere { peering, .. } | Self::PeeringActive { peering, .. } => peering,
            Self::ImageAvailable(image) => image,
        }
    }

    /// The same with the ids of what has been created meanwhile.
    #[must_use]
    pub fn with(&self, made: &Made) -> Self {
        match self {
            Self::PeeringThere { peering, vpc } => {
                Self::PeeringThere { peering: peering.with(made), vpc: vpc.with(made) }
            }
            Self::PeeringActive { peering, vpc } => {
                Self::PeeringActive { peering: peering.with(made), vpc: vpc.with(made) }
            }
            Self::ImageAvailable(image) => Self::ImageAvailable(image.with(made)),
        }
    }

    fn refs(&self) -> Vec<&Ref> {
        match self {
            Self::PeeringThere { peering, vpc } | Self::PeeringActive { peering, vpc } => {
                vec![peering, vpc]
            }
            Self::ImageAvailable(image) => vec![image],
        }
    }
}

impl Written {
    /// The values.
    pub fn refs(&self) -> &[Ref] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::List(all) => all,
        }
    }
}
