//! The instance types.

use crate::{
    config::{NodeGroup, Sourced},
    model::{InstanceType, Zone},
    survey::{Absent, named},
};

use super::{
    Finding,
    context::{Context, Judged, RegionView, and, settle},
};

/// `type.offered`
pub(super) fn offered(ctx: &Context<'_>) -> Vec<Finding> {
    let of_region = |place: &RegionView<'_>| -> Vec<Finding> {
        let types = named::instance_types(place.config).into_iter();
        types.map(|name| settle(judge(place, name)).at(name.location())).collect()
    };
    ctx.places("type.offered").iter().flat_map(of_region).collect()
}

fn judge(place: &RegionView<'_>, name: &Sourced<InstanceType>) -> Judged<Finding> {
    if place.facts.instance_type(name) == Err(Absent::Missing) {
        return Ok(no_such_type(place, name));
    }
    let offerings = place.facts.offerings.get().map_err(|a| place.absent(a, "the offerings"))?;
    let of_type = offerings.iter().filter(|offering| offering.instance_type == name.value);
    let offered: Vec<&Zone> = of_type.map(|offering| &offering.zone).collect();
    let wanted = zones(place, name).map_err(|a| place.absent(a, "the subnets"))?;
    let (with, without): (Vec<&Zone>, Vec<&Zone>) =
        wanted.into_iter().partition(|zone| offered.contains(zone));
    Ok(verdict(place, name, &with, &without, &offered))
}

fn no_such_type(place: &RegionView<'_>, name: &InstanceType) -> Finding {
    place
        .fail(format!("there is no instance type {name} here"))
        .impact("RunInstances would fail with InvalidParameterValue or Unsupported")
        .todo("correct InstanceType, or take one that this region has")
}

/// The zones that nodes of the type may be launched in.
fn zones<'a>(place: &RegionView<'a>, name: &InstanceType) -> Result<Vec<&'a Zone>, Absent<'a>> {
    let mut zones = Vec::new();
    for group in place.config.groups.iter().filter(|group| has_type(group, name)) {
        let subnets = place.facts.subnets_of(place.config, group)?;
        zones.extend(subnets.into_iter().map(|subnet| &subnet.zone));
    }
    zones.sort();
    zones.dedup();
    Ok(zones)
}

fn has_type(group: &NodeGroup, name: &InstanceType) -> bool {
    group.template.instance_type.value == *name
}

fn verdict(
    place: &RegionView<'_>,
    name: &InstanceType,
    with: &[&Zone],
    without: &[&Zone],
    offered: &[&Zone],
) -> Finding {
    if without.is_empty() {
        return place.pass(format!("{name} is offered in {}", and(with)));
    }
    if !with.is_empty() {
        return place
            .warn(format!("{name} is not offered in {}", and(without)))
            .seen(format!("it is in {}", and(with)))
            .todo("nothing, as long as the zones that have it have capacity");
    }
    let elsewhere = if offered.is_empty() { "no zone here".into() } else { and(offered) };
    place
        .fail(format!("{name} is not offered in {}", and(without)))
        .seen(format!("it is offered in {elsewhere}"))
        .impact("RunInstances would fail with Unsupported")
        .todo("name SubnetIds of a zone that has it, or another InstanceType")
}
