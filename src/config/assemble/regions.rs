//! Each region once, with all its configs. Ray distinguishes clusters by region
//! and name, and so does muster: the nodes of a region's further configs go by
//! their `cluster_name`.

use super::is_name;
use crate::config::{
    Diagnostic, RayConfig, RegionConfig, diagnostic::ids, reader::ConfigReader, text,
};

/// What was read of the files, one region each, by region.
pub(super) fn merge(read: Vec<RegionConfig>, reader: &mut ConfigReader) -> Vec<RegionConfig> {
    let mut regions: Vec<RegionConfig> = Vec::new();
    for one in read {
        match regions.iter_mut().find(|region| *region.region == *one.region) {
            Some(region) => join(region, one, reader),
            None => regions.push(one),
        }
    }
    regions
}

/// Puts `other`, a further config of the same region, behind those of `region`.
fn join(region: &mut RegionConfig, other: RegionConfig, reader: &mut ConfigReader) {
    for config in &other.configs {
        let mut earlier = region.configs.iter();
        match earlier.find(|one| one.cluster_name.eq_ignore_ascii_case(&config.cluster_name)) {
            Some(same) => reader.report(twice(same, config)),
            None if !is_name(&config.cluster_name) => reader.report(no_name(region, config)),
            None => {}
        }
    }
    let before = region.configs.len();
    region.configs.extend(other.configs);
    let groups = other.groups.into_iter();
    region.groups.extend(groups.map(|mut group| {
        group.config += before;
        group
    }));
}

/// Names become files, and not every file system distinguishes `GPU` from `gpu`.
fn twice(earlier: &RayConfig, config: &RayConfig) -> Diagnostic {
    let name = text::shown(&config.cluster_name);
    let message = format!("{} has two configs of the cluster `{name}`", *config.region);
    let place = earlier.cluster_name.location().map(ToString::to_string).unwrap_or_default();
    let help = format!(
        "{place} is the other; give one of the two a different `cluster_name`, by which Ray \
         distinguishes them, or describe all these nodes in one config"
    );
    about(config, ids::CLUSTER_TWICE, message).help(help)
}

fn no_name(region: &RegionConfig, config: &RayConfig) -> Diagnostic {
    let name = text::shown(&config.cluster_name);
    let message = format!("`{name}` can't name nodes of {}", *region.region);
    let first = region.configs.first().and_then(|first| first.region.location());
    let first = first.map(|place| format!(" next to {place}")).unwrap_or_default();
    let help = format!(
        "the nodes of a region's further config{first} go by its `cluster_name`: at most 40 \
         letters, digits, `-`, `_` and `.`, a letter or digit first"
    );
    about(config, ids::CLUSTER_NAME, message).help(help)
}

fn about(config: &RayConfig, id: &'static str, message: String) -> Diagnostic {
    let mut diagnostic = Diagnostic::error(id, message).key("cluster_name");
    diagnostic.location = config.cluster_name.location().cloned();
    diagnostic
}
