//! Looking: what EC2 says of the cluster's own machines.

use std::sync::Arc;

use futures_util::future::join_all;

use crate::survey::Survey;

use super::{Update, region, shared::Shared};

/// Compares the machines on record with EC2, unless a launch does that anyway.
pub(super) async fn run(shared: Arc<Shared>, _last: Option<Arc<Survey>>, reconciles: bool) {
    if reconciles && shared.state().cluster.is_some() {
        own_machines(&shared).await;
    }
}

async fn own_machines(shared: &Shared) {
    let regions = shared.state().regions.clone();
    let look = |region| async move {
        match region::list(shared, &region).await {
            Ok(listing) => region::reconcile(shared, &region, &listing),
            Err(error) => shared.update(Update::Notice((&error).into())),
        }
    };
    join_all(regions.into_iter().map(look)).await;
}
