//! What AWS knows of the regions that configs are written for. Nothing of it
//! is needed: what can't be found out is marked in the files.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use futures_util::future::join_all;

use super::{CliError, InitArgs};
use crate::{
    app::session,
    cloud::{Cloud, CloudError, Image, ImageName, ImageState, Registered, Result},
    config::init::{Base, First, Known},
    model::{Failure, ImageId, InstanceType, Region, Zone},
    survey::named,
    waits::Waits,
};

/// Time limit of a call unless the user sets another.
const PATIENCE: Duration = Duration::from_secs(20);
/// Canonical's account.
const CANONICAL: &str = "099720109477";

/// What was found out.
#[derive(Default)]
pub struct Asked {
    /// Of each region that answered.
    pub known: BTreeMap<Region, Known>,
    /// The image of each region, and a note on it.
    pub images: BTreeMap<Region, (ImageId, String)>,
    /// Why something could not be.
    pub failures: Vec<Failure>,
    pub simulated: bool,
    offline: bool,
}

impl Asked {
    /// Nothing, as requested.
    pub fn offline() -> Self {
        Self { offline: true, ..Self::default() }
    }

    /// What the user should know of it.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.simulated {
            notes.push("SIMULATED: images and zones are those of a simulated world".to_owned());
        }
        if self.offline {
            notes.push("AWS was not asked (--offline): what it knows is left open".to_owned());
        }
        notes.extend(self.failures.iter().map(|failure| match &failure.hint {
            Some(hint) => format!("Not found out: {failure} ({hint})"),
            None => format!("Not found out: {failure}"),
        }));
        notes
    }

    fn fail(&mut self, error: &CloudError) {
        let failure = Failure::from(error);
        if !self.failures.contains(&failure) {
            self.failures.push(failure);
        }
    }
}

fn door(
    args: &InitArgs,
    waits: &Waits,
) -> std::result::Result<(Asked, Option<Arc<dyn Cloud>>), CliError> {
    let mut asked = Asked { simulated: args.scenario.is_some(), ..Asked::default() };
    let timeout = args.aws_timeout.unwrap_or(PATIENCE);
    match session::door(args.scenario.as_deref(), Some(timeout))? {
        Ok(cloud) => Ok((asked, Some(Arc::new(Registered::new(cloud, waits.clone()))))),
        Err(failure) => {
            asked.failures.push(failure);
            Ok((asked, None))
        }
    }
}

/// What is known for the configs that are made from `base`.
pub async fn of_base(
    args: &InitArgs,
    base: &Base,
    regions: &[Region],
    waits: &Waits,
) -> std::result::Result<Asked, CliError> {
    let (mut asked, cloud) = door(args, waits)?;
    let Some(cloud) = cloud else { return Ok(asked) };
    let ids = named::values(&named::images(&base.config));
    let images = match cloud.images(base.region(), &ids).await {
        Ok(images) => images,
        Err(error) => {
            asked.fail(&error);
            // Who can't ask at home can't ask abroad.
            if error.not_asked() {
                return Ok(asked);
            }
            Vec::new()
        }
    };
    let types = named::values(&named::instance_types(&base.config));
    let answers = regions.iter().map(|region| region_of(&*cloud, region, &images, &types));
    for (region, answer) in regions.iter().zip(join_all(answers).await) {
        match answer {
            Ok(known) => _ = asked.known.insert(region.clone(), known),
            Err(error) => asked.fail(&error),
        }
    }
    Ok(asked)
}

async fn region_of(
    cloud: &dyn Cloud,
    region: &Region,
    images: &[Image],
    types: &[InstanceType],
) -> Result<Known> {
    let (zones, same) = tokio::join!(
        zones(cloud, region, types),
        join_all(images.iter().map(|image| same_image(cloud, region, image)))
    );
    let same = images.iter().map(|image| image.id.clone()).zip(same);
    let images = same.map(|(id, same)| Ok((id, same?))).collect::<Result<_>>()?;
    Ok(Known { zones: zones?, images })
}

