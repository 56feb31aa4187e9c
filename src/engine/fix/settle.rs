//! Waiting until what EC2 describes agrees with what was written, so that the
//! checks that follow judge what is there and not what was there before.

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::join_all;
use tokio::time::{Instant, sleep};

use crate::{
    cloud::{Change, CloudError, ErrorKind},
    model::{Failure, Region},
    remedy::{self, describe},
};

use super::super::{Update, shared::Shared};

/// How long EC2 may describe things as they were before.
const SETTLE: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_secs(1);
/// Reads in a row that have to agree: two may come from different places.
const AGREE: u32 = 2;

/// A change that was made, and the id of what it made.
pub(super) type Written = (Change, Option<String>);

/// Waits, all regions side by side; reports what does not agree in time.
pub(super) async fn all(shared: &Shared, written: BTreeMap<Region, Vec<Written>>) {
    let regions = written.iter().map(|(region, all)| of_region(shared, region, all));
    for failure in join_all(regions).await.into_iter().flatten() {
        shared.update(Update::Notice(failure));
    }
}

async fn of_region(shared: &Shared, region: &Region, written: &[Written]) -> Option<Failure> {
    let began = Instant::now();
    let what = format!("EC2 to describe what was written, for up to {} s", SETTLE.as_secs());
    let _wait = shared.waits.begin(region, what);
    let mut agreed = 0;
    loop {
        let last = match unseen(shared, region, written).await {
            Ok(unseen) if unseen.is_empty() => {
                agreed += 1;
                None
            }
            Ok(unseen) => {
                agreed = 0;
                let what: Vec<_> = unseen.into_iter().map(describe::of_change).collect();
                Some(what.join("; "))
            }
            Err(error) if matches!(error.kind, ErrorKind::Denied | ErrorKind::Credentials) => {
                return None;
            }
            Err(error) => Some(error.to_string()),
        };
        if agreed >= AGREE {
            return None;
        }
        if let (Some(last), true) = (last, began.elapsed() > SETTLE) {
            let what = format!(
                "{region}: after {} s EC2 does not describe what was written: {last}",
                SETTLE.as_secs()
            );
            return Some(Failure::new(what));
        }
        sleep(POLL).await;
    }
}

/// Those of the changes that EC2 does not describe as made.
async fn unseen<'a>(
    shared: &Shared,
    region: &Region,
    written: &'a [Written],
) -> Result<Vec<&'a Change>, CloudError> {
    let ids =
        written.iter().flat_map(|(change, made)| change.ids().into_iter().chain(made.clone()));
    let names = written.iter().filter_map(|(change, _)| remedy::key_name(change)).collect();
    let ids: Vec<_> = ids.collect();
    let facts = remedy::describe_resources(shared.cloud.as_ref(), region, ids, names).await?;
    let unseen =
        written.iter().filter(|(change, made)| !remedy::is_seen(&facts, change, made.as_deref()));
    Ok(unseen.map(|(change, _)| change).collect())
}
