//! The state that a cluster's records come to.

use crate::{config::Project, journal::Store};

use super::{Event, RunState};

/// Takes the records out of `store` and folds them, with what `project` plans.
/// Where the first record can't be read, the project takes its place; the
/// cluster's id is that of the store in any case, which instances are found by.
pub fn replay(store: &mut Store, project: &Project) -> RunState {
    let records = store.take_records();
    let mut state = RunState::default();
    let is_begun = |event: &Event| matches!(event, Event::ClusterCreated { .. });
    let is_empty = records.is_empty() && store.damage().is_none();
    if !is_empty && !records.iter().any(|record| is_begun(&record.event)) {
        state.cluster = Some(store.cluster().clone());
        state.leader = Some(project.leader.value.clone());
        state.regions = project.region_names();
    }
    for record in &records {
        state.apply(record);
    }
    if let Some(cluster) = &mut state.cluster {
        cluster.clone_from(store.cluster());
    }
    state.plan(&project.planned_nodes());
    state
}
