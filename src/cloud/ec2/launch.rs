//! `RunInstances`, for real and as a dry run.

use aws_sdk_ec2::{
    config::Builder,
    error::ProvideErrorMetadata,
    operation::run_instances::builders::RunInstancesFluentBuilder,
    types::{self, MarketType, ResourceType, SpotInstanceType},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    client::{RegionClient, Timeouts},
    error::UnclearAttempts,
    instances, tags,
};
use crate::cloud::{
    BlockDevice, CloudError, ErrorKind, IamProfile, Instance, LaunchRequest, Market, Result,
};

const OPERATION: &str = "RunInstances";

/// Launches all of `request.count`, or none.
pub(super) async fn run(at: &RegionClient, request: &LaunchRequest) -> Result<Vec<Instance>> {
    let unclear = UnclearAttempts::default();
    let call = call(at, request).client_token(request.token.as_str());
    let call = call.customize().config_override(patient(at.timeouts));
    let answer = call.interceptor(unclear.clone()).send().await;
    let answer = answer.map_err(|error| clarify(at.failed(OPERATION, &error), &unclear))?;
    let mut launched =
        at.read(OPERATION, answer.instances.unwrap_or_default(), instances::instance)?;
    launched.sort_by_key(|instance| instance.launch_index);
    Ok(launched)
}

/// An attempt that is given up may launch all the same, and then nobody has
/// heard its answer. So one gets all the time that the call has.
fn patient(timeouts: Timeouts) -> Builder {
    let limits = Timeouts { attempt: timeouts.operation, ..timeouts };
    Builder::new().timeout_config(limits.to_sdk())
}

/// Asks whether `request` would be allowed. Without the token, which belongs
/// to the launch.
pub(super) async fn dry_run(at: &RegionClient, request: &LaunchRequest) -> Result<()> {
    match call(at, request).dry_run(true).send().await {
        Ok(_) => Ok(()),
        Err(error) if error.code() == Some("DryRunOperation") => Ok(()),
        Err(error) => Err(at.failed(OPERATION, &error)),
    }
}

/// The SDK tells the last attempt's error; where an earlier attempt broke
/// off, that one may have launched the instances.
fn clarify(error: CloudError, attempts: &UnclearAttempts) -> CloudError {
    if error.outcome_unknown() || !attempts.any() {
        return error;
    }
    let message = format!(
        "an earlier attempt got no clear answer and may have launched instances; the last one: {}",
        error.message
    );
    CloudError { kind: ErrorKind::NoAnswer, message, ..error }
}

fn call(at: &RegionClient, request: &LaunchRequest) -> RunInstancesFluentBuilder {
    let count = i32::try_from(request.count).unwrap_or(i32::MAX);
    let groups = request.security_groups.iter().map(ToString::to_string).collect();
    at.client
        .run_instances()
        .image_id(request.image.as_str())
        .instance_type(types::InstanceType::from(request.instance_type.as_str()))
        .set_key_name(request.key_name.as_ref().map(ToString::to_string))
        .set_subnet_id(request.subnet.as_ref().map(ToString::to_string))
        .set_security_group_ids(Some(groups).filter(|groups: &Vec<_>| !groups.is_empty()))
        .set_iam_instance_profile(request.iam_profile.as_ref().map(profile))
        .set_block_device_mappings(some(request.block_devices.iter().map(block_device)))
        .set_user_data(request.user_data.as_ref().map(|text| STANDARD.encode(text)))
        .set_instance_market_options(market(&request.market))
        .set_tag_specifications(some(tag_specifications(request)))
        .min_count(count)
        .max_count(count)
}

/// A list parameter; EC2 refuses some of them when they are there but empty.
fn some<T>(items: impl IntoIterator<Item = T>) -> Option<Vec<T>> {
    let items: Vec<T> = items.into_iter().collect();
    (!items.is_empty()).then_some(items)
}

fn profile(profile: &IamProfile) -> types::IamInstanceProfileSpecification {
    let builder = types::IamInstanceProfileSpecification::builder();
    match profile {
        IamProfile::Name(name) => builder.name(name).build(),
        IamProfile::Arn(arn) => builder.arn(arn).build(),
    }
}

fn block_device(device: &BlockDevice) -> types::BlockDeviceMapping {
    types::BlockDeviceMapping::builder()
        .device_name(&device.device_name)
        .set_virtual_name(device.virtual_name.clone())
        .set_ebs(ebs(device))
        .build()
}

fn ebs(device: &BlockDevice) -> Option<types::EbsBlockDevice> {
    let volume = types::EbsBlockDevice::builder()
        .set_volume_size(device.volume_size_gib)
        .set_volume_type(device.volume_type.as_deref().map(Into::into))
        .set_iops(device.iops)
        .set_throughput(device.throughput_mib_s)
        .set_delete_on_termination(device.delete_on_termination)
        .set_encrypted(device.encrypted)
        .set_snapshot_id(device.snapshot.clone())
        .build();
    (volume != types::EbsBlockDevice::builder().build()).then_some(volume)
}

fn market(market: &Market) -> Option<types::InstanceMarketOptionsRequest> {
    let Market::Spot { max_price } = market else { return None };
    let spot = types::SpotMarketOptions::builder()
        .spot_instance_type(SpotInstanceType::OneTime)
        .set_max_price(max_price.clone())
        .build();
    let options = types::InstanceMarketOptionsRequest::builder().market_type(MarketType::Spot);
    Some(options.spot_options(spot).build())
}

/// Tags on everything that the call makes, so that nothing is ever untagged.
fn tag_specifications(request: &LaunchRequest) -> Vec<types::TagSpecification> {
    let Some(tags) = some(tags::sdk(&request.tags)) else { return Vec::new() };
    let mut made = vec![ResourceType::Instance, ResourceType::Volume];
    if let Market::Spot { .. } = request.market {
        made.push(ResourceType::SpotInstancesRequest);
    }
    let builder = types::TagSpecification::builder().set_tags(Some(tags));
    made.into_iter().map(|resource| builder.clone().resource_type(resource).build()).collect()
}
