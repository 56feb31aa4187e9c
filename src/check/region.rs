//! Whether each region exists and is enabled for the account.

use crate::{cloud::OptIn, survey::Absent};

use super::{
    Finding,
    context::{Context, Place},
};

/// `region.enabled`
pub(super) fn enabled(ctx: &Context<'_>) -> Vec<Finding> {
    ctx.places("region.enabled").iter().map(judge).collect()
}

fn judge(place: &Place<'_>) -> Finding {
    let region = place.region();
    let finding = match place.facts.opt_in.get() {
        Ok(Some(OptIn::NotRequired | OptIn::OptedIn)) => {
            place.pass("the account can use the region")
        }
        Ok(Some(OptIn::NotOptedIn)) => place
            .fail("the region is not enabled for this account")
            .leads_to("every call there would be refused: OptInRequired or AuthFailure")
            .todo(format!("aws account enable-region --region-name {region}, or leave it out")),
        Ok(None) => place
            .fail("there is no such region")
            .seen("DescribeRegions does not list it")
            .leads_to("its endpoint could not be found")
            .todo("correct provider.region; aws ec2 describe-regions --all-regions lists them"),
        Err(Absent::Unknown(failure)) => {
            place.absent(Absent::Unknown(failure), "the list of regions")
        }
        Err(Absent::Missing) => place.absent(Absent::Missing, "the list of regions"),
    };
    finding.at(place.config.region.location())
}
