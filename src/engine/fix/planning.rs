//! Making a plan: a fresh look, what else has to be known, and what the plan
//! would write into the configs.

use std::sync::Arc;

use ipnet::Ipv4Net;

use crate::{
    check::{self, Finding},
    cloud::Cloud,
    config::Project,
    remedy::{self, Facts, Known, Plan, Teardown, Wish},
    survey::Survey,
};

use super::{
    super::{
        FixPlan, Update, down, look,
        shared::{Message, Shared},
    },
    configs,
};

/// Looks at all regions, plans what mends the findings of `wish`, and tells
/// [`Update::FixPlan`].
pub(in super::super) async fn plan(shared: &Shared, last: Option<&Survey>, wish: &Wish) {
    let project = shared.project();
    let survey = Arc::new(look::survey(shared, &project, last).await);
    let findings = check::run(&project, &survey, Some(&shared.cluster));
    let looked = Message::Looked(project.clone(), survey.clone(), findings.clone().into());
    shared.send(looked);
    match &survey.not_asked {
        Some(failure) => shared.update(Update::Refused(failure.clone())),
        None => tell(shared, remedies(shared, &project, &survey, &findings, wish).await),
    }
}

/// Plans what mends everything that `survey` found, and tells [`Update::Cures`].
pub(in super::super) async fn cures(shared: &Shared, survey: &Survey) {
    let project = shared.project();
    let findings = check::run(&project, survey, Some(&shared.cluster));
    let plan = remedies(shared, &project, survey, &findings, &Wish::default()).await;
    shared.update(Update::Cures(Arc::new(plan)));
}

/// Where the operator's connections come from: as the project says, else as
/// AWS sees it now.
async fn operator(project: &Project, cloud: &dyn Cloud) -> Option<Ipv4Net> {
    match &project.operator_cidr {
        Some(cidr) => Some(cidr.value),
        None => cloud.own_address().await.map(Ipv4Net::from),
    }
}

async fn remedies(
    shared: &Shared,
    project: &Project,
    survey: &Survey,
    findings: &[Finding],
    wish: &Wish,
) -> Plan {
    let cloud = shared.cloud.as_ref();
    let (facts, operator) =
        tokio::join!(Facts::read(project, survey, findings, cloud), operator(project, cloud));
    let cluster = &shared.cluster;
    let known = Known { project, survey, findings, facts: &facts, cluster, operator };
    remedy::plan(known, wish)
}

/// Plans the removal of what muster made, and tells [`Update::FixPlan`].
pub(in super::super) async fn plan_teardown(shared: &Shared) {
    let project = shared.project();
    let regions: Vec<_> = down::regions(shared).into_iter().collect();
    let known = Teardown::read(&project.name, &regions, shared.cloud.as_ref()).await;
    tell(shared, known.plan());
}

/// A plan whose configs can't be written as it wants would be half a plan.
fn tell(shared: &Shared, mut plan: Plan) {
    let diffs = configs::preview(shared, &plan).unwrap_or_else(|failure| {
        plan.leave_configs(&failure);
        Vec::new()
    });
    shared.update(Update::FixPlan(Arc::new(FixPlan { plan: Arc::new(plan), diffs })));
}
