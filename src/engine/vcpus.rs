//! How many virtual CPUs the types of a region have, for the manifest.

use std::collections::BTreeMap;

use super::shared::Shared;
use crate::{config::RegionConfig, model::InstanceType};

/// Virtual CPUs by type, as far as known.
pub(super) type Vcpus = BTreeMap<InstanceType, u32>;

/// Those of the types in `config`.
pub(super) async fn vcpus(shared: &Shared, config: &RegionConfig) -> Vcpus {
    let types: Vec<_> =
        config.groups.iter().map(|group| group.template.instance_type.value.clone()).collect();
    // Only for the manifest: not knowing it stops nothing.
    let known = shared.cloud.instance_types(&config.region, &types).await.unwrap_or_default();
    known.into_iter().map(|info| (info.name, info.vcpus)).collect()
}
