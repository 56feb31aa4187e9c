//! `CreateTags`.

use super::{Checked, Kind, MadeId, Refusal, Scene, id};
use crate::cloud::{Ref, Tags};

impl Scene<'_> {
    /// Tags all of `resources`, or none of them.
    pub(super) fn create_tags(&mut self, resources: &[Ref], tags: &Tags) -> Checked<MadeId> {
        for resource in resources {
            let id = id(resource);
            let unknown = || Refusal::new("InvalidID", format!("The ID '{id}' is not valid"));
            self.check(Kind::of(id).ok_or_else(unknown)?, id)?;
        }
        for resource in resources {
            self.delay_tags(id(resource));
            self.held.tags.entry(id(resource).to_owned()).or_default().extend(tags.clone());
        }
        Ok(None)
    }
}
