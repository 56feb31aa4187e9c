//! One Ray config, Ray's cluster-launcher YAML, into a [`RegionConfig`] of it alone.

mod auth;
mod commands;
mod legacy;
mod node_types;
mod ray;
mod security_group;

pub(super) use legacy::place_of;

use std::path::Path;

use super::{
    Diagnostic, FileMounts, NodeGroup, RayConfig, RegionConfig, Source, Sourced, aws,
    diagnostic::ids,
    keys::{self, REGION},
    reader::{ConfigReader, Cursor},
    text,
    yaml::Node,
};
use crate::model::{Region, Zone};

/// What holds for all region configs of a project while they are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around<'a> {
    /// Where relative paths start from.
    pub folder: &'a Path,
    /// Whether the recipe runs the configs' own commands that start Ray.
    pub starts_ray: bool,
}

/// Reads the tree of `source`. `None` where something needed is missing or wrong; every reason is reported.
pub(super) fn read(
    source: &Source,
    root: &Node,
    around: Around<'_>,
    reader: &mut ConfigReader,
) -> Option<RegionConfig> {
    let place = Cursor::root(root);
    if let Some(wrong) = not_a_region_config(source, &place) {
        reader.report(wrong);
        return None;
    }
    let others = std::mem::take(&mut reader.unsupported);
    let config = read_config(source, &place, around, reader);
    let unsupported = std::mem::replace(&mut reader.unsupported, others);
    config.map(|(config, groups)| RegionConfig {
        region: config.region.clone(),
        configs: vec![RayConfig { unsupported, ..config }],
        groups,
    })
}

fn read_config(
    source: &Source,
    place: &Cursor<'_>,
    around: Around<'_>,
    reader: &mut ConfigReader,
) -> Option<(RayConfig, Vec<NodeGroup>)> {
    keys::check(&REGION, place, reader);
    let cluster_name = cluster_name(place, reader);
    let provider = provider(place, reader);
    let auth = auth::read(place, around.folder, reader);
    let groups = node_types::read(place, reader);
    let commands = commands::read(source, place, around.starts_ray, reader);
    let file_mounts = FileMounts::read(place, around.folder, reader);
    let (provider, mut groups) = (provider?, groups?);
    let mut config = RayConfig {
        source: source.clone(),
        cluster_name: cluster_name?,
        region: provider.region?,
        zones: provider.zones,
        use_internal_ips: provider.use_internal_ips,
        ssh_user: auth.user?,
        ssh_private_key: auth.private_key,
        ssh_proxy: auth.proxy,
        group_to_make: security_group::read(place, &groups, reader),
        commands,
        file_mounts,
        unsupported: Vec::new(),
    };
    ray::fill_in(&mut config, &mut groups, place, reader);
    Some((config, groups))
}

/// A file that is something else altogether gets one diagnostic, not twenty.
fn not_a_region_config(source: &Source, place: &Cursor<'_>) -> Option<Diagnostic> {
    let is_config = ["cluster_name", "provider", "available_node_types"];
    if is_config.iter().any(|key| place.get(key).is_some()) {
        return None;
    }
    let name = text::shown(&source.path.to_string_lossy());
    let message = format!("`{name}` is not a Ray cluster config");
    let help = "such a config has `cluster_name`, `provider` and `available_node_types` at its top";
    Some(place.error(ids::NOT_A_CONFIG, message).help(help))
}

fn cluster_name(place: &Cursor<'_>, reader: &mut ConfigReader) -> Option<Sourced<String>> {
    let why = "name the cluster; Ray and Quokka find its nodes by this name";
    let place = reader.required(place, "cluster_name", why)?;
    reader.text(&place)
}

struct Provider {
    region: Option<Sourced<Region>>,
    zones: Vec<Sourced<Zone>>,
    use_internal_ips: bool,
}

