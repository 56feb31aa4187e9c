//! Detects instances whose node name belongs to another config now. The nodes of a region's
//! first config are named without it, so configs that are reordered or removed turn the same
//! names into other nodes. Then nothing may be launched next to the running instances, and
//! they must not be used as another node.

use crate::{
    cloud::{Instance, tags},
    config::{Project, RegionConfig},
    model::Failure,
};

use super::{NodeState, RunState};

const HINT: &str = "restore the previous order of the configs, the first one first, or \
                    terminate the cluster (`muster down`)";

/// Finds nodes of a further config that is now the first one of its region: it would be
/// launched a second time, under the names of the first.
pub(super) fn by_record(project: &Project, state: &RunState) -> Option<Failure> {
    let first = |node: &&NodeState| {
        let region = project.region(&node.group.region);
        let config = region.and_then(|region| region.configs.first());
        let name = node.group.cluster_name.as_ref();
        name.zip(config).is_some_and(|(name, config)| *name == *config.cluster_name)
    };
    let node = state.nodes.values().filter(|node| node.is_live()).find(first)?;
    let (name, region) = (node.group.cluster_name.as_ref()?, &node.group.region);
    let what = format!(
        "{} runs as a node of {name}, which was not the first config of {region} and now is: it \
         would be launched a second time",
        node.name
    );
    Some(Failure::new(what).hint(HINT))
}

/// What Ray's own tags report about the instances.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Tagged {
    /// An instance belongs to another config of its region than its node does.
    Other(Failure),
    /// Its config has a different `cluster_name` now.
    Renamed(Failure),
}

/// Compares `listing`, the cluster's instances in `region`, with what is planned
/// under the names of their nodes.
pub(super) fn by_tags(
    region: &RegionConfig,
    state: &RunState,
    listing: &[Instance],
) -> Option<Tagged> {
    let live = listing.iter().filter(|instance| instance.state.is_live());
    let mut tagged = live.filter_map(|instance| judge(region, state, instance));
    let first = tagged.next()?;
    Some(match first {
        Tagged::Renamed(_) => tagged.find(|one| matches!(one, Tagged::Other(_))).unwrap_or(first),
        Tagged::Other(_) => first,
    })
}

fn judge(region: &RegionConfig, state: &RunState, instance: &Instance) -> Option<Tagged> {
    let node = state.node_of(&instance.id)?;
    let now = &region.config(&node.group)?.cluster_name;
    let was = instance.tags.get(tags::RAY_CLUSTER_NAME).filter(|was| **was != **now)?;
    let (name, id) = (&node.name, &instance.id);
    let other = region.configs.iter().any(|config| *config.cluster_name == *was);
    Some(if other {
        let what =
            format!("{name} ({id}) runs as a node of {was}, and the configs make it {}'s", **now);
        Tagged::Other(Failure::new(what).hint(HINT))
    } else {
        let what = format!(
            "{name} ({id}) was launched for the cluster_name {was}, which is {} now",
            **now
        );
        let hint = format!("Ray's tools and pyquokka use the name {was}: change it back");
        Tagged::Renamed(Failure::new(what).hint(hint))
    })
}
