//! The VPCs' addresses: what can never be peered.

use super::{
    Finding, Level,
    context::{Context, Judged, RegionView, pairs, settle},
    network::{Link, links},
};

/// `vpc.cidr-overlap`
pub(super) fn cidr_overlap(ctx: &Context<'_>) -> Vec<Finding> {
    let judge = |(a, b)| match links(a, b) {
        Ok(links) => links.into_iter().map(apart).collect(),
        Err(finding) => vec![*finding],
    };
    pairs(&ctx.places("vpc.cidr-overlap")).into_iter().flat_map(judge).collect()
}

fn apart(link: Link<'_>) -> Finding {
    let Some((near, far)) = link.overlap() else {
        let (near, far) = (cidrs(&link.from_vpc.cidrs), cidrs(&link.to_vpc.cidrs));
        return link.finding(Level::Pass, format!("{near} and {far} are apart"));
    };
    if link.from_vpc.is_default && link.to_vpc.is_default {
        return link.finding(Level::Skipped, "both are default VPCs: see vpc.default");
    }
    link.finding(Level::Fail, format!("{near} overlaps {far}"))
        .seen(format!("{}  {}  {near}", link.from.region(), link.from_vpc.id))
        .seen(format!("{}  {}  {far}", link.to.region(), link.to_vpc.id))
        .impact("a peering connection would end in the state failed")
        .todo("move one region's nodes to a VPC with other addresses (SubnetIds, SecurityGroupIds)")
}

fn cidrs(cidrs: &[ipnet::Ipv4Net]) -> String {
    super::context::and(cidrs)
}

/// `vpc.default`
pub(super) fn default_vpc(ctx: &Context<'_>) -> Vec<Finding> {
    let places = ctx.places("vpc.default");
    places
        .iter()
        .map(|place| settle(own_vpc(&places, place)).at(place.network_location()))
        .collect()
}

fn own_vpc(places: &[RegionView<'_>], place: &RegionView<'_>) -> Judged<Finding> {
    if !uses_default(place)? {
        return Ok(place.pass("the nodes are in a VPC of their own"));
    }
    let others = places.iter().filter(|other| other.region() != place.region());
    let same: Vec<_> =
        others.clone().filter(|other| uses_default(other).unwrap_or(false)).collect();
    let unread = others
        .filter(|other| uses_default(other).is_err_and(|finding| finding.level == Level::Unknown));
    Ok(match same.as_slice() {
        [] if unread.clone().next().is_some() => place
            .finding(Level::Unknown, "the nodes are in the default VPC; others' may be as well")
            .seen(format!(
                "the VPCs of {} could not be read",
                super::context::and(unread.map(RegionView::region))
            ))
            .todo("check again"),
        [] if places.len() == 1 => {
            place.pass("the nodes are in the default VPC, as no other region's are")
        }
        [] => place
            .warn("the nodes are in the default VPC")
            .seen("172.31.0.0/16 in every region: no other region can use its own")
            .todo("nothing, as long as the other regions stay in VPCs with other addresses"),
        same => place
            .fail("the nodes are in the default VPC, as other regions' are")
            .seen(format!(
                "so are those of {}",
                super::context::and(same.iter().map(|other| other.region()))
            ))
            .seen("every default VPC is 172.31.0.0/16")
            .impact("default VPCs can't be peered with each other: the regions cannot connect")
            .todo(create(place)),
    })
}

fn uses_default(place: &RegionView<'_>) -> Judged<bool> {
    let vpcs = place.vpcs().map_err(|absent| place.absent(absent, "the VPCs"))?;
    Ok(vpcs.iter().any(|vpc| vpc.is_default))
}

fn create(place: &RegionView<'_>) -> String {
    format!(
        "make a VPC with addresses of its own and name its SubnetIds and SecurityGroupIds: \
         aws ec2 create-vpc --region {} --cidr-block 10.N.0.0/16",
        place.region()
    )
}
