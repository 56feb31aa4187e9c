//! The fix of one finding: its steps, and their progress while they run.

use crate::{
    check::{Finding, Level},
    cloud::Change,
    engine::{ChangeState, FixState},
    remedy::{Action, Problem, Step, Unfixed, describe},
};

use super::model::{Model, Work};

/// The fix of a failed finding, from the last fix plan.
pub struct FindingFix<'m> {
    steps: Vec<&'m Step>,
    left: Option<&'m Unfixed>,
    /// The changes under way.
    fix: Option<&'m FixState>,
}

impl<'m> FindingFix<'m> {
    /// Returns the fix of `finding`; `None` without a plan, or if it has not failed.
    pub fn of(finding: &Finding, model: &'m Model) -> Option<Self> {
        let plan = model.fix_preview.as_ref().filter(|_| finding.level == Level::Fail)?;
        let problem = Problem::of(finding);
        Some(Self {
            steps: plan.steps.iter().filter(|step| step.fixes.contains(&problem)).collect(),
            left: plan.left.iter().find(|left| left.problem == problem),
            fix: model.state.fix.as_ref().filter(|_| model.work == Work::Fix),
        })
    }

    /// Whether only the user can fix it.
    pub fn is_by_hand(&self) -> bool {
        self.steps.is_empty()
    }

    /// One line: the first change and how many more, or how many are made.
    pub fn short(&self) -> String {
        let Some(first) = self.steps.first() else { return "by hand".into() };
        if let Some((done, all)) = self.progress() {
            return format!("▶ {done} of {all} changes made");
        }
        let more = match self.steps.len() - 1 {
            0 => String::new(),
            n => format!(" +{n} more"),
        };
        format!("f: {}{more}", describe::title(first))
    }

    /// A line for each change, or why there is none.
    pub fn lines(&self) -> Vec<String> {
        if self.is_by_hand() {
            return vec![self.left.map_or("by hand", |left| left.why.as_str()).to_owned()];
        }
        self.steps.iter().flat_map(|step| self.of_step(step)).collect()
    }

    fn of_step(&self, step: &Step) -> Vec<String> {
        let mark = match self.state(step) {
            None => "",
            Some(ChangeState::Waiting) => "· ",
            Some(ChangeState::Running) => "▶ ",
            Some(ChangeState::Done(_)) => "✓ ",
            Some(ChangeState::Failed(_)) => "✗ ",
        };
        let place = step.region().map(|region| format!("{region}: ")).unwrap_or_default();
        describe::lines(step).iter().map(|line| format!("{mark}{place}{line}")).collect()
    }

    /// One word for a cell of the matrix.
    pub fn word(&self) -> &'static str {
        if self.progress().is_some() {
            return "fixing";
        }
        self.steps.iter().find_map(|step| word(step)).unwrap_or("by hand")
    }

    /// How many of its changes are made, while some are being made.
    fn progress(&self) -> Option<(usize, usize)> {
        let states: Vec<_> = self.steps.iter().filter_map(|step| self.state(step)).collect();
        let done = states.iter().filter(|state| matches!(state, ChangeState::Done(_))).count();
        (!states.is_empty()).then_some((done, states.len()))
    }

    fn state(&self, step: &Step) -> Option<&'m ChangeState> {
        let mut steps = self.fix?.steps.iter();
        steps.find(|one| one.step.slot == step.slot).map(|one| &one.state)
    }
}

fn word(step: &Step) -> Option<&'static str> {
    let Action::Change { change, .. } = &step.action else { return None };
    Some(match change {
        Change::CreateVpc { .. } => "network",
        Change::CreatePeering { .. } => "peer",
        Change::AcceptPeering { .. } => "accept",
        Change::AuthorizeIngress { .. } => "rules",
        Change::CreateRoute { .. } | Change::ReplaceRoute { .. } => "route",
        _ => return None,
    })
}
