//! The routes between each two regions, in both directions: from each subnet
//! that nodes may be in, through the table that applies to it, to each
//! subnet that nodes of the other region may be in.

use ipnet::Ipv4Net;

use crate::{
    cloud::{Peering, PeeringState, Route, RouteState, RouteTable, RouteTarget, Subnet},
    model::PeeringId,
};

use super::{
    Finding, Level,
    context::{Context, Judged, pairs, settle},
    network::{Link, is_alive, links, table_of, wide},
};

/// `route.peering`
pub(super) fn peering(ctx: &Context<'_>) -> Vec<Finding> {
    let judge = |(a, b)| match links(a, b) {
        Ok(links) => links.into_iter().map(|link| settle(direction(&link))).collect(),
        Err(finding) => vec![*finding],
    };
    let both = |(a, b)| [(a, b), (b, a)];
    pairs(&ctx.places("route.peering")).into_iter().flat_map(both).flat_map(judge).collect()
}

fn direction(link: &Link<'_>) -> Judged<Finding> {
    if link.overlap().is_some() {
        return Ok(link.finding(Level::Skipped, "not judged: the addresses overlap"));
    }
    let peerings = link.peerings()?;
    match peerings.first().filter(|peering| is_alive(peering)) {
        Some(peering) => through(link, peering),
        None => Ok(link.finding(Level::Skipped, "not judged: there is no peering connection yet")),
    }
}

fn through(link: &Link<'_>, peering: &Peering) -> Judged<Finding> {
    let ways = ways(link, &peering.id)?;
    let broken: Vec<_> = ways.iter().filter(|way| way.is_broken(peering.state)).collect();
    if !broken.is_empty() {
        return Ok(broken_ways(link, peering, &broken));
    }
    let tables = ways.iter().map(Way::to_string);
    Ok(if ways.iter().any(|way| way.outcome == Outcome::Blackhole) {
        link.finding(Level::Skipped, "the route works once the peering does").all_seen(tables)
    } else {
        link.finding(Level::Pass, "the route is there").all_seen(tables)
    })
}

/// Where one table sends what is for one CIDR of the other region.
struct Way<'a> {
    table: &'a RouteTable,
    /// The CIDR of the other VPC that holds the other nodes.
    to: Ipv4Net,
    outcome: Outcome<'a>,
}

#[derive(PartialEq)]
enum Outcome<'a> {
    /// Through the peering connection.
    Through,
    /// To the peering connection, which is not active.
    Blackhole,
    /// Nowhere, or out with the default route.
    Nowhere,
    /// Somewhere else.
    Elsewhere(&'a Route),
}

impl Way<'_> {
    /// A route to a connection that is not active yet is not broken.
    fn is_broken(&self, peering: PeeringState) -> bool {
        match self.outcome {
            Outcome::Through => false,
            Outcome::Blackhole => peering == PeeringState::Active,
            Outcome::Nowhere | Outcome::Elsewhere(_) => true,
        }
    }
}

impl std::fmt::Display for Way<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (table, to) = (&self.table.id, self.to);
        match self.outcome {
            Outcome::Through => write!(f, "{table} has a route to {to}"),
            Outcome::Blackhole => write!(f, "{table} has a blackhole for {to}"),
            Outcome::Nowhere => write!(f, "{table} has no route to {to}"),
            Outcome::Elsewhere(route) => {
                write!(f, "{table} sends {} to {}", route.destination, target(&route.target))
            }
        }
    }
}

fn target(target: &RouteTarget) -> &str {
    match target {
        RouteTarget::Local => "its own VPC",
        RouteTarget::Peering(id) => id.as_str(),
        RouteTarget::Other(id) => id,
    }
}

fn ways<'a>(link: &Link<'a>, peering: &PeeringId) -> Judged<Vec<Way<'a>>> {
    let tables = tables(link)?;
    let destinations = link.to.subnets().unwrap_or_default();
    let there = destinations.into_iter().filter(|subnet| subnet.vpc == link.to_vpc.id);
    let mut ways: Vec<Way<'a>> = Vec::new();
    for subnet in there {
        let to = wide(&link.to, subnet);
        for table in &tables {
            add(&mut ways, Way { table, to, outcome: outcome(table, subnet.cidr, peering) });
        }
    }
    Ok(ways)
}

