//! Whether each region exists, is enabled for the account, and answers.

use crate::{cloud::OptIn, model::Failure, survey::Fact};

use super::{
    Finding, Level,
    context::{Context, Place},
};

/// `region.enabled`
pub(super) fn enabled(ctx: &Context<'_>) -> Vec<Finding> {
    let places = ctx.places("region.enabled");
    places.iter().map(|place| judge(place).at(place.config.region.location())).collect()
}

fn judge(place: &Place<'_>) -> Finding {
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

fn no_such_region(place: &Place<'_>) -> Finding {
    place
        .fail("there is no such region")
        .seen("DescribeRegions does not list it")
        .leads_to("its endpoint could not be found")
        .todo("correct provider.region; aws ec2 describe-regions --all-regions lists them")
}

fn not_enabled(place: &Place<'_>) -> Finding {
    let region = place.region();
    place
        .fail("the region is not enabled for this account")
        .leads_to("every call there would be refused: OptInRequired or AuthFailure")
        .todo(format!("aws account enable-region --region-name {region}, or leave it out"))
}

fn not_asked(place: &Place<'_>, failure: &Failure) -> Finding {
    place
        .finding(Level::Unknown, "the region could not be asked")
        .because(failure)
        .leads_to("nothing is known of what is there")
}
