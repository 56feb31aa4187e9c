//! Adopting instances that `ray up` launched: first their autoscaler is stopped, then they
//! are tagged with the cluster's id, and only after that they count as nodes.

mod autoscaler;
mod plan;

use std::sync::Arc;

use futures_util::future::join_all;

pub(super) use plan::plan;
pub use plan::{AdoptPlan, Adoptee};

use crate::{
    cloud::{Change, CloudError, ErrorKind, InstanceFilter, InstanceState, Ref, Tags, tags},
    model::{Failure, InstanceId, Region},
};

use super::{
    AdoptedNode, Event, LaunchedInstance, Update,
    shared::{Message, Shared},
    vcpus::{Vcpus, vcpus},
};

/// How often tagging is tried where EC2 is too busy; doing it twice does no harm.
const TRIES: u32 = 4;
/// How long between two tries.
const PAUSE: std::time::Duration = std::time::Duration::from_secs(2);

/// Carries out `plan`, whose intent is on record, then bootstraps the nodes.
/// If the adoption fails, reports why.
pub(super) async fn run(shared: Arc<Shared>, plan: Arc<AdoptPlan>) {
    if let Err(failure) = end_autoscalers(&shared, &plan).await {
        for region in plan.regions() {
            let _ = shared.record(Event::AdoptGivenUp { region, failure: failure.clone() }).await;
        }
        return shared.update(Update::Refused(failure));
    }
    let taken = join_all(plan.regions().into_iter().map(|region| {
        let (shared, plan) = (&shared, &plan);
        async move { take_over(shared, plan, &region).await }
    }));
    let failures: Vec<_> = taken.await.into_iter().filter_map(Result::err).collect();
    match failures.into_iter().next() {
        None => shared.send(Message::Adopted),
        Some(failure) => {
            let hint = "`muster up --adopt` adopts the rest, `muster down` terminates \
                        the instances with the cluster's id";
            shared.update(Update::Refused(failure.hint(hint)));
        }
    }
}

/// Stops the autoscaler on all heads, then checks that all instances still run. No instance is
/// tagged before that.
async fn end_autoscalers(shared: &Shared, plan: &AdoptPlan) -> Result<(), Failure> {
    let heads = plan.nodes.iter().filter(|one| one.is_head());
    let ended = join_all(heads.map(|head| autoscaler::end(shared, head))).await;
    ended.into_iter().collect::<Result<(), _>>()?;
    let reads = plan
        .regions()
        .into_iter()
        .map(|region| async move { still_run(shared, plan, &region).await });
    join_all(reads).await.into_iter().collect()
}

/// An autoscaler may have terminated some of them before it was stopped.
async fn still_run(shared: &Shared, plan: &AdoptPlan, region: &Region) -> Result<(), Failure> {
    let ids = plan.ids_in(region);
    let found = shared.cloud.instances(region, &InstanceFilter::Ids(ids.clone())).await;
    let found = found.map_err(|error| Failure::from(&error))?;
    let runs = |id: &InstanceId| {
        found.iter().any(|one| one.id == *id && one.state == InstanceState::Running)
    };
    match ids.iter().find(|id| !runs(id)) {
        None => Ok(()),
        Some(stopped) => Err(Failure::new(format!("{stopped} in {region} is no longer running"))
            .hint("run `muster up --adopt` again to adopt the instances that run now")),
    }
}

/// Tags the instances of `region`, which makes them nodes.
async fn take_over(shared: &Shared, plan: &AdoptPlan, region: &Region) -> Result<(), Failure> {
    let _underway = shared.must.begin(format!("adopting the instances of {region}"));
    if let Err(error) = tag(shared, region, &plan.ids_in(region)).await {
        let failure = Failure::from(&error);
        if !error.outcome_unknown() {
            let (region, failure) = (region.clone(), failure.clone());
            let _ = shared.record(Event::AdoptGivenUp { region, failure }).await;
        }
        return Err(failure);
    }
    let project = shared.project();
    let known = match project.region(region) {
        Some(config) => vcpus(shared, config).await,
        None => Vcpus::new(),
    };
    let nodes = plan.nodes.iter().filter(|one| one.group.region == *region);
    let nodes = nodes.map(|one| AdoptedNode {
        group: one.group.clone(),
        instance: LaunchedInstance {
            node: one.node.clone(),
            id: one.instance.id.clone(),
            instance_type: one.instance.instance_type.clone(),
            vcpus: known.get(&one.instance.instance_type).copied(),
            zone: one.instance.zone.clone(),
            private_ip: one.instance.private_ip,
            public_ip: one.instance.public_ip,
        },
    });
    // If this can't be recorded, they carry the id all the same: the next
    // adoption finds them by it, and so does `down`.
    shared.record(Event::Adopted { region: region.clone(), nodes: nodes.collect() }).await
}

async fn tag(shared: &Shared, region: &Region, ids: &[InstanceId]) -> Result<(), CloudError> {
    let project = shared.project();
    let change = Change::CreateTags {
        resources: ids.iter().map(|id| Ref::Id(id.to_string())).collect(),
        tags: Tags::from([
            (tags::CLUSTER.into(), shared.cluster.to_string()),
            (tags::PROJECT.into(), project.name.value.clone()),
        ]),
    };
    let mut tries = 1;
    loop {
        match shared.cloud.change(region, &change).await {
            Ok(_) => return Ok(()),
            Err(error)
                if tries < TRIES
                    && (error.outcome_unknown() || error.kind == ErrorKind::Throttled) =>
            {
                tries += 1;
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) => return Err(error),
        }
    }
}
