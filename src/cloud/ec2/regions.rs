//! `DescribeRegions`.

use aws_sdk_ec2::types;

use super::{
    client::RegionClient,
    parse::{self, Parsed, Unreadable},
};
use crate::cloud::{OptIn, RegionInfo, Result};

const OPERATION: &str = "DescribeRegions";

/// All regions, those that are not enabled included. Has no pages.
pub(super) async fn describe(at: &RegionClient) -> Result<Vec<RegionInfo>> {
    let answer = at.client.describe_regions().all_regions(true).send().await;
    let answer = answer.map_err(|error| at.failed(OPERATION, &error))?;
    at.read(OPERATION, answer.regions.unwrap_or_default(), region)
}

fn region(region: types::Region) -> Parsed<RegionInfo> {
    let opt_in = match region.opt_in_status.as_deref() {
        Some("opt-in-not-required") => OptIn::NotRequired,
        Some("opted-in") => OptIn::OptedIn,
        Some("not-opted-in") => OptIn::NotOptedIn,
        _ => return Err(Unreadable("optInStatus")),
    };
    Ok(RegionInfo { name: parse::name(region.region_name, "regionName")?, opt_in })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_opt_in_state_is_known() {
        let state = |text| {
            let sdk = types::Region::builder().region_name("af-south-1").opt_in_status(text);
            region(sdk.build()).map(|region| region.opt_in)
        };
        assert_eq!(state("opt-in-not-required"), Ok(OptIn::NotRequired));
        assert_eq!(state("opted-in"), Ok(OptIn::OptedIn));
        assert_eq!(state("not-opted-in"), Ok(OptIn::NotOptedIn));
        assert_eq!(state("maybe"), Err(Unreadable("optInStatus")));
    }
}
