//! Key pairs and images: created, and found again.
#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

use std::time::Duration;

use muster::cloud::{Change, Image, ImageName, ImageState, PublicKey, Tags, tags};
use tokio::time::{sleep, timeout};

use super::world::{IMAGE, IMAGE_NAME, PUBLIC_KEY, World, tagged_as};

/// Canonical's account.
const CANONICAL: &str = "099720109477";
const RSA: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC2okaXlSZOaSSa8iqkHOodSl3M1cbGXrlCdCxWnb3amSfKswP23Qq1M0PNhNdjUV/p4r2F/jftBOpFYgweWIBGcwp9GCbg+qMfT2tx7IPoqDHSJMS5tuiaHTDRI1WaLTBzhK2OTw9htlwjeBvfCfYfU+M96YCzrBNwIo+B9lg0uWaNbBTlP3qvRgf83luw2iCheQhP5577Ho3RdFG86Q9YGUegJOLUU3Kzhl1Zp0KrkLMSx/oFd0f/rjScHSQkaU7J81YMawqYVdXJPrX+rNtz7WgrhCSY3BPCF3l5sCJLQcawPEqMhdpO7sNx3uDPF0YbVp+WLOLFTr0HPGqnanBV";

pub async fn an_imported_key_is_described_with_its_public_half(world: &World) {
    let region = &world.west.region;
    for (name, line) in [("rsa", RSA), ("ed25519", PUBLIC_KEY)] {
        let public_key = PublicKey::parse(line).unwrap();
        let key = public_key.clone();
        let import = Change::ImportKeyPair { name: name.into(), public_key, tags: tagged_as(name) };
        let id = world.make(region, import).await;
        assert!(id.starts_with("key-"), "{id}");
        let pairs = world.cloud.key_pairs(region, &[name.into()]).await.unwrap();
        let [pair] = &pairs[..] else { unreachable!("one pair: {pairs:?}") };
        assert_eq!((pair.name.as_str(), pair.public_key.as_ref()), (name, Some(&key)));
        let tagged = world.cloud.tagged(region, &[tags::REMEDY]).await.unwrap();
        let tagged = tagged.iter().find(|one| one.id == id).unwrap();
        assert_eq!(tagged.kind, "key-pair");
        assert_eq!(tagged.tags[tags::REMEDY], name);
    }
}

pub async fn an_image_is_found_by_owner_and_name(world: &World) {
    let (cloud, region) = (&world.cloud, &world.east.region);
    let exact = |name: &str| ImageName::Exact(name.into());
    let found = cloud.images_named(region, CANONICAL, &exact(IMAGE_NAME)).await.unwrap();
    let ids: Vec<_> = found.iter().map(|image| image.id.as_str()).collect();
    assert_eq!(ids, [IMAGE]);
    for (owner, name) in [("123456789012", IMAGE_NAME), (CANONICAL, "nobodys")] {
        assert_eq!(cloud.images_named(region, owner, &exact(name)).await.unwrap(), []);
    }
}

pub async fn images_are_found_by_the_start_of_their_names(world: &World) {
    let (cloud, region) = (&world.cloud, &world.east.region);
    // Their names end in the date, which is not known in advance.
    let (start, _) = IMAGE_NAME.rsplit_once('-').unwrap();
    let name = ImageName::StartsWith(format!("{start}-"));
    let found = cloud.images_named(region, CANONICAL, &name).await.unwrap();
    assert!(found.iter().any(|image| image.id.as_str() == IMAGE), "{found:?}");
    assert!(found.iter().all(|image| image.name.starts_with(start)), "{found:?}");
    for name in [
        ImageName::Exact(format!("{start}-*")),
        ImageName::StartsWith(format!("{start}?")),
        ImageName::StartsWith(format!("*{start}")),
    ] {
        let found = cloud.images_named(region, CANONICAL, &name).await.unwrap();
        assert_eq!(found, [], "{name:?}");
    }
}

fn copy(token: &str) -> Change {
    Change::CopyImage {
        name: format!("copied for {token}"),
        image: IMAGE.into(),
        from: "us-west-2".into(),
        token: token.into(),
        tags: tagged_as("image"),
    }
}

async fn available(world: &World, id: &str) -> Image {
    let ids = [id.into()];
    let look = async {
        loop {
            let found = world.cloud.images(&world.east.region, &ids).await.unwrap();
            let [image] = &found[..] else { unreachable!("one image: {found:?}") };
            if image.state == ImageState::Available {
                return image.clone();
            }
            sleep(Duration::from_millis(500)).await;
        }
    };
    timeout(Duration::from_mins(10), look).await.unwrap()
}

pub async fn a_copied_image_becomes_available(world: &World) {
    let id = world.make(&world.east.region, copy("one")).await;
    assert!(id.starts_with("ami-"), "{id}");
    let image = available(world, &id).await;
    assert_eq!((image.name.as_str(), image.architecture.as_str()), ("copied for one", "x86_64"));
}

pub async fn an_image_is_copied_once_a_token(world: &World) {
    let region = &world.east.region;
    let id = world.make(region, copy("two")).await;
    assert_eq!(world.make(region, copy("two")).await, id);
    let tagged = world.cloud.tagged(region, &[tags::REMEDY]).await.unwrap();
    let kinds: Vec<_> = tagged.iter().map(|one| one.kind.as_str()).collect();
    assert_eq!(kinds, ["image", "snapshot"]);
    let other = Change::CopyImage {
        name: "another".into(),
        image: IMAGE.into(),
        from: "us-west-2".into(),
        token: "two".into(),
        tags: Tags::new(),
    };
    assert_eq!(world.refusal(region, other).await, "IdempotentParameterMismatch");
}

pub async fn a_copy_launches_only_once_it_is_available(world: &World) {
    let (cloud, east) = (&world.cloud, &world.east);
    let id = world.make(&east.region, copy("three")).await;
    let mut request = east.request(1, "of-a-copy");
    request.image = id.as_str().into();
    let refused = cloud.launch(&east.region, &request).await.unwrap_err();
    assert_eq!(refused.code.as_deref(), Some("InvalidAMIID.Unavailable"));
    available(world, &id).await;
    assert_eq!(cloud.launch(&east.region, &request).await.unwrap().len(), 1);
}

pub async fn tags_are_added_to_what_is_there(world: &World) {
    let site = &world.west;
    let resources = || vec![site.vpc.as_str().into(), site.group.as_str().into()];
    let tags = Tags::from([("later".into(), "yes".into())]);
    let tag = Change::CreateTags { resources: resources(), tags: tags.clone() };
    world.change(&site.region, tag).await;
    let found = world.cloud.tagged(&site.region, &["later"]).await.unwrap();
    let mut ids: Vec<_> = found.iter().map(|one| one.id.as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, [site.group.as_str(), site.vpc.as_str()]);
    assert!(found.iter().all(|one| one.tags == tags), "only the requested ones: {found:?}");
    assert_eq!(world.cloud.tagged(&world.east.region, &["later"]).await.unwrap(), []);
    assert_eq!(world.cloud.tagged(&site.region, &[]).await.unwrap(), []);
}

/// Also by the tags set at launch.
pub async fn instances_are_found_by_their_tags(world: &World) {
    let site = &world.west;
    let launched = world.cloud.launch(&site.region, &site.request(1, "tagged")).await.unwrap();
    let tagged = world.cloud.tagged(&site.region, &["test"]).await.unwrap();
    let tagged = tagged.iter().find(|one| one.id == launched[0].id.as_str()).unwrap();
    assert_eq!((tagged.kind.as_str(), tagged.tags["test"].as_str()), ("instance", "tagged"));
}
