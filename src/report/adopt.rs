//! What `up --adopt` is about to do, shown before it does it.

use super::{Paint, Tone, table::table};
use crate::{
    cloud::tags,
    config::Project,
    engine::{AdoptPlan, Adoptee},
    model::{ClusterId, Failure},
};

/// Which machines would be which nodes, what happens to them in what order,
/// and what speaks against it.
pub fn adopt_plan(
    project: &Project,
    cluster: &ClusterId,
    plan: &AdoptPlan,
    paint: Paint,
) -> Vec<String> {
    let id = paint.paint(Tone::Strong, cluster);
    let mut lines = Vec::new();
    if !plan.nodes.is_empty() {
        lines.extend([
            format!("muster up --adopt takes over what `ray up` made, as cluster {id}:"),
            String::new(),
        ]);
        let heading = ["node", "instance", "type", "Ray's type", "public", "private"];
        let mut rows = vec![heading.map(str::to_owned).to_vec()];
        rows.extend(plan.nodes.iter().map(row));
        lines.extend(table(&rows).into_iter().map(|line| format!("  {line}")));
    } else if plan.refused.is_empty() {
        lines.push(format!(
            "All machines are taken over already, as {id}; what is not ready goes on."
        ));
    }
    for note in &plan.notes {
        lines.push(format!("{} {note}", paint.paint(Tone::Care, "!")));
    }
    for failure in &plan.refused {
        lines.extend(refusal(failure, paint));
    }
    if !plan.nodes.is_empty() && plan.refused.is_empty() {
        lines.extend(what_happens(project, cluster));
    }
    lines
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

fn what_happens(project: &Project, cluster: &ClusterId) -> Vec<String> {
    let (cluster_tag, project_tag) = (tags::CLUSTER, tags::PROJECT);
    vec![
        String::new(),
        "In this order:".into(),
        "  1. On each head Ray's autoscaler is ended: it would launch anew what others terminate."
            .into(),
        format!(
            "  2. The instances are tagged {cluster_tag} = {cluster} and {project_tag} = {}.",
            *project.name
        ),
        "     From then on `muster down` terminates them.".into(),
        format!(
            "  3. The recipe runs on them: one Ray, led by {}/head. What runs on them now is lost.",
            *project.leader
        ),
        "Nothing is launched. Leave `ray up` and `ray down` alone from then on.".into(),
    ]
}

fn refusal(failure: &Failure, paint: Paint) -> Vec<String> {
    let mut lines = vec![format!("{} {failure}", paint.paint(Tone::Bad, "✗"))];
    let hint = |hint| format!("    {} {hint}", paint.paint(Tone::Dim, "do"));
    lines.extend(failure.hint.as_ref().map(hint));
    lines
}
