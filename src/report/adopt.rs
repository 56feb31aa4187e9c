//! What `up --adopt` is about to do, shown before it does it.

use super::{Block, Tone};
use crate::{
    cloud::tags,
    config::Project,
    engine::{AdoptPlan, Adoptee},
    model::ClusterId,
};

/// Which machines would be which nodes, what happens to them in what order,
/// and what speaks against it.
pub fn adopt_plan(project: &Project, plan: &AdoptPlan) -> Vec<Block> {
    let cluster = &plan.cluster;
    let mut blocks = Vec::new();
    if !plan.nodes.is_empty() {
        let titles = vec!["node", "instance", "type", "Ray's type", "public", "private"];
        blocks.extend([
            Block::Heading(format!(
                "What `ray up` made would be taken over, as cluster {cluster}."
            )),
            Block::Gap,
            Block::Rows(Some(titles), plan.nodes.iter().map(row).collect()),
        ]);
    } else if plan.refused.is_empty() {
        blocks.push(Block::text(format!(
            "All machines are taken over already, as {cluster}; what is not ready goes on."
        )));
    }
    blocks.extend(plan.notes.iter().map(Block::care));
    blocks.extend(plan.refused.iter().flat_map(Block::refusal));
    if !plan.nodes.is_empty() && plan.refused.is_empty() {
        blocks.extend(what_happens(project, cluster));
    }
    blocks
}

fn row(one: &Adoptee) -> Vec<String> {
    let instance = &one.instance;
    let dash = || "-".to_owned();
    vec![
        one.node.to_string(),
        instance.id.to_string(),
        instance.instance_type.to_string(),
        one.group.node_type.clone(),
        instance.public_ip.map_or_else(dash, |ip| ip.to_string()),
        instance.private_ip.map_or_else(dash, |ip| ip.to_string()),
    ]
}

fn what_happens(project: &Project, cluster: &ClusterId) -> Vec<Block> {
    let (cluster_tag, project_tag) = (tags::CLUSTER, tags::PROJECT);
    let step = |number, text: String| Block::Marked(Tone::Dim, number, text);
    vec![
        Block::Gap,
        Block::text("In this order:"),
        step(
            "  1.",
            "On each head Ray's autoscaler is stopped: it would replace instances that others terminate."
                .into(),
        ),
        step(
            "  2.",
            format!(
                "The instances are tagged {cluster_tag} = {cluster} and {project_tag} = {}. From \
                 then on `muster down` terminates them.",
                *project.name
            ),
        ),
        step(
            "  3.",
            format!(
                "The recipe runs on them: one Ray, led by {}/head. What runs on them now is lost.",
                *project.leader
            ),
        ),
        Block::text("Nothing is launched. Leave `ray up` and `ray down` alone from then on."),
    ]
}
