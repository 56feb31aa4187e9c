//! What a project names, each thing once.

use crate::{
    config::{NodeTemplate, Project, RegionConfig, Sourced},
    model::{ImageId, InstanceType, KeyName, SecurityGroupId, SubnetId},
};

/// The images that a region's node groups name, each once, where it is first written.
pub fn images(config: &RegionConfig) -> Vec<&Sourced<ImageId>> {
    distinct(templates(config).filter_map(|template| template.image.as_ref()))
}

/// The key pairs that a region's node groups name, each once.
pub fn key_names(config: &RegionConfig) -> Vec<&Sourced<KeyName>> {
    distinct(templates(config).filter_map(|template| template.key_name.as_ref()))
}

/// The security groups that a region's node groups name, each once.
pub fn security_groups(config: &RegionConfig) -> Vec<&Sourced<SecurityGroupId>> {
    distinct(templates(config).flat_map(|template| &template.security_groups))
}

/// The names that security groups have to be found by, each once.
pub fn group_names(config: &RegionConfig) -> Vec<&Sourced<String>> {
    distinct(config.groups.iter().flat_map(|group| config.named_groups(group)))
}

/// The subnets that a region's node groups name, each once.
pub fn subnets(config: &RegionConfig) -> Vec<&Sourced<SubnetId>> {
    distinct(templates(config).flat_map(|template| &template.subnets))
}

/// The instance types of a region's node groups, each once.
pub fn instance_types(config: &RegionConfig) -> Vec<&Sourced<InstanceType>> {
    distinct(templates(config).map(|template| &template.instance_type))
}

/// Whether some node group names no subnet and takes the default ones.
pub fn wants_default_subnets(config: &RegionConfig) -> bool {
    templates(config).any(|template| template.subnets.is_empty())
}

fn templates(config: &RegionConfig) -> impl Iterator<Item = &NodeTemplate> {
    config.groups.iter().map(|group| &group.template)
}

/// The images of all regions: each region is asked for all of them, so that
/// an id copied from another region is recognised.
pub fn all_images(project: &Project) -> Vec<ImageId> {
    values(&distinct(project.regions.iter().flat_map(images)))
}

/// The values alone.
pub fn values<T: Clone>(sourced: &[&Sourced<T>]) -> Vec<T> {
    sourced.iter().map(|item| item.value.clone()).collect()
}

fn distinct<'a, T: PartialEq>(items: impl Iterator<Item = &'a Sourced<T>>) -> Vec<&'a Sourced<T>> {
    let mut found: Vec<&Sourced<T>> = Vec::new();
    for item in items {
        if !found.iter().any(|other| other.value == item.value) {
            found.push(item);
        }
    }
    found
}
