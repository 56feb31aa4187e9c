//! Launching one node group: the intent on disk, then the call, then its
//! answer; and finding out what became of a call whose answer was lost.

use std::{sync::Arc, time::Duration};

use crate::{
    cloud::{
        CloudError, ErrorKind, Instance, InstanceFilter, LaunchRequest, SecurityGroup,
        SubnetFilter, tags,
    },
    config::{NodeGroup, RegionConfig},
    model::{ClientToken, Failure, GroupKey, NodeName, Region, SecurityGroupId, SubnetId},
};

use super::{Event, LaunchRecord, LaunchState, LaunchedInstance, shared::Shared, vcpus::Vcpus};

/// How long an instance of an unanswered call may take to show up.
const APPEAR: Duration = Duration::from_secs(30);
/// How often it is looked for.
const LOOK: Duration = Duration::from_secs(2);

/// Launches `nodes`, all of one group, in one call; in the next subnet where
/// one has no capacity. The call is not cancelled with the task that awaits
/// it: its answer must not be lost.
pub(super) async fn group(
    shared: Arc<Shared>,
    region: Region,
    group: GroupKey,
    nodes: Vec<NodeName>,
    vcpus: Vcpus,
) {
    let what = format!("launching {} × {group}", nodes.len());
    let underway = shared.must.begin(what);
    let work = tokio::spawn(async move {
        let _underway = underway;
        if let Err(failure) = in_any_subnet(&shared, &region, &group, &nodes, &vcpus).await {
            for node in nodes {
                shared.tell(Event::NodeFailed { node, failure: failure.clone() });
            }
        }
    });
    // A panic in there leaves the intent on record; the next run resolves it.
    let _ = work.await;
}

/// `Err`: nothing was recorded that says so already.
async fn in_any_subnet(
    shared: &Shared,
    region: &Region,
    key: &GroupKey,
    nodes: &[NodeName],
    vcpus: &Vcpus,
) -> Result<(), Failure> {
    let gone = || Failure::new(format!("{key} is not in the config any more"));
    let project = shared.project();
    let config = project.region(region).ok_or_else(gone)?;
    let group = config.group(key).ok_or_else(gone)?;
    let subnets = subnets(shared, config, group).await.map_err(|error| Failure::from(&error))?;
    for (index, subnet) in subnets.iter().enumerate() {
        let last = index + 1 == subnets.len();
        if shared.is_halted() {
            return Err(Failure::new("not launched, since muster was asked to stop"));
        }
        let full = once(shared, config, group, nodes, subnet.clone(), vcpus).await?;
        if last || !full {
            break;
        }
    }
    Ok(())
}

/// Where to try, in order. As Ray and EC2 do, the default subnets serve where
/// none is named, those of `availability_zone` first and only.
async fn subnets(
    shared: &Shared,
    config: &RegionConfig,
    group: &NodeGroup,
) -> Result<Vec<Option<SubnetId>>, CloudError> {
    let named = &group.template.subnets;
    // Beside groups by name EC2 takes no subnet: it chooses one itself.
    if !group.template.group_names().is_empty() {
        return Ok(vec![None]);
    }
    if !named.is_empty() {
        return Ok(named.iter().map(|subnet| Some(subnet.value.clone())).collect());
    }
    let mut found = shared.cloud.subnets(&config.region, &SubnetFilter::DefaultForZones).await?;
    let zones = &config.config_of(group).zones;
    let rank =
        |subnet: &crate::cloud::Subnet| zones.iter().position(|zone| zone.value == subnet.zone);
    if !zones.is_empty() {
        found.retain(|subnet| rank(subnet).is_some());
    }
    found.sort_by_key(|subnet| (rank(subnet), subnet.zone.clone()));
    let found: Vec<_> = found.into_iter().map(|subnet| Some(subnet.id)).collect();
    Ok(if found.is_empty() { vec![None] } else { found })
}