fn provider(place: &Cursor<'_>, reader: &mut ConfigReader) -> Option<Provider> {
    let why = "add `provider:` with `type: aws` and `region:`";
    let place = reader.required(place, "provider", why)?;
    let place = reader.map(place)?;
    check_type(&place, reader);
    let region = region(&place, reader);
    let zones = place
        .get("availability_zone")
        .map(|zones| self::zones(&zones, region.as_ref(), reader))
        .unwrap_or_default();
    let internal = place.get("use_internal_ips").and_then(|flag| reader.flag(&flag));
    Some(Provider { region, zones, use_internal_ips: internal.unwrap_or(false) })
}

fn check_type(provider: &Cursor<'_>, reader: &mut ConfigReader) {
    let Some(place) = reader.required(provider, "type", "add `type: aws`") else { return };
    let Some(kind) = reader.text(&place) else { return };
    if *kind != "aws" {
        let message = format!("the provider `{}` is not AWS", text::shown(&kind));
        let help = "muster assembles clusters on AWS only: `type: aws`";
        reader.report(place.error(ids::PROVIDER_TYPE, message).help(help));
    }
}

fn region(provider: &Cursor<'_>, reader: &mut ConfigReader) -> Option<Sourced<Region>> {
    let why = "name this config's AWS region, such as `us-west-2`";
    let place = reader.required(provider, "region", why)?;
    let name = reader.text(&place)?;
    if aws::REGIONS.contains(&name.as_str()) {
        return Some(name.map(Region::from));
    }
    let known = keys::suggestion(&name, aws::REGIONS.into_iter());
    let shown = text::shown(&name);
    if aws::is_region_name(&name) {
        let help = known.unwrap_or_else(|| "EC2 will say whether it exists".into());
        let message = format!("muster does not know the region `{shown}`");
        reader.report(place.warning(ids::REGION_UNKNOWN, message).help(help));
        return Some(name.map(Region::from));
    }
    let help = known.unwrap_or_else(|| "a region is named like `us-west-2`".into());
    let message = format!("`{shown}` is no name of an AWS region");
    reader.report(place.error(ids::REGION_SYNTAX, message).help(help));
    None
}

/// `us-west-2a,us-west-2b`: several zones in one text.
fn zones(
    place: &Cursor<'_>,
    region: Option<&Sourced<Region>>,
    reader: &mut ConfigReader,
) -> Vec<Sourced<Zone>> {
    let Some(text) = reader.text(place) else { return Vec::new() };
    let mut zones = Vec::new();
    let mut start = 0;
    for part in text.split(',') {
        let (name, from) = (part.trim(), start + part.len() - part.trim_start().len());
        start += part.len() + 1;
        if !name.is_empty() {
            let location = place.location_of(from..from + name.len());
            zones.push(Sourced::written(Zone::from(name), location));
        }
    }
    for zone in region.into_iter().flat_map(|region| strangers(&zones, region)) {
        reader.report(zone.key(place.path()));
    }
    zones
}

/// What there is to say of zones that are not of `region`.
fn strangers(zones: &[Sourced<Zone>], region: &Region) -> Vec<Diagnostic> {
    let strangers = zones.iter().filter(|zone| !is_zone_of(zone.as_str(), region.as_str()));
    let describe = |zone: &Sourced<Zone>| {
        let message = format!("`{}` is not a zone of {region}", text::shown(zone.as_str()));
        let help = format!("its zones are named like `{region}a`");
        let diagnostic = Diagnostic::error(ids::ZONE, message).help(help);
        zone.location().map_or(diagnostic.clone(), |location| diagnostic.at(location.clone()))
    };
    strangers.map(describe).collect()
}

/// `us-west-2a`; a local zone is `us-west-2-lax-1a`.
pub(super) fn is_zone_of(name: &str, region: &str) -> bool {
    name.strip_prefix(region).is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '-')
            && rest.ends_with(|c: char| c.is_ascii_lowercase())
    })
}
