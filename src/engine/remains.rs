//! What muster made and a `down` leaves: networks, keys, images, volumes.

use futures_util::future::join_all;

use crate::{
    cloud::{Result, Tagged, tags},
    model::{Failure, Region},
};

use super::{Update, shared::Shared};

/// What is still there that muster made for a project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remains {
    /// By region and kind.
    pub found: Vec<(Region, Tagged)>,
    /// Regions that could not be asked; what is there is not known.
    pub unknown: Vec<(Region, Failure)>,
}

/// Asks `regions`, and tells [`Update::Remains`].
pub(super) async fn tell(shared: &Shared, regions: &[Region]) {
    let asked = join_all(regions.iter().map(|region| of_region(shared, region))).await;
    let mut remains = Remains::default();
    for (region, answer) in regions.iter().zip(asked) {
        match answer {
            Ok(found) => remains.found.extend(found.into_iter().map(|one| (region.clone(), one))),
            Err(error) => remains.unknown.push((region.clone(), Failure::from(&error))),
        }
    }
    shared.update(Update::Remains(remains));
}

/// Instances are `down`'s own business, and gone ones are told of for an hour.
async fn of_region(shared: &Shared, region: &Region) -> Result<Vec<Tagged>> {
    let project = shared.project();
    let tagged = shared.cloud.tagged(region, &[tags::PROJECT, tags::REMEDY]).await?;
    let ours = |one: &Tagged| one.tags.get(tags::PROJECT) == Some(&project.name.value);
    let lasts = |one: &Tagged| one.kind != "instance";
    let mut found: Vec<_> = tagged.into_iter().filter(ours).filter(lasts).collect();
    found.sort_by(|a, b| (&a.kind, &a.id).cmp(&(&b.kind, &b.id)));
    Ok(found)
}
