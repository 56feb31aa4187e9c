//! Whether the nodes can be reached from outside their VPC at all: a public
//! address, and a route that leads to an internet gateway. A security group
//! that lets SSH in is no use without either.

use ipnet::Ipv4Net;

use crate::{
    cloud::{RouteState, RouteTable, RouteTarget, Subnet},
    config::{NodeGroup, RayConfig},
};

use super::{
    Finding, Level,
    context::{Context, Judged, RegionView, count},
    network::table_of,
    rules::WORLD,
};

/// `subnet.reachable`
pub(super) fn reachable(ctx: &Context<'_>) -> Vec<Finding> {
    let operator = ctx.project.operator_cidr.as_ref().map_or(WORLD, |cidr| cidr.value);
    let places = ctx.places("subnet.reachable");
    places.iter().map(|place| judge(place, operator).at(place.network_location())).collect()
}

fn judge(place: &RegionView<'_>, operator: Ipv4Net) -> Finding {
    if place.config.configs.iter().all(|config| config.use_internal_ips) {
        return place.pass("SSH goes to private addresses (use_internal_ips)");
    }
    if place.config.configs.iter().all(is_inside) {
        return place.pass("SSH goes through ssh_proxy_command, to instances' ids");
    }
    let subnets = match place.subnets_for(|group| needs_way(place, group)) {
        Ok(subnets) => subnets,
        Err(absent) => return place.absent(absent, "the subnets"),
    };
    let no_address = subnets.iter().filter_map(|subnet| no_address(place, subnet)).collect();
    match ways_out(place, &subnets, operator) {
        Ok(no_way) => verdict(place, [no_address, no_way].concat()),
        Err(_) if !no_address.is_empty() => shut_off(place, &no_address),
        Err(finding) => *finding,
    }
}

/// Whether none of its nodes has to be reachable from outside.
fn is_inside(config: &RayConfig) -> bool {
    config.use_internal_ips || config.ssh_by_id()
}

fn needs_way(place: &RegionView<'_>, group: &NodeGroup) -> bool {
    !is_inside(place.config.config_of(group))
}

fn verdict(place: &RegionView<'_>, mut obstacles: Vec<Obstacle>) -> Finding {
    obstacles.sort();
    obstacles.dedup();
    if obstacles.is_empty() {
        return place.pass("nodes get a public address and a way to the internet");
    }
    shut_off(place, &obstacles)
}

/// Why nodes can't be reached, and what to do about it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Obstacle {
    what: String,
    fix: String,
}

fn no_address(place: &RegionView<'_>, subnet: &Subnet) -> Option<Obstacle> {
    let (id, region) = (&subnet.id, place.region());
    let gives = place
        .config
        .groups
        .iter()
        .filter(|group| needs_way(place, group) && may_use(place, group, subnet))
        .all(|group| group.template.public_address().unwrap_or(subnet.public_ip_on_launch));
    (!gives).then(|| Obstacle {
        what: format!("{id} gives nodes no public address"),
        fix: format!(
            "aws ec2 modify-subnet-attribute --region {region} --subnet-id {id} \
             --map-public-ip-on-launch"
        ),
    })
}

fn may_use(place: &RegionView<'_>, group: &NodeGroup, subnet: &Subnet) -> bool {
    let subnets = place.facts.subnets_of(place.config, group).unwrap_or_default();
    subnets.iter().any(|own| own.id == subnet.id)
}

/// The tables that lead the operator's way to anything but an internet gateway.
fn ways_out(
    place: &RegionView<'_>,
    subnets: &[&Subnet],
    operator: Ipv4Net,
) -> Judged<Vec<Obstacle>> {
    let absent = |absent| place.absent(absent, "the route tables");
    let tables = place.facts.route_tables.get().map_err(absent)?;
    let of_subnet = |subnet: &&Subnet| {
        table_of(tables, subnet).ok_or_else(|| {
            let title = format!("EC2 does not list the route table of {}", subnet.id);
            Box::new(place.finding(Level::Unknown, title).todo("refresh"))
        })
    };
    let tables: Vec<_> = subnets.iter().map(of_subnet).collect::<Judged<_>>()?;
    Ok(tables.into_iter().filter_map(|table| no_way(place, table, operator)).collect())
}

fn no_way(place: &RegionView<'_>, table: &RouteTable, operator: Ipv4Net) -> Option<Obstacle> {
    let covering = table.routes.iter().filter(|route| route.destination.contains(&operator));
    let best = covering.max_by_key(|route| route.destination.prefix_len());
    let leads_out = best.is_some_and(|route| {
        let gateway = matches!(&route.target, RouteTarget::Other(id) if id.starts_with("igw-"));
        gateway && route.state == RouteState::Active
    });
    (!leads_out).then(|| Obstacle {
        what: format!("{} has no route to an internet gateway", table.id),
        fix: format!(
            "aws ec2 create-route --region {} --route-table-id {} \
             --destination-cidr-block 0.0.0.0/0 --gateway-id IGW",
            place.region(),
            table.id
        ),
    })
}

fn shut_off(place: &RegionView<'_>, obstacles: &[Obstacle]) -> Finding {
    let (title, seen) = match obstacles {
        [one] => (one.what.clone(), Vec::new()),
        many => (
            format!("nodes can't be reached from outside, for {} reasons", many.len()),
            many.iter().map(|obstacle| obstacle.what.clone()).collect(),
        ),
    };
    let shut_off = place.config.groups.iter().filter(|group| needs_way(place, group));
    let nodes = shut_off.map(|group| group.count).sum::<u32>();
    let fixes: Vec<_> = obstacles.iter().map(|obstacle| obstacle.fix.as_str()).collect();
    place
        .fail(title)
        .all_seen(seen)
        .impact(format!("SSH to {} would time out", count(nodes, "node")))
        .todo(format!(
            "{}, or set use_internal_ips where you reach private addresses",
            fixes.join(" && ")
        ))
}
