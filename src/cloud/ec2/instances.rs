//! `DescribeInstances`, and the calls that terminate, stop and start instances.

use aws_sdk_ec2::types::{self, DeviceType, Filter, InstanceLifecycleType, InstanceStateName};

use super::{
    client::RegionClient,
    filter,
    parse::{self, Parsed, Unreadable},
};
use crate::{
    cloud::{Instance, InstanceFilter, InstanceState, Result},
    model::InstanceId,
};

const DESCRIBE: &str = "DescribeInstances";
const TERMINATE: &str = "TerminateInstances";
const STOP: &str = "StopInstances";
const START: &str = "StartInstances";
/// As many as EC2 takes in one call.
const MAX_IDS: usize = 1000;

/// The instances that `which` means, in every state.
pub(super) async fn describe(at: &RegionClient, which: &InstanceFilter) -> Result<Vec<Instance>> {
    let find = |filter| filtered(at, filter);
    match which {
        InstanceFilter::Ids(ids) => filter::in_chunks("instance-id", ids, find).await,
        InstanceFilter::Tag(key, value) => find(filter::is(&format!("tag:{key}"), value)).await,
        InstanceFilter::TagIn(key, values) => {
            filter::in_chunks(&format!("tag:{key}"), values, find).await
        }
        InstanceFilter::Token(token) => find(filter::is("client-token", token.as_str())).await,
    }
}

async fn filtered(at: &RegionClient, filter: Filter) -> Result<Vec<Instance>> {
    let pages = at.client.describe_instances().filters(filter).into_paginator().page_size(1000);
    let reservations: std::result::Result<Vec<_>, _> = pages.items().send().try_collect().await;
    let reservations = reservations.map_err(|error| at.failed(DESCRIBE, &error))?;
    let all = reservations.into_iter().flat_map(|one| one.instances.unwrap_or_default());
    at.read(DESCRIBE, all, instance)
}

/// Instances, each with the state that EC2 answers with.
type States = Result<Vec<(InstanceId, InstanceState)>>;

/// Terminates.
pub(super) async fn terminate(at: &RegionClient, ids: &[InstanceId]) -> States {
    let call = |ids| async move {
        let answer = at.client.terminate_instances().set_instance_ids(Some(ids)).send().await;
        let answer = answer.map_err(|error| at.failed(TERMINATE, &error))?;
        at.read(TERMINATE, answer.terminating_instances.unwrap_or_default(), change)
    };
    in_calls(ids, call).await
}

/// Stops.
pub(super) async fn stop(at: &RegionClient, ids: &[InstanceId]) -> States {
    let call = |ids| async move {
        let answer = at.client.stop_instances().set_instance_ids(Some(ids)).send().await;
        let answer = answer.map_err(|error| at.failed(STOP, &error))?;
        at.read(STOP, answer.stopping_instances.unwrap_or_default(), change)
    };
    in_calls(ids, call).await
}

/// Starts.
pub(super) async fn start(at: &RegionClient, ids: &[InstanceId]) -> States {
    let call = |ids| async move {
        let answer = at.client.start_instances().set_instance_ids(Some(ids)).send().await;
        let answer = answer.map_err(|error| at.failed(START, &error))?;
        at.read(START, answer.starting_instances.unwrap_or_default(), change)
    };
    in_calls(ids, call).await
}

/// What `call` answers to all of `ids`, as many at a time as EC2 takes, one
/// call after another: the first that is refused ends it.
async fn in_calls<F>(ids: &[InstanceId], call: impl Fn(Vec<String>) -> F) -> States
where
    F: Future<Output = States>,
{
    let mut states = Vec::new();
    for chunk in ids.chunks(MAX_IDS) {
        states.extend(call(chunk.iter().map(ToString::to_string).collect()).await?);
    }
    Ok(states)
}

fn change(change: types::InstanceStateChange) -> Parsed<(InstanceId, InstanceState)> {
    let state = state(change.current_state.as_ref())?;
    Ok((parse::name(change.instance_id, "instanceId")?, state))
}

/// An instance as `DescribeInstances` and `RunInstances` return it.
pub(super) fn instance(one: types::Instance) -> Parsed<Instance> {
    let zone = one.placement.and_then(|placement| placement.availability_zone);
    let instance_type = one.instance_type.map(|name| name.as_str().to_owned());
    Ok(Instance {
        id: parse::name(one.instance_id, "instanceId")?,
        state: state(one.state.as_ref())?,
        state_reason: one
            .state_reason
            .and_then(|reason| reason.code)
            .filter(|code| !code.is_empty()),
        instance_type: parse::name(instance_type, "instanceType")?,
        zone: parse::name(zone, "placement.availabilityZone")?,
        private_ip: one.private_ip_address.and_then(|ip| ip.parse().ok()),
        public_ip: one.public_ip_address.and_then(|ip| ip.parse().ok()),
        launched: one.launch_time.as_ref().and_then(parse::time),
        spot: one.instance_lifecycle == Some(InstanceLifecycleType::Spot),
        ebs_root: one.root_device_type != Some(DeviceType::InstanceStore),
        launch_index: one.ami_launch_index.and_then(|n| u32::try_from(n).ok()).unwrap_or_default(),
        token: one.client_token.filter(|token| !token.is_empty()).map(Into::into),
        tags: parse::tags(one.tags),
    })
}

fn state(state: Option<&types::InstanceState>) -> Parsed<InstanceState> {
    Ok(match state.and_then(types::InstanceState::name) {
        Some(InstanceStateName::Pending) => InstanceState::Pending,
        Some(InstanceStateName::Running) => InstanceState::Running,
        Some(InstanceStateName::Stopping) => InstanceState::Stopping,
        Some(InstanceStateName::Stopped) => InstanceState::Stopped,
        Some(InstanceStateName::ShuttingDown) => InstanceState::ShuttingDown,
        Some(InstanceStateName::Terminated) => InstanceState::Terminated,
        _ => return Err(Unreadable("instanceState.name")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending() -> types::builders::InstanceBuilder {
        types::Instance::builder()
            .instance_id("i-1")
            .instance_type(types::InstanceType::M5Large)
            .placement(types::Placement::builder().availability_zone("us-west-2a").build())
            .state(types::InstanceState::builder().name(InstanceStateName::Pending).build())
    }

    #[test]
    fn a_new_instance_has_no_addresses_yet() {
        let read = instance(pending().ami_launch_index(3).client_token("").build());
        let read = read.map(|one| (one.private_ip, one.public_ip, one.launch_index, one.token));
        assert_eq!(read, Ok((None, None, 3, None)));
    }

    #[test]
    fn every_state_is_known() {
        for name in InstanceStateName::values() {
            let sdk = types::InstanceState::builder().name(InstanceStateName::from(*name)).build();
            let ours = state(Some(&sdk)).ok().and_then(|s| serde_json::to_string(&s).ok());
            assert_eq!(ours, Some(format!("\"{name}\"")));
        }
    }

    #[test]
    fn the_state_reason_is_read_by_its_code() {
        let reason = types::StateReason::builder()
            .code("Server.SpotInstanceTermination")
            .message("Server.SpotInstanceTermination: Spot instance termination");
        let read = instance(pending().state_reason(reason.build()).build());
        let code = read.map(|one| one.state_reason);
        assert_eq!(code, Ok(Some("Server.SpotInstanceTermination".to_owned())));
    }
}
