//! Stop, start, restart and adopt: when each is available, and the plan that the
//! engine returned.

use std::sync::Arc;

use super::model::{Model, Work};
use crate::{
    check::{Finding, NAME_TAKEN},
    cloud::tags,
    engine::{AdoptPlan, ClusterPhase, Command, Phase, StartPlan, StopPlan},
};

/// What the engine would do; none while that is awaited.
#[derive(Clone, Debug, Default)]
pub struct Plans {
    /// Of a stop.
    pub stop: Option<Arc<StopPlan>>,
    /// Of a start.
    pub start: Option<Arc<StartPlan>>,
    /// Of an adoption.
    pub adopt: Option<Arc<AdoptPlan>>,
}

/// What can be done to all machines at once, beside launching and ending them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lifecycle {
    /// `muster stop`
    Stop,
    /// `muster start`
    Start,
    /// `muster up --restart`
    Restart,
    /// `muster up --adopt`
    Adopt,
}

impl Lifecycle {
    /// What is asked of the engine before the user is; nothing where all is known.
    pub fn asks(self) -> Option<Command> {
        match self {
            Self::Stop => Some(Command::PlanStop),
            Self::Start => Some(Command::PlanStart),
            Self::Restart => None,
            Self::Adopt => Some(Command::PlanAdopt),
        }
    }

    /// What carries it out; none before its plan is there, or where there is
    /// nothing to do.
    pub fn command(self, model: &Model) -> Option<Command> {
        let plans = &model.plans;
        match self {
            Self::Stop => {
                let plan = plans.stop.as_ref()?;
                let acts = !plan.is_empty() || !plan.stopping.is_empty();
                acts.then(|| Command::StopMachines(Arc::clone(plan)))
            }
            Self::Start => {
                let plan = plans.start.as_ref()?;
                let goes_on = !plan.running.is_empty() && !all_live_are_ready(model);
                let acts = !plan.start.is_empty() || goes_on;
                acts.then(|| Command::StartMachines(Arc::clone(plan)))
            }
            Self::Restart => Some(Command::Restart),
            Self::Adopt => {
                let plan = plans.adopt.as_ref().filter(|plan| plan.refused.is_empty())?;
                Some(Command::Adopt(Arc::clone(plan)))
            }
        }
    }

    /// Why it can't be asked for now.
    pub fn refusal(self, model: &Model) -> Option<&'static str> {
        match (model.work, model.state.phase) {
            (Work::Up, _) if self != Self::Stop => Some("a launch is under way"),
            (Work::Fix, _) => Some("changes are being made"),
            (Work::Down, _) | (_, ClusterPhase::Terminating) => Some("the cluster is being ended"),
            (Work::Stop, _) => Some("the machines are being stopped"),
            (_, ClusterPhase::Terminated) => {
                Some("the cluster is terminated: u launches the next one")
            }
            _ => self.without_sense(model),
        }
    }

    fn without_sense(self, model: &Model) -> Option<&'static str> {
        let state = &model.state;
        let (runs, stopped) = (state.billed().next().is_some(), state.halted().next().is_some());
        match self {
            Self::Stop if stopped && !runs => Some("every machine is stopped already"),
            Self::Stop if !runs => Some("nothing runs: there is nothing to stop"),
            Self::Start if !runs && !stopped => Some("there is no machine to start: u launches"),
            Self::Start if !stopped && all_live_are_ready(model) => Some("every machine runs"),
            Self::Restart if stopped => Some("machines are stopped: P starts them"),
            Self::Restart if !runs => Some("nothing runs: u launches"),
            Self::Restart if !state.adopting.is_empty() => {
                Some("taking over what `ray up` made was cut off: A goes on with it")
            }
            Self::Restart if model.project.recipe.again_on_start().next().is_none() => {
                Some("no step of the recipe is marked `again: start`: nothing would run again")
            }
            Self::Adopt if has_own(model) => {
                Some("this cluster has machines of its own: what `ray up` made stays beside it")
            }
            Self::Adopt if model.findings.is_some() && !can_adopt(model) => {
                Some("no machine of `ray up` goes by the cluster_name of these configs")
            }
            Self::Stop | Self::Start | Self::Restart | Self::Adopt => None,
        }
    }

    /// Whether the footer shows it: where it is likely what is wanted.
    pub fn is_offered(self, model: &Model) -> bool {
        let likely = match self {
            Self::Stop | Self::Restart => true,
            Self::Start => model.state.halted().next().is_some(),
            Self::Adopt => can_adopt(model),
        };
        likely && model.read_only.is_none() && self.refusal(model).is_none()
    }
}

fn all_live_are_ready(model: &Model) -> bool {
    let mut live = model.state.nodes.values().filter(|node| node.is_live());
    live.all(|node| node.phase == Phase::Ready)
}

fn has_own(model: &Model) -> bool {
    model.state.live().any(|info| !info.adopted)
}

/// Whether machines are there that `ray up` made by these configs and nobody
/// has taken over, or taking them over was cut off.
pub fn can_adopt(model: &Model) -> bool {
    let regions = model.survey.iter().flat_map(|survey| survey.regions.values());
    let mut named = regions.filter_map(|region| region.instances.known()).flatten();
    let left = named.any(|one| one.state.is_live() && !one.tags.contains_key(tags::CLUSTER));
    (left && !has_own(model)) || !model.state.adopting.is_empty()
}

/// Whether taking over is what `finding` asks for.
pub fn fixes(finding: &Finding, model: &Model) -> bool {
    finding.check == NAME_TAKEN && can_adopt(model)
}
