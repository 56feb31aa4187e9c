//! Making a request complete: the subnets to try, and the ids of the security
//! groups that a config names.

use crate::{
    cloud::{
        CloudError, GroupSelection, LaunchRequest, LaunchTemplate, ResolvedGroups, SecurityGroup,
        Subnet, SubnetFilter,
    },
    config::{NodeGroup, RegionConfig},
    engine::shared::Shared,
    model::{ClientToken, Failure, SubnetId},
};

/// Why there is no request.
pub(super) enum Incomplete {
    /// The config describes something that can't be launched.
    Config(Failure),
    /// EC2 could not be read for what the request needs.
    Cloud(CloudError),
}

impl From<Incomplete> for Failure {
    fn from(incomplete: Incomplete) -> Self {
        match incomplete {
            Incomplete::Config(failure) => failure,
            Incomplete::Cloud(error) => Self::from(&error),
        }
    }
}

/// Returns the request for the config of `group`.
pub(super) fn template(
    shared: &Shared,
    config: &RegionConfig,
    group: &NodeGroup,
) -> Result<LaunchTemplate, Failure> {
    if let Some(unsupported) = config.config_of(group).unsupported.first() {
        let message = format!("{} ({})", unsupported.message, unsupported.location);
        return Err(Failure::new(message).hint(unsupported.help.clone()));
    }
    config.launch_template(&shared.project(), group, &shared.cluster).ok_or_else(|| {
        Failure::new(format!("{} names no ImageId", *group.node_type))
            .hint("add ImageId to its node_config")
    })
}

/// Returns the request for `count` nodes of `template` in `subnet`.
pub(super) async fn complete(
    shared: &Shared,
    config: &RegionConfig,
    template: LaunchTemplate,
    subnet: Option<SubnetId>,
    count: usize,
    token: ClientToken,
) -> Result<LaunchRequest, Incomplete> {
    let groups = resolved(shared, config, &template.groups, subnet.as_ref()).await?;
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    Ok(template.request(subnet, groups, count, token))
}

/// The groups by id; those that are named, in the VPC of `subnet`.
async fn resolved(
    shared: &Shared,
    config: &RegionConfig,
    groups: &GroupSelection,
    subnet: Option<&SubnetId>,
) -> Result<ResolvedGroups, Incomplete> {
    let names = match groups {
        GroupSelection::Ids(_) => return groups.resolve(|name| Err(nowhere(config, name))),
        GroupSelection::Names(names) => names,
    };
    let Some(subnet) = subnet else { return groups.resolve(|name| Err(nowhere(config, name))) };
    let filter = SubnetFilter::Ids(vec![subnet.clone()]);
    let (subnets, found) = tokio::join!(
        shared.cloud.subnets(&config.region, &filter),
        shared.cloud.security_groups_named(&config.region, names),
    );
    let (subnets, found) = (subnets.map_err(Incomplete::Cloud)?, found.map_err(Incomplete::Cloud)?);
    groups.resolve(|name| {
        let is_it = |group: &&SecurityGroup| {
            group.name == name && subnets.iter().any(|subnet| subnet.vpc == group.vpc)
        };
        found.iter().find(is_it).map(|group| group.id.clone()).ok_or_else(|| {
            let failure = Failure::new(format!("the VPC of {subnet} has no security group {name}"));
            Incomplete::Config(
                failure.hint("name one of its groups, or let `muster fix` create one"),
            )
        })
    })
}

fn nowhere(config: &RegionConfig, name: &str) -> Incomplete {
    let region = &config.region.value;
    let failure = Failure::new(format!(
        "the security group {name} has no VPC to be in: {region} has no default subnet"
    ));
    Incomplete::Config(failure.hint("add SubnetIds to the node_config"))
}

/// The subnets to try, in order of preference. As Ray and EC2 do, the default
/// ones serve where none is named, those of `availability_zone` first and only.
pub(super) async fn subnets(
    shared: &Shared,
    config: &RegionConfig,
    group: &NodeGroup,
) -> Result<Vec<Option<SubnetId>>, CloudError> {
    let named = &group.template.subnets;
    // EC2 accepts no subnet next to security group names: it chooses one itself.
    if !group.template.group_names().is_empty() {
        return Ok(vec![None]);
    }
    if !named.is_empty() {
        return Ok(named.iter().map(|subnet| Some(subnet.value.clone())).collect());
    }
    let mut found = shared.cloud.subnets(&config.region, &SubnetFilter::DefaultForZones).await?;
    let zones = &config.config_of(group).zones;
    let rank = |subnet: &Subnet| zones.iter().position(|zone| zone.value == subnet.zone);
    if !zones.is_empty() {
        found.retain(|subnet| rank(subnet).is_some());
    }
    found.sort_by_key(|subnet| (rank(subnet), subnet.zone.clone()));
    let found: Vec<_> = found.into_iter().map(|subnet| Some(subnet.id)).collect();
    Ok(if found.is_empty() { vec![None] } else { found })
}
