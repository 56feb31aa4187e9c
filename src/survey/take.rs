//! Reading a [`Survey`]: two dependent rounds of calls in each region, all
//! regions and all calls of a round side by side.
//!
//! ```text
//! round 1   regions, images, key pairs, groups, subnets, types, offerings, instances
//! round 2   VPCs, route tables, peerings (of the VPCs that round 1 found), prefix lists
//!           (that rules of its groups name); dry runs
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

use futures_util::future::join_all;

use crate::{
    cloud::{CallPace, Cloud, PublicKey, RegionInfo},
    config::{AwsCredentials, Project},
    model::{Clock, ClusterId, Failure, Region},
    remote::Remote,
};

use super::{
    Fact, RegionSurvey, Survey,
    dry_run::DryRun,
    named,
    region::{Answers, read, specificity},
};

/// What a survey reads in addition to what it always reads.
#[derive(Clone, Debug, Default)]
pub struct SurveyOptions {
    /// Whether to make a dry run of each launch. It costs launch tokens:
    /// once per plan, not on each refresh ([`Survey::keep_dry_runs`]).
    pub dry_run: bool,
    /// The cluster that the dry runs are tagged with; none yet: a made-up one.
    pub cluster: Option<ClusterId>,
    /// Paces the dry runs, with whatever else calls `RunInstances`.
    pub launch_pace: Arc<CallPace>,
}

/// Reads everything that the checks need to know. Never fails: what could
/// not be read is [`Fact::Unknown`].
pub async fn take(
    project: &Project,
    cloud: &dyn Cloud,
    remote: &dyn Remote,
    clock: &Clock,
    options: SurveyOptions,
) -> Survey {
    let at = clock.now();
    let images = named::all_images(project);
    let cluster = options.cluster.unwrap_or_else(|| ClusterId::new("dry-run"));
    let dry_run = options.dry_run.then_some(DryRun {
        project,
        cloud,
        cluster: &cluster,
        pace: &options.launch_pace,
        nonce: at.as_millisecond(),
    });
    let one = |config| read(config, cloud, &images, dry_run);
    let regions = join_all(project.regions.iter().map(one).collect::<Vec<_>>());
    let (regions, local_keys, copied_keys_last) =
        tokio::join!(regions, local_keys(project, remote), copied_keys_last(project, cloud));
    let not_asked = not_asked(&regions);
    Survey { at, local_keys, regions: by_region(project, regions), copied_keys_last, not_asked }
}

async fn local_keys(project: &Project, remote: &dyn Remote) -> BTreeMap<PathBuf, Fact<PublicKey>> {
    let named = project.configs().filter_map(|config| config.ssh_private_key.as_ref());
    let paths: BTreeSet<&PathBuf> = named.map(|path| &path.value).collect();
    let read = |path: &PathBuf| {
        let path = path.clone();
        async move {
            let key = remote.public_key(&path).await;
            (path, key.map_or_else(Fact::Unknown, Fact::Known))
        }
    };
    join_all(paths.into_iter().map(read).collect::<Vec<_>>()).await.into_iter().collect()
}

/// Temporary credentials come with a session token.
async fn copied_keys_last(project: &Project, cloud: &dyn Cloud) -> Option<Fact<bool>> {
    if *project.quokka.aws_credentials != AwsCredentials::Copy {
        return None;
    }
    let found = cloud.credentials().await;
    Some(found.map(|found| found.session_token.is_none()).map_or_else(Fact::Unknown, Fact::Known))
}

/// Set when no region could be asked: the most specific failure.
fn not_asked(regions: &[Answers]) -> Option<Failure> {
    let lost: Option<Vec<_>> = regions.iter().map(|answers| answers.lost.as_ref()).collect();
    lost?.into_iter().max_by_key(|error| specificity(error)).map(Failure::from)
}

/// Puts the regions together; whether each is enabled is reported by the first
/// region that knows, since an unknown region can't be asked about itself.
fn by_region(project: &Project, regions: Vec<Answers>) -> BTreeMap<Region, RegionSurvey> {
    let list = regions.iter().find_map(|answers| answers.list.as_ref().ok().cloned());
    let named = project.regions.iter().map(|config| config.region.value.clone());
    named
        .zip(regions)
        .map(|(region, answers)| with_opt_in(region, answers, list.as_deref()))
        .collect()
}

fn with_opt_in(
    region: Region,
    answers: Answers,
    list: Option<&[RegionInfo]>,
) -> (Region, RegionSurvey) {
    let state =
        |list: &[RegionInfo]| list.iter().find(|info| info.name == region).map(|info| info.opt_in);
    let opt_in = match (list, answers.list) {
        (Some(list), _) => Fact::Known(state(list)),
        (None, own) => own.map(|list| state(&list)).into(),
    };
    (region, RegionSurvey { opt_in, ..answers.facts })
}
