//! Finding out what became of launches whose end is not on record.

use futures_util::future::join_all;

use crate::{
    cloud::{CloudError, ErrorKind, Instance, LaunchRequest},
    config::RegionConfig,
    engine::{
        Event, LaunchRecord, LaunchState,
        shared::Shared,
        unresolved::{of_region, read_until_resolved},
        vcpus::Vcpus,
    },
    model::{ClientToken, Failure, NodeName, Region},
};

use super::{
    attempt::{call, unclear},
    record_launched,
    request::{Incomplete, complete, subnets, template},
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

/// Finds out what became of the other calls that an earlier run intended, so
/// that nothing else is launched for their nodes before that is known.
pub(in crate::engine) async fn resolve(
    shared: &Shared,
    config: &RegionConfig,
    listing: &[Instance],
    vcpus: &Vcpus,
) {
    let open = unresolved(shared, &config.region).into_iter();
    let repeated = open.map(|(token, launch)| async move {
        let _underway = shared.must.begin(format!("finding out about {}", launch.group));
        let listed = of_token(listing, &token);
        repeat(shared, config, (&token, &launch), listed, vcpus).await.then_some(token)
    });
    let tokens: Vec<_> = join_all(repeated).await.into_iter().flatten().collect();
    let mut unwanted = of_region(shared, &config.region);
    unwanted.retain(|launch| tokens.contains(&launch.token));
    if let Err(error) = read_until_resolved(shared, &config.region, unwanted).await {
        for (_, launch) in unresolved(shared, &config.region) {
            shared.fail(launch.nodes, &unclear(&error));
        }
    }
}

/// Makes the call again. True: there is no request that may be made, so that
/// only reading shows what became of it.
async fn repeat(
    shared: &Shared,
    config: &RegionConfig,
    (token, launch): (&ClientToken, &LaunchRecord),
    listed: Vec<Instance>,
    vcpus: &Vcpus,
) -> bool {
    let answer = match request_again(shared, config, token, launch).await {
        Ok(None) => return true,
        Ok(Some(again)) => call_again(shared, config, token, launch, again).await,
        Err(error) => Err(Incomplete::Cloud(error)),
    };
    match answer {
        Ok(found) => record_launched(shared, token.clone(), &launch.nodes, found, vcpus).await,
        Err(Incomplete::Config(failure)) => shared.fail(launch.nodes.clone(), &failure),
        Err(Incomplete::Cloud(error)) if leaves_open(&error) => {
            shared.fail(launch.nodes.clone(), &unclear(&error));
        }
        Err(Incomplete::Cloud(_)) if !listed.is_empty() => {
            record_launched(shared, token.clone(), &launch.nodes, listed, vcpus).await;
        }
        Err(Incomplete::Cloud(error)) => {
            let (token, failure) = (token.clone(), Failure::from(&error));
            let _ = shared.record(Event::LaunchFailed { token, failure }).await;
        }
    }
    false
}

/// The instances of `listing` that the call with `token` launched.
fn of_token(listing: &[Instance], token: &ClientToken) -> Vec<Instance> {
    let of_token = |instance: &&Instance| token_of(instance).as_ref() == Some(token);
    listing.iter().filter(of_token).cloned().collect()
}

/// Whether the launch stays unresolved. The outcome of the first call is unknown, so an
/// error counts as its end only if EC2 has evaluated the request.
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

/// A call for the nodes of a launch, with its token.
enum Again {
    /// The request on record: EC2 answers with what the first call made, or makes it now.
    Same(LaunchRequest),
    /// What the config asks for by now. EC2 refuses it where it has carried out the
    /// first call, and launches where it has not: so both can never run.
    Changed(LaunchRequest),
}

async fn call_again(
    shared: &Shared,
    config: &RegionConfig,
    token: &ClientToken,
    launch: &LaunchRecord,
    again: Again,
) -> Result<Vec<Instance>, Incomplete> {
    let request = match again {
        Again::Same(request) => request,
        Again::Changed(request) => {
            let intent = Event::LaunchIntended {
                token: token.clone(),
                group: launch.group.clone(),
                nodes: launch.nodes.clone(),
                subnet: request.subnet.clone(),
                request: Some(Box::new((&request).into())),
            };
            shared.record(intent).await.map_err(Incomplete::Config)?;
            request
        }
    };
    call(shared, &config.region, &request).await.map_err(Incomplete::Cloud)
}

/// `Ok(None)`: the config asks for none of it any more, or for it in another
/// zone, where the token would launch it again.
async fn request_again(
    shared: &Shared,
    config: &RegionConfig,
    token: &ClientToken,
    launch: &LaunchRecord,
) -> Result<Option<Again>, CloudError> {
    let Some(group) = config.group(&launch.group).filter(|_| is_planned(shared, launch)) else {
        return Ok(None);
    };
    let Ok(template) = template(shared, config, group) else { return Ok(None) };
    let recorded = launch.request.as_ref();
    if let Some(same) = recorded.and_then(|recorded| recorded.repeated(&template)) {
        return Ok(Some(Again::Same(same)));
    }
    if !subnets(shared, config, group).await?.contains(&launch.subnet) {
        return Ok(None);
    }
    let (subnet, count) = (launch.subnet.clone(), launch.nodes.len());
    match complete(shared, config, template, subnet, count, token.clone()).await {
        Ok(request) if recorded.is_none_or(|recorded| recorded.is_in_zone_of(&request)) => {
            Ok(Some(Again::Changed(request)))
        }
        Ok(_) | Err(Incomplete::Config(_)) => Ok(None),
        Err(Incomplete::Cloud(error)) => Err(error),
    }
}

/// Whether the configs plan each of its nodes.
fn is_planned(shared: &Shared, launch: &LaunchRecord) -> bool {
    let planned = shared.project().planned_nodes();
    let is_planned =
        |name: &NodeName| planned.iter().any(|one| one.name == *name && one.group == launch.group);
    launch.nodes.iter().all(is_planned)
}
