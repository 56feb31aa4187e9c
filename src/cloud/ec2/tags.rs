//! `DescribeTags`, `CreateTags`, and tags within the calls that make something.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{self, ResourceType, TagDescription, TagSpecification};

use super::{
    client::RegionClient,
    filter,
    made::{self, MadeId},
    parse::{Parsed, Unreadable},
};
use crate::cloud::{Ref, Result, Tagged, Tags};

const OPERATION: &str = "DescribeTags";

/// What carries a tag of one of these keys. EC2 returns one entry per tag.
pub(super) async fn describe(at: &RegionClient, keys: &[&str]) -> Result<Vec<Tagged>> {
    let tags = filter::in_chunks("key", keys, |filter| async move {
        let pages = at.client.describe_tags().filters(filter).into_paginator().page_size(1000);
        let tags = pages.items().send().try_collect().await;
        at.read(OPERATION, tags.map_err(|error| at.failed(OPERATION, &error))?, tag)
    });
    Ok(by_resource(tags.await?))
}

/// A tag on its own: whose it is, of what kind that is, key and value.
type Single = (String, String, String, String);

fn tag(tag: TagDescription) -> Parsed<Single> {
    let kind = tag.resource_type.map(|kind| kind.as_str().to_owned()).unwrap_or_default();
    let id = tag.resource_id.ok_or(Unreadable("resourceId"))?;
    Ok((id, kind, tag.key.ok_or(Unreadable("key"))?, tag.value.unwrap_or_default()))
}

fn by_resource(tags: Vec<Single>) -> Vec<Tagged> {
    let mut found = BTreeMap::new();
    for (id, kind, key, value) in tags {
        let tagged = || Tagged { id: id.clone(), kind, tags: Tags::new() };
        found.entry(id.clone()).or_insert_with(tagged).tags.insert(key, value);
    }
    found.into_values().collect()
}

/// Tags existing resources.
pub(super) async fn create(at: &RegionClient, resources: &[Ref], tags: &Tags) -> Result<MadeId> {
    let ids = resources.iter().map(|one| made::id(one).to_owned()).collect();
    let call = at.client.create_tags().set_resources(Some(ids));
    let call = call.set_tags(Some(sdk(tags).collect())).customize();
    at.done("CreateTags", call.config_override(at.single_attempt()).send()).await
}

/// Tags on everything of these kinds that a call makes, so that nothing is
/// ever there without. `None` where there are no tags: EC2 refuses a
/// specification without.
pub(super) fn on<const N: usize>(
    kinds: [ResourceType; N],
    tags: &Tags,
) -> Option<Vec<TagSpecification>> {
    if tags.is_empty() {
        return None;
    }
    let builder = TagSpecification::builder().set_tags(Some(sdk(tags).collect()));
    Some(kinds.into_iter().map(|kind| builder.clone().resource_type(kind).build()).collect())
}

/// Tags as the SDK has them.
pub(super) fn sdk(tags: &Tags) -> impl Iterator<Item = types::Tag> {
    tags.iter().map(|(key, value)| types::Tag::builder().key(key).value(value).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_listed_one_by_one_are_grouped_by_resource() {
        let single = |id: &str, key: &str| {
            let tag = TagDescription::builder().resource_id(id).resource_type(ResourceType::Vpc);
            super::tag(tag.key(key).value("x").build())
        };
        let read: Parsed<Vec<_>> =
            [single("vpc-1", "a"), single("vpc-2", "a"), single("vpc-1", "b")]
                .into_iter()
                .collect();
        let both = Tags::from([("a".into(), "x".into()), ("b".into(), "x".into())]);
        let one = Tags::from([("a".into(), "x".into())]);
        let kind = || "vpc".to_owned();
        let expected = vec![
            Tagged { id: "vpc-1".into(), kind: kind(), tags: both },
            Tagged { id: "vpc-2".into(), kind: kind(), tags: one },
        ];
        assert_eq!(read.map(by_resource), Ok(expected));
    }

    #[test]
    fn without_tags_nothing_is_specified() {
        assert_eq!(on([ResourceType::Vpc], &Tags::new()), None);
    }
}
