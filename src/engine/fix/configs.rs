//! A plan's rewriting of configs: shown before, and done at the end.

use std::sync::Arc;

use crate::{
    cloud::{Made, Ref},
    config::edit::{self, Edit, FileDiff},
    model::Failure,
    remedy::{Action, Plan, Rewrite, Target, Written},
};

use super::super::shared::Shared;

/// What `plan` would write; what is made first shows by its step's name.
pub(super) fn preview(shared: &Shared, plan: &Plan) -> Result<Vec<FileDiff>, Failure> {
    let rewrites = plan.steps.iter().flat_map(|step| match &step.action {
        Action::Rewrite(rewrites) => rewrites.as_slice(),
        _ => &[],
    });
    let edits: Vec<_> = rewrites.map(|rewrite| edit(rewrite, &Made::new())).collect();
    Ok(shared.files.preview(&edits)?)
}

/// Writes, and plans what the configs say then.
pub(super) async fn rewrite(
    shared: &Arc<Shared>,
    rewrites: &[Rewrite],
    made: &Made,
) -> Result<(), Failure> {
    let edits: Vec<_> = rewrites.iter().map(|rewrite| edit(rewrite, made)).collect();
    // Files may be on a slow disk; other tasks run meanwhile.
    let files = shared.files.clone();
    let written = tokio::task::spawn_blocking(move || files.rewrite(&edits)).await;
    written.map_err(|error| Failure::new(format!("muster failed: {error}")))??;
    shared.reload().await
}

fn edit(rewrite: &Rewrite, made: &Made) -> Edit {
    let text = |one: &Ref| one.with(made).to_string();
    let value = match &rewrite.value {
        Written::One(one) => edit::Value::Text(text(one)),
        Written::List(all) => edit::Value::List(all.iter().map(text).collect()),
    };
    let (file, target, why) = match &rewrite.target {
        Target::At { location, key, old } => (
            location.file.clone(),
            edit::Target::At(location.clone()),
            format!("{key}: {old} can't be used"),
        ),
        Target::NodeConfig { file, node_type, key } => (
            file.clone(),
            edit::Target::NodeConfig { node_type: node_type.clone(), key },
            format!("{key} of {node_type}"),
        ),
    };
    Edit { file, target, value, why }
}
