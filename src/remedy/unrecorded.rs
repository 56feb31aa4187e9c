//! Resources that carry this project's name as a tag, but that none of its
//! journals lists: created by another machine or person, or by this one before
//! its journal was lost. They are shown with all relevant details, and
//! neither reused nor deleted unless the user adopts them.

use serde::Serialize;

use crate::{
    cloud::{IpPermission, RouteTarget, SecurityGroup, StepId, Tagged, tags},
    model::Region,
};

use super::facts::RegionFacts;

/// A resource that is tagged and not on record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unrecorded {
    /// Its region.
    pub region: Region,
    /// The step that its tag names.
    pub slot: StepId,
    /// Its id.
    pub id: String,
    /// Whether it carries this project's random id, not only its name.
    pub same_project: bool,
    /// What matters of it: addresses, rules, what it belongs to.
    pub details: Vec<String>,
    /// Why it can't be taken over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

impl Unrecorded {
    pub(super) fn of(region: &Region, tagged: &Tagged, project_id: &str) -> Option<Self> {
        Some(Self {
            region: region.clone(),
            slot: StepId(tagged.tags.get(tags::REMEDY)?.clone()),
            id: tagged.id.clone(),
            same_project: tagged.tags.get(tags::PROJECT_ID).is_some_and(|id| id == project_id),
            details: Vec::new(),
            refused: None,
        })
    }
}

impl RegionFacts {
    /// What matters of the resource `id`, a line each.
    pub(super) fn details(&self, id: &str) -> Vec<String> {
        let vpcs = self.vpcs.iter().filter(|one| one.id.as_str() == id);
        let vpcs = vpcs.map(|one| format!("addresses {}", list(&one.cidrs)));
        let subnets = self.subnets.iter().filter(|one| one.id.as_str() == id);
        let subnets = subnets.map(|one| format!("{} in {} of {}", one.cidr, one.zone, one.vpc));
        let gateways = self.gateways.iter().filter(|one| one.id == id);
        let gateways = gateways.map(|one| match &one.vpc {
            Some(vpc) => format!("attached to {vpc}"),
            None => "attached to nothing".into(),
        });
        let peerings = self.peerings.iter().filter(|one| one.id.as_str() == id);
        let peerings = peerings.map(|one| {
            let (from, to) = (&one.requester, &one.accepter);
            format!("joins {} in {} with {} in {}", from.vpc, from.region, to.vpc, to.region)
        });
        let groups = self.groups.iter().filter(|one| one.id.as_str() == id).flat_map(group);
        let tables = self.tables.iter().filter(|one| one.id.as_str() == id).flat_map(|one| {
            let routes = one.routes.iter().map(|route| {
                let target = match &route.target {
                    RouteTarget::Local => "local",
                    RouteTarget::Peering(id) => id.as_str(),
                    RouteTarget::Other(id) => id,
                };
                format!("route {} to {target}", route.destination)
            });
            std::iter::once(format!("in {}", one.vpc)).chain(routes).collect::<Vec<_>>()
        });
        let all = vpcs.chain(subnets).chain(gateways).chain(peerings).chain(groups).chain(tables);
        all.collect()
    }
}

fn group(group: &SecurityGroup) -> Vec<String> {
    let head = format!("{} in {}", group.name, group.vpc);
    let rules = group.inbound.iter().map(|rule| format!("admits {}", permission(rule)));
    let rules: Vec<_> = rules.collect();
    let none = rules.is_empty().then(|| "admits nobody".to_owned());
    std::iter::once(head).chain(rules).chain(none).collect()
}

/// `tcp 22 from 0.0.0.0/0`
pub(super) fn permission(rule: &IpPermission) -> String {
    let ports = match rule.ports {
        Some(ports) if ports.from == ports.to => format!(" {}", ports.from),
        Some(ports) => format!(" {}-{}", ports.from, ports.to),
        None => " all ports".into(),
    };
    let protocol = if rule.protocol == "-1" { "all" } else { rule.protocol.as_str() };
    let cidrs = rule.cidrs.iter().map(ToString::to_string);
    let sources: Vec<_> = cidrs.chain(rule.groups.iter().map(ToString::to_string)).collect();
    let sources = if sources.is_empty() {
        "sources that muster does not read".into()
    } else {
        sources.join(", ")
    };
    format!("{protocol}{ports} from {sources}")
}

fn list<T: ToString>(all: &[T]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
