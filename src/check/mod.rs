//! The checks: pure functions over the project and the survey. No check
//! talks to AWS. [`all`] is the one table of them, from which the dashboard's
//! groups, the reports and `docs/checks.md` come.

mod cluster_name;
pub(crate) mod context;
mod copied_keys;
mod exposed;
mod finding;
mod image;
pub(crate) mod key;
mod launch;
pub(crate) mod network;
mod offered;
pub(crate) mod operator_ports;
mod operator_ssh;
mod peering;
mod peers;
mod reachable;
mod region;
mod route;
pub(crate) mod rules;
mod security_group;
mod subnet;
mod table;
mod unsupported;
mod vpc;

pub use cluster_name::NAME_TAKEN;
pub use finding::{Finding, Level, Subject, Summary};
pub use table::{CheckInfo, all, info};

use crate::{config::Project, model::ClusterId, survey::Survey};

/// Runs every check. `own` is the cluster whose instances are ours, if there
/// is one yet. The findings come in the order to show: what fails first, then
/// what is unknown, and so on; within that by the table, the leader's region first.
pub fn run(project: &Project, survey: &Survey, own: Option<&ClusterId>) -> Vec<Finding> {
    let context = context::Context::new(project, survey, own);
    let mut findings: Vec<_> = all().iter().flat_map(|check| check.run(&context)).collect();
    findings.sort_by_key(|finding| finding.level);
    without_duplicates(findings)
}

/// Keeps one finding for what could not be read, instead of one for each resource named.
fn without_duplicates(findings: Vec<Finding>) -> Vec<Finding> {
    let mut kept: Vec<Finding> = Vec::new();
    for finding in findings {
        if !kept.iter().any(|other| other.is_same_as(&finding)) {
            kept.push(finding);
        }
    }
    kept
}

/// The exit status of `muster check`: 3 where AWS could not be reached at all,
/// 1 where something fails, 4 where nothing fails but something is unknown, else 0.
pub fn exit_code(findings: &[Finding], not_asked: bool) -> u8 {
    let summary = Summary::of(findings);
    match (not_asked, summary.fail, summary.unknown) {
        (true, ..) => 3,
        (_, 1.., _) => 1,
        (_, 0, 1..) => 4,
        (_, 0, 0) => 0,
    }
}
