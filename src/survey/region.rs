//! Reading one region, in two rounds.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use ipnet::IpNet;

use crate::{
    cloud::{
        Cloud, CloudError, ErrorKind, Instance, InstanceFilter, Peering, RegionInfo, Result,
        RouteTable, SecurityGroup, Subnet, SubnetFilter, Vpc, tags,
    },
    config::RegionConfig,
    model::{Failure, GroupKey, ImageId, Region, SubnetId, VpcId},
};

use super::{
    Fact, RegionSurvey,
    dry_run::DryRun,
    named::{self, values},
};

/// One region's answers, with what has to be judged over all regions.
pub(super) struct Answers {
    pub facts: RegionSurvey,
    /// The list of regions as this region returns it.
    pub list: Result<Vec<RegionInfo>>,
    /// Why the region could not be read at all.
    pub lost: Option<CloudError>,
}

/// Asks one region everything.
pub(super) async fn read(
    config: &RegionConfig,
    cloud: &dyn Cloud,
    images: &[ImageId],
    dry_run: Option<DryRun<'_>>,
) -> Answers {
    let mut answers = round_one(config, cloud, images).await;
    let (network, prefix_lists, dry_runs) = tokio::join!(
        network(&config.region, cloud, &answers.facts),
        prefix_lists(&config.region, cloud, &answers.facts),
        ask_dry_runs(dry_run, config, &answers),
    );
    (answers.facts.vpcs, answers.facts.route_tables, answers.facts.peerings) = network;
    answers.facts.prefix_lists = prefix_lists;
    answers.facts.dry_runs = dry_runs;
    answers
}

/// Everything that can be read with nothing but the config.
async fn round_one(config: &RegionConfig, cloud: &dyn Cloud, images: &[ImageId]) -> Answers {
    let region = &config.region.value;
    let keys = values(&named::key_names(config));
    let groups = values(&named::security_groups(config));
    let names = values(&named::group_names(config));
    let types = values(&named::instance_types(config));
    let (list, images, keys, groups, by_name, subnets, defaults, types, offerings, instances) = tokio::join!(
        cloud.regions(region),
        some(!images.is_empty(), cloud.images(region, images)),
        some(!keys.is_empty(), cloud.key_pairs(region, &keys)),
        some(!groups.is_empty(), cloud.security_groups(region, &groups)),
        some(!names.is_empty(), cloud.security_groups_named(region, &names)),
        named_subnets(config, cloud),
        some(
            named::wants_default_subnets(config),
            cloud.subnets(region, &SubnetFilter::DefaultForZones)
        ),
        some(!types.is_empty(), cloud.instance_types(region, &types)),
        some(!types.is_empty(), cloud.offerings(region, &types)),
        same_name(config, cloud),
    );
    let unreachable = unreached(&list, &instances);
    let not_asked = unreachable.as_ref().map(Failure::from);
    let (subnets, default_subnets) = merge(subnets.into(), defaults.into());
    let facts = RegionSurvey {
        not_asked,
        images: images.into(),
        key_pairs: keys.into(),
        security_groups: both(groups, by_name).into(),
        subnets,
        default_subnets,
        instance_types: types.into(),
        offerings: offerings.into(),
        instances: instances.into(),
        ..RegionSurvey::unknown(&Failure::new("not read yet"))
    };
    Answers { facts, list, lost: unreachable }
}

/// The groups by id and those by name, each once.
fn both(
    by_id: Result<Vec<SecurityGroup>>,
    by_name: Result<Vec<SecurityGroup>>,
) -> Result<Vec<SecurityGroup>> {
    let (mut all, by_name) = (by_id?, by_name?);
    let new = by_name.into_iter().filter(|one| all.iter().all(|other| other.id != one.id));
    all.extend(new.collect::<Vec<_>>());
    Ok(all)
}

/// Calls only with a non-empty filter: EC2 takes an empty filter for "all".
async fn some<T: Default>(wanted: bool, call: impl Future<Output = Result<T>>) -> Result<T> {
    if wanted { call.await } else { Ok(T::default()) }
}

/// Instances that carry the Ray cluster name of one of the region's configs.
pub(crate) async fn same_name(config: &RegionConfig, cloud: &dyn Cloud) -> Result<Vec<Instance>> {
    let of_name = async |name: String| {
        let filter = InstanceFilter::Tag(tags::RAY_CLUSTER_NAME.into(), name);
        cloud.instances(&config.region, &filter).await
    };
    let names = config.configs.iter().map(|one| one.cluster_name.value.clone());
    let answers = join_all(names.map(of_name)).await.into_iter();
    Ok(answers.collect::<Result<Vec<_>>>()?.concat())
}

