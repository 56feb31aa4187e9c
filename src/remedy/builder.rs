//! Collects the steps of a plan.

use std::collections::BTreeSet;

use crate::{
    check::{Finding, Level, Subject},
    cloud::{Change, Ref, StepId, Tags, tags},
    model::{ClusterId, Failure, Region},
};

use super::{
    Facts,
    facts::{Owner, RegionFacts},
    plan::{Action, FullGroup, Plan, Problem, RULES_PER_GROUP, Rewrite, Step, Unfixed, Until},
};

/// A plan in the making.
pub(super) struct Builder<'a> {
    pub facts: &'a Facts,
    /// The findings to fix.
    pub wanted: Vec<&'a Finding>,
    /// Regions of which is not known whether their network can stay.
    pub undecided: Vec<&'a Region>,
    base: Tags,
    plan: Plan,
}

impl<'a> Builder<'a> {
    pub fn new(
        facts: &'a Facts,
        wanted: Vec<&'a Finding>,
        owner: Owner<'_>,
        cluster: &ClusterId,
    ) -> Self {
        let base = Tags::from([
            (tags::CLUSTER.to_owned(), cluster.to_string()),
            (tags::PROJECT.to_owned(), owner.name.to_owned()),
            (tags::PROJECT_ID.to_owned(), owner.id.to_owned()),
        ]);
        let unrecorded = facts.unrecorded().cloned().collect();
        let plan = Plan { unrecorded, surplus: facts.surplus(), ..Plan::default() };
        Self { facts, wanted, undecided: Vec::new(), base, plan }
    }

    /// Finishes the plan. Findings that no step fixes are listed as unfixed.
    pub fn finish(mut self) -> Plan {
        self.plan.block_what_exists();
        let planned: BTreeSet<Problem> = self
            .plan
            .fixed()
            .into_iter()
            .cloned()
            .chain(self.plan.left.iter().map(|left| left.problem.clone()))
            .collect();
        for finding in &self.wanted {
            let problem = Problem::of(finding);
            if !planned.contains(&problem) {
                let why = finding.todo.clone().unwrap_or_else(|| "there is no fix".into());
                self.plan.left.push(Unfixed { problem, why });
            }
        }
        // Configs are written once all else is there.
        self.plan.steps.sort_by_key(|step| matches!(step.action, Action::Rewrite(_)));
        self.plan
    }

