//! Planning a fix: a refresh, the reads that it needs in addition, and what the plan
//! would write into the configs. Calls with an unknown outcome are resolved
//! before anything is planned.

use std::{path::Path, sync::Arc, time::Duration};

use ipnet::Ipv4Net;
use tokio::time::{Instant, sleep};

use crate::{
    check::{self, Finding},
    cloud::Cloud,
    config::Project,
    journal,
    model::Failure,
    remedy::{self, Created, Facts, FixScope, Known, Owner, Plan, Record, Teardown},
    survey::Survey,
};

use super::{
    super::{
        Event, FixPlan, Update, down, refresh_survey, resources,
        shared::{Message, Shared},
    },
    configs, resolve,
};

/// How long after it was created a resource may not be described yet.
const APPEAR: Duration = Duration::from_mins(1);
/// How long to search at least before a resource counts as deleted by others, and the pause.
const LOOK: Duration = Duration::from_secs(10);
const AGAIN: Duration = Duration::from_secs(1);

/// Refreshes all regions, plans fixes for the findings of `scope`, and sends
/// [`Update::FixPlan`].
pub(in super::super) async fn plan(shared: &Shared, last: Option<&Survey>, scope: &FixScope) {
    let project = shared.project();
    let survey = Arc::new(refresh_survey::survey(shared, &project, last).await);
    let findings = check::run(&project, &survey, Some(&shared.cluster));
    let refreshed = Message::Refreshed(project.clone(), survey.clone(), findings.clone().into());
    shared.send(refreshed);
    if let Some(failure) = &survey.not_asked {
        return shared.update(Update::Refused(failure.clone()));
    }
    match resolved_plan(shared, &project, &survey, &findings, scope).await {
        Ok(plan) => send_plan(shared, plan),
        Err(failure) => shared.update(Update::Refused(failure)),
    }
}

/// Plans fixes for everything that `survey` found, and sends [`Update::FixPreview`].
pub(in super::super) async fn preview(shared: &Shared, survey: &Survey) {
    let project = shared.project();
    let findings = check::run(&project, survey, Some(&shared.cluster));
    // Without an id there is no plan, and `fix` reports why.
    let Ok(id) = project_id(shared) else { return };
    let record = resources::record(shared).await;
    let owner = Owner { name: &project.name, id: &id, record: &record };
    let facts = Facts::read(&project, survey, &findings, shared.cloud.as_ref(), owner).await;
    let given = Given { project: &project, survey, findings: &findings, owner };
    let plan = given.plan(shared, &facts, &FixScope::default()).await;
    shared.update(Update::FixPreview(Arc::new(plan)));
}

/// The project's random id; created where there is none yet.
pub(in super::super) fn project_id(shared: &Shared) -> Result<String, Failure> {
    let folder = shared.folder.as_deref().and_then(Path::parent);
    journal::project_id(folder).map_err(|error| {
        Failure::new(format!("the project's id can't be kept: {error}")).hint(
            "make the state folder writable: that id distinguishes your networks from others'",
        )
    })
}

/// Returns the address range that the operator connects from: the project's, else the one
/// that AWS sees now.
async fn operator(project: &Project, cloud: &dyn Cloud) -> Option<Ipv4Net> {
    match &project.operator_cidr {
        Some(cidr) => Some(cidr.value),
        None => cloud.own_address().await.map(Ipv4Net::from),
    }
}

/// What a plan is made from, but for the facts.
struct Given<'a> {
    project: &'a Project,
    survey: &'a Survey,
    findings: &'a [Finding],
    owner: Owner<'a>,
}

impl Given<'_> {
    async fn plan(&self, shared: &Shared, facts: &Facts, scope: &FixScope) -> Plan {
        let Self { project, survey, findings, owner } = *self;
        let operator = operator(project, shared.cloud.as_ref()).await;
        let cluster = &shared.cluster;
        remedy::plan(Known { project, survey, findings, facts, owner, cluster, operator }, scope)
    }
}