/// The groups that are named and not given by id, in the VPC of `subnet`.
async fn named_groups(
    shared: &Shared,
    config: &RegionConfig,
    group: &NodeGroup,
    subnet: Option<&SubnetId>,
) -> Result<Vec<SecurityGroupId>, Failure> {
    let names: Vec<String> =
        config.named_groups(group).into_iter().map(|name| name.value.clone()).collect();
    // Without a subnet EC2 says itself that there is no default VPC.
    let Some(subnet) = subnet.filter(|_| !names.is_empty()) else { return Ok(Vec::new()) };
    let filter = SubnetFilter::Ids(vec![subnet.clone()]);
    let (subnets, groups) = tokio::join!(
        shared.cloud.subnets(&config.region, &filter),
        shared.cloud.security_groups_named(&config.region, &names),
    );
    let subnets = subnets.map_err(|error| Failure::from(&error))?;
    let groups = groups.map_err(|error| Failure::from(&error))?;
    let is_there = |found: &&SecurityGroup, name: &String| {
        found.name == *name && subnets.iter().any(|subnet| subnet.vpc == found.vpc)
    };
    let id_of = |name: &String| {
        let found = groups.iter().find(|found| is_there(found, name));
        found.map(|found| found.id.clone()).ok_or_else(|| {
            Failure::new(format!("the VPC of {subnet} has no security group {name}"))
                .hint("name one of its groups, or let `muster fix` make one")
        })
    };
    names.iter().map(id_of).collect()
}

/// One intent and its call. `Ok(true)`: this subnet's zone has no capacity.
async fn once(
    shared: &Shared,
    config: &RegionConfig,
    group: &NodeGroup,
    nodes: &[NodeName],
    subnet: Option<SubnetId>,
    vcpus: &Vcpus,
) -> Result<bool, Failure> {
    let token = ClientToken::new(uuid::Uuid::new_v4().to_string());
    let mut request = request(shared, config, group, nodes.len(), subnet.clone(), token.clone())?;
    request.take_groups(named_groups(shared, config, group, subnet.as_ref()).await?);
    shared
        .record(Event::LaunchIntended {
            token: token.clone(),
            group: config.key_of(group),
            nodes: nodes.to_vec(),
            subnet,
        })
        .await?;
    match call(shared, &config.region, &request).await {
        Ok(instances) => {
            record_launched(shared, token, nodes, instances, vcpus).await;
            Ok(false)
        }
        Err(error) if error.outcome_unknown() => Err(unclear(&error)),
        Err(error) => {
            let full = error.kind == ErrorKind::Capacity;
            let failure = Failure::from(&error);
            // Nothing was made; if this can't be recorded, the next run finds that out.
            let _ = shared.record(Event::LaunchFailed { token, failure }).await;
            Ok(full)
        }
    }
}

fn request(
    shared: &Shared,
    config: &RegionConfig,
    group: &NodeGroup,
    count: usize,
    subnet: Option<SubnetId>,
    token: ClientToken,
) -> Result<LaunchRequest, Failure> {
    if let Some(unsupported) = config.config_of(group).unsupported.first() {
        let message = format!("{} ({})", unsupported.message, unsupported.location);
        return Err(Failure::new(message).hint(unsupported.help.clone()));
    }
    let request = config.launch_request(&shared.project(), group, &shared.cluster, subnet, token);
    let mut request = request.ok_or_else(|| {
        Failure::new(format!("{} names no ImageId", *group.node_type))
            .hint("add ImageId to its node_config")
    })?;
    request.count = u32::try_from(count).unwrap_or(u32::MAX);
    Ok(request)
}

/// Calls; where the answer is lost, looks for what the call made, and calls
/// once more with the same token, which launches nothing twice.
async fn call(
    shared: &Shared,
    region: &Region,
    request: &LaunchRequest,
) -> Result<Vec<Instance>, CloudError> {
    let error = match shared.cloud.launch(region, request).await {
        Err(error) if error.outcome_unknown() => error,
        answer => return answer,
    };
    if let Some(found) = appear(shared, region, &request.token, APPEAR).await {
        return Ok(found);
    }
    if shared.is_halted() {
        return Err(error);
    }
    match shared.cloud.launch(region, request).await {
        Err(second) if second.kind == ErrorKind::TokenMismatch => Err(error),
        answer => answer,
    }
}

fn unclear(error: &CloudError) -> Failure {
    let mut failure = Failure::from(error);
    failure.message =
        format!("EC2 did not say whether it launched these nodes ({})", failure.message);
    failure
        .hint("they carry the cluster's id if they exist: `up` again finds them, `down` ends them")
}

