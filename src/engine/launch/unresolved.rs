//! Finding out what became of launches whose end is not on record.

use crate::{
    cloud::{CloudError, ErrorKind, Instance, LaunchRequest},
    config::RegionConfig,
    engine::{Event, LaunchRecord, LaunchState, shared::Shared, vcpus::Vcpus},
    model::{ClientToken, Failure, NodeName, Region},
};

use super::{
    attempt::{APPEAR, appear, call, unclear},
    record_launched,
    request::{Incomplete, complete, template},
    token_of,
};

/// Records the outcome of calls that an earlier run intended and whose
/// instances are in `listing`, all of the cluster in the region of `config`.
pub(in crate::engine) async fn resolve_listed(
    shared: &Shared,
    config: &RegionConfig,
    listing: &[Instance],
    vcpus: &Vcpus,
) {
    for (token, launch) in unresolved(shared, &config.region) {
        let listed = of_token(listing, &token);
        // All or none were launched: fewer mean that the others do not show yet.
        if listed.len() >= launch.nodes.len() {
            record_launched(shared, token, &launch.nodes, listed, vcpus).await;
        }
    }
}

/// Finds out what became of the other calls that an earlier run intended: by
/// the same calls again.
pub(in crate::engine) async fn resolve(
    shared: &Shared,
    config: &RegionConfig,
    listing: &[Instance],
    vcpus: &Vcpus,
) {
    for (token, launch) in unresolved(shared, &config.region) {
        let _underway = shared.must.begin(format!("finding out about {}", launch.group));
        let listed = of_token(listing, &token);
        match call_again(shared, config, &token, &launch).await {
            Err(error) if !listed.is_empty() && !leaves_open(&error) => {
                record_launched(shared, token, &launch.nodes, listed, vcpus).await;
            }
            Ok(found) => record_launched(shared, token, &launch.nodes, found, vcpus).await,
            Err(error) if leaves_open(&error) => {
                let failure = unclear(&error);
                for node in launch.nodes {
                    shared.tell(Event::NodeFailed { node, failure: failure.clone() });
                }
            }
            Err(error) => {
                let failure = Failure::from(&error);
                let _ = shared.record(Event::LaunchFailed { token, failure }).await;
            }
        }
    }
}

/// The instances of `listing` that the call with `token` launched.
fn of_token(listing: &[Instance], token: &ClientToken) -> Vec<Instance> {
    let of_token = |instance: &&Instance| token_of(instance).as_ref() == Some(token);
    listing.iter().filter(of_token).cloned().collect()
}

/// Of the first call nobody knows the outcome, so an error counts as its end
/// only where EC2 has looked at the request.
fn leaves_open(error: &CloudError) -> bool {
    error.outcome_unknown()
        || matches!(
            error.kind,
            ErrorKind::Unreachable
                | ErrorKind::Throttled
                | ErrorKind::Credentials
                | ErrorKind::Denied
                | ErrorKind::OptIn
                | ErrorKind::TokenMismatch
        )
}

/// The launches of `region` whose end is not on record.
fn unresolved(shared: &Shared, region: &Region) -> Vec<(ClientToken, LaunchRecord)> {
    let state = shared.state();
    let open = state.launches.iter().filter(|(_, launch)| {
        launch.group.region == *region && launch.state == LaunchState::Intended
    });
    open.map(|(token, launch)| (token.clone(), launch.clone())).collect()
}

/// The nodes of those launches.
pub(in crate::engine) fn unresolved_nodes(shared: &Shared, region: &Region) -> Vec<NodeName> {
    unresolved(shared, region).into_iter().flat_map(|(_, launch)| launch.nodes).collect()
}

/// The same call with the same token: EC2 answers with what the first one
/// made, or makes it now. Where the config asks for something else by now,
/// the instances are only looked for.
async fn call_again(
    shared: &Shared,
    config: &RegionConfig,
    token: &ClientToken,
    launch: &LaunchRecord,
) -> Result<Vec<Instance>, CloudError> {
    let region = &config.region;
    if let Some(request) = request_again(shared, config, token, launch).await? {
        return call(shared, region, &request).await;
    }
    let found = appear(shared, region, token, launch.nodes.len(), APPEAR).await;
    if found.is_empty() {
        let message = "the call had no effect";
        return Err(CloudError::answered(region, "RunInstances", "NotLaunched", message));
    }
    Ok(found)
}

/// The request of the record; for a record of an older version, the one that
/// the config makes now. `Ok(None)`: the config does not ask for it any more.
async fn request_again(
    shared: &Shared,
    config: &RegionConfig,
    token: &ClientToken,
    launch: &LaunchRecord,
) -> Result<Option<LaunchRequest>, CloudError> {
    let group = config.group(&launch.group);
    let Some(template) = group.and_then(|group| template(shared, config, group).ok()) else {
        return Ok(None);
    };
    if let Some(recorded) = &launch.request {
        return Ok(recorded.repeated(&template));
    }
    let (subnet, count) = (launch.subnet.clone(), launch.nodes.len());
    match complete(shared, config, template, subnet, count, token.clone()).await {
        Ok(request) => Ok(Some(request)),
        Err(Incomplete::Config(_)) => Ok(None),
        Err(Incomplete::Cloud(error)) => Err(error),
    }
}
