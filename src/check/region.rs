//! Whether each region exists, is enabled for the account, and answers.

use crate::{cloud::OptIn, model::Failure, survey::Fact};

use super::{
    Finding, Level,
    context::{Context, RegionView},
};

/// `region.enabled`
pub(super) fn enabled(ctx: &Context<'_>) -> Vec<Finding> {
    let places = ctx.places("region.enabled");
    places.iter().map(|place| judge(place).at(place.config.region.location())).collect()
}

fn judge(place: &RegionView<'_>) -> Finding {
    match (&place.facts.opt_in, &place.facts.not_asked) {
        (Fact::Known(None), _) => no_such_region(place),
        (Fact::Known(Some(OptIn::NotOptedIn)), _) => not_enabled(place),
        (_, Some(failure)) => not_asked(place, failure),
        (Fact::Known(Some(OptIn::NotRequired | OptIn::OptedIn)), None) => {
            place.pass("the account can use the region")
        }
        (Fact::Unknown(failure), None) => {
            place.finding(Level::Unknown, "the list of regions could not be read").because(failure)
        }
    }
}

fn no_such_region(place: &RegionView<'_>) -> Finding {
    place
        .fail("there is no such region")
        .seen("DescribeRegions does not list it")
        .impact("its endpoint could not be found")
        .todo("correct provider.region; aws ec2 describe-regions --all-regions lists them")
}

fn not_enabled(place: &RegionView<'_>) -> Finding {
    let region = place.region();
    place
        .fail("the region is not enabled for this account")
        .impact("every call there would be refused: OptInRequired or AuthFailure")
        .todo(format!("aws account enable-region --region-name {region}, or leave it out"))
}

fn not_asked(place: &RegionView<'_>, failure: &Failure) -> Finding {
    place
        .finding(Level::Unknown, "the region could not be read")
        .because(failure)
        .impact("nothing is known about its resources")
}
