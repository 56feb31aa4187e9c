//! Asking EC2 whether a launch would be allowed. A dry run takes from
//! `RunInstances`' own small bucket of tokens, so it is asked once per plan,
//! and not where the answer is known beforehand.

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::join_all;
use tokio::time::Instant;

use crate::{
    cloud::{
        CallPace, Cloud, CloudError, ErrorKind, ImageState, LaunchRequest, LaunchTemplate,
        ResolvedGroups, Subnet,
    },
    config::{NodeGroup, Project, RegionConfig},
    model::{ClientToken, ClusterId, Failure, GroupKey, Region},
};

use super::{Absent, Fact, RegionSurvey};

/// For how long a dry run is repeated that EC2 is too busy for.
const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_secs(1);

/// What the dry runs of one survey share.
#[derive(Clone, Copy)]
pub(super) struct DryRun<'a> {
    pub project: &'a Project,
    pub cloud: &'a dyn Cloud,
    /// Whose tags the request carries; IAM policies may depend on them.
    pub cluster: &'a ClusterId,
    /// Shared with the launches: they use the same token bucket.
    pub pace: &'a CallPace,
    /// Makes the tokens differ from those of other plans.
    pub nonce: i64,
}

impl DryRun<'_> {
    /// Makes a dry run for each group of `config` that has no blockers.
    pub(super) async fn ask(
        self,
        config: &RegionConfig,
        facts: &RegionSurvey,
    ) -> BTreeMap<GroupKey, Fact<Option<Failure>>> {
        let asked = config
            .groups
            .iter()
            .enumerate()
            .filter(|(_, group)| blockers(config, group, facts).is_empty())
            .map(|(index, group)| self.ask_group(config, group, index, facts));
        join_all(asked.collect::<Vec<_>>()).await.into_iter().flatten().collect()
    }

    async fn ask_group(
        self,
        config: &RegionConfig,
        group: &NodeGroup,
        index: usize,
        facts: &RegionSurvey,
    ) -> Option<(GroupKey, Fact<Option<Failure>>)> {
        let template = config.launch_template(self.project, group, self.cluster)?;
        let answer = match groups(&template, config, group, facts) {
            Ok(groups) => {
                let subnet = template.subnets.first().cloned();
                let token = ClientToken::new(format!("dry-run-{}-{index}", self.nonce));
                let request = template.request(subnet, groups, group.count, token);
                verdict(self.answer(&config.region, &request).await)
            }
            Err(why) => Fact::Unknown(why),
        };
        Some((config.key_of(group), answer))
    }

    /// Tries again while EC2 is only busy: the bucket fills up within seconds.
    async fn answer(self, region: &Region, request: &LaunchRequest) -> Result<(), CloudError> {
        let begun = Instant::now();
        loop {
            self.pace.turn(region).await;
            match self.cloud.dry_run(region, request).await {
                Err(error) if is_busy(&error) && begun.elapsed() < PATIENCE => {
                    if error.kind == ErrorKind::Throttled {
                        self.pace.throttled(region);
                    }
                    tokio::time::sleep(PAUSE).await;
                }
                answer => return answer,
            }
        }
    }
}

/// The groups of the request; a name that the survey could not look up leaves
/// the answer unknown, since a request without it would ask for something else.
fn groups(
    template: &LaunchTemplate,
    config: &RegionConfig,
    group: &NodeGroup,
    facts: &RegionSurvey,
) -> Result<ResolvedGroups, Failure> {
    let subnets = facts.subnets_of(config, group);
    template.groups.resolve(|name| {
        let found = subnets
            .as_ref()
            .map_err(|absent| *absent)
            .and_then(|subnets| subnets.first().ok_or(Absent::Missing))
            .and_then(|subnet| facts.group_named(&subnet.vpc, name));
        found.map(|group| group.id.clone()).map_err(|absent| match absent {
            Absent::Unknown(failure) => failure.clone(),
            Absent::Missing => Failure::new(format!("security group {name} is missing")),
        })
    })
}

