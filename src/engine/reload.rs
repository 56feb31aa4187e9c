//! The project from its files again, or why the one that is planned stays.

use std::sync::Arc;

use crate::{
    config::{Diagnostic, Project},
    model::Failure,
};

use super::shared::Shared;

/// The project as its files are now.
pub(super) fn load(shared: &Shared) -> Result<Arc<Project>, Failure> {
    let planned = shared.project();
    let mut refused = None;
    let loaded = shared.files.load_if(|loaded| {
        refused = match &loaded.project {
            Some(project) => restart(&planned, project),
            None => Some(unusable(&loaded.diagnostics)),
        };
        refused.is_none()
    });
    match (refused, loaded.project) {
        (None, Some(project)) => Ok(Arc::new(project)),
        (refused, _) => Err(refused.unwrap_or_else(|| unusable(&loaded.diagnostics))),
    }
}

/// The first error and how many there are; the old project stays.
fn unusable(diagnostics: &[Diagnostic]) -> Failure {
    let mut errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error());
    let Some(first) = errors.next() else { return Failure::new("the configs hold no project") };
    let place = first.location.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
    let rest = match errors.count() {
        0 => String::new(),
        1 => ", and one error more".into(),
        more => format!(", and {more} errors more"),
    };
    let message = format!("the configs can't be loaded: {place}{}{rest}", first.message);
    let hint = first.help.clone().unwrap_or_else(|| "`muster check` tells of all".into());
    Failure::new(message).hint(format!("{hint}; until then the plan stays as it was"))
}

/// What is settled when muster starts: where the cluster is kept, and how its
/// nodes are reached.
fn restart(old: &Project, new: &Project) -> Option<Failure> {
    let changed = |what: String| {
        let hint = "end muster and start it again to take that over";
        Some(Failure::new(format!("{what}, which muster reads at its start only")).hint(hint))
    };
    if *old.name != *new.name {
        return changed(format!("the project's name changed to `{}`", *new.name));
    }
    let ssh_config = |project: &Project| project.ssh_config.as_ref().map(|path| path.value.clone());
    if ssh_config(old) != ssh_config(new) {
        return changed("the project's ssh.config changed".into());
    }
    None
}