    /// Returns the findings of `check` to fix.
    pub fn wanted(&self, check: &str) -> Vec<&'a Finding> {
        self.wanted.iter().copied().filter(|finding| finding.check == check).collect()
    }

    /// Returns the finding of `check` about `subject`, if it is to be fixed.
    pub fn wants(&self, check: &'static str, subject: &Subject) -> Option<Problem> {
        let found = self.wanted.iter().find(|one| one.check == check && one.subject == *subject);
        found.map(|finding| Problem::of(finding))
    }

    /// The same about one region.
    pub fn wants_in(&self, check: &'static str, region: &Region) -> Option<Problem> {
        self.wants(check, &Subject::Region(region.clone()))
    }

    /// The same about two regions, whichever stands first.
    pub fn wants_between(&self, check: &'static str, a: &Region, b: &Region) -> Vec<Problem> {
        let pair = |a: &Region, b: &Region| Subject::Pair(a.clone(), b.clone());
        [pair(a, b), pair(b, a)].iter().filter_map(|pair| self.wants(check, pair)).collect()
    }

    /// What is known of `region`; where it is not, `problems` are left.
    pub fn facts_of(&mut self, region: &Region, problems: &[Problem]) -> Option<&'a RegionFacts> {
        match self.facts.of(region) {
            Ok(facts) => Some(facts),
            Err(failure) => {
                self.leave(problems, &unread(region, &failure));
                None
            }
        }
    }

    /// Records why `problems` are not fixed.
    pub fn leave(&mut self, problems: &[Problem], why: &str) {
        let left = problems.iter().map(|one| Unfixed { problem: one.clone(), why: why.to_owned() });
        self.plan.left.extend(left);
    }

    /// Adds a change; returns what it makes. What an earlier run made by it is
    /// taken instead, where it is what this change would make.
    pub fn change(
        &mut self,
        slot: &str,
        region: &Region,
        mut change: Change,
        fixes: &[Problem],
    ) -> Ref {
        let slot = StepId(slot.to_owned());
        let facts = self.facts.of(region).ok();
        if let Some(id) = facts.and_then(|facts| facts.reusable(&slot, &change)) {
            return Ref::Id(id);
        }
        if let Some(tags) = change.tags_mut() {
            tags.extend(self.base.clone());
            tags.entry(tags::REMEDY.into()).or_insert_with(|| slot.0.clone());
        }
        self.add(slot.clone(), Action::Change { region: region.clone(), change }, fixes);
        Ref::Made(slot)
    }

    /// Notes that `group` will hold this many inbound rules.
    pub fn count_rules(&mut self, region: &Region, group: &Ref, rules: usize) {
        if rules > RULES_PER_GROUP {
            let (region, group) = (region.clone(), group.clone());
            self.plan.full_groups.push(FullGroup { region, group, rules });
        }
    }

    /// Why the user may not take over `id`, which is not on record.
    pub fn refuse_takeover(&mut self, id: &str, why: &str) {
        let unrecorded = self.plan.unrecorded.iter_mut().filter(|one| one.id == id);
        unrecorded.for_each(|one| one.refused = Some(why.to_owned()));
    }

    /// How many steps there are so far.
    pub fn len(&self) -> usize {
        self.plan.steps.len()
    }

    /// The names of the steps from number `first` on.
    pub fn slots_from(&self, first: usize) -> Vec<StepId> {
        self.plan.steps.iter().skip(first).map(|step| step.slot.clone()).collect()
    }

    /// Adds a wait.
    pub fn wait(&mut self, slot: &str, region: &Region, until: Until, fixes: &[Problem]) -> StepId {
        let slot = StepId(slot.to_owned());
        self.add(slot.clone(), Action::Wait { region: region.clone(), until }, fixes);
        slot
    }

    /// Adds a rewriting of configs, once all of `after` has succeeded.
    pub fn rewrite(
        &mut self,
        slot: &str,
        rewrites: Vec<Rewrite>,
        after: Vec<StepId>,
        fixes: &[Problem],
    ) {
        self.add(StepId(slot.to_owned()), Action::Rewrite(rewrites), fixes);
        self.after(slot, after);
    }

    /// Lets the step `slot` wait for more.
    pub fn after(&mut self, slot: &str, after: impl IntoIterator<Item = StepId>) {
        if let Some(step) = self.plan.steps.iter_mut().find(|step| step.slot.0 == slot) {
            step.after.extend(after);
        }
    }

    /// Adds a step, or adds `fixes` to the step of that name.
    fn add(&mut self, slot: StepId, action: Action, fixes: &[Problem]) {
        let known = self.plan.steps.iter_mut().find(|step| step.slot == slot);
        let Some(step) = known else {
            self.plan.steps.push(Step { slot, action, after: Vec::new(), fixes: fixes.to_vec() });
            return;
        };
        let more: Vec<_> = fixes.iter().filter(|one| !step.fixes.contains(one)).cloned().collect();
        step.fixes.extend(more);
    }
}

impl Problem {
    /// What identifies `finding`.
    pub fn of(finding: &Finding) -> Self {
        Self { check: finding.check, subject: finding.subject.clone() }
    }
}

fn unread(region: &Region, failure: &Failure) -> String {
    format!("what is in {region} could not be read: {failure}")
}

/// Whether `finding` needs a fix.
pub(super) fn is_open(finding: &Finding) -> bool {
    finding.level == Level::Fail
}
