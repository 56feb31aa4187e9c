//! `RunInstances`, for real and as a dry run: one mapping for both.

mod arguments;
mod shapes;

pub use arguments::NAMES as ARGUMENTS;

use aws_sdk_ec2::{
    config::{Builder, retry::RetryConfig},
    error::ProvideErrorMetadata,
    operation::run_instances::builders::RunInstancesFluentBuilder,
    primitives::DateTime,
    types::{self, InstanceInterruptionBehavior, MarketType, ResourceType, SpotInstanceType},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use self::shapes::text;
use super::{
    client::{RegionClient, Timeouts},
    instances, tags,
};
use crate::cloud::{IamProfile, Instance, LaunchRequest, Market, Result, Spot, Tags};

const OPERATION: &str = "RunInstances";

/// Launches all of `request.count`, or none.
pub(super) async fn run(at: &RegionClient, request: &LaunchRequest) -> Result<Vec<Instance>> {
    let call = call(at, request).client_token(request.token.as_str());
    // Of an attempt that is given up nobody hears the answer, so the one
    // attempt has all the time of the call.
    let limits = Timeouts { attempt: at.timeouts.operation, ..at.timeouts };
    let answer = call.customize().config_override(once(limits)).send().await;
    let answer = answer.map_err(|error| at.failed(OPERATION, &error))?;
    let mut launched =
        at.read(OPERATION, answer.instances.unwrap_or_default(), instances::instance)?;
    launched.sort_by_key(|instance| instance.launch_index);
    Ok(launched)
}

/// Without the SDK's retries: EC2 answers a full zone with HTTP 500, which the
/// SDK takes for a fault of the service, and each attempt costs one of the few
/// tokens of `RunInstances`. Callers retry by EC2's code, at its rate.
fn once(timeouts: Timeouts) -> Builder {
    Builder::new().timeout_config(timeouts.to_sdk()).retry_config(RetryConfig::disabled())
}

/// Asks whether `request` would be allowed. Without the token, which belongs
/// to the launch.
pub(super) async fn dry_run(at: &RegionClient, request: &LaunchRequest) -> Result<()> {
    let call = call(at, request).dry_run(true);
    match call.customize().config_override(once(at.timeouts)).send().await {
        Ok(_) => Ok(()),
        Err(error) if error.code() == Some("DryRunOperation") => Ok(()),
        Err(error) => Err(at.failed(OPERATION, &error)),
    }
}

fn call(at: &RegionClient, request: &LaunchRequest) -> RunInstancesFluentBuilder {
    let count = i32::try_from(request.count).unwrap_or(i32::MAX);
    let call = at
        .client
        .run_instances()
        .image_id(request.image.as_str())
        .instance_type(types::InstanceType::from(request.instance_type.as_str()))
        .set_key_name(request.key_name.as_ref().map(ToString::to_string))
        .set_iam_instance_profile(request.iam_profile.as_ref().map(profile))
        .set_user_data(request.user_data.as_ref().map(|text| STANDARD.encode(text)))
        .set_instance_market_options(market(&request.market))
        .set_tag_specifications(some(tag_specifications(request)))
        .min_count(count)
        .max_count(count);
    arguments::add(network(call, request), &request.more)
}

/// Where, and who is let in: here, unless the network interfaces say so.
fn network(call: RunInstancesFluentBuilder, request: &LaunchRequest) -> RunInstancesFluentBuilder {
    if request.has_interfaces() {
        return call;
    }
    let groups = request.security_groups.iter().map(ToString::to_string);
    call.set_subnet_id(request.subnet.as_ref().map(ToString::to_string))
        .set_security_group_ids(some(groups))
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

fn market(market: &Market) -> Option<types::InstanceMarketOptionsRequest> {
    let options = types::InstanceMarketOptionsRequest::builder();
    match market {
        Market::OnDemand => None,
        Market::Other(kind) => Some(options.market_type(kind.as_str().into()).build()),
        Market::Spot(spot) => {
            Some(options.market_type(MarketType::Spot).spot_options(self::spot(spot)).build())
        }
    }
}

fn spot(spot: &Spot) -> types::SpotMarketOptions {
    let until = spot.valid_until.map(|until| DateTime::from_secs(until.as_second()));
    types::SpotMarketOptions::builder()
        .spot_instance_type(SpotInstanceType::OneTime)
        .instance_interruption_behavior(InstanceInterruptionBehavior::Terminate)
        .set_max_price(spot.max_price.clone())
        .set_valid_until(until)
        .set_block_duration_minutes(spot.block_duration_minutes)
        .build()
}

/// Tags on everything that the call makes, so that nothing is ever untagged;
/// the user's own for one type of them under ours.
fn tag_specifications(request: &LaunchRequest) -> Vec<types::TagSpecification> {
    let spot = request.market.is_spot().then_some(ResourceType::SpotInstancesRequest);
    let made = [ResourceType::Instance, ResourceType::Volume].into_iter().chain(spot);
    let mut all: Vec<(ResourceType, Tags)> =
        made.map(|made| (made, request.tags.clone())).collect();
    for (resource, tags) in other_tags(request) {
        match all.iter_mut().find(|(made, _)| *made == resource) {
            Some((_, ours)) => *ours = tags.into_iter().chain(std::mem::take(ours)).collect(),
            None => all.push((resource, tags)),
        }
    }
    let specification = |(resource, tags): (ResourceType, Tags)| {
        let tags = some(tags::sdk(&tags))?;
        let builder = types::TagSpecification::builder().resource_type(resource);
        Some(builder.set_tags(Some(tags)).build())
    };
    all.into_iter().filter_map(specification).collect()
}

fn other_tags(request: &LaunchRequest) -> Vec<(ResourceType, Tags)> {
    let all = request.more.get("TagSpecifications").and_then(|all| all.as_array());
    let read = |one: &serde_json::Value| {
        let pair = |tag: &serde_json::Value| Some((text(&tag["Key"])?, text(&tag["Value"])?));
        let tags = one["Tags"].as_array()?.iter().filter_map(pair).collect();
        Some((one["ResourceType"].as_str()?.into(), tags))
    };
    all.into_iter().flatten().filter_map(read).collect()
}
