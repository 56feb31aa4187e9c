//! Nodes whose launch is not on record, since records are lost: running
//! instances are taken over where their tags and tokens say which nodes they
//! are, so that nothing is launched that runs already.

use std::collections::BTreeSet;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::{
    cloud::{Instance, tags},
    config::RegionConfig,
    model::{ClientToken, Failure, GroupKey, NodeName, Region, count, duration, elapsed},
};

use super::{
    AdoptedNode, Event, FoundNode, LaunchState, RunState, Update,
    launch::launched,
    listing::list,
    retry::{PATIENCE, Retry},
    shared::Shared,
    unresolved::{APPEAR, POLL},
    vcpus::Vcpus,
};

/// How many instances are named.
const NAMED: usize = 6;

/// Takes over the instances in `listing`, all of the cluster in the region of
/// `config`, that are nodes and not on record as such; returns when the last of
/// them was launched. `Err`: some run whose node is not certain, so that a
/// launch could double one.
pub(super) async fn run(
    shared: &Shared,
    config: &RegionConfig,
    listing: &[Instance],
    vcpus: &Vcpus,
) -> Result<Option<Timestamp>, Failure> {
    let Found { nodes, last, refused } = find(shared, config, listing, vcpus);
    if !nodes.is_empty() {
        let nodes = nodes.into_iter().map(|found| found.adopted).collect();
        let region = config.region.value.clone();
        // If this can't be recorded, the next run finds the same.
        let _ = shared.record(Event::Recovered { region, nodes }).await;
    }
    refused.map_or(Ok(last), Err)
}

/// What a listing has of a region's lost records.
#[derive(Default)]
pub(super) struct Found {
    /// Instances on no record, each with its node.
    pub(super) nodes: Vec<FoundNode>,
    /// When the last of them was launched.
    pub(super) last: Option<Timestamp>,
    /// Instances whose node is not certain, as the reason to launch nothing.
    pub(super) refused: Option<Failure>,
}

/// Finds the nodes that `listing`, all instances of the cluster in the region
/// of `config`, has and no record.
pub(super) fn find(
    shared: &Shared,
    config: &RegionConfig,
    listing: &[Instance],
    vcpus: &Vcpus,
) -> Found {
    let planned = shared.project().planned_nodes();
    let planned: Vec<_> = planned.into_iter().map(|plan| (plan.name, plan.group)).collect();
    let Placement { nodes, unplaced } = place(&shared.state(), config, &planned, listing);
    let found = nodes.iter().map(|(node, group, instance)| FoundNode {
        adopted: AdoptedNode {
            group: group.clone(),
            instance: launched(node, (*instance).clone(), vcpus),
        },
        state: instance.state,
    });
    Found {
        nodes: found.collect(),
        last: nodes.iter().filter_map(|(_, _, instance)| instance.launched).max(),
        refused: (!unplaced.is_empty()).then(|| refusal(&config.region, &unplaced)),
    }
}

/// Takes over what else lost launches made, while the region `lacks` nodes: EC2
/// lists the instances of one launch one after the other. `last`: when the last
/// instance was launched that is known of them.
pub(super) async fn late(
    shared: &Shared,
    config: &RegionConfig,
    mut last: Option<Timestamp>,
    vcpus: &Vcpus,
    lacks: impl Fn() -> bool,
) -> Result<(), Failure> {
    let (region, begun) = (&config.region.value, Instant::now());
    let mut retry = Retry::new(shared, PATIENCE);
    let mut wait = None;
    while let Some(at) = last.filter(|_| lacks() && !shared.is_halted()) {
        let left = APPEAR.saturating_sub(elapsed(at, shared.clock.now()).unsigned_abs());
        // A clock that is wrong does not make it wait any longer.
        if left.is_zero() || begun.elapsed() >= APPEAR {
            break;
        }
        wait.get_or_insert_with(|| {
            shared.update(Update::Notice(waiting(region, left)));
            shared.waits.begin(region, "the other instances of launches on no record")
        });
        tokio::time::sleep(POLL).await;
        let listing = retry.call(|| list(shared, region)).await;
        let listing = listing.map_err(|error| Failure::from(&error))?;
        last = last.max(run(shared, config, &listing, vcpus).await?);
    }
    Ok(())
}

fn waiting(region: &Region, left: std::time::Duration) -> Failure {
    Failure::new(format!(
        "the record of launches in {region} is lost: waiting up to {} for EC2 to list all that \
         they made before anything else is launched there",
        duration(left)
    ))
}

/// Which nodes the instances are that no record names.
struct Placement<'a> {
    nodes: Vec<(NodeName, GroupKey, &'a Instance)>,
    unplaced: Vec<&'a Instance>,
}

