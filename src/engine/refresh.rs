//! Reads the cluster's instances from time to time while nothing else does, so
//! that a dashboard that nobody touches shows what others terminate or stop.

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::join_all;
use tokio::sync::oneshot;

use crate::{
    cloud::CloudError,
    model::{Failure, Region},
};

use super::{
    Update,
    down::regions,
    listing::list,
    region::reconcile,
    shared::{Message, Shared},
    unresolved::record_listed,
};

/// How often EC2 is read.
const PERIOD: Duration = Duration::from_secs(30);
/// The longest period while reading fails: each failure doubles it.
const LONGEST: Duration = Duration::from_mins(5);

/// Reads for ever.
pub(super) async fn watch(shared: &Shared) {
    let mut period = PERIOD;
    let mut failing = BTreeMap::new();
    loop {
        tokio::time::sleep(period).await;
        if !exists(shared) || !is_idle(shared).await {
            continue;
        }
        let regions = regions(shared).into_iter();
        let failed = regions.map(|region| async move { read(shared, &region).await.err() });
        let failed: Vec<_> = join_all(failed).await.into_iter().flatten().collect();
        period = if failed.is_empty() { PERIOD } else { period.saturating_mul(2).min(LONGEST) };
        report(shared, &mut failing, failed, period);
    }
}

/// Whether there is anything to read.
fn exists(shared: &Shared) -> bool {
    let state = shared.state();
    state.live().next().is_some() || !state.unresolved().is_empty()
}

/// Whether nothing else reads or changes instances now.
async fn is_idle(shared: &Shared) -> bool {
    let (answer, answered) = oneshot::channel();
    shared.send(Message::IsIdle(answer));
    answered.await.unwrap_or(false)
}

/// Lists a region's instances and takes them into the record.
pub(super) async fn read(shared: &Shared, region: &Region) -> Result<(), (Region, Failure)> {
    let listing = list(shared, region).await.map_err(|error| not_read(shared, region, &error))?;
    record_listed(shared, region, &listing).await;
    reconcile(shared, region, &listing);
    Ok(())
}

/// Reports that the instances of `region` could not be listed.
pub(super) fn not_read(shared: &Shared, region: &Region, error: &CloudError) -> (Region, Failure) {
    let (region, failure) = (region.clone(), Failure::from(error));
    let update = Update::InstancesNotRead { region: region.clone(), failure: failure.clone() };
    shared.update(update);
    (region, failure)
}

/// Reports each region's failure once, and again only where its cause changes.
fn report(
    shared: &Shared,
    failing: &mut BTreeMap<Region, Failure>,
    failed: Vec<(Region, Failure)>,
    period: Duration,
) {
    let failed: BTreeMap<_, _> = failed.into_iter().collect();
    failing.retain(|region, _| failed.contains_key(region));
    for (region, failure) in failed {
        let known = failing.insert(region, failure.clone());
        if known.as_ref() != Some(&failure) {
            let next = crate::model::duration(period);
            let message = format!("{} (next try in {next})", failure.message);
            shared.update(Update::Notice(Failure { message, ..failure }));
        }
    }
}