async fn resolved_plan(
    shared: &Shared,
    project: &Project,
    survey: &Survey,
    findings: &[Finding],
    scope: &FixScope,
) -> Result<Plan, Failure> {
    let id = project_id(shared)?;
    resolve::intents(shared, resolve::Next::Create).await?;
    let mut wait = Appearing::new();
    loop {
        let record = resources::record(shared).await;
        let owner = Owner { name: &project.name, id: &id, record: &record };
        let facts = Facts::read(project, survey, findings, shared.cloud.as_ref(), owner).await;
        if resolve::by_late_tags(shared, &facts.late(&record)).await {
            continue;
        }
        if wait.all_there(shared, facts.missing()).await {
            let given = Given { project, survey, findings, owner };
            return Ok(given.plan(shared, &facts, scope).await);
        }
    }
}

/// Waits for what is on record and not described: EC2 may not show it yet, or
/// others have deleted it.
struct Appearing {
    began: Instant,
}

impl Appearing {
    fn new() -> Self {
        Self { began: Instant::now() }
    }

    /// Whether nothing is missing; else waits a little, and takes out of the
    /// record what can't appear any more.
    async fn all_there<'a>(
        &mut self,
        shared: &Shared,
        missing: impl Iterator<Item = &'a Created>,
    ) -> bool {
        let missing: Vec<_> = missing.collect();
        let wait =
            |one: &&Created| shared.waits.begin(&one.region, format!("EC2 to describe {}", one.id));
        let _wait = missing.first().map(wait);
        for one in &missing {
            let since = shared.clock.now().duration_since(one.at);
            let is_old = Duration::try_from(since).is_ok_and(|since| since > APPEAR);
            let waited = self.began.elapsed();
            if waited > APPEAR || is_old && waited > LOOK {
                let (region, id) = (one.region.clone(), one.id.clone());
                let _ = resources::open_journal(shared).await;
                // Where it can't be written, the next process finds the same.
                let _ = shared.record(Event::ResourceGone { region, id }).await;
            }
        }
        if !missing.is_empty() {
            sleep(AGAIN).await;
        }
        missing.is_empty()
    }
}

/// Plans the removal of what muster created, and sends [`Update::FixPlan`].
pub(in super::super) async fn plan_teardown(shared: &Shared) {
    match teardown(shared).await {
        Ok(plan) => send_plan(shared, plan),
        Err(failure) => shared.update(Update::Refused(failure)),
    }
}

async fn teardown(shared: &Shared) -> Result<Plan, Failure> {
    let project = shared.project();
    resolve::intents(shared, resolve::Next::Delete).await?;
    // What is deleted goes by the record; the id only marks what others tagged.
    let id = project_id(shared).unwrap_or_default();
    let mut wait = Appearing::new();
    loop {
        let record = resources::record(shared).await;
        let owner = Owner { name: &project.name, id: &id, record: &record };
        let regions = regions(shared, &record);
        let known = Teardown::read(owner, &regions, shared.cloud.as_ref()).await;
        if resolve::by_late_tags(shared, &known.late(&record)).await {
            continue;
        }
        if wait.all_there(shared, known.missing()).await {
            return Ok(known.plan());
        }
    }
}

fn regions(shared: &Shared, record: &Record) -> Vec<crate::model::Region> {
    let mut regions = down::regions(shared);
    regions.extend(record.regions());
    regions.into_iter().collect()
}

/// Sends `plan`, without its config changes where the configs cannot be written.
fn send_plan(shared: &Shared, mut plan: Plan) {
    let diffs = configs::preview(shared, &plan).unwrap_or_else(|failure| {
        plan.leave_configs(&failure);
        Vec::new()
    });
    shared.update(Update::FixPlan(Arc::new(FixPlan { plan: Arc::new(plan), diffs })));
}
