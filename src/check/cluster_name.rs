//! Whether other instances already carry the cluster's Ray name.

use std::{collections::BTreeSet, path::Path};

use crate::{
    cloud::{Instance, tags},
    config::RayConfig,
};

use super::{
    Finding,
    context::{Context, RegionView, and, count},
};

/// The check that other instances carry the cluster's Ray name, which an adoption resolves.
pub const NAME_TAKEN: &str = "cluster.name-taken";

/// `cluster.name-taken`
pub(super) fn taken(ctx: &Context<'_>) -> Vec<Finding> {
    let of_region = |place: RegionView<'_>| -> Vec<Finding> {
        match place.facts.instances.get() {
            Ok(all) => {
                let configs = place.config.configs.iter();
                configs.map(|config| judge(ctx, &place, config, all)).collect()
            }
            Err(absent) => {
                let config = place.config.configs.first();
                let location = config.and_then(|config| config.cluster_name.location());
                vec![place.absent(absent, "the instances").at(location)]
            }
        }
    };
    ctx.places(NAME_TAKEN).into_iter().flat_map(of_region).collect()
}

fn judge(
    ctx: &Context<'_>,
    place: &RegionView<'_>,
    config: &RayConfig,
    instances: &[Instance],
) -> Finding {
    let name = &config.cluster_name;
    let live = instances.iter().filter(|instance| is_named(instance, name));
    let (own, others): (Vec<_>, Vec<_>) = live.partition(|instance| is_own(ctx, instance));
    let finding = if others.is_empty() {
        free(place, name, own.len())
    } else {
        in_use(place, config, &others, own.is_empty())
    };
    finding.at(name.location())
}

fn is_named(instance: &Instance, name: &str) -> bool {
    let tag = instance.tags.get(tags::RAY_CLUSTER_NAME);
    instance.state.is_live() && tag.is_some_and(|tag| tag == name)
}

fn is_own(ctx: &Context<'_>, instance: &Instance) -> bool {
    let tag = instance.tags.get(tags::CLUSTER);
    ctx.own.is_some_and(|own| tag.is_some_and(|tag| tag == own.as_str()))
}

fn free(place: &RegionView<'_>, name: &str, own: usize) -> Finding {
    match own {
        0 => place.pass(format!("no other cluster is named {name}")),
        own => place
            .pass(format!("only this cluster is named {name}"))
            .seen(format!("{} of its own", count(own as u64, "instance"))),
    }
}

fn in_use(
    place: &RegionView<'_>,
    config: &RayConfig,
    others: &[&Instance],
    none_own: bool,
) -> Finding {
    let name = &*config.cluster_name;
    let file = &config.source.path;
    let may_adopt = none_own && others.iter().any(|one| !one.tags.contains_key(tags::CLUSTER));
    let adopt = if may_adopt { ADOPT } else { "" };
    let end = end(others, file);
    place
        .fail(format!("{} of another cluster named {name}", count(others.len() as u64, "instance")))
        .seen(and(others.iter().map(|instance| &instance.id)))
        .impact("Ray's tools and pyquokka would take them for nodes of this cluster")
        .todo(format!(
            "give this one a different cluster_name, or terminate that one: {end}{adopt}"
        ))
}

/// The alternative for instances of `ray up` from the same configs.
const ADOPT: &str =
    "; or, if `ray up` launched it from these configs, adopt it: `muster up --adopt`";

/// The command that terminates `others`: clusters of muster's own are known by their ids.
fn end(others: &[&Instance], file: &Path) -> String {
    let ids: BTreeSet<_> =
        others.iter().filter_map(|instance| instance.tags.get(tags::CLUSTER)).collect();
    let mut ways: Vec<_> = ids.iter().map(|id| format!("muster down --cluster {id}")).collect();
    if others.iter().any(|instance| !instance.tags.contains_key(tags::CLUSTER)) {
        ways.push(format!("ray down {}", file.display()));
    }
    ways.join(" and ")
}