fn is_busy(error: &CloudError) -> bool {
    matches!(error.kind, ErrorKind::Throttled | ErrorKind::Service)
}

/// A refusal is an answer; no answer is not.
fn verdict(answer: Result<(), CloudError>) -> Fact<Option<Failure>> {
    match answer {
        Ok(()) => Fact::Known(None),
        Err(error) if is_refusal(&error) => Fact::Known(Some(Failure::from(&error))),
        Err(error) => Fact::Unknown(Failure::from(&error)),
    }
}

fn is_refusal(error: &CloudError) -> bool {
    !error.not_asked() && !matches!(error.kind, ErrorKind::Throttled | ErrorKind::Service)
}

/// Returns the known blockers of launching `group`, which a dry run would only
/// repeat: `key pair quokka is missing`. Empty if none is known.
pub fn blockers(config: &RegionConfig, group: &NodeGroup, facts: &RegionSurvey) -> Vec<String> {
    let unsupported = config.config_of(group).unsupported.iter();
    let mut found: Vec<String> = unsupported.map(|one| one.message.clone()).collect();
    found.extend(image_blocker(group, facts));
    found.extend(key_blocker(group, facts));
    found.extend(type_blocker(group, facts));
    found.extend(subnet_blockers(config, group, facts));
    found.extend(security_group_blockers(config, group, facts));
    found
}

fn image_blocker(group: &NodeGroup, facts: &RegionSurvey) -> Option<String> {
    let Some(id) = &group.template.image else {
        return Some("no ImageId is given".into());
    };
    match facts.image(id) {
        Err(Absent::Missing) => Some(format!("image {} is missing", **id)),
        Ok(image) if image.state != ImageState::Available => {
            Some(format!("image {} is not available", **id))
        }
        Ok(image) => match facts.instance_type(&group.template.instance_type) {
            Ok(info) if !info.architectures.contains(&image.architecture) => {
                Some(format!("image {} does not run on {}", **id, info.name))
            }
            _ => None,
        },
        Err(Absent::Unknown(_)) => None,
    }
}

fn key_blocker(group: &NodeGroup, facts: &RegionSurvey) -> Option<String> {
    let name = group.template.key_name.as_ref()?;
    let missing = facts.key_pair(name) == Err(Absent::Missing);
    missing.then(|| format!("key pair {} is missing", **name))
}

fn type_blocker(group: &NodeGroup, facts: &RegionSurvey) -> Option<String> {
    let name = &group.template.instance_type;
    let missing = facts.instance_type(name) == Err(Absent::Missing);
    missing.then(|| format!("instance type {} does not exist here", **name))
}

fn subnet_blockers(config: &RegionConfig, group: &NodeGroup, facts: &RegionSurvey) -> Vec<String> {
    let named = &group.template.subnets;
    if named.is_empty() && facts.subnets_of(config, group) == Err(Absent::Missing) {
        return vec!["there is no default subnet".into()];
    }
    let missing = named.iter().filter(|id| facts.subnet(id) == Err(Absent::Missing));
    missing.map(|id| format!("subnet {} is missing", **id)).collect()
}

fn security_group_blockers(
    config: &RegionConfig,
    group: &NodeGroup,
    facts: &RegionSurvey,
) -> Vec<String> {
    let subnets = facts.subnets_of(config, group).unwrap_or_default();
    let blocker = |id| match facts.security_group(id) {
        Err(Absent::Missing) => Some(format!("security group {id} is missing")),
        Ok(found) if subnets.iter().any(|subnet: &&Subnet| subnet.vpc != found.vpc) => {
            Some(format!("security group {id} is in another VPC"))
        }
        _ => None,
    };
    let by_name = || facts.groups_of(config, group) == Err(Absent::Missing);
    if subnets.is_empty() || !by_name() {
        return group.template.security_groups.iter().filter_map(|id| blocker(&id.value)).collect();
    }
    let names = config.named_groups(group).into_iter();
    names.map(|name| format!("security group {} is missing", **name)).collect()
}