/// Places each instance at the node that its launch made it for. Where that is
/// not on record, at the node of its group with its launch index, else at the
/// first one that is free: the nodes of a group are alike.
fn place<'a>(
    state: &RunState,
    config: &RegionConfig,
    planned: &[(NodeName, GroupKey)],
    listing: &'a [Instance],
) -> Placement<'a> {
    let mut unrecorded: Vec<_> =
        listing.iter().filter(|one| one.state.is_live() && !is_recorded(state, one)).collect();
    unrecorded.sort_by_key(|one| (one.launched, one.launch_index, &one.id));
    let mut taken = taken(state);
    let mut placement = Placement { nodes: Vec::new(), unplaced: Vec::new() };
    // Those whose node is on record first, so that no other takes it.
    let (known, unknown): (Vec<_>, Vec<_>) = unrecorded
        .into_iter()
        .partition(|one| token(one).is_some_and(|token| state.launches.contains_key(&token)));
    for instance in known.into_iter().chain(unknown) {
        let place = token(instance).and_then(|token| {
            let record = state.launches.get(&token);
            let group = group_of(config, instance)?;
            let index = instance.launch_index as usize;
            let on_record = record.and_then(|record| record.nodes.get(index)).filter(|node| {
                !taken.contains(*node)
                    && planned.iter().any(|(name, of)| name == *node && *of == group)
            });
            let node = on_record.cloned().or_else(|| free(planned, &group, index, &taken))?;
            Some((node, group))
        });
        match place {
            Some((node, group)) => {
                taken.insert(node.clone());
                placement.nodes.push((node, group, instance));
            }
            None => placement.unplaced.push(instance),
        }
    }
    placement
}

/// Nodes that have an instance, or may have one.
fn taken(state: &RunState) -> BTreeSet<NodeName> {
    let live = state.nodes.values().filter(|node| node.is_live()).map(|node| node.name.clone());
    let open = state.launches.values().filter(|launch| launch.state == LaunchState::Intended);
    live.chain(open.flat_map(|launch| launch.nodes.clone())).collect()
}

/// Whether a node has it, or a launch whose end is not known may have made it.
fn is_recorded(state: &RunState, instance: &Instance) -> bool {
    let is_open = |token: &ClientToken| {
        state.launches.get(token).is_some_and(|launch| launch.state == LaunchState::Intended)
    };
    state.node_of(&instance.id).is_some() || token(instance).as_ref().is_some_and(is_open)
}

/// The token of its launch: the tag, which EC2's own record must not
/// contradict, since tags are copied to instances that others launch.
fn token(instance: &Instance) -> Option<ClientToken> {
    let tagged = ClientToken::new(instance.tags.get(tags::LAUNCH)?.clone());
    let fits = instance.token.as_ref().is_none_or(|token| *token == tagged);
    fits.then_some(tagged)
}

/// The group of the configs that its tags name.
fn group_of(config: &RegionConfig, instance: &Instance) -> Option<GroupKey> {
    let tag = |key: &str| instance.tags.get(key).map(String::as_str);
    let group = config.groups.iter().find(|group| {
        tag(tags::RAY_CLUSTER_NAME) == Some(config.config_of(group).cluster_name.as_str())
            && tag(tags::RAY_NODE_TYPE) == Some(group.kind.as_str())
            && tag(tags::RAY_USER_NODE_TYPE) == Some(group.node_type.as_str())
    })?;
    Some(config.key_of(group))
}

/// The node of `group` at `index`, else the first one, that is not taken.
fn free(
    planned: &[(NodeName, GroupKey)],
    group: &GroupKey,
    index: usize,
    taken: &BTreeSet<NodeName>,
) -> Option<NodeName> {
    let nodes: Vec<_> =
        planned.iter().filter(|(_, of)| of == group).map(|(name, _)| name).collect();
    let is_free = |name: &&&NodeName| !taken.contains(**name);
    let at_index = nodes.get(index).filter(is_free);
    at_index.or_else(|| nodes.iter().find(is_free)).map(|name| (*name).clone())
}

fn refusal(region: &Region, unplaced: &[&Instance]) -> Failure {
    let mut named: Vec<_> = unplaced
        .iter()
        .take(NAMED)
        .map(|one| format!("{} ({}, {})", one.id, one.instance_type, one.state.as_str()))
        .collect();
    if unplaced.len() > NAMED {
        named.push(format!("{} more", unplaced.len() - NAMED));
    }
    let what = format!(
        "nothing is launched in {region}: {} with the cluster's id may be nodes of it, and the \
         record does not show which: {}",
        count(unplaced.len(), "instance"),
        named.join(", ")
    );
    Failure::new(what).hint(
        "`muster down` terminates them with the cluster; to keep the cluster, terminate them or \
         remove their tag muster:cluster (`muster up --adopt` adopts what `ray up` launched)",
    )
}