async fn named_subnets(config: &RegionConfig, cloud: &dyn Cloud) -> Result<Vec<Subnet>> {
    let ids = values(&named::subnets(config));
    let filter = SubnetFilter::Ids(ids.clone());
    some(!ids.is_empty(), cloud.subnets(&config.region, &filter)).await
}

/// All subnets, and which of them are the default ones.
fn merge(
    named: Fact<Vec<Subnet>>,
    defaults: Fact<Vec<Subnet>>,
) -> (Fact<Vec<Subnet>>, Fact<Vec<SubnetId>>) {
    match (named, defaults) {
        (Fact::Known(mut all), Fact::Known(defaults)) => {
            let ids = defaults.iter().map(|subnet| subnet.id.clone()).collect();
            all.extend(defaults);
            all.sort_by(|a, b| a.id.cmp(&b.id));
            all.dedup_by(|a, b| a.id == b.id);
            (Fact::Known(all), Fact::Known(ids))
        }
        (Fact::Unknown(failure), _) | (_, Fact::Unknown(failure)) => {
            (Fact::Unknown(failure.clone()), Fact::Unknown(failure))
        }
    }
}

type Network = (Fact<Vec<Vpc>>, Fact<Vec<RouteTable>>, Fact<Vec<Peering>>);

/// The VPCs that the nodes would be in, and what connects them.
async fn network(region: &Region, cloud: &dyn Cloud, facts: &RegionSurvey) -> Network {
    let vpcs = match vpcs_of(facts) {
        Ok(vpcs) => vpcs,
        Err(failure) => return unknown_network(&failure),
    };
    let wanted = !vpcs.is_empty();
    let (vpcs, tables, peerings) = tokio::join!(
        some(wanted, cloud.vpcs(region, &vpcs)),
        some(wanted, cloud.route_tables(region, &vpcs)),
        some(wanted, cloud.peerings(region, &vpcs)),
    );
    (vpcs.into(), tables.into(), peerings.into())
}

/// What the prefix lists hold that rules of the groups name. Most groups name none.
async fn prefix_lists(
    region: &Region,
    cloud: &dyn Cloud,
    facts: &RegionSurvey,
) -> BTreeMap<String, Fact<Vec<IpNet>>> {
    let rules = facts.security_groups.known().into_iter().flatten().flat_map(|one| &one.inbound);
    let ids: BTreeSet<_> = rules.flat_map(|rule| rule.prefix_lists.iter().cloned()).collect();
    let read = async |id: String| {
        let list = cloud.prefix_list(region, &id).await;
        (id, Fact::from(list))
    };
    join_all(ids.into_iter().map(read)).await.into_iter().collect()
}

/// The VPCs of the subnets, and of the groups where those are known: a group
/// in another VPC is to be reported with that VPC's name.
fn vpcs_of(facts: &RegionSurvey) -> std::result::Result<Vec<VpcId>, Failure> {
    let subnets = match &facts.subnets {
        Fact::Known(subnets) => subnets,
        Fact::Unknown(failure) => return Err(failure.clone()),
    };
    let groups = facts.security_groups.known().map_or(&[][..], Vec::as_slice);
    let all = subnets.iter().map(|subnet| &subnet.vpc).chain(groups.iter().map(|group| &group.vpc));
    Ok(all.cloned().collect::<BTreeSet<_>>().into_iter().collect())
}

fn unknown_network(subnets: &Failure) -> Network {
    let reason = Failure {
        message: format!("not read, since the subnets could not be read: {}", subnets.message),
        ..subnets.clone()
    };
    (Fact::Unknown(reason.clone()), Fact::Unknown(reason.clone()), Fact::Unknown(reason))
}

async fn ask_dry_runs(
    dry_run: Option<DryRun<'_>>,
    config: &RegionConfig,
    answers: &Answers,
) -> BTreeMap<GroupKey, Fact<Option<Failure>>> {
    match (dry_run, &answers.lost) {
        (Some(dry_run), None) => dry_run.ask(config, &answers.facts).await,
        // A region that did not answer would be waited for a second time.
        _ => BTreeMap::new(),
    }
}

/// The region counts as not asked when neither of the two calls that are
/// always made got through.
fn unreached<A, B>(list: &Result<A>, instances: &Result<B>) -> Option<CloudError> {
    let list = list.as_ref().err().filter(|error| error.not_asked())?;
    let instances = instances.as_ref().err().filter(|error| error.not_asked())?;
    Some(if specificity(list) >= specificity(instances) { list } else { instances }.clone())
}

/// Ranks failures: refused credentials are more specific than a refused connection, and that
/// more than a timeout.
pub(super) fn specificity(error: &CloudError) -> u8 {
    match error.kind {
        ErrorKind::Credentials => 2,
        ErrorKind::Unreachable => 1,
        _ => 0,
    }
}
