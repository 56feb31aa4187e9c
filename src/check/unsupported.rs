//! What the configs ask for and muster can't carry out.

use crate::config::Unsupported;

use super::{
    Finding,
    context::{Context, Place},
};

/// `config.unsupported`
pub(super) fn unsupported(ctx: &Context<'_>) -> Vec<Finding> {
    ctx.places("config.unsupported").iter().flat_map(of_region).collect()
}

/// Nothing is said of a config that is carried out whole.
fn of_region(place: &Place<'_>) -> Vec<Finding> {
    let all = place.config.configs.iter().flat_map(|config| &config.unsupported);
    all.map(|one| refused(place, one)).collect()
}

fn refused(place: &Place<'_>, one: &Unsupported) -> Finding {
    place
        .fail(one.message.clone())
        .seen(one.key.clone())
        .leads_to("nodes other than those that the config describes: nothing is launched with it")
        .todo(one.help.clone())
        .at(Some(&one.location))
}
