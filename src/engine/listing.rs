//! The cluster's instances in a region, as EC2 lists them: by the cluster's
//! tag, by the ids on record and by the tokens of unresolved launches, since a
//! tag may show late or be removed.

use futures_util::future::join_all;

use crate::{
    cloud::{Cloud, CloudError, Instance, InstanceFilter, tags},
    model::{InstanceId, Region},
};

use super::{InstanceInfo, RunState, UnresolvedLaunch, launch::token_of, shared::Shared};

/// The filters of a read: a region's instances by a tag, by tokens and by id.
#[derive(Clone, Debug)]
pub struct InstanceQuery {
    region: Region,
    tagged: InstanceFilter,
    tokens: Vec<InstanceFilter>,
    ids: Vec<InstanceId>,
}

impl InstanceQuery {
    /// What `tagged` finds in `region`, and what is on the record of `state`.
    pub fn of(state: &RunState, region: &Region, tagged: InstanceFilter) -> Self {
        let unresolved = state.unresolved().into_iter();
        let of_region = unresolved.filter(|launch| launch.region() == region);
        let tokens = of_region.map(|launch| InstanceFilter::Token(launch.token));
        let ids = state.live().filter(|info| info.region == *region);
        Self {
            region: region.clone(),
            tagged,
            tokens: tokens.collect(),
            ids: ids.map(|info| info.id.clone()).collect(),
        }
    }

    /// Returns each instance once. A read by token that fails hides nothing permanently: the
    /// launch stays unresolved, and its instances carry the tag as well.
    pub async fn read(&self, cloud: &dyn Cloud) -> Result<Vec<Instance>, CloudError> {
        let by_token = self.tokens.iter().map(|token| cloud.instances(&self.region, token));
        let by_tag = cloud.instances(&self.region, &self.tagged);
        let (by_tag, by_token) = tokio::join!(by_tag, join_all(by_token));
        let mut listing = Vec::new();
        add(&mut listing, by_tag?);
        for found in by_token.into_iter().flatten() {
            add(&mut listing, found);
        }
        let is_listed = |id: &InstanceId| listing.iter().any(|listed| listed.id == *id);
        let unlisted: Vec<_> = self.ids.iter().filter(|id| !is_listed(id)).cloned().collect();
        if !unlisted.is_empty() {
            let by_id = InstanceFilter::Ids(unlisted);
            add(&mut listing, cloud.instances(&self.region, &by_id).await?);
        }
        Ok(listing)
    }
}

fn add(listing: &mut Vec<Instance>, found: Vec<Instance>) {
    for instance in found {
        if !listing.iter().any(|listed| listed.id == instance.id) {
            listing.push(instance);
        }
    }
}

/// All instances of the cluster in `region`, each once.
pub(super) async fn list(shared: &Shared, region: &Region) -> Result<Vec<Instance>, CloudError> {
    let by_tag = InstanceFilter::cluster(&shared.cluster);
    let query = InstanceQuery::of(&shared.state(), region, by_tag);
    query.read(shared.cloud.as_ref()).await
}

/// Whether `instance` was created by `launch`.
pub(super) fn is_of(launch: &UnresolvedLaunch, instance: &Instance) -> bool {
    instance.token.as_ref() == Some(&launch.token)
        || token_of(instance).as_ref() == Some(&launch.token)
}

/// How an instance belongs to the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Its id is on record, or a launch on record created it.
    Recorded,
    /// It only carries the cluster's id: anybody can set a tag.
    Unrecorded,
}

/// How `instance` belongs to the cluster of `state`.
pub fn origin(state: &RunState, instance: &Instance) -> Origin {
    let launched = || state.unresolved().iter().any(|launch| is_of(launch, instance));
    if state.is_on_record(&instance.id) || launched() {
        Origin::Recorded
    } else {
        Origin::Unrecorded
    }
}

/// An instance by its record, in the form of EC2: for a region that does
/// not answer.
pub(super) fn recorded(info: &InstanceInfo, name: Option<String>) -> Instance {
    Instance {
        id: info.id.clone(),
        state: info.state,
        state_reason: None,
        instance_type: info.instance_type.clone(),
        zone: info.zone.clone().unwrap_or_default(),
        private_ip: info.private_ip,
        public_ip: info.public_ip,
        launched: Some(info.since),
        spot: false,
        ebs_root: true,
        launch_index: 0,
        token: None,
        tags: name.map(|name| (tags::NAME.to_owned(), name)).into_iter().collect(),
    }
}

/// The instances of `region` on record that are not known to be terminated.
pub(super) fn on_record(shared: &Shared, region: &Region) -> Vec<Instance> {
    let state = shared.state();
    let of_region = state.live().filter(|info| info.region == *region);
    let known = of_region.filter(|info| state.is_on_record(&info.id));
    known
        .map(|info| recorded(info, state.node_of(&info.id).map(|node| node.name.to_string())))
        .collect()
}
