//! What `up` is about to do, by one listing of each region.

use futures_util::future::join_all;

use crate::{cloud::CloudError, config::RegionConfig, model::Failure};

use super::{
    UpPlan,
    listing::list,
    recover::{self, Found},
    region::{missing, reconcile},
    retry::{PLAN_PATIENCE, Retry},
    shared::Shared,
    unresolved::{of_region, record_listed},
    vcpus::{Vcpus, vcpus},
};

/// Finds what `up` would launch and take over. What EC2 lists of the record's
/// instances and launches goes on record, where there is one.
pub(super) async fn plan(shared: &Shared) -> UpPlan {
    let project = shared.project();
    let read = join_all(project.regions.iter().map(|config| read(shared, config))).await;
    let mut plan = UpPlan::default();
    for (config, answer) in project.regions.iter().zip(read) {
        let found = answer.unwrap_or_else(|error| {
            plan.unknown.push((config.region.value.clone(), Failure::from(&error)));
            Found::default()
        });
        plan.add(shared, config, found);
    }
    plan
}

async fn read(shared: &Shared, config: &RegionConfig) -> Result<Found, CloudError> {
    let region = &config.region.value;
    let listing = Retry::new(shared, PLAN_PATIENCE).call(|| list(shared, region)).await?;
    if shared.state().cluster.is_some() {
        record_listed(shared, region, &listing).await;
        reconcile(shared, region, &listing);
        shared.flush().await;
    }
    let found = recover::find(shared, config, &listing, &Vcpus::default());
    if found.nodes.is_empty() {
        return Ok(found);
    }
    let vcpus = vcpus(shared, config).await;
    Ok(recover::find(shared, config, &listing, &vcpus))
}

impl UpPlan {
    fn add(&mut self, shared: &Shared, config: &RegionConfig, found: Found) {
        let region = &config.region.value;
        let mut launch = missing(shared, config);
        for nodes in launch.values_mut() {
            nodes.retain(|node| found.nodes.iter().all(|one| one.names().0 != node));
        }
        launch.retain(|_, nodes| !nodes.is_empty());
        let unresolved = of_region(shared, region);
        match found.refused {
            Some(failure) if !launch.is_empty() || !unresolved.is_empty() => {
                self.refused.push((region.clone(), failure));
            }
            _ => self.launch.append(&mut launch),
        }
        self.unresolved.extend(unresolved);
        self.take_over.extend(found.nodes);
    }
}
