//! What the nodes found out of their links, gathered by regions: from the
//! region of the node that tried to the one of the node at the other end.

use std::collections::BTreeMap;

use crate::{
    engine::{LinkCheck, NodeState, Probe},
    model::{NodeName, Region},
    tui::model::Model,
};

/// One check and the node that made it.
pub struct Link<'m> {
    /// Who tried.
    pub from: &'m NodeState,
    /// What came of it.
    pub check: &'m LinkCheck,
}

/// All checks, by regions.
pub struct Links<'m> {
    /// The regions in the order of the plan, then those that are only on record.
    pub regions: Vec<Region>,
    cells: BTreeMap<(usize, usize), Vec<Link<'m>>>,
    /// Number of nodes that reported, and of all nodes.
    pub verified: (usize, usize),
}

impl<'m> Links<'m> {
    /// What is known now.
    pub fn of(model: &'m Model) -> Self {
        let mut regions = model.project.region_names();
        let nodes = model.nodes_in_order();
        for node in &nodes {
            if !regions.contains(&node.group.region) {
                regions.push(node.group.region.clone());
            }
        }
        let place = |region: &Region| regions.iter().position(|other| other == region);
        let mut cells: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for node in &nodes {
            for check in &node.verified {
                // What a node reports of itself stands where a region meets itself.
                let own = || node.group.region.clone();
                let to = check.to.as_ref().map_or_else(own, |to| region_of(to, model));
                let cell = place(&node.group.region).zip(place(&to));
                if let Some(cell) = cell {
                    cells.entry(cell).or_default().push(Link { from: node, check });
                }
            }
        }
        let reported = nodes.iter().filter(|node| !node.verified.is_empty()).count();
        Self { verified: (reported, nodes.len()), regions, cells }
    }

    /// What nodes of one region found of those of another, by their places.
    pub fn cell(&self, from: usize, to: usize) -> &[Link<'m>] {
        self.cells.get(&(from, to)).map(Vec::as_slice).unwrap_or_default()
    }

    /// How many checks hold and how many do not.
    pub fn count(&self) -> (usize, usize) {
        let all = self.cells.values().flatten();
        let (all, failed) =
            all.fold((0, 0), |(all, failed), link| (all + 1, failed + usize::from(!link.check.ok)));
        (all - failed, failed)
    }

    /// The cells in which something fails, row by row.
    pub fn failing(&self) -> Vec<(usize, usize)> {
        let fails = |links: &[Link<'_>]| links.iter().any(|link| !link.check.ok);
        self.cells.iter().filter(|(_, links)| fails(links)).map(|(cell, _)| *cell).collect()
    }
}

/// In a large cluster what holds is reported once per region, without a peer.
fn region_of(to: &NodeName, model: &Model) -> Region {
    if let Some(node) = model.state.nodes.get(to) {
        return node.group.region.clone();
    }
    to.as_str().split_once('/').map_or(to.as_str(), |(region, _)| region).into()
}

/// What a probe tries, for those who don't know Quokka's parts.
pub fn about(probe: Probe) -> &'static str {
    match probe {
        Probe::Versions => "the node's own Python, Ray and pyquokka are those asked for",
        Probe::RayNode => "Ray lists the node, alive and under its private address",
        Probe::Gcs => "the leader's GCS (6380) takes connections",
        Probe::Redis => "the leader's Redis (6800) answers where Quokka looks for it",
        Probe::Flight => "Arrow Flight (5005) takes connections",
        Probe::RayClient => "the leader's Ray client server (10001) takes connections",
    }
}
