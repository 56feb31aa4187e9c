//! Images: an id of another region becomes that of the same image here, by
//! name and owner; only where there is none, the image is copied.

use crate::{
    cloud::{Change, Image, ImageState, Ref, StepId, Tags},
    config::{Project, RegionConfig},
    model::{ImageId, Region},
    survey::{Absent, Survey, named},
};

use super::{
    builder::Builder,
    plan::{Problem, Rewrite, Target, Until, Written},
};

const EXISTS: &str = "ami.exists";

/// Plans fixes for images.
pub(super) fn plan(project: &Project, survey: &Survey, id: &str, plan: &mut Builder<'_>) {
    for config in &project.regions {
        let region = &config.region.value;
        if let Some(problem) = plan.wants_in(EXISTS, region) {
            for image in missing(survey, config) {
                replace((project, id), survey, plan, config, image, &problem);
            }
        }
    }
}

fn missing<'a>(survey: &Survey, config: &'a RegionConfig) -> Vec<&'a ImageId> {
    let Some(facts) = survey.regions.get(&config.region.value) else { return Vec::new() };
    let named = named::images(config).into_iter().map(|image| &image.value);
    named.filter(|id| facts.image(id).err() == Some(Absent::Missing)).collect()
}

fn replace(
    (project, project_id): (&Project, &str),
    survey: &Survey,
    plan: &mut Builder<'_>,
    config: &RegionConfig,
    id: &ImageId,
    problem: &Problem,
) {
    let (region, fixes) = (&config.region.value, std::slice::from_ref(problem));
    let Some((home, image)) = home(project, survey, id) else {
        return plan.leave(fixes, &format!("no region of the project has {id}"));
    };
    let Some(facts) = plan.facts_of(region, fixes) else { return };
    let same = facts.same_images.get(id).map_or(&[][..], Vec::as_slice);
    let usable = same
        .iter()
        .find(|one| one.state == ImageState::Available && one.architecture == image.architecture);
    let (new, after) = match usable {
        Some(same) => (Ref::Id(same.id.to_string()), Vec::new()),
        None => copy(project_id, plan, region, (home, image), fixes),
    };
    let slot = format!("{region}/image-id-{id}");
    plan.rewrite(&slot, rewrites(config, id, &new), after, fixes);
}

/// The region that knows the image.
fn home<'a>(
    project: &'a Project,
    survey: &'a Survey,
    id: &ImageId,
) -> Option<(&'a Region, &'a Image)> {
    project.regions.iter().find_map(|config| {
        let region = &config.region.value;
        Some((region, survey.regions.get(region)?.image(id).ok()?))
    })
}

fn copy(
    project_id: &str,
    plan: &mut Builder<'_>,
    region: &Region,
    (home, image): (&Region, &Image),
    fixes: &[Problem],
) -> (Ref, Vec<StepId>) {
    let slot = format!("{region}/image-{}", image.id);
    let change = Change::CopyImage {
        name: image.name.clone(),
        image: image.id.clone(),
        from: home.clone(),
        token: token(project_id, &slot),
        tags: Tags::new(),
    };
    let copy = plan.change(&slot, region, change, fixes);
    let available = format!("{slot}/available");
    let wait = plan.wait(&available, region, Until::ImageAvailable(copy.clone()), fixes);
    (copy, vec![wait])
}

/// `ClientToken`, at most 64 characters: the same for the same copy.
fn token(project_id: &str, slot: &str) -> String {
    let name = format!("{project_id}/{slot}");
    let name = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, name.as_bytes());
    format!("muster-{name}")
}

fn rewrites(config: &RegionConfig, old: &ImageId, new: &Ref) -> Vec<Rewrite> {
    let mut rewrites: Vec<Rewrite> = Vec::new();
    let images = config.groups.iter().filter_map(|group| group.template.image.as_ref());
    for image in images.filter(|image| image.value == *old) {
        let Some(location) = image.location().cloned() else { continue };
        let target = Target::At { location, key: "ImageId", old: old.to_string() };
        let rewrite = Rewrite { target, value: Written::One(new.clone()) };
        if !rewrites.contains(&rewrite) {
            rewrites.push(rewrite);
        }
    }
    rewrites
}
