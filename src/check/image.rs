//! The machine images.

use crate::{
    cloud::{Image, ImageState},
    config::{NodeGroup, Sourced},
    model::ImageId,
    survey::{Absent, named},
};

use super::{
    Finding,
    context::{Context, RegionView, and},
};

/// `ami.exists`
pub(super) fn exists(ctx: &Context<'_>) -> Vec<Finding> {
    let places = ctx.places("ami.exists");
    let of_region = |place: &RegionView<'_>| -> Vec<Finding> {
        let images = named::images(place.config).into_iter();
        images.map(|id| image(ctx, &places, place, id)).chain(unnamed(place)).collect()
    };
    places.iter().flat_map(of_region).collect()
}

fn image(
    ctx: &Context<'_>,
    places: &[RegionView<'_>],
    place: &RegionView<'_>,
    id: &Sourced<ImageId>,
) -> Finding {
    let finding = match place.facts.image(id) {
        Ok(image) => state(ctx, place, image).seen(format!("{} by {}", image.name, image.owner)),
        Err(Absent::Missing) => missing(places, place, id),
        Err(absent) => place.absent(absent, "the images"),
    };
    finding.at(id.location())
}

fn state(ctx: &Context<'_>, place: &RegionView<'_>, image: &Image) -> Finding {
    let id = &image.id;
    match (&image.state, image.deprecation) {
        (ImageState::Other(state), _) => place
            .fail(format!("{id} is {state}"))
            .impact("RunInstances would fail with InvalidAMIID.Unavailable")
            .todo("wait until it is available, or name another image"),
        (ImageState::Available, Some(date)) if date <= ctx.survey.at => place
            .warn(format!("{id} is deprecated"))
            .seen(format!("since {}; it still launches", date.strftime("%Y-%m-%d")))
            .todo("name a newer image before its owner takes this one away"),
        (ImageState::Available, _) => place.pass(format!("{id} is available")),
    }
}

/// States the region of an id that belongs to another region.
fn missing(places: &[RegionView<'_>], place: &RegionView<'_>, id: &ImageId) -> Finding {
    let home = places.iter().find_map(|other| Some((other, other.facts.image(id).ok()?)));
    let finding = match home {
        Some((other, image)) => place
            .fail(format!("{id} is an image of {}", other.region()))
            .seen(format!("{}  {}, owner {}", other.region(), image.name, image.owner))
            .seen("image ids are regional: the same image has another id here")
            .todo(format!("name the id of the same image here: {}", same_image(place, image))),
        None => place
            .fail(format!("{id} does not exist here"))
            .seen("or it is not shared with this account")
            .todo("name an image of this region, or have its owner share it"),
    };
    finding.impact("RunInstances would fail with InvalidAMIID.NotFound")
}

fn same_image(place: &RegionView<'_>, image: &Image) -> String {
    format!(
        "aws ec2 describe-images --region {} --owners {} --filters 'Name=name,Values={}' \
         --query 'Images[].ImageId'",
        place.region(),
        image.owner,
        image.name
    )
}

fn unnamed<'a>(place: &'a RegionView<'_>) -> impl Iterator<Item = Finding> + 'a {
    place.by_config(|group| group.template.image.is_none()).into_iter().map(|groups| {
        place
            .fail(format!("no ImageId for {}", place.types(&groups)))
            .seen("Ray would take a default image of its own; muster launches only what is named")
            .impact("RunInstances would fail with MissingParameter")
            .todo(format!("add ImageId to the node_config: {}", ubuntu(place)))
            .at(groups[0].node_type.location())
    })
}

/// How to find Canonical's newest image.
fn ubuntu(place: &RegionView<'_>) -> String {
    format!(
        "aws ssm get-parameter --region {} --name \
         /aws/service/canonical/ubuntu/server/22.04/stable/current/amd64/hvm/ebs-gp2/ami-id",
        place.region()
    )
}

/// `ami.architecture`
pub(super) fn architecture(ctx: &Context<'_>) -> Vec<Finding> {
    ctx.places("ami.architecture").iter().flat_map(architectures).collect()
}

fn architectures(place: &RegionView<'_>) -> Vec<Finding> {
    let mut seen = Vec::new();
    let mut findings = Vec::new();
    for group in &place.config.groups {
        let Some(id) = &group.template.image else { continue };
        let combination = (&id.value, &group.template.instance_type.value);
        if !seen.contains(&combination) {
            seen.push(combination);
            findings.push(fits(place, group, id).at(id.location()));
        }
    }
    findings
}

fn fits(place: &RegionView<'_>, group: &NodeGroup, id: &ImageId) -> Finding {
    let name = &group.template.instance_type;
    let image = match place.facts.image(id) {
        Ok(image) => image,
        Err(Absent::Missing) => return place.skipped(format!("not judged: {id} is missing here")),
        Err(absent) => return place.absent(absent, "the images"),
    };
    let info = match place.facts.instance_type(name) {
        Ok(info) => info,
        Err(Absent::Missing) => {
            return place.skipped(format!("not judged: {} does not exist here", **name));
        }
        Err(absent) => return place.absent(absent, "the instance types"),
    };
    if info.architectures.contains(&image.architecture) {
        return place.pass(format!("{id} runs on {} ({})", info.name, image.architecture));
    }
    place
        .fail(format!("{id} does not run on {}", info.name))
        .seen(format!("{id} is built for {}", image.architecture))
        .seen(format!("{} runs {}", info.name, and(&info.architectures)))
        .impact("RunInstances would fail with InvalidParameterValue: the architectures differ")
        .todo("name an image of that architecture, or another instance type")
}
