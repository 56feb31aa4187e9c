//! A refresh: a survey of all regions, the checks on it, and the states of
//! the cluster's own instances.

use std::sync::Arc;

use futures_util::future::join_all;

use crate::{
    check,
    config::Project,
    survey::{self, Fact, Survey, SurveyOptions},
};

use super::{
    Update,
    down::regions,
    refresh,
    shared::{Message, Shared},
};

/// Reads the survey, runs the checks and sends both to the dispatcher. `last`: the previous
/// survey. `reconciles`: also compare instances on record with EC2 (not while
/// a launch does that anyway).
pub(super) async fn run(shared: Arc<Shared>, last: Option<Arc<Survey>>, reconciles: bool) {
    let own = async {
        if reconciles && shared.state().cluster.is_some() {
            own_machines(&shared).await;
        }
    };
    let project = shared.project();
    let (survey, ()) = tokio::join!(survey(&shared, &project, last.as_deref()), own);
    let findings = check::run(&project, &survey, Some(&shared.cluster));
    shared.send(Message::Refreshed(project, Arc::new(survey), findings.into()));
}

/// Reads all regions; dry runs that EC2 allowed before are not repeated.
pub(super) async fn survey(shared: &Shared, project: &Project, last: Option<&Survey>) -> Survey {
    let options = SurveyOptions {
        dry_run: !last.is_some_and(|last| all_allowed(project, last)),
        cluster: Some(shared.cluster.clone()),
        launch_pace: shared.launch_pace.clone(),
    };
    let mut survey = survey::take(
        project,
        shared.cloud.as_ref(),
        shared.remote.as_ref(),
        &shared.clock,
        options,
    )
    .await;
    if let Some(last) = last {
        survey.keep_dry_runs(last);
    }
    survey
}

/// Whether EC2 allowed every launch of the plan in a dry run. Then no further dry run
/// is needed: dry runs use the same request quota as launches.
fn all_allowed(project: &Project, survey: &Survey) -> bool {
    project.regions.iter().all(|config| {
        let asked = survey.regions.get(&config.region.value).map(|region| &region.dry_runs);
        config.groups.iter().all(|group| {
            let answer = asked.and_then(|asked| asked.get(&config.key_of(group)));
            matches!(answer, Some(Fact::Known(None)))
        })
    })
}

async fn own_machines(shared: &Shared) {
    let regions = regions(shared).into_iter();
    let read = regions.map(|region| async move {
        if let Err((_, failure)) = refresh::read(shared, &region).await {
            shared.update(Update::Notice(failure));
        }
    });
    join_all(read).await;
}