/// Keeps one way for each table and CIDR: one that does not lead through, if any.
fn add<'a>(ways: &mut Vec<Way<'a>>, way: Way<'a>) {
    let same = |other: &&mut Way<'a>| other.table.id == way.table.id && other.to == way.to;
    match ways.iter_mut().find(same) {
        Some(other) if other.outcome == Outcome::Through => *other = way,
        Some(_) => {}
        None => ways.push(way),
    }
}

/// The tables that apply to the subnets: the one associated, else the VPC's main one.
fn tables<'a>(link: &Link<'a>) -> Judged<Vec<&'a RouteTable>> {
    let place = &link.from;
    let absent = |absent| Box::new(place.absent_for(&link.subject(), absent, "the route tables"));
    let all = place.facts.route_tables.get().map_err(absent)?;
    let subnets = place.subnets().map_err(absent)?;
    let mut tables = Vec::new();
    for subnet in subnets.into_iter().filter(|subnet| subnet.vpc == link.from_vpc.id) {
        tables.push(table_of(all, subnet).ok_or_else(|| no_table(link, subnet))?);
    }
    tables.sort_by(|a, b| a.id.cmp(&b.id));
    tables.dedup_by(|a, b| a.id == b.id);
    Ok(tables)
}

/// Every VPC has a main table, so one that EC2 does not list is not known.
fn no_table(link: &Link<'_>, subnet: &Subnet) -> Box<Finding> {
    let title = format!("EC2 does not list the route table of {}", subnet.id);
    Box::new(link.finding(Level::Unknown, title).todo("refresh"))
}

/// Follows the longest prefix that covers `to`, and every route to a part of it.
fn outcome<'a>(table: &'a RouteTable, to: Ipv4Net, peering: &PeeringId) -> Outcome<'a> {
    let covering = table.routes.iter().filter(|route| route.destination.contains(&to));
    let Some(best) = covering.max_by_key(|route| route.destination.prefix_len()) else {
        return Outcome::Nowhere;
    };
    let parts = table
        .routes
        .iter()
        .filter(|route| to.contains(&route.destination) && route.destination != best.destination);
    let outcomes = std::iter::once(best).chain(parts).map(|route| follow(route, peering));
    outcomes.max_by_key(Outcome::badness).unwrap_or(Outcome::Nowhere)
}

impl Outcome<'_> {
    fn badness(&self) -> u8 {
        match self {
            Self::Through => 0,
            Self::Blackhole => 1,
            Self::Nowhere => 2,
            Self::Elsewhere(_) => 3,
        }
    }
}

fn follow<'a>(route: &'a Route, peering: &PeeringId) -> Outcome<'a> {
    match (&route.target, route.state) {
        (RouteTarget::Peering(id), RouteState::Active) if id == peering => Outcome::Through,
        (RouteTarget::Peering(id), RouteState::Blackhole) if id == peering => Outcome::Blackhole,
        // The way to the internet is there for everything else.
        _ if route.destination.prefix_len() == 0 => Outcome::Nowhere,
        _ => Outcome::Elsewhere(route),
    }
}

fn broken_ways(link: &Link<'_>, peering: &Peering, broken: &[&Way<'_>]) -> Finding {
    let title = match broken {
        [way] => way.to_string(),
        ways => format!("{} routes are missing or lead elsewhere", ways.len()),
    };
    link.finding(Level::Fail, title)
        .seen(format!("the peering connection is {}", peering.id))
        .all_seen(broken.iter().map(ToString::to_string))
        .impact(format!(
            "packets from {} to {} are dropped; connections time out",
            link.from.region(),
            link.to.region()
        ))
        .todo(broken.iter().map(|way| fix(link, peering, way)).collect::<Vec<_>>().join(" && "))
}

/// A route of the same destination can't be added, only replaced.
fn fix(link: &Link<'_>, peering: &Peering, way: &Way<'_>) -> String {
    let taken = |route: &&Route| match way.outcome {
        Outcome::Elsewhere(other) => other == *route && way.to.contains(&route.destination),
        _ => route.destination == way.to,
    };
    let (verb, to) = match way.table.routes.iter().find(taken) {
        Some(route) => ("replace-route", route.destination),
        None => ("create-route", way.to),
    };
    format!(
        "aws ec2 {verb} --region {} --route-table-id {} --destination-cidr-block {to} \
         --vpc-peering-connection-id {}",
        link.from.region(),
        way.table.id,
        peering.id
    )
}
