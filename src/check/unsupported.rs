//! Config keys that muster does not support.

use crate::config::Unsupported;

use super::{
    Finding,
    context::{Context, RegionView},
};

/// `config.unsupported`
pub(super) fn unsupported(ctx: &Context<'_>) -> Vec<Finding> {
    ctx.places("config.unsupported").iter().flat_map(of_region).collect()
}

/// Returns nothing for a config that is fully supported.
fn of_region(place: &RegionView<'_>) -> Vec<Finding> {
    let all = place.config.configs.iter().flat_map(|config| &config.unsupported);
    all.map(|one| refused(place, one)).collect()
}

fn refused(place: &RegionView<'_>, one: &Unsupported) -> Finding {
    place
        .fail(one.message.clone())
        .seen(one.key.clone())
        .impact("nodes other than those that the config describes: nothing is launched with it")
        .todo(one.help.clone())
        .at(Some(&one.location))
}
