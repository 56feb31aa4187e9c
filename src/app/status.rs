//! `muster status`: the cluster as the journal has it, put right by what EC2
//! reports now. Writes nothing, so it can run beside an `up`.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use futures_util::future::join_all;

use super::{CliError, Exit, ProjectSession, Streams};
use crate::{
    cli::{CommandArgs, Format},
    cloud::{CloudError, Instance, InstanceFilter, tags},
    engine::{self, InstanceQuery, ListedLaunch, Origin, RunState, Stamped},
    model::{ClusterId, Region},
    report::{self, StatusDocument},
};

/// Prints the cluster.
pub async fn run(args: CommandArgs, streams: &mut Streams) -> Result<Exit, CliError> {
    let world = ProjectSession::open(&args.project)?;
    world.print_warnings(streams)?;
    let (store, mut state) = world.recorded(streams)?.unzip();
    let state = state.get_or_insert_default();
    let found = read(&world, state).await;
    let mut unknown = Vec::new();
    let mut others: BTreeMap<ClusterId, usize> = BTreeMap::new();
    let mut unresolved = Vec::new();
    for (region, answer) in found {
        match answer {
            Ok(listing) => {
                unresolved.extend(take_in(&world, state, &region, listing, &mut others));
            }
            Err(error) => {
                unresolved.extend(engine::listed_launches(state, &region, &[]).1);
                unknown.push((region, error));
            }
        }
    }
    let readiness = state.readiness();
    let exit = if readiness.is_well() { exit_of(&world, &unknown) } else { Exit::FAILED };
    let document = StatusDocument {
        version: crate::report::JSON_VERSION,
        project: world.name(),
        simulated: world.cloud.is_simulated(),
        state,
        folder: store.and_then(|store| store.folder().map(Path::to_owned)),
        unknown: unknown.iter().map(|(region, error)| (region.clone(), error.into())).collect(),
        others: others.into_iter().collect(),
        unresolved,
        readiness,
        lost_leader: state.lost_leader().map(|leader| leader.node),
        exit_code: exit.code(),
    };
    match args.format {
        Format::Json => streams.out.json(&document)?,
        Format::Text => {
            world.print_simulated(streams)?;
            let paint = streams.out.paint();
            streams.out.lines(&report::status(&world.project, &document, paint))?;
        }
    }
    Ok(exit)
}

/// What carries the project's name or is on record, in the regions of the
/// project and of the record.
async fn read(
    world: &ProjectSession,
    state: &RunState,
) -> Vec<(Region, Result<Vec<Instance>, CloudError>)> {
    let mut regions: BTreeSet<_> = world.project.region_names().into_iter().collect();
    regions.extend(state.regions.iter().cloned());
    regions.extend(state.live().map(|info| info.region.clone()));
    regions.extend(state.unresolved().iter().map(|launch| launch.region().clone()));
    let of_project = InstanceFilter::Tag(tags::PROJECT.into(), world.name().to_owned());
    let one = |region: Region| {
        let query = InstanceQuery::of(state, &region, of_project.clone());
        async move {
            let answer = query.read(world.cloud.as_ref()).await;
            (region, answer)
        }
    };
    join_all(regions.into_iter().map(one)).await
}

/// Folds in what EC2 lists of the cluster's instances, and counts those of
/// other clusters; the launches that are not listed whole.
fn take_in(
    world: &ProjectSession,
    state: &mut RunState,
    region: &Region,
    listing: Vec<Instance>,
    others: &mut BTreeMap<ClusterId, usize>,
) -> Vec<ListedLaunch> {
    let ours = state.cluster.clone();
    let (own, foreign): (Vec<_>, Vec<_>) = listing.into_iter().partition(|instance| {
        instance.tags.get(tags::CLUSTER).map(String::as_str) == ours.as_ref().map(AsRef::as_ref)
            || engine::origin(state, instance) == Origin::Recorded
    });
    for instance in foreign.into_iter().filter(|instance| instance.state.is_live()) {
        let id = instance.tags.get(tags::CLUSTER).cloned().unwrap_or_default();
        *others.entry(ClusterId::new(id)).or_default() += 1;
    }
    let at = world.clock.now();
    let apply = |state: &mut RunState, event| {
        let seq = state.seq;
        state.apply(&Stamped { seq, at, event });
    };
    let (resolved, unresolved) = engine::listed_launches(state, region, &own);
    for event in resolved {
        apply(state, event);
    }
    for event in engine::differences(state, region, &own, at) {
        apply(state, event);
    }
    unresolved
}

fn exit_of(world: &ProjectSession, unknown: &[(Region, CloudError)]) -> Exit {
    let all = unknown.len() >= world.project.regions.len();
    match unknown {
        [] => Exit::DONE,
        _ if all && unknown.iter().all(|(_, error)| error.not_asked()) => Exit::NOT_ASKED,
        _ => Exit::UNKNOWN,
    }
}
