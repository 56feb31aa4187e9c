//! `CopyImage`.

use super::{Checked, Kind, MadeId, Refusal, Scene};
use crate::{
    cloud::{Image, ImageState, Tags},
    model::ImageId,
    sim::world::state::HeldImage,
};

/// The account of the simulated world.
const ACCOUNT: &str = "123456789012";

impl Scene<'_> {
    /// Copies `source`, which another region has. The same token answers with
    /// the same image.
    pub(super) fn copy_image(
        &mut self,
        name: &str,
        (image, source): (&ImageId, Option<HeldImage>),
        token: &str,
        tags: &Tags,
    ) -> Checked<MadeId> {
        if let Some((before, id)) = self.held.copies.get(token) {
            let message = "The client token was used with other parameters.";
            let mismatch = || Refusal::new("IdempotentParameterMismatch", message);
            return (before == self.change).then(|| Some(id.clone())).ok_or_else(mismatch);
        }
        let source = source.ok_or_else(|| Kind::Image.missing(image.as_str()))?;
        if source.at(self.now).state != ImageState::Available {
            let message = format!("The image id '[{image}]' is not available");
            return Err(Refusal::new("InvalidAMIID.Unavailable", message));
        }
        let id = self.make(Kind::Image, "", tags);
        self.make(Kind::Snapshot, "", tags);
        let image = Image {
            id: ImageId::new(&id),
            name: name.to_owned(),
            owner: ACCOUNT.to_owned(),
            deprecation: None,
            ..source.image.clone()
        };
        let available_at = Some(self.now + self.times.image_copy);
        self.held.images.push(HeldImage { image, available_at, ..source });
        self.held.copies.insert(token.to_owned(), (self.change.clone(), id.clone()));
        Ok(Some(id))
    }
}