async fn record_launched(
    shared: &Shared,
    token: ClientToken,
    nodes: &[NodeName],
    mut instances: Vec<Instance>,
    vcpus: &Vcpus,
) {
    instances.sort_by_key(|instance| instance.launch_index);
    for node in nodes.iter().skip(instances.len()) {
        let failure = Failure::new("EC2 launched fewer instances than asked for");
        shared.tell(Event::NodeFailed { node: node.clone(), failure });
    }
    let launched = nodes.iter().zip(instances).map(|(node, instance)| LaunchedInstance {
        node: node.clone(),
        vcpus: vcpus.get(&instance.instance_type).copied(),
        id: instance.id,
        instance_type: instance.instance_type,
        zone: instance.zone,
        private_ip: instance.private_ip,
        public_ip: instance.public_ip,
    });
    let instances = launched.collect();
    // If this can't be recorded, the intent can: the next run finds the
    // instances by its token.
    let _ = shared.record(Event::LaunchSucceeded { token, instances }).await;
}

/// The token of the call that launched `instance`, by EC2's record or our tag.
pub(super) fn token_of(instance: &Instance) -> Option<ClientToken> {
    let tagged = || instance.tags.get(tags::LAUNCH).map(|token| ClientToken::new(token.clone()));
    tagged().or_else(|| instance.token.clone())
}

/// Waits until instances of `token` show up, `patience` at most.
async fn appear(
    shared: &Shared,
    region: &Region,
    token: &ClientToken,
    patience: Duration,
) -> Option<Vec<Instance>> {
    let _wait = shared.waits.begin(region, "the instances of a launch without an answer");
    let by_token = InstanceFilter::Token(token.clone());
    let by_tag = InstanceFilter::Tag(tags::LAUNCH.into(), token.to_string());
    let look = async {
        loop {
            for filter in [&by_tag, &by_token] {
                if let Ok(found) = shared.cloud.instances(region, filter).await
                    && !found.is_empty()
                {
                    return found;
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::time::timeout(patience, look).await.ok()
}

/// Finds out what became of the calls that an earlier run intended and did
/// not record the end of. `listing`: all instances of the cluster here.
pub(super) async fn resolve(
    shared: &Shared,
    config: &RegionConfig,
    listing: &[Instance],
    vcpus: &Vcpus,
) {
    for (token, launch) in unresolved(shared, &config.region) {
        let of_token = |instance: &&Instance| token_of(instance).as_ref() == Some(&token);
        let listed: Vec<_> = listing.iter().filter(of_token).cloned().collect();
        let _underway = shared.must.begin(format!("finding out about {}", launch.group));
        let found = if listed.is_empty() {
            call_again(shared, config, &token, &launch).await
        } else {
            Ok(listed)
        };
        match found {
            Ok(found) => record_launched(shared, token, &launch.nodes, found, vcpus).await,
            Err(error) if error.outcome_unknown() => {
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

/// The launches of `region` whose end is not on record.
pub(super) fn unresolved(shared: &Shared, region: &Region) -> Vec<(ClientToken, LaunchRecord)> {
    let state = shared.state();
    let open = state.launches.iter().filter(|(_, launch)| {
        launch.group.region == *region && launch.state == LaunchState::Intended
    });
    open.map(|(token, launch)| (token.clone(), launch.clone())).collect()
}

/// The same call with the same token: EC2 answers with what the first one
/// made, or makes it now. Where the config has changed since, EC2 refuses the
/// token if the first call had gone through, and only then.
async fn call_again(
    shared: &Shared,
    config: &RegionConfig,
    token: &ClientToken,
    launch: &LaunchRecord,
) -> Result<Vec<Instance>, CloudError> {
    let region = &config.region;
    let request = config.group(&launch.group).and_then(|group| {
        let count = launch.nodes.len();
        request(shared, config, group, count, launch.subnet.clone(), token.clone()).ok()
    });
    let never =
        || CloudError::answered(region, "RunInstances", "NotLaunched", "the call had no effect");
    let Some(request) = request else {
        return appear(shared, region, token, APPEAR).await.ok_or_else(never);
    };
    match shared.cloud.launch(region, &request).await {
        Err(error) if error.kind == ErrorKind::TokenMismatch => {
            appear(shared, region, token, APPEAR).await.ok_or(error)
        }
        answer => answer,
    }
}
