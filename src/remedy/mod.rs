//! Fixes: pure functions from findings to typed changes with exact
//! parameters. A [`Plan`] is shown before anything is done; the engine carries
//! it out ([`crate::engine`]), [`script`] prints it as `aws` commands.
//!
//! No fix deletes or replaces what muster did not create (a blackhole route
//! only with the user's consent), and none opens a port to everybody.
//! What a step creates carries its name as the tag `muster:remedy`, so that a
//! later plan reuses what an earlier one created.

mod addresses;
mod builder;
pub mod describe;
mod facts;
mod foreign_rules;
mod group;
mod image;
mod key;
mod network;
mod peering;
mod plan;
mod record;
mod reuse;
mod script;
mod seen;
mod teardown;
mod unrecorded;

pub use facts::{Facts, Owner, RegionFacts, is_beside};
pub use plan::{
    Action, FullGroup, Plan, Problem, RULES_PER_GROUP, Rewrite, Step, Surplus, Target, Unfixed,
    Until, Written,
};
pub use record::{Created, Intent, Record};
pub use script::script;
pub use seen::{describe as describe_resources, is_seen, key_name, unseen_rules};
pub use teardown::Teardown;
pub use unrecorded::Unrecorded;

use ipnet::Ipv4Net;

use crate::{
    check::{Finding, context::Context},
    config::Project,
    model::ClusterId,
    survey::Survey,
};

use builder::{Builder, is_open};

/// What a plan is made for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FixScope {
    /// Only findings of these checks, or of these checks about one thing; empty: all.
    pub only: Vec<CheckFilter>,
    /// Routes that are blackholes may be replaced.
    pub replace_blackholes: bool,
}

/// Which findings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckFilter {
    /// All of a check.
    Check(String),
    /// One.
    Problem(Problem),
}

impl FixScope {
    fn wants(&self, finding: &Finding) -> bool {
        let fits = |only: &CheckFilter| match only {
            CheckFilter::Check(id) => *id == finding.check,
            CheckFilter::Problem(problem) => *problem == Problem::of(finding),
        };
        is_open(finding) && (self.only.is_empty() || self.only.iter().any(fits))
    }
}

/// What a plan is made from.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// What is to be assembled.
    pub project: &'a Project,
    /// What is there.
    pub survey: &'a Survey,
    /// What is wrong.
    pub findings: &'a [Finding],
    /// What else is there.
    pub facts: &'a Facts,
    /// Whose resources they are.
    pub owner: Owner<'a>,
    /// The cluster that everything is tagged with.
    pub cluster: &'a ClusterId,
    /// Where the operator's connections come from, if that is known.
    pub operator: Option<Ipv4Net>,
}

/// Plans fixes for the findings that `scope` names.
pub fn plan(known: Known<'_>, scope: &FixScope) -> Plan {
    let Known { project, survey, findings, facts, owner, cluster, operator } = known;
    let wanted = findings.iter().filter(|finding| scope.wants(finding)).collect();
    let mut plan = Builder::new(facts, wanted, owner, cluster);
    plan.undecided = network::undecided(findings);
    let context = Context::new(project, survey, Some(cluster));
    key::plan(project, survey, &mut plan);
    image::plan(project, survey, owner.id, &mut plan);
    let networks = network::plan(&context, &mut plan);
    let groups = group::plan(&context, operator, &networks.all, &mut plan);
    peering::plan(&networks.all, scope.replace_blackholes, &mut plan);
    network::rewrite(&networks, &groups, &mut plan);
    plan.finish()
}
