//! `DescribeImages` and `CopyImage`.

use aws_sdk_ec2::{
    operation::describe_images::builders::DescribeImagesFluentBuilder,
    types::{self, ResourceType},
};

use super::{
    client::RegionClient,
    filter,
    made::MadeId,
    parse::{self, Parsed},
    tags,
};
use crate::{
    cloud::{Image, ImageName, ImageState, Result, Tags},
    model::{ImageId, Region},
};

const OPERATION: &str = "DescribeImages";

/// The images of these ids.
pub(super) async fn describe(at: &RegionClient, ids: &[ImageId]) -> Result<Vec<Image>> {
    let call = || at.client.describe_images();
    filter::in_chunks("image-id", ids, |filter| all(at, call().filters(filter))).await
}

/// The images of this name that the account `owner` made.
pub(super) async fn named(at: &RegionClient, owner: &str, name: &ImageName) -> Result<Vec<Image>> {
    let call = at.client.describe_images().owners(owner);
    let filter = match name {
        ImageName::Exact(name) => filter::is("name", name),
        ImageName::StartsWith(start) => filter::starts_with("name", start),
    };
    all(at, call.filters(filter)).await
}

/// Deprecated and disabled ones included: the first still launch, the others
/// explain why they don't.
async fn all(at: &RegionClient, call: DescribeImagesFluentBuilder) -> Result<Vec<Image>> {
    let call = call.include_deprecated(true).include_disabled(true);
    let images = call.into_paginator().page_size(1000).items().send().try_collect().await;
    at.read(OPERATION, images.map_err(|error| at.failed(OPERATION, &error))?, image)
}

/// Copies an image out of another region.
pub(super) async fn copy(
    at: &RegionClient,
    name: &str,
    (image, from): (&ImageId, &Region),
    token: &str,
    tags: &Tags,
) -> Result<MadeId> {
    let call = at.client.copy_image().name(name).client_token(token);
    let call = call.source_image_id(image.as_str()).source_region(from.as_str());
    let tags = tags::on([ResourceType::Image, ResourceType::Snapshot], tags);
    let call = call.set_tag_specifications(tags).customize();
    let answer = call.config_override(at.single_attempt()).send();
    at.made("CopyImage", answer, |made| made.image_id).await
}

fn image(image: types::Image) -> Parsed<Image> {
    let architecture = image.architecture.map(|name| name.as_str().to_owned());
    Ok(Image {
        id: parse::name(image.image_id, "imageId")?,
        name: image.name.unwrap_or_default(),
        owner: image.owner_id.unwrap_or_default(),
        state: match image.state {
            Some(types::ImageState::Available) => ImageState::Available,
            other => ImageState::Other(parse::name(
                other.map(|state| state.as_str().to_owned()),
                "imageState",
            )?),
        },
        architecture: parse::name(architecture, "architecture")?,
        deprecation: image.deprecation_time.and_then(|time| time.parse().ok()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ubuntu() -> aws_sdk_ec2::types::builders::ImageBuilder {
        types::Image::builder()
            .image_id("ami-0123")
            .name("ubuntu-noble-24.04-amd64-server")
            .owner_id("099720109477")
            .architecture(types::ArchitectureValues::X8664)
            .state(types::ImageState::Available)
            .deprecation_time("2028-10-01T00:00:00.000Z")
    }

    #[test]
    fn reads_what_ec2_returns() {
        let expected = Image {
            id: "ami-0123".into(),
            name: "ubuntu-noble-24.04-amd64-server".into(),
            owner: "099720109477".into(),
            state: ImageState::Available,
            architecture: "x86_64".into(),
            deprecation: "2028-10-01T00:00:00Z".parse().ok(),
        };
        assert_eq!(image(ubuntu().build()), Ok(expected));
    }

    #[test]
    fn a_state_that_does_not_launch_keeps_its_name() {
        let disabled = image(ubuntu().state(types::ImageState::Disabled).build());
        assert_eq!(disabled.map(|i| i.state), Ok(ImageState::Other("disabled".into())));
    }
}