/// The zones that offer all of `types`.
async fn zones(cloud: &dyn Cloud, region: &Region, types: &[InstanceType]) -> Result<Vec<Zone>> {
    let offerings = cloud.offerings(region, types).await?;
    let all: BTreeSet<_> = offerings.iter().map(|offering| offering.zone.clone()).collect();
    let offers = |zone: &Zone| {
        let here = |wanted: &InstanceType| {
            offerings.iter().any(|one| one.zone == *zone && one.instance_type == *wanted)
        };
        types.iter().all(here)
    };
    // Local zones are named us-west-2-lax-1a: opted in to one by one.
    let usual =
        |zone: &Zone| zone.as_str().matches('-').count() == region.as_str().matches('-').count();
    Ok(all.into_iter().filter(|zone| usual(zone) && offers(zone)).collect())
}

/// The image of the same name and owner in `region`.
async fn same_image(cloud: &dyn Cloud, region: &Region, image: &Image) -> Result<Option<ImageId>> {
    let name = ImageName::Exact(image.name.clone());
    let same = cloud.images_named(region, &image.owner, &name).await?;
    let usable = same
        .into_iter()
        .find(|one| one.state == ImageState::Available && one.architecture == image.architecture);
    Ok(usable.map(|one| one.id))
}

/// The images for the first configs: the one that is given where it is at
/// home and by its name elsewhere, or the newest Ubuntu.
pub async fn of_first(
    args: &InitArgs,
    scope: &First,
    waits: &Waits,
) -> std::result::Result<Asked, CliError> {
    let (mut asked, cloud) =
        if args.offline { (Asked::offline(), None) } else { door(args, waits)? };
    let home = scope.regions.first().cloned().unwrap_or_default();
    let given = args.first.image.as_ref();
    asked.images = given.map(|id| as_given(id, &home, &scope.regions)).unwrap_or_default();
    let Some(cloud) = cloud else { return Ok(asked) };
    let image = match given {
        Some(id) => match cloud.images(&home, std::slice::from_ref(id)).await {
            Ok(images) => images.into_iter().next(),
            Err(error) => {
                asked.fail(&error);
                return Ok(asked);
            }
        },
        None => None,
    };
    let answers = scope.regions.iter().map(|region| -> Answer<'_> {
        match (&image, given) {
            (Some(image), _) => Box::pin(named_so(&*cloud, region, image)),
            // What is not known at home has no name to go by.
            (None, Some(_)) => Box::pin(std::future::ready(Ok(None))),
            (None, None) => Box::pin(ubuntu(&*cloud, region, &scope.instance_type)),
        }
    });
    for (region, answer) in scope.regions.iter().zip(join_all(answers).await) {
        match answer {
            Ok(Some(found)) => _ = asked.images.insert(region.clone(), found),
            Ok(None) => {}
            Err(error) => asked.fail(&error),
        }
    }
    Ok(asked)
}

/// The image that is given, marked where it can't be right.
fn as_given(id: &ImageId, home: &Region, all: &[Region]) -> BTreeMap<Region, (ImageId, String)> {
    let note = |region: &Region| {
        if region == home {
            "as given".to_owned()
        } else {
            format!("muster: of {home}; `muster fix` finds or copies it here")
        }
    };
    all.iter().map(|region| (region.clone(), (id.clone(), note(region)))).collect()
}

type Answer<'a> =
    std::pin::Pin<Box<dyn Future<Output = Result<Option<(ImageId, String)>>> + Send + 'a>>;

async fn named_so(
    cloud: &dyn Cloud,
    region: &Region,
    image: &Image,
) -> Result<Option<(ImageId, String)>> {
    let same = same_image(cloud, region, image).await?;
    Ok(same.map(|id| (id, image.name.clone())))
}

/// The newest Ubuntu 22.04 for `instance_type`: its Python is one that Ray and
/// Quokka have packages for.
async fn ubuntu(
    cloud: &dyn Cloud,
    region: &Region,
    instance_type: &InstanceType,
) -> Result<Option<(ImageId, String)>> {
    let types = cloud.instance_types(region, std::slice::from_ref(instance_type)).await?;
    let is_arm = types.iter().flat_map(|info| &info.architectures).any(|name| name == "arm64");
    let kind = if is_arm { "arm64" } else { "amd64" };
    let start = format!("ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-{kind}-server-");
    let name = ImageName::StartsWith(start);
    let images = cloud.images_named(region, CANONICAL, &name).await?;
    let usable = images.into_iter().filter(|image| image.state == ImageState::Available);
    // Their names end in the day on which they were built.
    let newest = usable.max_by(|a, b| a.name.cmp(&b.name));
    Ok(newest.map(|image| (image.id, image.name)))
}
