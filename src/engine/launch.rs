//! Launching one node group: the intent on disk, then the call, then its
//! answer; and finding out what became of a call whose answer was lost.

mod attempt;
mod request;
mod token;
mod unresolved;

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    cloud::{ErrorKind, Instance, tags},
    config::{NodeGroup, RegionConfig},
    model::{ClientToken, Failure, GroupKey, NodeName, Region, SubnetId},
};

use super::{
    Event, LaunchedInstance,
    shared::{Message, Shared},
    vcpus::Vcpus,
};
pub(super) use unresolved::{resolve, resolve_listed, unresolved_nodes};

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
        match in_any_subnet(&shared, &region, &group, &nodes, &vcpus).await {
            Ok(Outcome::Launched) => {}
            Ok(_) => shared.send(Message::GivenUp(nodes)),
            Err(failure) => shared.fail(nodes, &failure),
        }
    });
    // A panic in there leaves the intent on record; the next run resolves it.
    let _ = work.await;
}

/// Returns what came of the last call. `Err`: that is not on record yet.
async fn in_any_subnet(
    shared: &Shared,
    region: &Region,
    key: &GroupKey,
    nodes: &[NodeName],
    vcpus: &Vcpus,
) -> Result<Outcome, Failure> {
    let removed = || Failure::new(format!("{key} is not in the config any more"));
    let project = shared.project();
    let config = project.region(region).ok_or_else(removed)?;
    let group = config.group(key).ok_or_else(removed)?;
    let subnets = request::subnets(shared, config, group).await;
    let subnets = subnets.map_err(|error| Failure::from(&error))?;
    let mut outcome = Outcome::Full;
    for subnet in subnets {
        outcome = Outcome::Ended;
        while outcome == Outcome::Ended {
            if shared.is_halted() {
                return Err(Failure::new("not launched, since muster was asked to stop"));
            }
            outcome = once(shared, config, group, nodes, subnet.clone(), vcpus).await?;
        }
        if outcome != Outcome::Full {
            break;
        }
    }
    Ok(outcome)
}

/// What came of a call, where that is on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// It made the nodes' instances.
    Launched,
    /// It was refused, and would be in every subnet.
    Refused,
    /// The subnet's zone has no capacity.
    Full,
    /// The token is that of a launch that is on no record, and whose instances
    /// are terminated: the next token may launch.
    Ended,
}

/// One intent and its call.
async fn once(
    shared: &Shared,
    config: &RegionConfig,
    group: &NodeGroup,
    nodes: &[NodeName],
    subnet: Option<SubnetId>,
    vcpus: &Vcpus,
) -> Result<Outcome, Failure> {
    let key = config.key_of(group);
    let token = token::next(&shared.state(), &shared.cluster, &key, nodes);
    let template = request::template(shared, config, group)?;
    let (place, count) = (subnet.clone(), nodes.len());
    let request = request::complete(shared, config, template, place, count, token.clone()).await?;
    shared
        .record(Event::LaunchIntended {
            token: token.clone(),
            group: key,
            nodes: nodes.to_vec(),
            subnet,
            request: Some(Box::new((&request).into())),
        })
        .await?;
    match attempt::call(shared, &config.region, &request).await {
        Ok(instances) if attempt::are_terminated(&instances) => {
            let failure = Failure::new(
                "EC2 has carried out this launch before, and its instances are terminated",
            );
            shared.record(Event::LaunchFailed { token, failure }).await?;
            Ok(Outcome::Ended)
        }
        Ok(instances) => {
            record_launched(shared, token, nodes, instances, vcpus).await;
            Ok(Outcome::Launched)
        }
        Err(error) if attempt::may_have_launched(&error) => Err(attempt::unclear(&error)),
        Err(error) => {
            let full = error.kind == ErrorKind::Capacity;
            let failure = Failure::from(&error);
            // Nothing was made; if this can't be recorded, the next run finds that out.
            let _ = shared.record(Event::LaunchFailed { token, failure }).await;
            Ok(if full { Outcome::Full } else { Outcome::Refused })
        }
    }
}

pub(super) async fn record_launched(
    shared: &Shared,
    token: ClientToken,
    nodes: &[NodeName],
    instances: Vec<Instance>,
    vcpus: &Vcpus,
) {
    let mut by_index: BTreeMap<_, _> =
        instances.into_iter().map(|instance| (instance.launch_index as usize, instance)).collect();
    let mut instances = Vec::new();
    for (index, node) in nodes.iter().enumerate() {
        if let Some(instance) = by_index.remove(&index) {
            instances.push(launched(node, instance, vcpus));
        } else {
            let failure = Failure::new("EC2 launched fewer instances than asked for");
            shared.report(Event::NodeFailed { node: node.clone(), failure });
        }
    }
    // If this can't be recorded, the intent can: the next run finds the
    // instances by its token.
    let _ = shared.record(Event::LaunchSucceeded { token, instances }).await;
}

/// `instance` as the journal records it: the instance of `node`.
pub(super) fn launched(node: &NodeName, instance: Instance, vcpus: &Vcpus) -> LaunchedInstance {
    LaunchedInstance {
        node: node.clone(),
        vcpus: vcpus.get(&instance.instance_type).copied(),
        id: instance.id,
        instance_type: instance.instance_type,
        zone: instance.zone,
        private_ip: instance.private_ip,
        public_ip: instance.public_ip,
    }
}

/// The token of the call that launched `instance`, by EC2's record or our tag.
pub(super) fn token_of(instance: &Instance) -> Option<ClientToken> {
    let tagged = || instance.tags.get(tags::LAUNCH).map(|token| ClientToken::new(token.clone()));
    tagged().or_else(|| instance.token.clone())
}
