//! The recipe: the steps that bootstrap every node.
//!
//! A node runs its steps in the order of the list. `needs` names earlier steps
//! that must have succeeded on *every* node they are for, so steps on one node
//! can wait for steps on others, and no cycle can be written; `after` those that
//! must be over there, whether or not they succeeded.

use std::time::Duration;

use super::RayStart;

/// What runs on the nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// Its name, for messages: a path or `built-in`.
    pub name: String,
    /// Its steps in order; names are unique.
    pub steps: Vec<Step>,
}

/// Which nodes a step is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum On {
    /// Every node.
    All,
    /// The head of the leader's region only.
    Leader,
    /// Every node but the leader.
    Members,
}

impl On {
    /// Whether the step is for a node that leads (or not).
    pub fn includes(self, leader: bool) -> bool {
        match self {
            Self::All => true,
            Self::Leader => leader,
            Self::Members => !leader,
        }
    }
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its name, `[a-z0-9-]+`.
    pub name: String,
    /// Which nodes it is for.
    pub on: On,
    /// What it does.
    pub action: Action,
    /// Earlier steps that must have succeeded on all their nodes.
    pub needs: Vec<String>,
    /// Earlier steps that must be over on all their nodes, one way or another.
    pub after: Vec<String>,
    /// For which way of starting Ray the step is; none: for each.
    pub when: Option<RayStart>,
    /// Time limit of one try.
    pub timeout: Duration,
    /// Further tries after the first that failed.
    pub retries: u32,
    /// `again: start`: it starts something that a restart of the instance
    /// ends, so it runs again on `muster start` and `muster up --restart`.
    pub again_on_start: bool,
}

impl Recipe {
    /// The names of the steps that have to run again after a start of the instance.
    pub fn again_on_start(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().filter(|step| step.again_on_start).map(|step| step.name.as_str())
    }
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Runs this text with `sh`: one that the recipe holds, or that of a script.
    Run(String),
    /// Runs the commands that the node's own region config lists.
    Config(ConfigCommands),
    /// Done from the operator's machine.
    Operator(OperatorAction),
}

/// What the operator's machine does with a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperatorAction {
    /// Copies the region config's `file_mounts` there.
    FileMounts,
    /// Sends the operator's AWS credentials, or takes away those once sent, as
    /// `aws_credentials` is set so.
    Credentials,
}

impl Step {
    /// Whether it waits for what other nodes do.
    pub fn waits(&self) -> bool {
        !self.needs.is_empty() || !self.after.is_empty()
    }
}

impl Recipe {
    /// The same without the steps that are for another way of starting Ray.
    #[must_use]
    pub fn suited(mut self, ray: RayStart) -> Self {
        self.steps.retain(|step| step.when.is_none_or(|when| when == ray));
        self
    }

    /// Whether it runs the region configs' own commands that start Ray.
    pub fn starts_ray_as_configured(&self) -> bool {
        let own = Action::Config(ConfigCommands::StartRayCommands);
        self.steps.iter().any(|step| step.action == own)
    }
}

/// Which of a region config's command lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConfigCommands {
    /// `initialization_commands`.
    InitializationCommands,
    /// `setup_commands`, then `head_setup_commands` or `worker_setup_commands`.
    SetupCommands,
    /// `head_start_ray_commands` on the leader, `worker_start_ray_commands` on members.
    StartRayCommands,
}
